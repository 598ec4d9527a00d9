//! What goes wrong, all of it seeded, and how it is healed.

use anyhow::{Context, Result};

use super::{Crowd, ladder::MINUTE};
use crate::{
    disk::{Failing, How},
    machine::{Kill, Moment},
    model::Lost,
    node::Node,
    walls::Nat,
    weather::Weather,
};

/// How far a clock may be ahead of which nobody takes notice, in milliseconds.
const UNNOTICED: usize = 8 * 60 * 1000;

/// A kind of thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Processes end around commits.
    Kill,
    /// Nodes go off and come back.
    Churn,
    /// Connections end.
    Cut,
    /// Groups of nodes are cut off from each other.
    Part,
    /// One node does not reach another, which reaches it.
    Bar,
    /// Nodes are behind something.
    Nat,
    /// Nodes are met elsewhere from now on.
    Move,
    /// Frames are late, lost and sent again; lines are narrow.
    Weather,
    /// Clocks differ a little.
    Clock,
    /// Clocks are far ahead.
    Future,
    /// Disks are full for a while.
    Full,
    /// Devices are set back to an old state.
    Restore,
    /// Somebody does whatever it likes.
    Rogue,
    /// Who is in changes.
    Roster,
    /// Devices are let in, renamed, revoked.
    Device,
    /// Many change who is in, each before hearing of the others.
    Storm,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 16] = [
        Self::Kill,
        Self::Churn,
        Self::Cut,
        Self::Part,
        Self::Bar,
        Self::Nat,
        Self::Move,
        Self::Weather,
        Self::Clock,
        Self::Future,
        Self::Full,
        Self::Restore,
        Self::Rogue,
        Self::Roster,
        Self::Device,
        Self::Storm,
    ];

    /// Its name on a command line.
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// The fault of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn parse(name: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|fault| fault.name() == name)
            .with_context(|| format!("no fault `{name}`"))
    }
}

impl Crowd {
    /// Something of this kind goes wrong.
    pub(super) fn go_wrong(&mut self, fault: Fault) {
        let node = self.choose(self.world.nodes.len());
        let amount = self.choose(1 << 20);
        self.faults.insert(fault);
        self.tell(|_| format!("{} at node {node} ({amount})", fault.name()));
        match fault {
            Fault::Kill => self.end_around_commit(node, amount),
            Fault::Churn => self.go_or_come(node),
            Fault::Cut => self.world.cut_one(),
            Fault::Part => self.part(amount),
            Fault::Bar => {
                let other = self.choose(self.world.nodes.len());
                self.world.walls.bar(node, other);
            }
            Fault::Nat => {
                let nat = [Nat::Cone, Nat::Closed, Nat::Open][amount % 3];
                self.world.walls.put(node, nat);
            }
            Fault::Move => self.world.move_on(node),
            Fault::Weather => self.world.weather = bad_weather(amount),
            Fault::Clock => self.world.set_clock(node, (amount % UNNOTICED) as u64),
            Fault::Future => {
                let hours = [1, 3, 30, 72][amount % 4];
                self.world.set_clock(node, hours * 3_600_000);
            }
            Fault::Full => {
                self.fill(node, amount);
                self.say_on(node);
            }
            Fault::Restore => self.set_back(node),
            Fault::Rogue => {
                // Everybody else is to know somebody honest.
                let person = self.world.nodes[node].person();
                // Former keys of a wicked person's would be dialled for ever: nobody revokes them.
                let devices = self.devices(person).into_iter();
                let mut keys = devices.map(|node| self.world.nodes[node].keys().count());
                if keys.any(|keys| keys > 1) {
                    return;
                }
                if self.world.rogues.is_empty() && self.world.nodes.len() > 2 && person > 0 {
                    self.world.rogues.insert(node);
                    self.model.lawless(person);
                }
            }
            Fault::Roster => self.rearrange(),
            Fault::Device => self.about_devices(),
            Fault::Storm => self.storm(),
        }
    }

    fn end_around_commit(&mut self, node: usize, amount: usize) {
        let batch = self.world.nodes[node].batches + amount as u64 % 4;
        let moment = match amount / 4 % 4 {
            0 => Moment::Before,
            left => Moment::After(left - 1),
        };
        self.world.kills.push(Kill {
            node,
            batch,
            moment,
        });
    }

    fn go_or_come(&mut self, node: usize) {
        if self.world.nodes[node].engine().is_some() {
            self.world.switch_off(node);
        } else if self.world.nodes[node].is_off {
            self.world.switch_on(node);
        }
    }

    fn part(&mut self, amount: usize) {
        for node in 0..self.world.nodes.len() {
            let side = self.choose(1 + amount % 3);
            self.world.walls.part(node, u8::try_from(side).unwrap());
        }
        self.world.divide();
    }

    fn fill(&mut self, node: usize, amount: usize) {
        let disk = self.world.nodes[node].disk();
        let failing = Failing {
            from: disk.writes() + amount as u64 % 12,
            many: [1, 1, 30][amount / 12 % 3],
            how: [How::Full, How::GaveUp, How::Medium][amount % 3],
        };
        disk.fail(Some(failing));
    }

    /// A node's state is copied; the next time somebody whose state was copied wakes up with that.
    fn set_back(&mut self, node: usize) {
        let running = |node: &&Node| node.engine().is_some() && node.person() != 0;
        let nodes = self.world.nodes.iter();
        let copied = nodes.filter(running).find(|node| node.has_copy());
        let Some(node) = copied.map(Node::place) else {
            let node = &mut self.world.nodes[node];
            if running(&&*node) {
                node.copy();
            }
            return;
        };
        self.world.set_back(node);
        let person = self.world.nodes[node].person();
        let sisters = self.devices(person);
        self.model.set_back(node, person, &sisters);
        self.doubt_let_in_by(node);
    }

    /// Whoever is wicked goes on without lying: it would dial for ever whom, by what it said to know, nobody tells it of.
    pub(super) fn reform(&mut self) {
        for node in std::mem::take(&mut self.world.rogues) {
            if self.world.nodes[node].engine().is_some() {
                self.world.kill(node);
                self.rest(MINUTE);
            }
        }
    }

    /// Everything is well again: all run, all reach each other, clocks are right.
    pub(super) fn heal(&mut self) {
        self.world.kills.clear();
        self.world.walls.fall();
        self.world.forwards = true;
        self.world.weather = Weather::default();
        for node in 0..self.world.nodes.len() {
            self.world.set_clock(node, 0);
            self.world.nodes[node].disk().fail(None);
            if self.model.lost(node) == Some(Lost::Revoked) {
                // It would dial for ever, and nobody answers it.
                self.world.put_away(node);
            } else if self.world.nodes[node].is_off {
                self.world.switch_on(node);
            }
        }
    }
}

/// From bad to very bad.
fn bad_weather(amount: usize) -> Weather {
    Weather {
        delay: [60, 200, 800, 3000][amount % 4],
        loss: [0, 10, 50, 200][amount / 4 % 4],
        cuts: [0, 100, 1000, 0][amount / 16 % 4],
        bandwidth: [0, 1000, 100, 10][amount / 64 % 4],
    }
}
