//! Events, operations, registers, and a sync machine that is told anything.

use minicbor::Decoder;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::chat::{Action, text::Text};
use tenet_identity::{
    encoding,
    keys::{InviteKey, Signature},
};
use tenet_log::{
    clock::Hlc,
    event::{Body, Content, Event, Header, Kind, Unverified, size_bucket},
    memory::MemoryStore,
    register::{self, Register},
    roster::{
        Addition, History, Joining, Member, Muting, Op, Opening, Policy, Refusal, Removal, Role,
        SessionKind, Setting, kind,
    },
    session::{Receipt, Session},
    store::LogStore,
    sync::{HeadEntry, Message, Peer},
};
use tenet_sim::machine::BEGINNING;

use crate::{Target, identity::person, joined, parts};

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "event",
        what: "an event as it travels",
        run: event,
        seeds: || shared().events.iter().map(Event::to_wire).collect(),
        max_len: 4096,
    },
    Target {
        name: "header",
        what: "an event's header, and what an operation in it says",
        run: header,
        seeds: header_seeds,
        max_len: 4096,
    },
    Target {
        name: "operation",
        what: "an operation's payload: a byte for its kind, the payload",
        run: operation,
        seeds: operation_seeds,
        max_len: 4096,
    },
    Target {
        name: "register",
        what: "a register as it travels",
        run: register,
        seeds: || vec![shared().register.encode()],
        max_len: 4096,
    },
    Target {
        name: "sync",
        what: "a sync machine that hears one message after another",
        run: sync,
        seeds: sync_seeds,
        max_len: 4096,
    },
];

/// A session of two that has been written in; the same in every run.
pub(crate) struct Shared {
    session: Session,
    store: MemoryStore,
    pub(crate) events: Vec<Event>,
    pub(crate) register: Register,
}

impl Shared {
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }
}

pub(crate) fn shared() -> Shared {
    let (own, other) = (person(0), person(1));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut store = MemoryStore::default();
    let (mut session, founding) = Session::found(
        &mut store,
        &own.key,
        &own.card,
        SessionKind::Direct,
        &[other.identity()],
        BEGINNING,
        &mut rng,
    )
    .unwrap();
    let join = Op::Join(other.card.clone());
    let (join, _) = session
        .operate(&mut store, &other.key, &join, BEGINNING)
        .unwrap();
    let mut events = vec![founding, join];
    for (key, text) in [(&own.key, "one"), (&other.key, "two"), (&own.key, "three")] {
        let text = Text::new(text.into(), None).unwrap();
        let draft = Action::Text(text).draft().unwrap();
        let written = session.append(&mut store, key, draft, BEGINNING, &mut rng);
        events.push(written.unwrap().0);
    }
    let time = Hlc::from_millis(BEGINNING);
    let register = Register::sign(&other.key, session.id(), "read", time, vec![1, 2, 3]).unwrap();
    store.put_register(&register).unwrap();
    Shared {
        session,
        store,
        events,
        register,
    }
}

fn event(data: &[u8]) {
    let Ok(event) = Unverified::decode(data) else {
        return;
    };
    let _ = (event.id(), event.session());
    if let Ok(event) = event.verify() {
        assert_eq!(event.to_wire(), data, "an event travels on as it came");
        look(&event);
    }
}

fn header(data: &[u8]) {
    let Ok(header) = Header::decode(data) else {
        return;
    };
    // What a reader knows of it can be written and read again.
    assert_eq!(Header::decode(&header.encode()).unwrap(), header);
    let signature = Signature::try_from([0_u8; 64].as_slice()).unwrap();
    look(&Event::trusted(data.to_vec(), signature, None).unwrap());
}

/// What a header says of its body.
pub(crate) fn committed(body: &Body) -> Content {
    Content::Body {
        hash: body.hash(),
        bucket: size_bucket(body.bytes.len()),
    }
}

/// All that is asked of an event before it is let in.
fn look(event: &Event) {
    let _ = (event.order(), event.author(), event.wire_len());
    let _ = event.parents().count();
    let _ = event.header().time.is_too_early(BEGINNING);
    let _ = Op::of(event);
    let _ = Action::decode(event);
}

fn header_seeds() -> Vec<Vec<u8>> {
    let events = shared().events;
    events
        .iter()
        .map(|event| event.encoded_header().to_vec())
        .collect()
}

