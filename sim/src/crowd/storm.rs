//! Storms: a session is cut in two or three, and on every side it is changed who is in, and as what, by all who
//! have a say, before anybody hears of the others.

use tenet_log::{
    ids::SessionId,
    roster::{Member, Op, Policy, Role},
};

use super::{Crowd, Deed, Fault, Plan};

/// How many are in a session over which storms blow.
const CLUBS: [usize; 12] = [5, 5, 6, 6, 7, 8, 10, 12, 16, 24, 40, 60];

/// How far apart two changes are at most, in milliseconds.
const PAUSE: usize = 20_000;

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
            4..12 => Fault::Roster,
            12..15 => Fault::Device,
            15..17 => Fault::Part,
            17 => Fault::Churn,
            18 => Fault::Cut,
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
        let sides = 2 + self.choose(2);
        for node in 0..self.world.nodes.len() {
            let side = self.choose(sides);
            self.world.walls.part(node, u8::try_from(side).unwrap());
        }
        self.world.divide();
        for _ in 0..4 + self.choose(10) {
            self.pause();
            match self.choose(9) {
                0 => self.about_devices(),
                1 => self.say_in(session),
                _ => self.rearrange_in(session),
            }
        }
        if self.choose(2) == 0 {
            self.world.walls.fall();
        }
    }

    /// Some of the members have a say from now on.
    fn raise_some(&mut self, session: SessionId) {
        let founder = self.model.rooms[&session].founder;
        let others: Vec<usize> = self.model.rooms[&session].fates.keys().copied().collect();
        for _ in 0..1 + self.choose(3) {
            let whom = others[self.choose(others.len())];
            let by = self.live(founder);
            if whom == founder || by.is_empty() {
                continue;
            }
            let role = match self.choose(6) {
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

    /// Another policy, now and then: who may add and remove, and who may write.
    pub(super) fn other_policy(&mut self) -> Op {
        let roles = [Role::Owner, Role::Moderator, Role::Member];
        Op::Policy(Policy {
            add: roles[self.choose(3)],
            remove: roles[self.choose(3)],
            write: roles[self.choose(3)],
            ..Policy::default()
        })
    }
}
