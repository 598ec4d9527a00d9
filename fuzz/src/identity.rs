//! Hellos, cards, links, knocks: what a stranger says first.

use std::sync::OnceLock;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::contacts::shared::SharedContact;
use tenet_apps::own::status::Status;
use tenet_identity::{
    card::{DeviceCard, Revocation, UnverifiedCard, UnverifiedRevocation},
    did, encoding,
    hello::{Binding, Hello, Role, UnverifiedHello},
    keys::{DeviceId, DeviceKey, EndpointId, IdentityId, IdentityKey},
    meeting::{
        contact_card::ContactCard,
        door::Place,
        invite::Secret,
        knock::{self, Answer, Answerer, Bond, Knock, Knocker, Message, Open},
        link::Link,
        linking, sealed_link,
    },
    vault::Cost,
};
use tenet_node::Own;
use tenet_sim::{machine::BEGINNING, node::Node};

use crate::Target;

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "cbor",
        what: "deterministic CBOR, as everything is checked first",
        run: cbor,
        seeds: || vec![person(0).card.to_bytes(), hello_bytes()],
        max_len: 4096,
    },
    Target {
        name: "hello",
        what: "the first frame of a connection",
        run: hello,
        seeds: || vec![hello_bytes()],
        max_len: 1200,
    },
    Target {
        name: "card",
        what: "a device's card, and a revocation",
        run: card,
        seeds: card_seeds,
        max_len: 1200,
    },
    Target {
        name: "link",
        what: "a link, a DID and the texts of ids",
        run: link,
        seeds: link_seeds,
        max_len: 2048,
    },
    Target {
        name: "contact_card",
        what: "a contact card, a sealed link, and the text of a place",
        run: contact_card,
        seeds: contact_card_seeds,
        max_len: 4096,
    },
    Target {
        name: "knock",
        what: "the messages of a knock, each checked at its end",
        run: knock,
        seeds: knock_seeds,
        max_len: 20_000,
    },
    Target {
        name: "linking",
        what: "the messages by which a device is linked, each checked at its end; what devices tell each other",
        run: linking,
        seeds: linking_seeds,
        max_len: 2048,
    },
];

/// The person with this number; the same in every run.
pub(crate) fn person(number: usize) -> &'static Own {
    static PERSONS: OnceLock<Vec<Own>> = OnceLock::new();
    let person = |number| Node::new(number, 0, BEGINNING).own();
    &PERSONS.get_or_init(|| (0..3).map(person).collect())[number]
}

fn cbor(data: &[u8]) {
    let fine = encoding::check(data).is_ok();
    let read = encoding::decode::<Vec<u8>>(data);
    if let Ok(bytes) = read {
        assert!(fine);
        assert!(encoding::encode(&bytes).len() >= bytes.len());
    }
}

fn binding() -> Binding {
    Binding {
        exporter: [3; 32],
        role: Role::Dialler,
        dialler: person(1).endpoint,
        dialled: person(0).endpoint,
    }
}

fn hello_bytes() -> Vec<u8> {
    let own = person(1);
    Hello::new(&own.key, &own.card, &[1], &binding()).to_bytes()
}

fn hello(data: &[u8]) {
    let Ok(shown) = UnverifiedHello::from_bytes(data) else {
        return;
    };
    if let Ok(hello) = shown.verify(&binding(), BEGINNING) {
        let again = UnverifiedHello::from_bytes(&hello.to_bytes()).unwrap();
        assert_eq!(again.verify(&binding(), BEGINNING).unwrap(), hello);
    }
}

fn card(data: &[u8]) {
    if let Ok(shown) = UnverifiedCard::from_bytes(data) {
        let bytes = shown.to_bytes();
        assert_eq!(bytes, data, "a card has one form");
        if let Ok(card) = shown.verify() {
            let again: Result<DeviceCard, _> = UnverifiedCard::from_bytes(&card.to_bytes())
                .unwrap()
                .verify();
            assert_eq!(again.unwrap(), card);
        }
    }
    if let Ok(shown) = UnverifiedRevocation::from_bytes(data)
        && let Ok(revocation) = shown.verify()
    {
        assert_eq!(revocation.to_bytes(), data);
    }
}

fn card_seeds() -> Vec<Vec<u8>> {
    let own = person(0);
    let key = IdentityKey::from_seed([9; 32]);
    let revocation = Revocation::issue(&key, own.device(), BEGINNING).unwrap();
    vec![own.card.to_bytes(), revocation.to_bytes()]
}

fn link(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(link) = Link::parse(&text) {
        let again = Link::parse(&link.text()).unwrap();
        assert_eq!(again.text(), link.text());
        let _ = link.expired_at(BEGINNING);
    }
    if let Ok(identity) = did::parse(&text) {
        assert_eq!(did::parse(&did::encode(&identity)).unwrap(), identity);
    }
    let _ = text.parse::<DeviceId>();
    let _ = text.parse::<IdentityId>();
    let _ = text.parse::<EndpointId>();
}

fn link_seeds() -> Vec<Vec<u8>> {
    let own = person(0);
    vec![
        tenet_apps::contacts::testing::link(1)
            .text()
            .as_bytes()
            .to_vec(),
        did::encode(&own.identity()).into_bytes(),
        own.device().to_string().into_bytes(),
    ]
}