const KINDS: &[&str] = &[
    kind::FOUND,
    kind::JOIN,
    kind::ADD_DEVICE,
    kind::REMOVE_DEVICE,
    kind::REVOKE,
    kind::LEAVE,
    kind::ADD,
    kind::JOIN_LINK,
    kind::PROMOTE,
    kind::DEMOTE,
    kind::REMOVE,
    kind::MUTE,
    kind::UNMUTE,
    kind::OPEN_LINK,
    kind::CLOSE_LINK,
    kind::POLICY,
    kind::SET,
    kind::DISSOLVE,
    kind::UNBLOCK,
    kind::REFUSE,
];

fn operation(data: &[u8]) {
    let Some((which, payload)) = data.split_first() else {
        return;
    };
    if payload.len() > tenet_log::event::MAX_PAYLOAD_BYTES {
        return;
    }
    let name = KINDS[usize::from(*which) % KINDS.len()];
    let founds = name == kind::FOUND;
    let begins = [kind::JOIN, kind::JOIN_LINK].contains(&name);
    let own = if begins { person(1) } else { person(0) };
    let header = Header {
        session: (!founds).then(|| FOUNDED.into()),
        device: own.device(),
        added_by: (!founds && !begins).then(|| FOUNDED.into()),
        seq: 0,
        prev: None,
        deps: Vec::new(),
        time: Hlc::from_millis(BEGINNING + 1),
        kind: Kind::new(name).unwrap(),
        content: Content::Payload(payload.to_vec()),
        expires: None,
    };
    let event = Event::sign(&own.key, header, None);
    if let Ok(Some(op)) = Op::of(&event) {
        assert_eq!(op.kind(), name);
    }
}

/// Stands for the session and the event that founded it.
const FOUNDED: [u8; 32] = [8; 32];

fn operation_seeds() -> Vec<Vec<u8>> {
    let own = person(0);
    let events = shared().events;
    let of = |which: u8, payload: &[u8]| [&[which], payload].concat();
    let payload = |event: &Event| match &event.header().content {
        Content::Payload(payload) => payload.clone(),
        Content::Body { .. } => Vec::new(),
    };
    let author = encoding::encode(&events[0].author());
    let mut seeds = vec![
        of(0, &payload(&events[0])),
        of(1, &payload(&events[1])),
        of(2, &own.card.to_bytes()),
        of(3, &author),
        of(5, &[]),
    ];
    for op in operations_of_many() {
        let which = KINDS.iter().position(|kind| *kind == op.kind());
        seeds.push(of(which.unwrap() as u8, &op.payload()));
    }
    seeds
}

fn operations_of_many() -> Vec<Op> {
    let identity = person(1).identity();
    let (role, until) = (Role::Member, Some(Hlc::from_millis(BEGINNING)));
    let key = InviteKey::from_seed([3; 32]);
    let opening = FOUNDED.into();
    vec![
        Op::Add(Addition {
            identity,
            role,
            floor: until,
        }),
        Op::JoinLink(Joining::by(&key, opening, person(1).card.clone())),
        Op::Demote(Member { identity, role }),
        Op::Remove(Removal {
            identity,
            shut_out: true,
        }),
        Op::Mute(Muting { identity, until }),
        Op::OpenLink(Opening {
            until,
            floor: until,
            question: Some("why?".into()),
            ..Opening::new(key.public(), role).asking()
        }),
        Op::Unblock(identity),
        Op::Refuse(Refusal {
            identity,
            asked: 7,
            remark: Some("no".into()),
        }),
        Op::CloseLink(opening),
        Op::Policy(Policy {
            add: role,
            history: History::Last(9),
            ..Policy::default()
        }),
        Op::Set(Setting {
            key: "name".into(),
            value: vec![1],
        }),
    ]
}

fn register(data: &[u8]) {
    if let Ok(register) = register::Unverified::decode(data)
        && let Ok(register) = register.verify()
    {
        assert_eq!(register.encode(), data);
    }
}

