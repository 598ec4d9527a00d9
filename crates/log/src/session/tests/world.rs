//! A little world: people with devices, what they sign, and nodes that hear of it.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_identity::{
    card::{self, DeviceCard, Revocation},
    keys::{DeviceKey, IdentityKey},
};

use crate::{
    clock::Hlc,
    event::{Body, Content, Event, Header, Kind, size_bucket},
    frontier::{Head, Past},
    ids::{Author, EventId, SessionId},
    memory::MemoryStore,
    roster::{Member, Op, Policy, Roster, SessionKind},
    session::{Admitted, AppendError, Draft, DraftContent, Receipt, Retired, Session, Terms},
    standing::Standing,
    store::LogStore,
    sync::Peer,
};

/// When all this happens, in Unix milliseconds.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// One installation of one person.
pub(crate) struct Device {
    pub(crate) key: DeviceKey,
    pub(crate) card: DeviceCard,
}

/// An identity with three devices.
pub(crate) struct Person {
    pub(crate) key: IdentityKey,
    pub(crate) devices: Vec<Device>,
}

impl Person {
    pub(crate) fn new(number: u8) -> Self {
        Self::with_devices(number, 3)
    }

    pub(crate) fn with_devices(number: u8, devices: u8) -> Self {
        let key = IdentityKey::from_seed([number; 32]);
        let devices = (0..devices).map(|device| {
            let mut seed = [number; 32];
            seed[0] = device.wrapping_add(100);
            let device = DeviceKey::from_seed(seed);
            let card = card::issue(&key, device.public(), "device", NOW).unwrap();
            Device { key: device, card }
        });
        let devices = devices.collect();
        Self { key, devices }
    }

    pub(crate) fn revoke(&self, device: usize) -> Op {
        let device = self.devices[device].key.public();
        Op::Revoke(Revocation::issue(&self.key, device, NOW).unwrap())
    }
}

/// One device's view of the session, with a shadow of what it was told of standings.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) store: MemoryStore,
    pub(crate) session: Session,
    told: BTreeMap<EventId, Standing>,
}

impl Node {
    pub(crate) fn open(founding: &Event) -> Self {
        let mut store = MemoryStore::default();
        let (session, admitted) = Session::open(&mut store, founding).unwrap();
        let told = BTreeMap::from([(founding.id(), admitted.standing)]);
        Self {
            store,
            session,
            told,
        }
    }

    pub(crate) fn receive(&mut self, event: &Event) -> Receipt {
        self.receive_at(event, NOW * 2)
    }

    pub(crate) fn receive_at(&mut self, event: &Event, now: u64) -> Receipt {
        let receipt = self.session.receive(&mut self.store, event, now).unwrap();
        if let Receipt::Admitted(admitted) = &receipt {
            self.hear(event, admitted);
        }
        receipt
    }

    /// Takes in an event that must be taken; gives what changed by it.
    pub(crate) fn take(&mut self, event: &Event) -> Admitted {
        match self.receive(event) {
            Receipt::Admitted(admitted) => *admitted,
            other => panic!("{other:?}"),
        }
    }

    /// Takes in all that another node has; parents come first.
    pub(crate) fn take_all(&mut self, other: &Node) {
        for event in other.events() {
            let receipt = self.receive(&event);
            assert!(
                matches!(receipt, Receipt::Admitted(_) | Receipt::Known),
                "{receipt:?}"
            );
        }
    }

    pub(crate) fn say(&mut self, device: &Device, text: &str) -> Event {
        self.try_say(device, text).unwrap()
    }

    pub(crate) fn try_say(&mut self, device: &Device, text: &str) -> Result<Event, AppendError> {
        self.try_say_at(device, text, NOW)
    }

    pub(crate) fn say_at(&mut self, device: &Device, text: &str, now: u64) -> Event {
        self.try_say_at(device, text, now).unwrap()
    }

    fn try_say_at(&mut self, device: &Device, text: &str, now: u64) -> Result<Event, AppendError> {
        let (store, mut rng) = (&mut self.store, rng(7));
        let (event, admitted) =
            self.session
                .append(store, &device.key, draft(text), now, &mut rng)?;
        self.hear(&event, &admitted);
        Ok(event)
    }

    /// Gives up the device's chain, if it is far ahead.
    pub(crate) fn retire(&mut self, device: &Device, now: u64) -> Option<Retired> {
        let retired = self
            .session
            .retire(&mut self.store, &device.key, &device.card, now)
            .unwrap()?;
        for (event, admitted) in &retired.operations {
            self.hear(event, admitted);
        }
        Some(retired)
    }

