//! Storms: a session is cut in two or three, and on every side it is changed who is in, and as what, by all who
//! have a say, before anybody hears of the others.
//!
//! Most of that is about a few: rules for what several say apart of the same are asked only where they do.

use tenet_apps::chat::told::NAME;
use tenet_log::{
    clock::Hlc,
    ids::SessionId,
    roster::{Addition, Member, Muting, Op, Policy, Removal, Role, Setting},
};

use super::{Crowd, Deed, Fault, Plan, ladder::MINUTE};

/// How many are in a session over which storms blow.
const CLUBS: [usize; 12] = [5, 5, 6, 6, 7, 8, 10, 12, 16, 24, 40, 60];

/// How far apart two changes are at most, in milliseconds.
const PAUSE: usize = 20_000;

/// About how many a storm is.
const CONTESTED: usize = 2;

impl Crowd {
    /// One session of 5 to 60, some of whom have, or may get, a second device.
    pub(super) fn club(plan: &Plan) -> Self {
        let mut drawn = Self::new(plan.seed, 0);
        let many = CLUBS[drawn.choose(CLUBS.len())].min(plan.nodes).max(2);
        let further = 1 + drawn.choose(5);
        let further: Vec<usize> = (0..further).map(|_| drawn.choose(many)).collect();
        let mut crowd = Self::of(plan.seed, many, &further);
        let all: Vec<usize> = (0..many).collect();
        let session = crowd.prepare(&all, Policy::default());
        crowd.acquaint_neighbours(many);
        crowd.raise_some(session);
        crowd
    }

    /// Something happens to who is in, and as what, by whoever has a say and has heard of whatever; and somebody says
    /// something.
    pub(super) fn stir(&mut self, plan: &Plan) {
        let fault = match self.choose(20) {
            0..4 => {
                let groups = self.groups();
                return self
                    .one_of(&groups)
                    .map_or((), |session| self.say_in(session));
            }
            4..11 => Fault::Roster,
            11..13 => Fault::Device,
            13..15 => Fault::Part,
            15 => Fault::Churn,
            16 => Fault::Cut,
            _ => Fault::Storm,
        };
        if !plan.without.contains(&fault) {
            self.go_wrong(fault);
        }
    }

    pub(super) fn storm(&mut self) {
        let groups: Vec<SessionId> = self.groups();
        let Some(session) = self.one_of(&groups) else {
            return;
        };
        self.raise_some(session);
        let contested = self.contested(session);
        let sides = 2 + self.choose(2);
        for node in 0..self.world.nodes.len() {
            let side = self.choose(sides);
            self.world.walls.part(node, u8::try_from(side).unwrap());
        }
        self.world.divide();
        for _ in 0..6 + self.choose(14) {
            self.pause();
            match self.choose(12) {
                0 => self.about_devices(),
                1 => self.say_in(session),
                2..5 => self.rearrange_in(session),
                _ => self.quarrel_in(session, &contested),
            }
        }
        if self.choose(2) == 0 {
            self.world.walls.fall();
        }
    }

    /// About whom a storm is: one of them may be out when it begins, so that several let it in.
    fn contested(&mut self, session: SessionId) -> Vec<usize> {
        let room = &self.model.rooms[&session];
        let founder = room.founder;
        let all = room.fates.keys().copied();
        let others: Vec<usize> = all.filter(|person| *person != founder).collect();
        let contested: Vec<usize> = (0..CONTESTED)
            .filter_map(|_| self.one_of(&others))
            .collect();
        let by = self.live(founder);
        if let (Some(by), Some(whom), 0) = (self.one_of(&by), contested.first(), self.choose(4)) {
            let (identity, shut_out) = (self.world.nodes[*whom].identity(), false);
            let op = Box::new(Op::Remove(Removal { identity, shut_out }));
            let whom = *whom;
            self.ask(by, Deed::Operate { session, op, whom });
            self.pause();
        }
        contested
    }

