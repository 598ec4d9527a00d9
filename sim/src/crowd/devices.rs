//! Further devices of persons: they are let in, called something else, revoked.

use tenet_apps::contacts::endpoint::{self, Endpoint};
use tenet_identity::keys::DeviceId;
use tenet_log::{
    ids::SessionId,
    session::Session,
    store::{LogStore, Position},
};
use tenet_node::Engine;

use super::{Crowd, Deed, chance::HOUR, ladder::MINUTE};
use crate::{act::Act, model::Lost, node::Node};

/// Keys of devices that were set back come after this one.
const FIRST_KEY: u8 = 100;
/// How often a device at rest asks for its former keys to be revoked before it is seen that it meets nobody.
const TRIES: usize = 30;

impl Crowd {
    /// Something about the devices of somebody who has, or may have, several.
    pub(super) fn about_devices(&mut self) {
        let nodes = self.world.nodes.iter();
        let further: Vec<usize> = nodes
            .filter(|node| node.place() != node.person())
            .map(Node::place)
            .collect();
        if further.is_empty() {
            return;
        }
        let device = further[self.choose(further.len())];
        let person = self.world.nodes[device].person();
        let here: Vec<usize> = self.live(person);
        if here.is_empty() {
            return;
        }
        let by = here[self.choose(here.len())];
        match self.choose(8) {
            _ if self.world.nodes[device].lost => self.let_in(device, by),
            0..3 => self.revoke(device, by),
            3 if !self.founded_any(person) && by != person => self.revoke(person, by),
            _ => {
                let name = format!("device {}", self.next);
                let device = self.id_of(device);
                self.ask(by, Deed::Rename { device, name });
            }
        }
    }

    /// The devices of a person that run and speak for it.
    pub(super) fn live(&self, person: usize) -> Vec<usize> {
        let mut live = self.devices(person);
        live.retain(|node| {
            self.world.nodes[*node].engine().is_some() && self.model.lost(*node).is_none()
        });
        live
    }

    /// A new device takes a link of another one: either with the phrase, or with a card that the other gave it.
    fn let_in(&mut self, device: usize, by: usize) {
        self.tell(|_| format!("node {device} is let in by node {by}"));
        let linked = self.choose(2) == 0;
        self.let_in.insert(device, by);
        // By a clock that is hours ahead the link is over: its person is told so, and looks at the clock.
        self.world.set_clock(device, 0);
        let node = &mut self.world.nodes[device];
        node.lost = false;
        node.linked = linked;
        self.world.switch_on(device);
        self.world.ask(by, Act::Invite { to: device });
    }

    /// OPEN: not while the other device has still to bring something; others would dial it there for ever.
    fn revoke(&mut self, device: usize, by: usize) {
        let nodes = &self.world.nodes;
        let person = nodes[device].person();
        if device == by || nodes[device].lost || self.model.is_lawless(person) {
            return;
        }
        let lacks = |session: &SessionId| {
            let met = |node: usize| self.meets_others_in(node, *session);
            met(device) && !met(by)
        };
        if nodes[device].disk().sessions().unwrap().iter().any(lacks) {
            return;
        }
        let device = self.id_of(device);
        self.ask(by, Deed::Revoke { person, device });
    }

    /// Whether a device knows where somebody else's of a session is met.
    fn meets_others_in(&self, node: usize, session: SessionId) -> bool {
        let node = &self.world.nodes[node];
        let met = node.disk().registers_under(session, endpoint::KEY);
        let known = self.world.nodes.iter();
        let mut others = known.filter(|other| other.person() != node.person());
        let met: Vec<_> = met.unwrap().iter().map(|one| one.device()).collect();
        others.any(|other| other.keys().any(|key| met.contains(&key)))
    }

