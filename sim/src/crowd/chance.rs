//! Random hours of many: who does what, and what goes wrong meanwhile.

use tenet_log::{
    ids::{EventId, SessionId},
    roster::{Addition, Member, Muting, Op, Policy, Removal, Role, Setting},
};

use super::{Crowd, Deed, Fault, Plan, fault::OPEN};
use crate::model::Fate;

const HOUR: u64 = 3_600_000;
pub(super) const EMOJI: [&str; 3] = ["👍", "☀", "🎉"];

/// The most that are contacts of each other from the beginning.
const MOST_ACQUAINTED: usize = 14;

impl Crowd {
    /// Some people with some sessions, as a seed has it: one seed in fifty has 200 devices.
    pub(super) fn company(plan: &Plan) -> Self {
        let sizes = [2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 16, 24];
        let mut drawn = Self::new(plan.seed, 0);
        let many = sizes[drawn.choose(sizes.len())];
        let many = if plan.seed.is_multiple_of(50) {
            200
        } else {
            many
        };
        let many = many.min(plan.nodes).max(2);
        let mut crowd = Self::new(plan.seed, many);
        let all: Vec<usize> = (0..many).collect();
        crowd.prepare(&all, Policy::default());
        for _ in 0..crowd.choose(4) {
            let size = 2 + crowd.choose(many.min(12) - 1);
            let some = crowd.some(size);
            crowd.prepare(&some, Policy::default());
        }
        for node in 0..many {
            let near = (1..=(MOST_ACQUAINTED / 2).min(many))
                .flat_map(|step| [node + step, node + many - step]);
            let near = near.map(|other| other % many);
            let near: Vec<usize> = near.filter(|other| *other != node).collect();
            crowd.acquaint(node, &near);
        }
        crowd
    }

    /// So many different nodes.
    fn some(&mut self, size: usize) -> Vec<usize> {
        let mut some = Vec::new();
        while some.len() < size {
            let node = self.choose(self.world.nodes.len());
            if !some.contains(&node) {
                some.push(node);
            }
        }
        some
    }

    /// An hour with so many deeds in it; whatever goes wrong is healed at its end.
    pub(super) fn hour(&mut self, deeds: usize, plan: &Plan) {
        let end = self.world.now + HOUR;
        for deed in 0..deeds.min(plan.deeds) {
            let pause = self.choose(2 * HOUR as usize / deeds) as u64;
            let until = (self.world.now + pause).min(end);
            self.run_until(until);
            self.something(deed, plan);
        }
        self.run_until(end);
        self.heal();
    }

    fn something(&mut self, number: usize, plan: &Plan) {
        let fault = match self.choose(100) {
            0..66 => return self.talk(number),
            66..76 => Fault::Roster,
            76..80 => Fault::Kill,
            80..86 => Fault::Churn,
            86..88 => Fault::Cut,
            88..90 => Fault::Part,
            90 => Fault::Bar,
            91..93 => Fault::Nat,
            93..95 => Fault::Weather,
            95 => Fault::Clock,
            96 => match self.choose(6) {
                0 => Fault::Future,
                _ => Fault::Clock,
            },
            97 => Fault::Full,
            98 => Fault::Restore,
            _ => match self.choose(2) {
                0 => Fault::Rogue,
                _ => Fault::Restore,
            },
        };
        let is_open = OPEN.contains(&fault) && !plan.with.contains(&fault);
        if is_open || plan.without.contains(&fault) {
            return;
        }
        match fault {
            Fault::Roster => self.rearrange(),
            fault => self.go_wrong(fault),
        }
    }

    /// A session, and somebody in it whose device runs.
    fn somewhere(&mut self) -> Option<(SessionId, usize)> {
        let rooms: Vec<SessionId> = self.model.rooms.keys().copied().collect();
        let session = rooms[self.choose(rooms.len())];
        let fates = &self.model.rooms[&session].fates;
        let nodes: Vec<usize> = fates.keys().copied().collect();
        let node = nodes[self.choose(nodes.len())];
        let runs = self.world.nodes[node].engine().is_some();
        (runs && !self.model.rooms[&session].over).then_some((session, node))
    }