    pub(crate) fn operate(&mut self, device: &Device, op: &Op) -> Event {
        self.try_operate(device, op).unwrap()
    }

    pub(crate) fn try_operate(&mut self, device: &Device, op: &Op) -> Result<Event, AppendError> {
        self.try_operate_at(device, op, NOW)
    }

    fn try_operate_at(&mut self, device: &Device, op: &Op, now: u64) -> Result<Event, AppendError> {
        let (event, admitted) = self
            .session
            .operate(&mut self.store, &device.key, op, now)?;
        self.hear(&event, &admitted);
        Ok(event)
    }

    pub(crate) fn join(&mut self, device: &Device) -> Event {
        self.join_at(device, NOW)
    }

    pub(crate) fn join_at(&mut self, device: &Device, now: u64) -> Event {
        let op = Op::Join(device.card.clone());
        self.try_operate_at(device, &op, now).unwrap()
    }

    /// The chain of an active device.
    pub(crate) fn chain(&self, device: &Device) -> Author {
        self.session.roster().author(device.key.public()).unwrap()
    }

    pub(crate) fn is_in(&self, device: &Device) -> bool {
        self.session.roster().author(device.key.public()).is_some()
    }

    pub(crate) fn standing(&self, event: &Event) -> Standing {
        self.store.event(event.id()).unwrap().unwrap().standing
    }

    pub(crate) fn counts(&self, event: &Event) -> bool {
        self.standing(event).counts()
    }

    /// Whether an operation has effect.
    pub(crate) fn holds(&self, event: &Event) -> bool {
        assert_eq!(
            self.counts(event),
            self.session
                .fold(&self.store)
                .unwrap()
                .counted()
                .contains(&event.id())
        );
        self.counts(event)
    }

    /// Makes up many heads of chains that count for nothing.
    pub(crate) fn crowd(&mut self, heads: u32) {
        self.session.summed_up = std::sync::OnceLock::new();
        for n in 0..heads {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_le_bytes());
            let author = Author {
                device: bytes.into(),
                added_by: bytes.into(),
            };
            self.session.frontier.put(Head {
                author,
                branch: 0,
                seq: u64::MAX - 1,
                id: bytes.into(),
                time: Hlc::default(),
                tip: false,
            });
        }
    }

    /// All events, as they came.
    pub(crate) fn events(&self) -> Vec<Event> {
        let all = self
            .store
            .since(self.session.id, Default::default(), usize::MAX)
            .unwrap();
        all.into_iter().map(|stored| stored.event).collect()
    }

    /// The same after a restart.
    pub(crate) fn reloaded(&self) -> Self {
        let session = Session::load(&self.store, self.session.id)
            .unwrap()
            .unwrap();
        Self {
            store: self.store.clone(),
            session,
            told: self.told.clone(),
        }
    }

    /// All that two nodes with the same set must agree on.
    pub(crate) fn picture(&self) -> Picture {
        let session = &self.session;
        assert_eq!(
            self.told,
            self.store.standings(session.id),
            "all changes were told"
        );
        let mut events = self.events();
        events.sort_by_key(Event::order);
        let (_, digest) = Peer::open(session, &self.store).unwrap();
        let pasts = session
            .fold(&self.store)
            .unwrap()
            .operations()
            .map(|op| (op.order.id, op.past.clone()));
        Picture {
            order: events
                .iter()
                .map(|event| (event.id(), self.standing(event)))
                .collect(),
            roster: session.roster().clone(),
            pasts: pasts.collect(),
            heads: session
                .frontier
                .heads()
                .map(|head| (head.id, head.seq, head.tip))
                .collect(),
            tips: session.frontier.tips().clone(),
            forks: session.forks.points().clone(),
            latest: session.latest,
            digest: format!("{digest:?}"),
        }
    }

    /// What is in memory, but for the order in which maps were filled.
    pub(crate) fn state(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let mut heads: Vec<Head> = self.session.frontier.heads().copied().collect();
        heads.sort_by_key(|head| (head.author, head.branch));
        (self.picture(), heads, self.session.forks.clone())
    }

    fn hear(&mut self, event: &Event, admitted: &Admitted) {
        assert!(self.told.insert(event.id(), admitted.standing).is_none());
        for (id, standing) in &admitted.changes {
            assert_ne!(
                self.told.insert(*id, *standing),
                Some(*standing),
                "no change is told"
            );
        }
    }
}

