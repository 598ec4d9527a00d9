//! A group of 10,000 members with 15,000 devices, written into real stores.

use std::path::Path;

use tenet_apps::contacts::endpoint::{self, Endpoint};
use tenet_identity::{
    card::{self, DeviceCard},
    keys::{DeviceKey, EndpointId, IdentityKey},
    secrets::Secrets,
};
use tenet_log::{
    clock::Hlc,
    event::{Content, Event, Header, Kind},
    ids::{EventId, SessionId},
    register::Register,
    roster::{Addition, Founding, Member, Op, Policy, Role, SessionKind, Setting},
    session::{Receipt, Session},
    store::{Durability, Transactions},
};
use tenet_store::Store;
use zeroize::Zeroizing;

use crate::common::vault_key;

pub(crate) const NOW: u64 = 1_800_000_000_000;
pub(crate) const MEMBERS: usize = 10_000;
pub(crate) const DEVICES: usize = 15_000;
/// What the group is called.
pub(crate) const NAME: &str = "Thousands";
/// Who lets the others in.
const MODERATORS: usize = 20;

/// One device of one member: those from [`MEMBERS`] on are second ones.
pub(crate) struct Device {
    pub(crate) identity: IdentityKey,
    pub(crate) key: DeviceKey,
    pub(crate) endpoint: Zeroizing<[u8; 32]>,
}

impl Device {
    pub(crate) fn new(number: usize) -> Self {
        let seed = |what: u8, of: usize| {
            let mut seed = [what; 32];
            seed[..8].copy_from_slice(&(of as u64).to_le_bytes());
            seed
        };
        Self {
            identity: IdentityKey::from_seed(seed(5, number % MEMBERS)),
            key: DeviceKey::from_seed(seed(6, number)),
            endpoint: Zeroizing::new(seed(7, number)),
        }
    }

    pub(crate) fn card(&self) -> DeviceCard {
        card::issue(&self.identity, self.key.public(), "phone", NOW).unwrap()
    }

    pub(crate) fn met_at(&self) -> EndpointId {
        let key = DeviceKey::from_seed(*self.endpoint);
        EndpointId::from(*key.public().as_bytes())
    }

    /// Makes it the device whose store this is.
    pub(crate) fn own(&self, store: &mut Store) {
        let secrets = Secrets {
            phrase: None,
            index: 0,
            identity: Some(IdentityKey::from_seed(*self.identity.seed())),
            device: DeviceKey::from_seed(*self.key.seed()),
            endpoint: self.endpoint.clone(),
            card: self.card(),
        };
        store.put_secrets(&secrets).unwrap();
        store.put_own_name("somebody").unwrap();
    }
}

/// Writes the group into a store; gives how many operations it has.
pub(crate) fn write(path: &Path) -> usize {
    let mut world = World::begin();
    world.fill();
    let mut store = Store::open(path, vault_key().as_bytes()).unwrap();
    store.begin().unwrap();
    let (mut session, _) = Session::open(&mut store, &world.events[0]).unwrap();
    for event in &world.events[1..] {
        let receipt = session.receive(&mut store, event, NOW).unwrap();
        assert!(matches!(receipt, Receipt::Admitted(_)), "{receipt:?}");
    }
    for (number, register) in world.met(session.id()) {
        // Of the first few nothing is known: nobody is dialled by a node that is only looked at.
        if number > 0 {
            session.put_register(&mut store, &register).unwrap();
        }
    }
    store.commit(Durability::Power).unwrap();
    store.checkpoint().unwrap();
    world.events.len()
}

struct World {
    devices: Vec<Device>,
    events: Vec<Event>,
    /// How far each device's chain is: what began it, how many it has, and the last.
    chains: Vec<Option<(EventId, u64, EventId)>>,
}

impl World {
    fn begin() -> Self {
        let mut world = Self {
            devices: (0..DEVICES).map(Device::new).collect(),
            events: Vec::new(),
            chains: vec![None; DEVICES],
        };
        let founder = &world.devices[0];
        let op = Op::Found(Founding {
            kind: SessionKind::Group,
            secret: [1; 32],
            card: founder.card(),
            members: vec![Member {
                identity: founder.identity.public(),
                role: Role::Owner,
            }],
            policy: Policy::default(),
        });
        world.says(0, &op);
        world
    }

    fn fill(&mut self) {
        let (key, value) = ("name".to_owned(), NAME.as_bytes().to_vec());
        self.says(0, &Op::Set(Setting { key, value }));
        for number in 1..MEMBERS {
            let (by, role) = match number {
                1..=MODERATORS => (0, Role::Moderator),
                _ => (1 + number % MODERATORS, Role::Member),
            };
            let add = Op::Add(Addition {
                identity: self.devices[number].identity.public(),
                role,
                floor: None,
            });
            self.says(by, &add);
            self.joins(number);
        }
        (MEMBERS..DEVICES).for_each(|number| self.joins(number));
    }

    fn joins(&mut self, number: usize) {
        let join = Op::Join(self.devices[number].card());
        self.says(number, &join);
    }

    /// A device does something, having heard of all before.
    fn says(&mut self, number: usize, op: &Op) {
        let key = &self.devices[number].key;
        let chain = self.chains[number];
        let last = self.events.last().map(Event::id);
        let prev = chain.map(|(_, _, prev)| prev);
        let header = Header {
            session: self.events.first().map(Event::session),
            device: key.public(),
            added_by: chain.map(|(added_by, ..)| added_by),
            seq: chain.map_or(0, |(_, count, _)| count),
            prev,
            deps: last
                .filter(|last| Some(*last) != prev)
                .into_iter()
                .collect(),
            time: Hlc::from_raw(Hlc::from_millis(NOW).raw() + self.events.len() as u64),
            kind: Kind::new(op.kind()).unwrap(),
            content: Content::Payload(op.payload()),
            expires: None,
        };
        let event = Event::sign(key, header, None);
        let (added_by, count, _) = chain.unwrap_or((event.id(), 0, event.id()));
        self.chains[number] = Some((added_by, count + 1, event.id()));
        self.events.push(event);
    }

    /// Where each device says that it is met: somewhere where nobody answers.
    fn met(&self, session: SessionId) -> Vec<(usize, Register)> {
        let all = self.devices.iter().enumerate();
        let registers = all.map(|(number, device)| {
            let at = std::net::SocketAddr::from(([192, 0, 2, (number % 250) as u8], 4000));
            let value = Endpoint::new(device.met_at(), &[at], 4000).encode();
            let time = Hlc::from_millis(NOW);
            let register = Register::sign(&device.key, session, endpoint::KEY, time, value);
            (number, register.unwrap())
        });
        registers.collect()
    }
}