    /// A device is revoked by another, or may be; whom it had let in may not come in, and whom it had revoked itself
    /// may be in still: what it wrote may have come to nobody.
    pub(super) fn lose(&mut self, device: &str, by: usize, how: Lost) {
        let known = self.world.nodes.iter();
        let mut known = known.filter(|node| node.own().device().to_string() == device);
        let Some(device) = known.next().map(Node::place) else {
            return;
        };
        // Whoever was revoked at the same moment may have told nobody.
        let how = self.model.lost(by).map_or(how, |_| Lost::Perhaps);
        let mut sisters = self.devices(self.world.nodes[device].person());
        sisters.retain(|sister| *sister != device && !self.world.nodes[*sister].lost);
        self.model.lose(device, how, &sisters);
        self.doubt_let_in_by(device);
        let by_it = self.revoked_by.iter().filter(|(_, by)| **by == device);
        let by_it: Vec<usize> = by_it.map(|(other, _)| *other).collect();
        for other in by_it {
            let is_sure = self.model.lost(other) == Some(Lost::Revoked);
            self.model.doubt_loss(other);
            if is_sure && self.world.nodes[other].lost {
                // Put away when all was healed, a moment before this was known.
                self.world.nodes[other].lost = false;
                self.world.switch_on(other);
            }
        }
        self.revoked_by.insert(device, by);
    }

    /// Whoever holds a link of a device that is not there any more, or does not know of it, may not come in.
    pub(super) fn doubt_let_in_by(&mut self, device: usize) {
        let by_it = self.let_in.iter().filter(|(_, by)| **by == device);
        for new in by_it.map(|(new, _)| *new).collect::<Vec<_>>() {
            if self.model.lost(new).is_none() {
                self.model.lose(new, Lost::Perhaps, &[]);
                self.doubt_let_in_by(new);
            }
        }
    }

    /// What the shell does for a device that noticed that it was set back (BACK-3): it goes on under another key.
    pub(super) fn go_on_under_another_key(&mut self) {
        for node in std::mem::take(&mut self.world.noticed) {
            if !self.model.was_set_back(node) {
                // A wicked one wrote two histories with its key, and would do so with the next.
                continue;
            }
            let engine = self.world.nodes[node].engine();
            if !engine.is_some_and(Engine::is_set_back) {
                // Switched off since then.
                self.world.noticed.push_back(node);
                continue;
            }
            self.tell(|_| format!("node {node} noticed that it was set back"));
            self.rekeyed.insert(node);
            self.doubt_let_in_by(node);
            let nodes = self.world.nodes.iter();
            let former: usize = nodes.map(|node| node.keys().count() - 1).sum();
            let key = FIRST_KEY + u8::try_from(former).unwrap();
            let (person, now) = (self.world.nodes[node].person(), self.world.now);
            self.world.kill(node);
            self.world.nodes[node].rekey(person, key, now);
        }
    }

    /// BACK-5: once nothing more of them comes, the keys that devices had before are revoked; those of a device that
    /// was put away by another one of its person's.
    pub(super) fn revoke_former(&mut self) {
        for node in std::mem::take(&mut self.rekeyed) {
            let person = self.world.nodes[node].person();
            if self.world.nodes[node].engine().is_some() {
                self.ask(node, Deed::RevokeFormer { person });
                continue;
            }
            // Also one of which it is not certain that it came in: at worst it says so in vain.
            let mut devices = self.devices(person).into_iter();
            let running = |node: &usize| self.world.nodes[*node].engine().is_some();
            let Some(by) = devices.find(running) else {
                continue;
            };
            let present = self.world.nodes[node].own().device();
            let keys: Vec<DeviceId> = self.world.nodes[node].keys().collect();
            for former in keys.into_iter().filter(|key| *key != present) {
                let device = former.to_string();
                self.ask(by, Deed::Revoke { person, device });
            }
        }
    }

    /// Rests, and does what the shell does meanwhile: former keys are revoked until none is left, or for an hour where
    /// nobody is met. A device may notice after days that it was set back, where its clock had been ahead.
    pub(super) fn rest_revoking(&mut self, patience: u64) -> bool {
        let end = self.world.now + patience;
        let mut tries = 0;
        while self.world.now < end {
            let left = end - self.world.now;
            if self.rekeyed.is_empty() && self.rest(left.min(HOUR)) && self.rekeyed.is_empty() {
                return true;
            }
            self.revoke_former();
            let until = self.world.now + 2 * MINUTE;
            let rests = self.rest(2 * MINUTE);
            tries = if rests { tries + 1 } else { 0 };
            if tries == TRIES {
                return true;
            }
            self.run_until(until);
        }
        false
    }

