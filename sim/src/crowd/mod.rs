//! Many: sessions of any number of devices, what their persons do there, and what must hold when all is quiet.
//!
//! ```text
//! Plan (step, seed, limits) ─▶ Crowd ── deeds, faults ──▶ World of real engines
//!                                └── answers ──▶ Model ──── check ◀── heal, rest
//! ```

mod anew;
mod chance;
mod check;
mod deed;
mod devices;
mod fault;
mod ladder;
mod page;
mod plan;
mod prepare;
mod reading;
mod shown;
mod shrink;
mod storm;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_apps::contacts::endpoint::{self, Endpoint};
use tenet_delivery::outbox::Outbox;
use tenet_identity::keys::{DeviceId, EndpointId};
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::{LogStore, Position},
};
use tenet_node::command::{CommandError, Reply};

pub use deed::Deed;
pub use fault::Fault;
pub use ladder::{Done, run, run_with};
pub use plan::Plan;
pub use shrink::{shrink, wrong};

use crate::{
    act::Act,
    machine::{Answer, BEGINNING, World},
    model::{Fate, Lost, Model, Who},
    node::Node,
};

/// A world of many, and what is true there.
pub struct Crowd {
    /// The nodes and what is between them.
    pub world: World,
    /// What is true.
    pub model: Model,
    /// What kinds of faults there were.
    pub faults: BTreeSet<Fault>,
    /// What was done, what came of it, and what went wrong, with when.
    pub tale: Vec<(u64, String)>,
    /// Draws what is done; the world draws for itself, so that what is left out here leaves the rest as it was.
    chooser: ChaCha20Rng,
    seed: u64,
    /// By which device each further one was let in.
    let_in: BTreeMap<usize, usize>,
    /// Devices that others revoked, and which.
    revoked_by: BTreeMap<usize, usize>,
    /// Nodes that took another key.
    rekeyed: BTreeSet<usize>,
    /// What was asked for and is not answered.
    asked: BTreeMap<u64, (usize, Deed)>,
    /// What was refused, and why.
    refused: Vec<(usize, Deed, CommandError)>,
    next: u64,
}

impl Crowd {
    /// So many persons, each with a device, which start when time begins to pass.
    pub fn new(seed: u64, persons: usize) -> Self {
        Self::of(seed, persons, &[])
    }

    /// So many persons, and whose the further devices are that may be let in.
    fn of(seed: u64, persons: usize, further: &[usize]) -> Self {
        let people = (0..persons).chain(further.iter().copied());
        let mut nodes: Vec<Node> = people
            .enumerate()
            .map(|(place, person)| Node::of(person, place, 0, BEGINNING))
            .collect();
        nodes
            .iter_mut()
            .skip(persons)
            .for_each(|node| node.lost = true);
        let mut world = World::of(seed, nodes);
        world.keeps_notices = false;
        Self {
            world,
            model: Model::default(),
            faults: BTreeSet::new(),
            tale: Vec::new(),
            chooser: ChaCha20Rng::seed_from_u64(seed ^ 0x5eed),
            seed,
            let_in: BTreeMap::new(),
            revoked_by: BTreeMap::new(),
            rekeyed: BTreeSet::new(),
            asked: BTreeMap::new(),
            refused: Vec::new(),
            next: 0,
        }
    }

    /// A random number below `end`.
    pub fn choose(&mut self, end: usize) -> usize {
        usize::try_from(self.chooser.next_u64() % end.max(1) as u64).unwrap()
    }

    /// One of these, if there is any.
    fn one_of<T: Copy>(&mut self, these: &[T]) -> Option<T> {
        let at = self.choose(these.len());
        these.get(at).copied()
    }

    /// From here on what is chosen follows from this number, whatever was chosen before.
    fn choose_for(&mut self, number: usize) {
        let number = (number as u64 + 1) << 32;
        self.chooser = ChaCha20Rng::seed_from_u64(self.seed ^ 0x5eed ^ number);
    }

    /// Who acts on a node.
    fn who(&self, node: usize) -> Who {
        Who {
            person: self.world.nodes[node].person(),
            device: node,
        }
    }

