//! Sessions that are there when a world begins: written into the stores of all who are in them, as if
//! all had met and compared.

use tenet_apps::{
    chat::fold::{self, Entry},
    contacts::{
        Contact,
        endpoint::{self, Endpoint},
        store::ContactStore,
    },
};
use tenet_log::{
    clock::Hlc,
    event::Event,
    ids::SessionId,
    register::Register,
    roster::{Addition, Member, Op, Policy, Role, SessionKind},
    session::{Admitted, Receipt, Session, Terms},
    store::{Durability, LogStore, Transactions},
};

use super::Crowd;
use crate::{
    disk::Disk,
    node::{Node, State},
};

/// How many members a founding may name.
const FOUNDING_MEMBERS: usize = 16;

impl Crowd {
    /// Founds a session of these nodes, whose processes have not started yet; the first founds it.
    pub fn prepare(&mut self, nodes: &[usize], policy: Policy) -> SessionId {
        self.prepare_of(SessionKind::Group, nodes, policy)
    }

    fn prepare_of(&mut self, kind: SessionKind, nodes: &[usize], policy: Policy) -> SessionId {
        let now = self.world.now;
        let events = self.found(kind, nodes, policy, now);
        let session = events[0].session();
        let registers: Vec<Register> = nodes
            .iter()
            .map(|node| met_at(&self.world.nodes[*node], session, now))
            .collect();
        for node in nodes {
            let own = self.world.nodes[*node].own().device();
            let disk = dead(&mut self.world.nodes[*node]);
            disk.begin().unwrap();
            take(disk, &events, now);
            for register in registers.iter().filter(|known| known.device() != own) {
                disk.put_register(register).unwrap();
            }
            disk.commit(Durability::Process).unwrap();
        }
        self.model.found(session, nodes);
        session
    }

    /// Two who have not started yet know each other as contacts, in a session of the two.
    pub(super) fn acquaint(&mut self, one: usize, other: usize) {
        let session = self.prepare_of(SessionKind::Direct, &[one, other], Policy::default());
        let now = self.world.now;
        for (here, there) in [(one, other), (other, one)] {
            let there = &self.world.nodes[there];
            let name = format!("{} {}", there.name, there.place());
            let mut contact = Contact::new(there.identity(), name.clone(), name, now);
            contact.sessions.insert(session);
            let disk = dead(&mut self.world.nodes[here]);
            disk.begin().unwrap();
            disk.put_contact(&contact).unwrap();
            disk.commit(Durability::Process).unwrap();
        }
        if let Some(room) = self.model.rooms.get_mut(&session) {
            room.direct = true;
        }
    }

    /// The founding, and whatever brings everybody in.
    fn found(
        &mut self,
        kind: SessionKind,
        nodes: &[usize],
        policy: Policy,
        now: u64,
    ) -> Vec<Event> {
        let world = &mut self.world;
        let founder = world.nodes[nodes[0]].own();
        let identities: Vec<_> = nodes
            .iter()
            .map(|node| world.nodes[*node].identity())
            .collect();
        let named = identities.iter().take(FOUNDING_MEMBERS).enumerate();
        let members = named.map(|(place, identity)| Member {
            identity: *identity,
            role: if place == 0 || kind == SessionKind::Direct {
                Role::Owner
            } else {
                Role::Member
            },
        });
        let terms = Terms {
            kind,
            members: members.collect(),
            policy,
        };
        let founding =
            Session::draft_founding_on(&founder.key, &founder.card, terms, now, &mut world.rng);
        let mut events = vec![founding.unwrap()];
        let mut disk = Disk::new();
        let (mut session, _) = Session::open(&mut disk, &events[0]).unwrap();
        for identity in identities.iter().skip(FOUNDING_MEMBERS) {
            let op = Op::Add(Addition {
                identity: *identity,
                role: Role::Member,
                floor: None,
            });
            let done = session.operate(&mut disk, &founder.key, &op, now);
            events.push(done.unwrap().0);
        }
        for node in &nodes[1..] {
            let own = world.nodes[*node].own();
            let op = Op::Join(own.card.clone());
            let done = session.operate(&mut disk, &own.key, &op, now);
            events.push(done.unwrap().0);
        }
        events
    }
}

fn take(disk: &mut Disk, events: &[Event], now: u64) {
    let (mut session, founded) = Session::open(disk, &events[0]).unwrap();
    show(disk, &session, &events[0], &founded);
    for event in &events[1..] {
        let receipt = session.receive(disk, event, now).unwrap();
        let Receipt::Admitted(admitted) = receipt else {
            panic!("{receipt:?}");
        };
        show(disk, &session, event, &admitted);
    }
}

/// Keeps what was done to a session as an engine does: it is shown (CHAT-1301).
fn show(disk: &mut Disk, session: &Session, event: &Event, admitted: &Admitted) {
    let identity = session.roster().identity(event.author());
    if session.roster().kind.is_closed() {
        return;
    }
    let entry = Entry {
        event,
        position: admitted.position,
        identity: identity.unwrap(),
        counts: admitted.standing.counts(),
    };
    fold::fold(disk, &entry).unwrap();
}

/// What a node says of where it is met.
fn met_at(node: &Node, session: SessionId, now: u64) -> Register {
    let own = node.own();
    let value = Endpoint::new(own.endpoint, &[node.address], node.address.port()).encode();
    let time = Hlc::from_millis(now);
    Register::sign(&own.key, session, endpoint::KEY, time, value).unwrap()
}

fn dead(node: &mut Node) -> &mut Disk {
    match &mut node.state {
        State::Dead(disk) => disk,
        _ => panic!("a session is prepared before its nodes start"),
    }
}