fn sync(data: &[u8]) {
    thread_local! {
        static SHARED: Shared = shared();
    }
    SHARED.with(|shared| {
        let (mut session, mut store) = (shared.session.clone(), shared.store.clone());
        let mut peer = Peer::open(&session, &store).unwrap().0;
        for part in parts(data).take(64) {
            let Ok(message) = encoding::decode::<Message>(part) else {
                continue;
            };
            if message.check().is_ok() {
                hear(&mut peer, &mut session, &mut store, message);
            }
            let _ = peer.acknowledgement();
            let mut said = 0;
            while peer.pump(&store, BEGINNING).unwrap().is_some() {
                said += 1;
                assert!(said <= 16, "a bounded answer to each message");
            }
            let _ = (peer.left_out(), peer.is_caught_up(&store).unwrap());
        }
    });
}

fn hear(peer: &mut Peer, session: &mut Session, store: &mut MemoryStore, message: Message) {
    match message {
        Message::Digest(digest) => drop(peer.on_digest(session, store, digest).unwrap()),
        Message::Ranges(ranges) => drop(peer.on_ranges(session, store, &ranges).unwrap()),
        Message::Frontier(heads, versions, within) => {
            let claim = peer.claim(heads, versions, within.as_ref());
            drop(peer.on_frontier(session, store, &claim).unwrap());
        }
        Message::Have(heads) => peer.on_have(&heads),
        Message::Object(_, tenet_log::sync::Objection::TooEarly(theirs)) => {
            let time = Hlc::from_millis(BEGINNING);
            let _ = peer.on_too_early(time, theirs, BEGINNING);
        }
        Message::Object(..) | Message::Want(_) => {}
        Message::Registers(registers) => {
            for bytes in &registers {
                let _ = register::Unverified::decode(bytes);
            }
        }
        Message::Events(events) => {
            for bytes in &events {
                let event =
                    resigned(bytes).or_else(|| Unverified::decode(bytes).ok()?.verify().ok());
                let Some(event) = event else { return };
                match session.receive(store, &event, BEGINNING).unwrap() {
                    Receipt::Admitted(_) | Receipt::Known => {
                        peer.on_received(event.author(), event.header().seq, event.id());
                    }
                    Receipt::Lacks(_) => drop(peer.on_gap(session, store).unwrap()),
                    Receipt::Held { .. } | Receipt::Refused(_) => {}
                }
            }
        }
    }
}

/// The event as the other person could have signed it, so that more than what was seeded can enter;
/// `None` where it is not one of theirs.
fn resigned(bytes: &[u8]) -> Option<Event> {
    let key = &person(1).key;
    let mut input = Decoder::new(bytes);
    let parts = input.array().ok()??;
    let header = Header::decode(input.bytes().ok()?).ok()?;
    input.skip().ok()?;
    let body = match (parts, &header.content) {
        (2, Content::Payload(_)) => None,
        (4, Content::Body { .. }) => Some(Body {
            salt: input.bytes().ok()?.try_into().ok()?,
            bytes: input.bytes().ok()?.to_vec(),
        }),
        _ => return None,
    };
    let mut header = header;
    if let Some(body) = &body {
        header.content = committed(body);
    }
    (header.device == key.public()).then(|| Event::sign(key, header, body))
}

fn sync_seeds() -> Vec<Vec<u8>> {
    let shared = shared();
    let heads: Vec<HeadEntry> = shared
        .session
        .frontier()
        .heads()
        .map(|head| HeadEntry {
            author: head.author,
            seq: head.seq,
            id: head.id,
        })
        .collect();
    let all = shared.events.iter().map(|event| event.to_wire().into());
    let register = shared.register.encode().into();
    let (_, digest) = Peer::open(&shared.session, &shared.store).unwrap();
    let messages = [
        digest,
        Message::Frontier(heads.clone(), Vec::new(), None),
        Message::Frontier(heads.clone(), Vec::new(), Some(vec![0, 7].into())),
        Message::Ranges(Vec::new()),
        Message::Frontier(Vec::new(), Vec::new(), None),
        Message::Events(all.collect()),
        Message::Registers(vec![register]),
        Message::Have(heads),
        Message::Object(
            shared.events[2].id(),
            tenet_log::sync::Objection::TooEarly(BEGINNING),
        ),
    ];
    let messages: Vec<Vec<u8>> = messages.iter().map(encoding::encode).collect();
    let mut seeds: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| joined(std::slice::from_ref(message)))
        .collect();
    seeds.push(joined(&messages));
    seeds
}