    /// Somebody who has a say, or had one, has it about one of a few, or about the session itself.
    fn quarrel_in(&mut self, session: SessionId, contested: &[usize]) {
        let room = &self.model.rooms[&session];
        let founder = room.founder;
        let raised: Vec<usize> = room.raised.iter().copied().collect();
        let by = match self.choose(3) {
            0 => founder,
            _ => self.one_of(&raised).unwrap_or(founder),
        };
        let whom = self.one_of(contested).unwrap_or(founder);
        let live = self.live(by);
        let Some(node) = self
            .one_of(&live)
            .filter(|_| !self.model.rooms[&session].over)
        else {
            return;
        };
        if let Some(op) = self.word_about(by, whom) {
            let op = Box::new(op);
            self.ask(node, Deed::Operate { session, op, whom });
        }
    }

    fn word_about(&mut self, by: usize, whom: usize) -> Option<Op> {
        let identity = self.world.nodes[whom].identity();
        Some(match self.choose(20) {
            0..5 => Op::Set(Setting {
                key: ["topic", NAME][self.choose(2)].into(),
                value: format!("called {}", self.next).into_bytes(),
            }),
            5..8 => {
                let minutes = 1 + self.choose(5) as u64;
                let until = Hlc::from_millis(self.world.now + minutes * MINUTE);
                let until = Some(until).filter(|_| self.choose(2) == 0);
                Op::Mute(Muting { identity, until })
            }
            8..11 => Op::Unmute(identity),
            11..14 => Op::Demote(Member {
                identity,
                role: [Role::Moderator, Role::Member, Role::Member, Role::Observer][self.choose(4)],
            }),
            14..17 => Op::Promote(Member {
                identity,
                role: [Role::Owner, Role::Moderator, Role::Moderator, Role::Member][self.choose(4)],
            }),
            17 => self.other_policy(),
            _ if !self.are_acquainted(by, whom) => return None,
            _ => Op::Add(Addition {
                identity,
                role: Role::Member,
                floor: None,
            }),
        })
    }

    /// Some of the members have a say from now on.
    fn raise_some(&mut self, session: SessionId) {
        let founder = self.model.rooms[&session].founder;
        let others: Vec<usize> = self.model.rooms[&session].fates.keys().copied().collect();
        for _ in 0..2 + self.choose(3) {
            let whom = others[self.choose(others.len())];
            let by = self.live(founder);
            if whom == founder || by.is_empty() {
                continue;
            }
            // Several owners: none is above the other, and what they say apart is decided by other rules.
            let role = match self.choose(3) {
                0 => Role::Owner,
                _ => Role::Moderator,
            };
            let identity = self.world.nodes[whom].identity();
            let op = Box::new(Op::Promote(Member { identity, role }));
            let by = by[self.choose(by.len())];
            self.ask(by, Deed::Operate { session, op, whom });
        }
        self.pause();
    }

    fn say_in(&mut self, session: SessionId) {
        let persons: Vec<usize> = self.model.rooms[&session].fates.keys().copied().collect();
        let Some(person) = self.one_of(&persons) else {
            return;
        };
        // Also on a device that was revoked and may not know.
        let mut devices = match self.choose(3) {
            0 => self.devices(person),
            _ => self.live(person),
        };
        devices.retain(|node| self.world.nodes[*node].engine().is_some());
        if let Some(node) = self.one_of(&devices) {
            let text = format!("{} of {node}, in a storm", self.next);
            self.ask(node, Deed::Say { session, text });
        }
    }

    /// Whoever has a device says something on it, so that what goes wrong there goes wrong in the middle of that.
    pub(super) fn say_on(&mut self, node: usize) {
        let person = self.world.nodes[node].person();
        let mut groups = self.groups();
        groups.retain(|session| self.model.rooms[session].counts(person));
        let live = self.live(person).contains(&node);
        if let Some(session) = self.one_of(&groups).filter(|_| live) {
            let text = format!("{} of {node}, on a full disk", self.next);
            self.ask(node, Deed::Say { session, text });
        }
    }

    fn pause(&mut self) {
        let pause = self.choose(PAUSE) as u64;
        self.run_until(self.world.now + pause);
    }

    /// Another policy: who may add, remove and name, and now and then who may write.
    pub(super) fn other_policy(&mut self) -> Op {
        let roles = [Role::Owner, Role::Moderator, Role::Member];
        let usual = Policy::default();
        Op::Policy(Policy {
            add: roles[self.choose(3)],
            remove: roles[self.choose(3)],
            settings: roles[self.choose(3)],
            write: match self.choose(4) {
                0 => roles[self.choose(3)],
                _ => usual.write,
            },
            ..usual
        })
    }
}