    /// The devices of a person.
    fn devices(&self, person: usize) -> Vec<usize> {
        devices(&self.world.nodes, person)
    }

    /// A person does something, a moment from now.
    pub fn ask(&mut self, node: usize, deed: Deed) {
        self.next += 1;
        let number = self.next;
        self.asked.insert(number, (node, deed.clone()));
        self.tell(|_| format!("node {node} asks: {deed:?}"));
        let deed = Box::new(deed);
        self.world.ask(node, Act::Numbered { number, deed });
    }

    /// Lets everything happen until then.
    pub fn run_until(&mut self, until: u64) {
        while self.world.step_until(until) {
            self.hear();
        }
        self.hear();
    }

    /// Goes on until nothing happens any more; `false` where that takes longer than so many virtual milliseconds.
    pub fn rest(&mut self, patience: u64) -> bool {
        let end = self.world.now + patience;
        while self.world.now < end {
            if !self.world.step() {
                self.hear();
                return true;
            }
            self.hear();
        }
        false
    }

    /// Who still dials whom in vain, and whose stores still owe.
    fn unrest(&self) -> String {
        let nodes = &self.world.nodes;
        let place = |endpoint| nodes.iter().position(|node| node.endpoint() == endpoint);
        let mut said = Vec::new();
        for ((from, to), times) in &self.world.in_vain {
            let met = self.met_in(*from, *to);
            let to = place(*to).map_or_else(
                || to.to_string(),
                |to| {
                    let (node, lost) = (&nodes[to], self.model.lost(to));
                    let runs = node.engine().is_some();
                    format!("node {to} (runs: {runs}, revoked: {lost:?})")
                },
            );
            said.push(format!(
                "node {from} dialled {to} {times} times in vain, met in {met:?}"
            ));
        }
        for node in nodes.iter().filter(|node| node.engine().is_some()) {
            for (device, _) in node.disk().waiting().unwrap_or_default() {
                let owed = node.disk().pending(device, Position::default(), 1);
                let owed = owed.ok().and_then(|owed| owed.first().copied());
                let seats = owed.map(|owed| self.seats(node.place(), device, owed.session));
                said.push(format!(
                    "node {} owes {device:?} {owed:?}: {seats:?}",
                    node.place()
                ));
            }
        }
        said.join(", ")
    }

    /// The sessions in which a node holds a device that is met at an endpoint to be in, and how their founders see the
    /// node itself there.
    fn met_in(&self, place: usize, at: EndpointId) -> Vec<(SessionId, Vec<String>)> {
        let disk = self.world.nodes[place].disk();
        let is_in = |id: &SessionId| {
            let registers = disk.registers_under(*id, endpoint::KEY).unwrap_or_default();
            let met = registers.iter().filter(|register| {
                Endpoint::decode(register.value()).is_ok_and(|endpoint| endpoint.id == at)
            });
            let session = Session::load(disk, *id).ok().flatten();
            let roster = session.as_ref().map(Session::roster);
            met.into_iter()
                .any(|one| roster.is_some_and(|it| it.author(one.device()).is_some()))
        };
        let device = self.world.nodes[place].own().device();
        let seen = |id: SessionId| {
            let founder = self.model.rooms.get(&id).map(|room| room.founder);
            founder.map(|founder| (id, self.seats(founder, device, id)))
        };
        let sessions = disk.sessions().unwrap_or_default().into_iter();
        sessions.filter(is_in).filter_map(seen).collect()
    }

    /// How a node sees all devices of a person in a session, and how they see themselves.
    pub(super) fn seats(&self, place: usize, device: DeviceId, session: SessionId) -> Vec<String> {
        let nodes = &self.world.nodes;
        let whose = nodes
            .iter()
            .find(|node| node.keys().any(|key| key == device));
        let person = whose.map(Node::person);
        let theirs = nodes.iter().filter(|node| Some(node.person()) == person);
        let seat = |of: &Node, device: DeviceId| match Session::load(of.disk(), session) {
            Ok(Some(session)) => {
                let roster = session.roster();
                let (active, seen) = (roster.author(device).is_some(), session.has_seen(device));
                let chains = roster.chains_of(device).count();
                let (revoked, out) = (roster.revoked.contains(&device), session.is_out(device));
                format!(
                    "active {active}, seen {seen}, chains {chains}, revoked {revoked}, out {out}"
                )
            }
            other => format!("{:?}", other.map(|_| "no session")),
        };
        let both = theirs.map(|node| {
            let keys = node.keys().map(|key| {
                let (here, there) = (seat(&nodes[place], key), seat(node, key));
                format!("{key:?} here: {here}, there: {there}")
            });
            let keys: Vec<String> = keys.collect();
            format!("node {} (lost {}) {keys:?}", node.place(), node.lost)
        });
        both.collect()
    }