fn contact_card(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(card) = ContactCard::read(&text) {
        assert!(card.place.addresses.len() <= 16);
    }
    if let Ok(place) = text.parse::<Place>() {
        assert_eq!(place.to_string().parse(), Ok(place));
    }
    if let Ok(link) = sealed_link::open(&text, "password") {
        assert_eq!(*link.text(), *sealed().text());
    }
}

fn sealed() -> Link {
    tenet_apps::contacts::testing::link(1)
}

fn contact_card_seeds() -> Vec<Vec<u8>> {
    let own = person(0);
    let place = Place {
        endpoint: own.endpoint,
        addresses: vec!["192.0.2.1:4433".parse().unwrap()],
    };
    let card = ContactCard {
        card: own.card.clone(),
        place: place.clone(),
        name: own.name.clone(),
        made_ms: BEGINNING,
    };
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let cheap = Cost::new(8, 1, 1).unwrap();
    let sealed = sealed_link::seal(&mut rng, &sealed(), "password", cheap).unwrap();
    [card.sign(&own.key), sealed, place.to_string()]
        .map(String::into_bytes)
        .to_vec()
}

const NONCE: [u8; 32] = [5; 32];

fn secret() -> Secret {
    Secret::from([7; 16])
}

fn bond(secret: &Secret) -> Bond<'_> {
    let inviter = person(0);
    Bond {
        exporter: [3; 32],
        secret,
        inviter: inviter.identity(),
        endpoint: inviter.endpoint,
    }
}

fn knocker() -> Knocker {
    let own = person(1);
    Knocker {
        commitment: knock::commitment(&NONCE, own.device()),
        card: own.card.clone(),
        name: own.name.clone(),
        plea: knock::Plea {
            remark: Some("we met".into()),
            addresses: vec!["192.0.2.1:9".parse().unwrap()],
        },
    }
}

fn knock(data: &[u8]) {
    let Ok(message) = Message::from_bytes(data) else {
        return;
    };
    let secret = secret();
    match message {
        Message::Knock(knock) => {
            let _ = knock.invite();
            let _ = knock.check(&bond(&secret));
        }
        Message::Answer(answer) => {
            let _ = answer.check(&bond(&secret), &knocker());
        }
        Message::Open(open) => {
            let _ = open.check(&knocker());
        }
        _ => {}
    }
}

fn knock_seeds() -> Vec<Vec<u8>> {
    let (secret, inviter) = (secret(), person(0));
    let answerer = Answerer {
        card: inviter.card.clone(),
        name: inviter.name.clone(),
        nonce: [6; 32],
        founding: vec![1; 40],
    };
    let invite = tenet_apps::contacts::testing::link(1).invite().id();
    let messages = [
        Message::Knock(Knock::new(&bond(&secret), invite, &knocker()).unwrap()),
        Message::Answer(Answer::new(&bond(&secret), &knocker(), &answerer).unwrap()),
        Message::Open(Open::new(NONCE, vec![2; 40]).unwrap()),
        Message::Done,
        Message::Refused(knock::Refusal {
            reason: knock::Reason::Used,
            remark: Some("who are you?".into()),
        }),
    ];
    messages.iter().map(Message::to_bytes).collect()
}

/// The device that asks to be linked, and its key.
fn newcomer() -> (linking::Newcomer, DeviceKey) {
    let key = DeviceKey::from_seed([9; 32]);
    let device = key.public();
    let newcomer = linking::Newcomer {
        device,
        name: "tablet".into(),
        commitment: linking::commitment(&NONCE, device),
    };
    (newcomer, key)
}

fn linking(data: &[u8]) {
    let _ = Status::decode(data).map(|status| Status::decode(&status.encode()));
    let _ = SharedContact::decode(data).map(|shared| SharedContact::decode(&shared.encode()));
    let Ok(message) = linking::Message::from_bytes(data) else {
        return;
    };
    let (secret, (newcomer, key)) = (secret(), newcomer());
    let bond = bond(&secret);
    match message {
        linking::Message::Ask(ask) => drop(ask.check(&bond)),
        linking::Message::Share(share) => drop(share.check(&bond, &newcomer)),
        linking::Message::Open(open) => drop(open.check(&bond, &newcomer)),
        linking::Message::Given(card, _) => {
            let _ = linking::given(card, bond.inviter, key.public());
        }
        linking::Message::Refused(_) => {}
    }
}

fn linking_seeds() -> Vec<Vec<u8>> {
    let (secret, (newcomer, key), own) = (secret(), newcomer(), person(0));
    let bond = bond(&secret);
    let invite = tenet_apps::contacts::testing::link(1).invite().id();
    let messages = [
        linking::Message::Ask(linking::Ask::new(&bond, invite, &newcomer).unwrap()),
        linking::Message::Share(linking::Share::new(&bond, &newcomer, &own.card, [6; 32])),
        linking::Message::Open(linking::Open::new(&bond, &key, NONCE)),
        linking::Message::Given(own.card.to_unverified(), "ann".into()),
        linking::Message::Refused(1),
    ];
    messages.iter().map(linking::Message::to_bytes).collect()
}