    fn talk(&mut self, number: usize) {
        let Some((session, node)) = self.somewhere() else {
            return;
        };
        let text = format!("{number} of {node}");
        let said = self.model.rooms[&session].said.iter();
        let said: Vec<(EventId, usize)> = said.map(|(id, said)| (*id, said.node)).collect();
        let about = self.choose(said.len());
        let about = said.get(about).copied();
        let own = about.filter(|(_, author)| *author == node);
        let deed = match (self.choose(12), about, own) {
            (0, _, Some((id, _))) => Deed::Unsend { session, id },
            (1 | 2, _, Some((id, _))) => Deed::Edit { session, id, text },
            (3 | 4, Some((id, _)), _) => {
                let emoji = EMOJI[self.choose(EMOJI.len())];
                let known = &self.model.rooms[&session].said[&id].reactions;
                let remove = known.contains(&(emoji, node));
                Deed::React {
                    session,
                    id,
                    emoji,
                    remove,
                }
            }
            (5, ..) => Deed::Read { session },
            _ => Deed::Say { session, text },
        };
        self.ask(node, deed);
    }

    /// Who is in changes, or a session is founded.
    fn rearrange(&mut self) {
        self.faults.insert(Fault::Roster);
        let Some((session, mut node)) = self.somewhere() else {
            return;
        };
        let whom = self.choose(self.world.nodes.len());
        let room = &self.model.rooms[&session];
        // Who has no say is refused, and that is soon told.
        let founder = room.founder;
        if !self.choose(3).is_multiple_of(3) {
            node = founder;
        }
        if self.world.nodes[node].engine().is_none() {
            return;
        }
        if self.choose(8) == 0 {
            return self.begin(node);
        }
        let room = &self.model.rooms[&session];
        let is_in = matches!(room.fates.get(&whom), Some(Fate::In | Fate::Brought));
        let identity = self.world.nodes[whom].identity();
        let (chance, end) = (self.choose(14), self.choose(12) == 0);
        let op = match chance {
            _ if whom == founder && end && node == founder => Op::Dissolve,
            _ if whom == founder => Op::Set(Setting {
                key: "topic".into(),
                value: vec![u8::try_from(chance).unwrap()],
            }),
            0..3 if is_in => Op::Remove(Removal {
                identity,
                shut_out: false,
            }),
            3 if is_in => Op::Mute(Muting {
                identity,
                until: None,
            }),
            4 => Op::Unmute(identity),
            5 | 6 => Op::Promote(Member {
                identity,
                role: Role::Moderator,
            }),
            7 => Op::Demote(Member {
                identity,
                role: Role::Observer,
            }),
            8 if whom == node => Op::Leave,
            // A session that no contact brings is not entered (NODE-33).
            _ if !self.are_acquainted(node, whom) => return,
            _ => Op::Add(Addition {
                identity,
                role: Role::Member,
                floor: None,
            }),
        };
        let op = Box::new(op);
        let deed = Deed::Operate { session, op, whom };
        self.ask(node, deed);
    }

    fn are_acquainted(&self, one: usize, other: usize) -> bool {
        let many = self.world.nodes.len();
        let apart = one.abs_diff(other);
        apart.min(many - apart) <= MOST_ACQUAINTED / 2
    }

    /// Somebody founds a session with some contacts.
    fn begin(&mut self, node: usize) {
        let many = self.world.nodes.len();
        let size = 1 + self.choose(many.min(8) - 1);
        let others = (1..=size).map(|step| (node + step) % many);
        let with = others.map(|other| self.world.nodes[other].did());
        let with = with.collect();
        let name = format!("group {}", self.next);
        self.ask(node, Deed::Found { name, with });
    }
}
