//! One person's device.

use std::{collections::BTreeMap, net::SocketAddr};

use tenet_apps::{contacts::store::ContactStore, own::OwnStore};
use tenet_identity::{
    card::{self, DeviceCard},
    did,
    keys::{DeviceId, DeviceKey, EndpointId, IdentityId, IdentityKey},
};
use tenet_log::{
    ids::SessionId,
    store::{Durability, Transactions},
};
use tenet_node::{
    Engine, Own,
    input::{Notice, Ticket},
    query::{self, Shown},
};

use crate::{
    act::Act,
    disk::{Disk, Failing},
};

/// One person's device: its keys, and its engine while it runs.
pub struct Node {
    /// What the person is called.
    pub name: String,
    place: usize,
    person: usize,
    key: [u8; 32],
    /// What it shows on the network: every dial asks for that, and to derive it is dear.
    endpoint: EndpointId,
    card: DeviceCard,
    /// The keys that it had before.
    had: Vec<DeviceId>,
    /// Whether another device of its person let it in.
    pub linked: bool,
    /// Whether it is switched off.
    pub is_off: bool,
    /// A former state of its store.
    pub(super) former: Option<Box<Disk>>,
    /// Whether it never starts again.
    pub lost: bool,
    /// Where it listens.
    pub address: SocketAddr,
    /// How far its clock is ahead, in milliseconds.
    pub(super) ahead: u64,
    /// Until when, by the true time, its person is about to ask for something.
    pub busy_until: u64,
    /// How often it was started: what was meant for an earlier life is lost.
    pub life: u32,
    /// How many writes it took to start for the first time.
    pub written_at_start: u64,
    /// Its batches so far.
    pub batches: u64,
    /// All that it told.
    pub notices: Vec<Notice>,
    /// What it was asked for and has not answered.
    pub asked: BTreeMap<Ticket, Act>,
    pub(super) state: State,
}

/// Whether it runs.
pub(super) enum State {
    Running(Box<Engine<Disk>>),
    Dead(Box<Disk>),
    Between,
}

impl Node {
    /// The first device of a person, which does not run yet; `number` tells the person from all others.
    pub fn new(number: usize, ahead: u64, now: u64) -> Self {
        Self::of(number, number, ahead, now)
    }

    /// A device of this person that does not run yet; `place` tells it from all others.
    pub fn of(person: usize, place: usize, ahead: u64, now: u64) -> Self {
        let key = seed(place);
        let name = ["ann", "bert", "cleo", "dora"][person % 4].to_owned();
        let card = card::issue(&root(person), device(&key).public(), "phone", now + ahead);
        let [.., a, b, c] = (u32::try_from(place).unwrap() + 1).to_be_bytes();
        Self {
            name,
            place,
            person,
            key,
            endpoint: endpoint(&key),
            card: card.unwrap(),
            had: Vec::new(),
            linked: false,
            lost: false,
            is_off: false,
            former: None,
            address: SocketAddr::from(([10, a, b, c], 4000)),
            ahead,
            busy_until: 0,
            life: 0,
            written_at_start: 0,
            batches: 0,
            notices: Vec::new(),
            asked: BTreeMap::new(),
            state: State::Dead(Box::default()),
        }
    }

    /// Gives a device that does not run another key, with a card that its person has signed.
    pub fn rekey(&mut self, person: usize, key: u8, now: u64) {
        let former = self.own().device();
        let State::Dead(disk) = &mut self.state else {
            panic!("a running device has one key");
        };
        disk.begin().unwrap();
        disk.put_former_device(former).unwrap();
        disk.commit(Durability::Power).unwrap();
        self.had.push(former);
        // With a home's store its key is set back too, and this world keeps no former keys.
        self.former = None;
        self.key = [key; 32];
        self.endpoint = endpoint(&self.key);
        let card = card::issue(&root(person), device(&self.key).public(), "phone", now);
        self.card = card.unwrap();
    }

    /// The keys under which it is or was known, the present one last.
    pub fn keys(&self) -> impl Iterator<Item = DeviceId> + '_ {
        let had = self.had.iter().copied();
        had.chain([self.own().device()])
    }

    /// Its keys and names, for an engine.
    pub fn own(&self) -> Own {
        Own {
            key: device(&self.key),
            card: self.card.clone(),
            endpoint: self.endpoint(),
            name: self.name.clone(),
            linked: self.linked,
        }
    }

    /// Its number among all nodes.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The number of its person, which is that of the person's first device.
    pub fn person(&self) -> usize {
        self.person
    }

    /// Who its person is.
    pub fn identity(&self) -> IdentityId {
        self.card.identity()
    }

    /// How others name its person.
    pub fn did(&self) -> String {
        did::encode(&self.identity())
    }

    /// The key that it shows on the network.
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }

    /// Its engine, if it runs.
    pub fn engine(&self) -> Option<&Engine<Disk>> {
        match &self.state {
            State::Running(engine) => Some(engine),
            _ => None,
        }
    }

    /// Its engine, if it runs.
    pub fn engine_mut(&mut self) -> Option<&mut Engine<Disk>> {
        match &mut self.state {
            State::Running(engine) => Some(engine),
            _ => None,
        }
    }

    /// Its store, whether it runs or not.
    pub fn disk(&self) -> &Disk {
        match &self.state {
            State::Running(engine) => engine.store(),
            State::Dead(disk) => disk,
            State::Between => panic!("the node is being started"),
        }
    }

    /// The sessions that it has with somebody; it writes in the first.
    pub fn sessions_with(&self, other: IdentityId) -> Vec<SessionId> {
        let contact = self.disk().contact(other).unwrap();
        contact.map_or_else(Vec::new, |contact| contact.sessions.into_iter().collect())
    }

    /// Makes writes of its store fail; before its first start.
    pub fn fail(&mut self, failing: Failing) {
        match &mut self.state {
            State::Dead(disk) => disk.fail(Some(failing)),
            _ => panic!("the store belongs to the engine"),
        }
    }

    /// Whether a former state of its store was kept.
    pub fn has_copy(&self) -> bool {
        self.former.is_some()
    }

    /// Keeps the state of its store, to be set back to.
    pub fn copy(&mut self) {
        self.former = Some(Box::new(self.disk().copy()));
    }

    /// What it shows of what was said in one session, without what was done to it.
    pub fn shown_in(&self, session: SessionId) -> Vec<Shown> {
        let shown = query::history(self.disk(), self.identity(), &[session], None, 10_000);
        let mut said = shown.unwrap();
        said.retain(|shown| shown.message.told.is_none());
        said
    }

    /// What it shows of a conversation.
    pub fn history(&self, other: IdentityId) -> Vec<Shown> {
        let sessions = self.sessions_with(other);
        query::history(self.disk(), self.identity(), &sessions, None, 10_000).unwrap()
    }
}

/// What a person's phrase gives.
pub fn root(person: usize) -> IdentityKey {
    IdentityKey::from_seed(seed(person))
}

/// Where keys come from; the last byte is left to tell them apart.
fn seed(number: usize) -> [u8; 32] {
    let mut seed = [1; 32];
    seed[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
    seed
}

fn endpoint(key: &[u8; 32]) -> EndpointId {
    let mut seed = *key;
    seed[31] = 0xe;
    EndpointId::from(*DeviceKey::from_seed(seed).public().as_bytes())
}

fn device(key: &[u8; 32]) -> DeviceKey {
    let mut seed = *key;
    seed[31] = 0xd;
    DeviceKey::from_seed(seed)
}
