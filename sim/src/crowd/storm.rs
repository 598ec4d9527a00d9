//! Storms: a session is cut in two or three, and on every side it is changed who is in, and as what, by all who
//! have a say, before anybody hears of the others.

use tenet_log::{
    ids::SessionId,
    roster::{Member, Op, Policy, Role},
};

use super::{Crowd, Deed};

/// How far apart two changes are at most, in milliseconds.
const PAUSE: usize = 20_000;

impl Crowd {
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
        let live = self.live(person);
        if let Some(node) = self.one_of(&live) {
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