/// See [`Node::picture`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) order: Vec<(EventId, Standing)>,
    pub(crate) roster: Roster,
    pub(crate) pasts: BTreeMap<EventId, Past>,
    pub(crate) heads: BTreeSet<(EventId, u64, bool)>,
    pub(crate) tips: BTreeSet<EventId>,
    pub(crate) forks: BTreeMap<Author, u64>,
    pub(crate) latest: Hlc,
    pub(crate) digest: String,
}

/// A session founded by the first person's first device, of all given people.
pub(crate) fn found(people: &[&Person]) -> Event {
    let founder = &people[0].devices[0];
    let others: Vec<_> = people[1..]
        .iter()
        .map(|person| person.key.public())
        .collect();
    let kind = match people.len() {
        1 => SessionKind::Own,
        2 => SessionKind::Direct,
        _ => SessionKind::Group,
    };
    Session::draft_founding(&founder.key, &founder.card, kind, &others, NOW, &mut rng(1)).unwrap()
}

/// A group founded by a person's first device on these terms.
pub(crate) fn found_on(founder: &Person, members: &[Member], policy: Policy) -> Event {
    let device = &founder.devices[0];
    let terms = Terms {
        kind: SessionKind::Group,
        members: members.to_vec(),
        policy,
    };
    Session::draft_founding_on(&device.key, &device.card, terms, NOW, &mut rng(1)).unwrap()
}

/// An event signed without asking anybody.
pub(crate) struct Raw<'a> {
    pub(crate) session: SessionId,
    pub(crate) key: &'a DeviceKey,
    pub(crate) added_by: Option<EventId>,
    pub(crate) prev: Option<&'a Event>,
    pub(crate) deps: Vec<&'a Event>,
    pub(crate) later_by: u64,
}

impl<'a> Raw<'a> {
    /// What follows an event, on its chain.
    pub(crate) fn after(key: &'a DeviceKey, prev: &'a Event, deps: &[&'a Event]) -> Self {
        Self {
            session: prev.session(),
            key,
            added_by: Some(prev.author().added_by),
            prev: Some(prev),
            deps: deps.to_vec(),
            later_by: 1,
        }
    }

    pub(crate) fn say(self, text: &str) -> Event {
        let body = Body {
            salt: [1; 32],
            bytes: text.as_bytes().to_vec(),
        };
        let content = Content::Body {
            hash: body.hash(),
            bucket: size_bucket(body.bytes.len()),
        };
        self.sign("chat.text", content, Some(body))
    }

    pub(crate) fn operate(self, op: &Op) -> Event {
        self.sign(op.kind(), Content::Payload(op.payload()), None)
    }

    pub(crate) fn sign(self, kind: &str, content: Content, body: Option<Body>) -> Event {
        let mut deps: Vec<EventId> = self.deps.iter().map(|dep| dep.id()).collect();
        deps.sort_unstable();
        deps.dedup();
        let parents = self.deps.iter().copied().chain(self.prev);
        let latest = parents
            .map(|event| event.header().time)
            .max()
            .unwrap_or_default();
        let header = Header {
            session: Some(self.session),
            device: self.key.public(),
            added_by: self.added_by,
            seq: self.prev.map_or(0, |prev| prev.header().seq + 1),
            prev: self.prev.map(Event::id),
            deps,
            time: Hlc::from_raw(latest.max(Hlc::from_millis(NOW)).raw() + self.later_by),
            kind: Kind::new(kind).unwrap(),
            content,
            expires: None,
        };
        Event::sign(self.key, header, body)
    }
}

pub(crate) fn draft(text: &str) -> Draft {
    Draft {
        kind: Kind::new("chat.text").unwrap(),
        content: DraftContent::Body(text.as_bytes().to_vec()),
        expires: None,
    }
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A number below `end`.
pub(crate) fn below(rng: &mut ChaCha20Rng, end: usize) -> usize {
    (rng.next_u64() % end.max(1) as u64) as usize
}

pub(crate) fn pick<'a, T>(rng: &mut ChaCha20Rng, all: &'a [T]) -> &'a T {
    &all[below(rng, all.len())]
}

pub(crate) fn shuffle<T>(rng: &mut ChaCha20Rng, all: &mut [T]) {
    for i in (1..all.len()).rev() {
        all.swap(i, below(rng, i + 1));
    }
}
