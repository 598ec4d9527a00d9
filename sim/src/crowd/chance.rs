//! Random hours of many: who does what, and what goes wrong meanwhile.

use tenet_log::{
    ids::{EventId, SessionId},
    roster::{Addition, Member, Muting, Op, Policy, Removal, Role, Setting},
};

use super::{
    Crowd, Deed, Fault, Plan,
    ladder::{MINUTE, STORMS},
};
use crate::model::Fate;

pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const EMOJI: [&str; 3] = ["👍", "☀", "🎉"];

/// How many neighbours on each side somebody knows from the beginning: each is met in a session of two.
const NEIGHBOURS: usize = 3;

/// How long it takes until all who are in have heard of each other, once all is well.
const SETTLING: u64 = 10 * MINUTE;

/// How many things are done in an hour, as seeds have it.
const DEEDS: [usize; 4] = [50, 100, 100, MOST_IN_AN_HOUR];
pub(super) const MOST_IN_AN_HOUR: usize = 200;

impl Crowd {
    /// Some people with some sessions, as a seed has it: one seed in fifty has 200 devices.
    pub(super) fn company(plan: &Plan) -> Self {
        let sizes = [2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 16, 24];
        let mut drawn = Self::new(plan.seed, 0);
        let (many, more) = match plan.seed.is_multiple_of(50) {
            true => (180, 20),
            false => (sizes[drawn.choose(sizes.len())], drawn.choose(5)),
        };
        let many = many.min(plan.nodes).max(2);
        let further: Vec<usize> = (0..more.min(many)).map(|_| drawn.choose(many)).collect();
        let mut crowd = Self::of(plan.seed, many, &further);
        let all: Vec<usize> = (0..many).collect();
        crowd.prepare(&all, Policy::default());
        for _ in 0..crowd.choose(4) {
            let size = 2 + crowd.choose(many.min(12) - 1);
            let some = crowd.some(many, size);
            crowd.prepare(&some, Policy::default());
        }
        crowd.acquaint_neighbours(many);
        crowd
    }

    /// Everybody knows some others as contacts.
    pub(super) fn acquaint_neighbours(&mut self, many: usize) {
        for node in 0..many {
            let near: Vec<usize> = match many > 2 * NEIGHBOURS {
                true => (1..=NEIGHBOURS).map(|step| (node + step) % many).collect(),
                false => (node + 1..many).collect(),
            };
            for other in near {
                self.acquaint(node, other);
            }
        }
    }

    /// So many different nodes.
    fn some(&mut self, many: usize, size: usize) -> Vec<usize> {
        let mut some = Vec::new();
        while some.len() < size {
            let node = self.choose(many);
            if !some.contains(&node) {
                some.push(node);
            }
        }
        some
    }

    /// An hour full of deeds; whatever goes wrong is healed at its end.
    ///
    /// What each deed is follows from its number alone, so that others can be left out and it stays what it is.
    pub(super) fn hour(&mut self, plan: &Plan) {
        let end = self.world.now + HOUR;
        let deeds = DEEDS[self.choose(DEEDS.len())];
        for deed in 0..deeds.min(plan.deeds) {
            self.choose_for(deed);
            let pause = self.choose(2 * HOUR as usize / deeds) as u64;
            let until = (self.world.now + pause).min(end);
            self.run_until(until);
            match plan.step {
                _ if plan.skip.contains(&deed) => {}
                STORMS => self.stir(plan),
                _ => self.something(deed, plan),
            }
        }
        self.run_until(end);
        self.heal();
        self.rest(SETTLING);
        self.reform();
        self.put_doubtful_away();
    }