    /// Of devices that were perhaps revoked, or may never have come in, those go that somebody holds to be revoked, or
    /// that are in nothing with the others of their person: they would dial for ever, and nobody answers them.
    pub(super) fn put_doubtful_away(&mut self) {
        let all = 0..self.world.nodes.len();
        // Revoked in the last moment: nobody answers it.
        for node in all.clone() {
            if self.model.lost(node) == Some(Lost::Revoked) {
                self.world.put_away(node);
            }
        }
        let mut doubtful: Vec<usize> = all.collect();
        // Whom one of them was to let in does not come in either.
        while let Some(node) = doubtful.pop() {
            let runs = self.world.nodes[node].engine().is_some();
            let perhaps = runs && self.model.lost(node) == Some(Lost::Perhaps);
            let waits = self.waits_in_vain(node) || !self.is_known_at_home(node);
            if perhaps && (waits || self.is_revoked_somewhere(node)) {
                self.world.put_away(node);
                self.doubt_let_in_by(node);
                let by_it = self.let_in.iter().filter(|(_, by)| **by == node);
                doubtful.extend(by_it.map(|(new, _)| *new));
            }
        }
    }

    /// Whether a device never came in, and whoever let it in is not there any more.
    fn waits_in_vain(&self, node: usize) -> bool {
        let nodes = &self.world.nodes;
        let by = self.let_in.get(&node);
        let gone = by.is_some_and(|by| nodes[*by].engine().is_none());
        // One that has the phrase founds a session of its own.
        let is_shared = |session: Session| session.roster().active().nth(1).is_some();
        gone && !sessions(&nodes[node]).any(is_shared)
    }

    /// Whether somebody, whose own place is certain, holds a device to be revoked.
    fn is_revoked_somewhere(&self, node: usize) -> bool {
        let device = self.world.nodes[node].own().device();
        let mut others = self.world.nodes.iter().filter(|other| {
            let certain = self.model.lost(other.place()).is_none();
            let honest = !self.model.is_lawless(other.person());
            other.place() != node && other.engine().is_some() && certain && honest
        });
        others.any(|other| {
            let mut sessions = sessions(other);
            sessions.any(|one| one.roster().revoked.contains(&device))
        })
    }

    /// Whether another device of the same person that is surely in has it in a session and can meet it, if there is any.
    fn is_known_at_home(&self, node: usize) -> bool {
        let device = self.world.nodes[node].own().device();
        let others = self.devices(self.world.nodes[node].person()).into_iter();
        let certain = |other: &usize| {
            let runs = self.world.nodes[*other].engine().is_some();
            *other != node && runs && self.model.lost(*other).is_none()
        };
        let mut others = others.filter(certain).peekable();
        let knows = |other: usize| {
            let (here, there) = (&self.world.nodes[node], &self.world.nodes[other]);
            let mut sessions = sessions(there);
            (is_met_by(here, there) || is_met_by(there, here))
                && sessions.any(|one| one.roster().author(device).is_some())
        };
        others.peek().is_none() || others.any(knows)
    }

    fn id_of(&self, device: usize) -> String {
        self.world.nodes[device].own().device().to_string()
    }

    fn founded_any(&self, person: usize) -> bool {
        let mut rooms = self.model.rooms.values();
        rooms.any(|room| room.founder == person)
    }

    /// Whether a device holds anything of a session.
    pub(super) fn holds_any(&self, node: usize, session: SessionId) -> anyhow::Result<bool> {
        let disk = self.world.nodes[node].disk();
        Ok(disk.last_position(session)? != Position::default())
    }
}

/// The sessions that a device holds.
fn sessions(node: &Node) -> impl Iterator<Item = Session> {
    let disk = node.disk();
    let sessions = disk.sessions().unwrap().into_iter();
    sessions.filter_map(|id| Session::load(disk, id).ok()?)
}

/// Whether a device holds where another one is met.
fn is_met_by(other: &Node, node: &Node) -> bool {
    let disk = node.disk();
    let mut sessions = disk.sessions().unwrap().into_iter();
    sessions.any(|id| {
        let met = disk.registers_under(id, endpoint::KEY).unwrap();
        let mut met = met
            .iter()
            .filter_map(|one| Endpoint::decode(one.value()).ok());
        met.any(|one| one.id == other.endpoint())
    })
}
