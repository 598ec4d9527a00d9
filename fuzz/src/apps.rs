//! What events and registers say, and records that a backup may hold.

use tenet_apps::{
    chat::{
        Action,
        edit::Edit,
        file::File,
        overlay::Overlay,
        react::{Emoji, React},
        read::Position,
        text::Text,
        unsend::Unsend,
    },
    contacts::{
        Answered, Contact, Endpoint, Invite, Knocking, Request,
        request::{Decision, RequestId},
        testing,
    },
    settings::Settings,
};
use tenet_identity::{keys::Signature, meeting::invite::Secret};
use tenet_log::{
    clock::Hlc,
    event::{Body, Content, Event, Header, Kind},
    frontier::Frontier,
    ids::EventId,
    order::OrderKey,
};
use tenet_sim::machine::BEGINNING;

use crate::{
    Target,
    identity::person,
    log::{committed, shared},
};

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "chat",
        what: "what an event of a chat says: a byte for its kind, body or payload",
        run: chat,
        seeds: chat_seeds,
        max_len: 4096,
    },
    Target {
        name: "values",
        what: "values of registers: how far somebody has read, where somebody is met",
        run: values,
        seeds: value_seeds,
        max_len: 4096,
    },
    Target {
        name: "records",
        what: "records of contacts, invites, knocks, messages and settings",
        run: records,
        seeds: record_seeds,
        max_len: 4096,
    },
];

const KINDS: &[&str] = &["chat.text", "chat.edit", "chat.react", "chat.unsend"];

fn chat(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    let which = usize::from(*which) % KINDS.len();
    let body = (KINDS[which] != "chat.unsend").then(|| Body {
        salt: [1; 32],
        bytes: bytes.to_vec(),
    });
    let content = match &body {
        Some(body) => committed(body),
        None => Content::Payload(bytes.to_vec()),
    };
    let header = Header {
        session: Some([1; 32].into()),
        device: person(0).device(),
        added_by: Some([2; 32].into()),
        seq: 1,
        prev: Some([2; 32].into()),
        deps: Vec::new(),
        time: Hlc::from_millis(BEGINNING),
        kind: Kind::new(KINDS[which]).unwrap(),
        content,
        expires: None,
    };
    let signature = Signature::from([0; 64]);
    let event = Event::trusted(header.encode(), signature, body).unwrap();
    let Ok(Some(action)) = Action::decode(&event) else {
        return;
    };
    let _ = action.target();
    let draft = action.clone().renamed(|id| id).draft().unwrap();
    assert_eq!(draft.kind.as_str(), KINDS[which]);
    let mut overlay = Overlay::default();
    overlay.merge(&action, event.order(), person(1).identity());
    let again = Overlay::decode(&overlay.encode()).unwrap();
    assert_eq!(again.encode(), overlay.encode());
}

fn chat_seeds() -> Vec<Vec<u8>> {
    let file = File::new("a.txt".into(), 3, [4; 32].into(), [5; 32]).unwrap();
    let target: EventId = [6; 32].into();
    let emoji = Emoji::new("👍").unwrap();
    let actions = [
        Action::Text(Text::with_files("hello".into(), Some(target), vec![file]).unwrap()),
        Action::Edit(Edit::new(target, "other".into()).unwrap()),
        Action::React(React::new(target, emoji, true)),
        Action::Unsend(Unsend::new(target)),
    ];
    let seed = |(which, action): (u8, &Action)| {
        use tenet_log::session::DraftContent::{Body, Payload};
        let (Body(bytes) | Payload(bytes)) = action.draft().unwrap().content;
        [vec![which], bytes].concat()
    };
    (0..).zip(&actions).map(seed).collect()
}

fn values(data: &[u8]) {
    if let Ok(position) = Position::decode(data) {
        let again = Position::decode(&position.encode()).unwrap();
        assert_eq!(again, position);
        let _ = position.covers(&position.order());
    }
    if let Ok(endpoint) = Endpoint::decode(data) {
        assert_eq!(Endpoint::decode(&endpoint.encode()).unwrap(), endpoint);
    }
}

fn value_seeds() -> Vec<Vec<u8>> {
    let events = shared().events;
    let order: OrderKey = events[4].order();
    let addresses = [
        "192.0.2.1:1".parse().unwrap(),
        "[2001:db8::1]:2".parse().unwrap(),
    ];
    vec![
        Position::new(order, &shared_frontier()).encode(),
        Endpoint::new(person(0).endpoint, &addresses, 4000).encode(),
    ]
}

fn shared_frontier() -> Frontier {
    shared().session().frontier().clone()
}

fn records(data: &[u8]) {
    if let Ok(contact) = Contact::decode(data) {
        let _ = contact.short(person(0).identity());
        let _ = Contact::decode(&contact.encode()).unwrap();
    }
    if let Ok(invite) = Invite::decode(data) {
        let _ = (invite.id(), invite.is_open(BEGINNING));
        let _ = Invite::decode(&invite.encode()).unwrap();
    }
    if let Ok(knocking) = Knocking::decode(data) {
        let _ = Knocking::decode(&knocking.encode()).unwrap();
    }
    if let Ok(answered) = Answered::decode(data) {
        let _ = Answered::decode(&answered.encode()).unwrap();
    }
    if let Ok(request) = Request::decode(data) {
        let _ = (request.word(), request.is_over(BEGINNING));
        assert_eq!(Request::decode(&request.encode()).unwrap(), request);
    }
    if let Ok(overlay) = Overlay::decode(data) {
        let _ = overlay.reactions();
        let _ = Overlay::decode(&overlay.encode()).unwrap();
    }
    if let Ok(request) = Request::decode(data) {
        let _ = Request::decode(&request.encode()).unwrap();
    }
    if let Ok(settings) = Settings::decode(data) {
        assert_eq!(Settings::decode(&settings.encode()).unwrap(), settings);
    }
}

fn record_seeds() -> Vec<Vec<u8>> {
    let own = person(1);
    let secret = Secret::from([1; 16]);
    let invite = Invite::new(
        testing::invite_key(1),
        secret,
        false,
        BEGINNING,
        BEGINNING + 1,
    );
    let knocking = Knocking::new(testing::link(1), Some("ann".into()), [2; 32], BEGINNING);
    let contact = Contact::new(own.identity(), "bert".into(), "b".into(), BEGINNING);
    let answered = Answered {
        invite: invite.id(),
        device: own.device(),
        identity: own.identity(),
        nickname: "b".into(),
        commitment: [3; 32],
        nonce: [4; 32],
        founding: vec![5; 20],
        at: BEGINNING,
        opened: false,
    };
    let request = Request {
        id: RequestId::from([8; 8]),
        invite: invite.id(),
        identity: own.identity(),
        device: own.device(),
        place: Endpoint::new(own.endpoint, &["192.0.2.1:1".parse().unwrap()], 0),
        name: "b".into(),
        remark: Some("it's me".into()),
        first: BEGINNING,
        last: BEGINNING,
        decision: Decision::Rejected {
            remark: Some("no".into()),
        },
    };
    let mut overlay = Overlay::default();
    let react = Action::React(React::new([6; 32].into(), Emoji::new("👍").unwrap(), true));
    overlay.merge(&react, shared().events[4].order(), own.identity());
    vec![
        contact.encode(),
        invite.encode().to_vec(),
        knocking.encode().to_vec(),
        answered.encode(),
        request.encode(),
        overlay.encode(),
        Settings::default().encode(),
    ]
}