    fn something(&mut self, number: usize, plan: &Plan) {
        let fault = match self.choose(100) {
            0..61 => return self.talk(number),
            61..71 => Fault::Roster,
            71..75 => Fault::Device,
            75 => Fault::Storm,
            76..80 => Fault::Kill,
            80..86 => Fault::Churn,
            86..88 => Fault::Cut,
            88..90 => Fault::Part,
            90 => Fault::Bar,
            91 => Fault::Nat,
            92 => Fault::Move,
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
        if !plan.without.contains(&fault) {
            self.go_wrong(fault);
        }
    }

    /// The sessions of more than two that are not over.
    pub(super) fn groups(&self) -> Vec<SessionId> {
        let rooms = self.model.rooms.iter();
        let groups = rooms.filter(|(_, room)| !room.direct && !room.over);
        groups.map(|(session, _)| *session).collect()
    }

    /// A session, and a device in it that runs; mostly one of many.
    fn somewhere(&mut self) -> Option<(SessionId, usize)> {
        let all: Vec<SessionId> = match self.choose(5) {
            0 => self.model.rooms.keys().copied().collect(),
            _ => self.groups(),
        };
        let session = self.one_of(&all)?;
        let fates = &self.model.rooms[&session].fates;
        let persons: Vec<usize> = fates.keys().copied().collect();
        let person = self.one_of(&persons)?;
        let node = {
            let live = self.live(person);
            self.one_of(&live)?
        };
        (!self.model.rooms[&session].over).then_some((session, node))
    }

    fn talk(&mut self, number: usize) {
        let Some((session, node)) = self.somewhere() else {
            return;
        };
        let text = format!("{number} of {node}");
        let person = self.world.nodes[node].person();
        let (id, own) = match self.about(session, person) {
            Some((id, own)) => (Some(id), own),
            None => (None, false),
        };
        let own = id.filter(|_| own);
        let deed = match (self.choose(12), id, own) {
            (0, _, Some(id)) => Deed::Unsend { session, id },
            (1 | 2, _, Some(id)) => Deed::Edit { session, id, text },
            (3 | 4, Some(id), _) => {
                let known = &self.model.rooms[&session].said[&id].reactions;
                let there = known.iter().find(|(_, who)| *who == person);
                let there = there.map(|(emoji, _)| *emoji);
                let emoji = EMOJI[self.choose(EMOJI.len())];
                let emoji = there.filter(|_| number.is_multiple_of(2)).unwrap_or(emoji);
                let known = &self.model.rooms[&session].said[&id].reactions;
                let remove = known.contains(&(emoji, person));
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

    /// What somebody does something about, and whether it is an own one: mostly what something was done to lately, so
    /// that one thing meets another.
    fn about(&mut self, session: SessionId, person: usize) -> Option<(EventId, bool)> {
        let said = &self.model.rooms[&session].said;
        let mut all: Vec<(EventId, bool)> = said
            .iter()
            .map(|(id, said)| (*id, said.person == person))
            .collect();
        if self.choose(2) == 0 {
            let touched = |id: &EventId| {
                let said = &self.model.rooms[&session].said[id];
                said.touched.contains_key(&person)
            };
            all.retain(|(id, _)| touched(id));
            all.truncate(3);
        }
        self.one_of(&all)
    }

    /// Who is in changes, or a session is founded.
    pub(super) fn rearrange(&mut self) {
        let groups = self.groups();
        let Some(session) = self.one_of(&groups) else {
            return;
        };
        match self.choose(8) {
            0 => {
                let founder = self.choose(self.persons());
                self.begin(founder);
            }
            _ => self.rearrange_in(session),
        }
    }

    /// How many persons there are.
    fn persons(&self) -> usize {
        let nodes = self.world.nodes.iter();
        nodes.filter(|node| node.place() == node.person()).count()
    }

    /// Somebody who has a say, mostly, changes who is in a session, or as what.
    pub(super) fn rearrange_in(&mut self, session: SessionId) {
        let whom = self.choose(self.persons());
        let room = &self.model.rooms[&session];
        let founder = room.founder;
        let all: Vec<usize> = room.fates.keys().copied().collect();
        let raised: Vec<usize> = room.raised.iter().copied().collect();
        // Who has no say is refused, and that is soon told.
        let person = match self.choose(6) {
            0 => all[self.choose(all.len())],
            1..4 if !raised.is_empty() => raised[self.choose(raised.len())],
            _ => founder,
        };
        let live = self.live(person);
        let Some(node) = self.one_of(&live) else {
            return;
        };
        if let Some(op) = self.change(session, person, whom) {
            let op = Box::new(op);
            self.ask(node, Deed::Operate { session, op, whom });
        }
    }

    fn change(&mut self, session: SessionId, by: usize, whom: usize) -> Option<Op> {
        let room = &self.model.rooms[&session];
        let founder = room.founder;
        let is_in = matches!(room.fates.get(&whom), Some(Fate::In | Fate::Brought));
        let may_be_in = is_in || room.fates.get(&whom) == Some(&Fate::Unclear);
        let identity = self.world.nodes[whom].identity();
        let (chance, end) = (self.choose(16), self.choose(12) == 0);
        Some(match chance {
            _ if whom == founder && end && by == founder => Op::Dissolve,
            0 if whom == founder && by == founder && end => self.other_policy(),
            _ if whom == founder => Op::Set(Setting {
                key: "topic".into(),
                value: vec![u8::try_from(chance).unwrap()],
            }),
            0..3 if may_be_in => Op::Remove(Removal {
                identity,
                shut_out: false,
            }),
            3 if may_be_in => Op::Mute(Muting {
                identity,
                until: None,
            }),
            4 => Op::Unmute(identity),
            5 | 6 => Op::Promote(Member {
                identity,
                role: Role::Moderator,
            }),
            7 | 8 => Op::Demote(Member {
                identity,
                role: [Role::Observer, Role::Member][chance % 2],
            }),
            9 if whom == by => Op::Leave,
            // A session that no contact brings is not entered (NODE-33).
            _ if !self.are_acquainted(by, whom) => return None,
            _ => Op::Add(Addition {
                identity,
                role: Role::Member,
                floor: None,
            }),
        })
    }

    pub(super) fn are_acquainted(&self, one: usize, other: usize) -> bool {
        let many = self.persons();
        let apart = one.abs_diff(other);
        one != other && apart.min(many - apart) <= NEIGHBOURS
    }

    /// Somebody founds a session with some contacts, on the first device.
    fn begin(&mut self, founder: usize) {
        if self.world.nodes[founder].engine().is_none() || self.model.lost(founder).is_some() {
            return;
        }
        let many = self.persons();
        let size = 1 + self.choose(NEIGHBOURS.min(many - 1));
        let others = (1..=size).map(|step| (founder + step) % many);
        let with = others.map(|other| self.world.nodes[other].did());
        let with = with.collect();
        let name = format!("group {}", self.next);
        self.ask(founder, Deed::Found { name, with });
    }
}
