//! A group of so many people with a device each, all of whom know where the others are met.

use std::{
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tenet_apps::contacts::endpoint::{self, Endpoint};
use tenet_identity::{
    card::{self, DeviceCard},
    keys::{DeviceKey, EndpointId, IdentityKey},
    secrets::Secrets,
};
use tenet_log::{
    clock::Hlc,
    register::Register,
    roster::{Addition, Member, Op, Policy, Role, SessionKind, Setting},
    session::{Session, Terms},
    store::{Durability, Transactions},
};
use tenet_store::Store;
use zeroize::Zeroizing;

use crate::common::vault_key;

/// What the group is called.
pub(crate) const NAME: &str = "Hundred";

pub(crate) struct Person {
    identity: IdentityKey,
    device: DeviceKey,
    endpoint: [u8; 32],
    pub(crate) folder: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// Makes their homes, each with a copy of the group.
pub(crate) fn make(folder: &Path, count: usize, now: u64) -> Vec<Person> {
    // All at once, so that no two get the same; they are free again when the nodes begin.
    let sockets: Vec<UdpSocket> = (0..count)
        .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
        .collect();
    let people: Vec<Person> = sockets
        .iter()
        .enumerate()
        .map(|(number, socket)| Person::new(folder, number, socket.local_addr().unwrap()))
        .collect();
    let first = folder.join("group.db");
    write(&first, &people, now);
    for person in &people {
        let path = person.folder.join("store.db");
        std::fs::create_dir_all(&person.folder).unwrap();
        std::fs::copy(&first, &path).unwrap();
        let mut store = Store::open(&path, vault_key().as_bytes()).unwrap();
        store.put_secrets(&person.secrets(now)).unwrap();
        store.put_own_name("somebody").unwrap();
        store.checkpoint().unwrap();
    }
    people
}

fn write(path: &Path, people: &[Person], now: u64) {
    let mut rng = ChaCha20Rng::from_seed([4; 32]);
    let mut store = Store::open(path, vault_key().as_bytes()).unwrap();
    store.begin().unwrap();
    let owner = &people[0];
    let terms = Terms {
        kind: SessionKind::Group,
        members: vec![Member {
            identity: owner.identity.public(),
            role: Role::Owner,
        }],
        policy: Policy::default(),
    };
    let card = owner.card(now);
    let founding = Session::draft_founding_on(&owner.device, &card, terms, now, &mut rng);
    let (mut session, _) = Session::open(&mut store, &founding.unwrap()).unwrap();
    let (key, value) = ("name".to_owned(), NAME.as_bytes().to_vec());
    let name = Op::Set(Setting { key, value });
    session
        .operate(&mut store, &owner.device, &name, now)
        .unwrap();
    for one in &people[1..] {
        let add = Op::Add(Addition {
            identity: one.identity.public(),
            role: Role::Member,
            floor: None,
        });
        session
            .operate(&mut store, &owner.device, &add, now)
            .unwrap();
        let join = Op::Join(one.card(now));
        session
            .operate(&mut store, &one.device, &join, now)
            .unwrap();
    }
    for one in people {
        let met = Endpoint::new(one.met_at(), &[one.address], one.address.port()).encode();
        let time = Hlc::from_millis(now);
        let met = Register::sign(&one.device, session.id(), endpoint::KEY, time, met);
        session.put_register(&mut store, &met.unwrap()).unwrap();
    }
    store.commit(Durability::Power).unwrap();
    store.checkpoint().unwrap();
}

impl Person {
    fn new(folder: &Path, number: usize, address: SocketAddr) -> Self {
        let seed = |what: u8| {
            let mut seed = [what; 32];
            seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
            seed
        };
        Self {
            identity: IdentityKey::from_seed(seed(5)),
            device: DeviceKey::from_seed(seed(6)),
            endpoint: seed(7),
            folder: folder.join(format!("{number}")),
            address,
        }
    }

    fn card(&self, now: u64) -> DeviceCard {
        card::issue(&self.identity, self.device.public(), "phone", now).unwrap()
    }

    fn met_at(&self) -> EndpointId {
        let key = DeviceKey::from_seed(self.endpoint);
        EndpointId::from(*key.public().as_bytes())
    }

    fn secrets(&self, now: u64) -> Secrets {
        Secrets {
            phrase: None,
            index: 0,
            identity: Some(IdentityKey::from_seed(*self.identity.seed())),
            device: DeviceKey::from_seed(*self.device.seed()),
            endpoint: Zeroizing::new(self.endpoint),
            card: self.card(now),
        }
    }
}