    /// Notes what happens, where that is to be shown.
    fn tell(&mut self, what: impl FnOnce(&Self) -> String) {
        if self.world.watches {
            let what = what(self);
            self.tale.push((self.world.now, what));
        }
    }

    fn hear(&mut self) {
        self.go_on_under_another_key();
        while let Some((old, new)) = self.world.written_again.pop_front() {
            self.model.written_again(old, new);
        }
        while let Some(answer) = self.world.answers.pop_front() {
            let (node, deed) = self.asked.remove(&answer.number).expect("a deed");
            self.tell(|_| format!("node {node}: {deed:?} gave {:?}", answer.result));
            self.answered(node, &deed, answer);
        }
    }

    fn answered(&mut self, node: usize, deed: &Deed, answer: Answer) {
        let who = self.who(node);
        match (answer.result, deed) {
            (Some(Ok(Reply::Conversation { session })), Deed::Found { with, .. }) => {
                let named =
                    |did: &String| self.world.nodes.iter().position(|node| node.did() == *did);
                let others = with.iter().filter_map(named);
                let all: Vec<usize> = std::iter::once(who.person).chain(others).collect();
                self.model.found(session, &all);
                self.model.only_brought(session);
            }
            (Some(Ok(_)), Deed::Revoke { device, .. }) => self.lose(device, node, Lost::Revoked),
            (None, Deed::Revoke { device, .. }) => self.lose(device, node, Lost::Perhaps),
            (Some(Ok(Reply::Former { left })), _) if left > 0 => drop(self.rekeyed.insert(node)),
            (Some(Ok(reply)), _) => {
                let nodes = &self.world.nodes;
                let devices = |person| devices(nodes, person);
                self.model.done(who, deed, &reply, devices);
            }
            // What is said not to be stored is not.
            (Some(Err(CommandError::NotStored(_))), _) => {}
            (Some(Err(error)), _) if self.may_be_refused(who, deed) => drop(error),
            (Some(Err(error)), _) if self.is_silenced(node, deed) => drop(error),
            (Some(Err(error)), _) => self.refused.push((node, deed.clone(), error)),
            (None, _) => self.model.perhaps(deed),
        }
    }

    /// Whether a refusal may be right: whoever lost a place, or asks about what was taken back.
    fn may_be_refused(&self, who: Who, deed: &Deed) -> bool {
        let room = deed.session().and_then(|id| self.model.rooms.get(&id));
        let Some(room) = room else { return true };
        let plain = matches!(deed, Deed::Say { .. } | Deed::Read { .. });
        let was_there = who.person == who.device && self.model.lost(who.device).is_none();
        !(plain && was_there && room.counts(who.person) && room.fates[&who.person] == Fate::In)
    }
}

impl Crowd {
    /// NODE-503: whether a device has not the word, by the roster as its store gives it when it is read anew.
    fn is_silenced(&self, node: usize, deed: &Deed) -> bool {
        let (now, node) = (self.world.clock(node), &self.world.nodes[node]);
        let session = deed.session().map(|id| Session::load(node.disk(), id));
        let session = session.and_then(|loaded| loaded.expect("a session that loads"));
        session.is_some_and(|one| one.roster().is_silenced(node.own().device(), now))
    }
}

/// The devices of a person.
fn devices(nodes: &[Node], person: usize) -> Vec<usize> {
    let theirs = nodes.iter().filter(|node| node.person() == person);
    theirs.map(Node::place).collect()
}
