//! A session of many authors on two devices that hold the same of it: what a meeting costs.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::chat::{Action, text::Text};
use tenet_identity::{
    card,
    keys::{DeviceKey, IdentityKey},
};
use tenet_log::{
    register::Register,
    roster::{Addition, Member, Op, Policy, Role, SessionKind},
    session::{Session, Terms},
    store::{LogStore, Position},
    sync::{self, Direction, Message, Peer},
};
use tenet_node::frame::Frame;
use tenet_store::Store;

use crate::NOW;

/// How many have written in it, and published where they are met.
pub(crate) const AUTHORS: usize = 1000;

/// How many bytes both ends say to each other in all, as frames.
pub(crate) fn meeting() -> usize {
    let mut stores = [(), ()].map(|()| Store::in_memory().unwrap());
    let [one, other] = &mut stores;
    let sessions = [write(one), copy(one, other)];
    assert!(sessions[0].frontier().heads().count() >= AUTHORS);
    let secret = sessions[0].roster().secret;
    let tags = [Direction::FromDialler, Direction::FromDialled]
        .map(|direction| sync::tag(&secret, &[1; 32], direction));
    let ends = sessions.iter().zip(&stores);
    let (mut peers, mut said): (Vec<Peer>, Vec<Message>) = ends
        .map(|(session, store)| Peer::open(session, store).unwrap())
        .unzip();
    let mut bytes = 0;
    while !said.is_empty() {
        let mut answers = Vec::new();
        for (at, message) in std::mem::take(&mut said).into_iter().enumerate() {
            bytes += Frame::Sync(tags[at], message.clone()).encode().len();
            let Message::Digest(digest) = message else {
                panic!("more is said than digests");
            };
            let to = 1 - at;
            let (session, store) = (&sessions[to], &stores[to]);
            answers.extend(peers[to].on_digest(session, store, digest).unwrap());
            answers.extend(peers[to].pump(store, NOW).unwrap());
        }
        said = answers;
    }
    bytes
}

/// An owner lets everybody in; everybody says a word.
fn write(store: &mut Store) -> Session {
    let mut rng = ChaCha20Rng::from_seed([4; 32]);
    let people: Vec<_> = (0..AUTHORS).map(person).collect();
    let (owner, device) = &people[0];
    let card = |(identity, device): &(IdentityKey, DeviceKey)| {
        card::issue(identity, device.public(), "phone", NOW).unwrap()
    };
    let terms = Terms {
        kind: SessionKind::Group,
        members: vec![Member {
            identity: owner.public(),
            role: Role::Owner,
        }],
        policy: Policy::default(),
    };
    let founding = Session::draft_founding_on(device, &card(&people[0]), terms, NOW, &mut rng);
    let (mut session, _) = Session::open(store, &founding.unwrap()).unwrap();
    for (number, one) in people.iter().enumerate() {
        let now = NOW + number as u64;
        if number > 0 {
            let add = Op::Add(Addition {
                identity: one.0.public(),
                role: Role::Member,
                floor: None,
            });
            session.operate(store, device, &add, now).unwrap();
            let join = Op::Join(card(one));
            session.operate(store, &one.1, &join, now).unwrap();
        }
        let text = Action::Text(Text::new("here".into(), None).unwrap());
        let draft = text.draft().unwrap();
        session.append(store, &one.1, draft, now, &mut rng).unwrap();
        let time = tenet_log::clock::Hlc::from_millis(now);
        let met = Register::sign(&one.1, session.id(), "endpoint", time, vec![7; 100]);
        store.put_register(&met.unwrap()).unwrap();
    }
    session
}

/// Another device takes in all of it.
fn copy(from: &Store, to: &mut Store) -> Session {
    let id = from.sessions().unwrap()[0];
    let events = from.since(id, Position::default(), usize::MAX).unwrap();
    let (mut session, _) = Session::open(to, &events[0].event).unwrap();
    for stored in &events[1..] {
        session.receive(to, &stored.event, NOW).unwrap();
    }
    for register in from.registers(id).unwrap() {
        to.put_register(&register).unwrap();
    }
    session
}

fn person(number: usize) -> (IdentityKey, DeviceKey) {
    let seed = |what: u8| {
        let mut seed = [what; 32];
        seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
        seed
    };
    (
        IdentityKey::from_seed(seed(5)),
        DeviceKey::from_seed(seed(6)),
    )
}
