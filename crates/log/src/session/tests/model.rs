//! A reference for small sessions: the rules as they are written, without any thought of cost.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use tenet_identity::keys::IdentityId;

use super::world::{Device, Node, Person, Raw, below, found, pick, rng};
use crate::{
    event::{Content, Event},
    ids::{Author, EventId},
    roster::Op,
    standing::Standing,
};

/// Events that nobody made sense of: on partial views, with forks, by anybody.
pub(crate) struct Tangle {
    pub(crate) founding: Event,
    /// In an order in which each comes after what it builds on.
    pub(crate) events: Vec<Event>,
    /// What no node may take, with all that builds on it.
    pub(crate) refused: BTreeSet<EventId>,
    people: Vec<Person>,
    chains: Vec<Chain>,
}

struct Chain {
    author: Author,
    person: usize,
    device: usize,
    events: Vec<Event>,
}

/// How often chains fork and how often what is written changes the roster, in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) forks: usize,
    pub(crate) operations: usize,
}

impl Tangle {
    pub(crate) fn grow(seed: u64, steps: usize, mix: Mix) -> Self {
        let people: Vec<Person> = (1..=3).map(Person::new).collect();
        // The third is a stranger.
        let founding = found(&[&people[0], &people[1]]);
        let mut tangle = Self {
            chains: Vec::new(),
            events: Vec::new(),
            refused: BTreeSet::new(),
            founding: founding.clone(),
            people,
        };
        tangle.begin(founding.author(), 0, 0);
        tangle.chains[0].events.push(founding);
        let mut rng = rng(seed);
        for _ in 0..steps {
            tangle.step(&mut rng, mix);
        }
        tangle
    }

    /// Gives a node about half of the events, with all that they build on.
    pub(crate) fn part(&self, rng: &mut ChaCha20Rng, node: &mut Node) {
        let mut wanted: BTreeSet<EventId> = BTreeSet::new();
        for event in self.events.iter().rev() {
            if wanted.contains(&event.id()) || below(rng, 6) == 0 {
                wanted.insert(event.id());
                wanted.extend(event.parents());
            }
        }
        for event in &self.events {
            if wanted.contains(&event.id()) && !self.refused.contains(&event.id()) {
                node.take(event);
            }
        }
    }

    /// All devices that may write in any tangle.
    pub(crate) fn devices() -> Vec<Device> {
        (1..=2)
            .flat_map(|number| Person::new(number).devices)
            .collect()
    }

    fn step(&mut self, rng: &mut ChaCha20Rng, mix: Mix) {
        let is_operation = below(rng, 100) < mix.operations;
        if is_operation && below(rng, 4) == 0 {
            return self.join(rng);
        }
        let at = below(rng, self.chains.len());
        let op = is_operation.then(|| self.operation(rng, at));
        let prev = self.prev(rng, at, mix);
        let mut deps = self.seen(rng, 3);
        let chain = &self.chains[at];
        if prev.is_none() {
            deps.extend(self.find(chain.author.added_by).cloned());
        }
        let raw = Raw {
            session: self.founding.session(),
            key: &self.people[chain.person].devices[chain.device].key,
            added_by: Some(chain.author.added_by),
            prev: prev.as_ref(),
            deps: deps.iter().collect(),
            later_by: 1 + below(rng, 50) as u64,
        };
        let event = match &op {
            Some(op) => raw.operate(op),
            None => raw.say(&format!("{}", self.events.len())),
        };
        if self.find(event.id()).is_some() {
            return;
        }
        self.chains[at].events.push(event.clone());
        if let Some(Op::AddDevice(card)) = &op {
            let author = Author {
                device: card.device(),
                added_by: event.id(),
            };
            let people = &self.people;
            let person = people
                .iter()
                .position(|one| one.key.public() == card.identity());
            let person = person.unwrap();
            let devices = people[person].devices.iter();
            let device = devices.map(|device| device.key.public());
            let device = device
                .into_iter()
                .position(|device| device == card.device());
            self.begin(author, person, device.unwrap());
        }
        self.push(event);
    }

    /// What the next event of a chain follows: the last, or now and then an earlier one.
    fn prev(&self, rng: &mut ChaCha20Rng, at: usize, mix: Mix) -> Option<Event> {
        let Chain { author, events, .. } = &self.chains[at];
        let prev = match below(rng, 100) < mix.forks {
            true if events.is_empty() || below(rng, 4) == 0 => None,
            true => Some(pick(rng, events)),
            false => events.last(),
        };
        // Who founded or joined does not begin once more.
        let first = events.first().filter(|first| first.id() == author.added_by);
        prev.or(first).cloned()
    }

    fn join(&mut self, rng: &mut ChaCha20Rng) {
        let (person, device) = (below(rng, 7) % 3, below(rng, 3));
        let mut deps = self.seen(rng, 3);
        deps.push(self.founding.clone());
        let joining = &self.people[person].devices[device];
        let raw = Raw {
            session: self.founding.session(),
            key: &joining.key,
            added_by: None,
            prev: None,
            deps: deps.iter().collect(),
            later_by: 1 + below(rng, 50) as u64,
        };
        let event = raw.operate(&Op::Join(joining.card.clone()));
        if self.find(event.id()).is_some() {
            return;
        }
        if person == 2 {
            self.refused.insert(event.id());
        }
        self.begin(event.author(), person, device);
        self.chains.last_mut().unwrap().events.push(event.clone());
        self.push(event);
    }

    fn operation(&self, rng: &mut ChaCha20Rng, by: usize) -> Op {
        let own = self.chains[by].person;
        let person = if below(rng, 8) == 0 {
            below(rng, 3)
        } else {
            own
        };
        let device = below(rng, 3);
        match below(rng, 20) {
            0..8 => Op::AddDevice(self.people[person].devices[device].card.clone()),
            8..16 => {
                let of: Vec<&Chain> = self
                    .chains
                    .iter()
                    .filter(|chain| chain.person == person)
                    .collect();
                let any = &self.chains[by];
                Op::RemoveDevice(of.get(below(rng, of.len())).unwrap_or(&any).author)
            }
            16..19 => self.people[person].revoke(device),
            _ => Op::Leave,
        }
    }

    /// A few events that somebody may have seen last.
    fn seen(&self, rng: &mut ChaCha20Rng, most: usize) -> Vec<Event> {
        let latest = self.events.len().saturating_sub(10);
        let recent = &self.events[latest..];
        (0..below(rng, most + 1))
            .filter(|_| !recent.is_empty())
            .map(|_| pick(rng, recent).clone())
            .collect()
    }

    fn begin(&mut self, author: Author, person: usize, device: usize) {
        self.chains.push(Chain {
            author,
            person,
            device,
            events: Vec::new(),
        });
    }

    fn push(&mut self, event: Event) {
        if event.parents().any(|parent| self.refused.contains(&parent)) {
            self.refused.insert(event.id());
        }
        self.events.push(event);
    }

    fn find(&self, id: EventId) -> Option<&Event> {
        self.events
            .iter()
            .chain([&self.founding])
            .find(|event| event.id() == id)
    }
}

/// What the rules say of the set that a node holds.
pub(crate) struct Model {
    events: BTreeMap<EventId, Event>,
    /// Everything that each event builds on, itself left out.
    before: BTreeMap<EventId, BTreeSet<EventId>>,
    /// Whose chains they are, by what the operations claim.
    identities: BTreeMap<Author, IdentityId>,
    operations: BTreeMap<EventId, Op>,
}

impl Model {
    pub(crate) fn of(node: &Node) -> Self {
        let mut model = Self {
            events: BTreeMap::new(),
            before: BTreeMap::new(),
            identities: BTreeMap::new(),
            operations: BTreeMap::new(),
        };
        for event in node.events() {
            let mut before: BTreeSet<EventId> = event.parents().collect();
            for parent in event.parents() {
                before.extend(&model.before[&parent]);
            }
            model.before.insert(event.id(), before);
            if let Some(op) = Op::of(&event).unwrap() {
                if let Some((author, card)) = op.begins(&event) {
                    model.identities.insert(author, card.identity());
                }
                model.operations.insert(event.id(), op);
            }
            model.events.insert(event.id(), event);
        }
        model
    }

    /// Compares all that a node made of its set with the rules.
    pub(crate) fn check(&self, node: &Node) {
        for event in self.events.values() {
            let parents = event.parents().map(|parent| self.events[&parent].order());
            assert!(parents.into_iter().all(|parent| parent < event.order()));
        }
        self.check_pasts(node);
        self.check_counted(node);
        self.check_roster(node);
        assert_eq!(self.points(), node.session.forks.points().clone());
        assert_eq!(self.tips(), *node.session.frontier.tips());
        let standings: BTreeMap<_, _> = self
            .events
            .values()
            .map(|event| (event.id(), node.standing(event)))
            .collect();
        assert_eq!(self.standings(node), standings);
    }

    fn check_pasts(&self, node: &Node) {
        let operations = &node.session.operations;
        for op in operations {
            for other in operations {
                let includes = op.past.includes(&other.order);
                assert_eq!(includes, self.precedes(other.order.id, op.order.id));
            }
        }
    }

    /// What counts is supported and not void; what does not is not rightful, or not supported, or
    /// attacked by what counts (itself or what it rests on), or attacks what counts.
    fn check_counted(&self, node: &Node) {
        let counted = &node.session.roster.counted;
        for (id, op) in &self.operations {
            let author = self.events[id].author();
            let supported = author.added_by == *id || counted.contains(&author.added_by);
            let rightful = self.is_rightful(op, author, node);
            if counted.contains(id) {
                assert!(
                    rightful && supported && !self.is_void(*id, counted),
                    "{op:?}"
                );
            } else {
                let lost = counted.iter().any(|one| self.attacks(*id, *one));
                let why = !rightful || !supported || lost || self.is_attacked(*id, counted);
                assert!(why, "{op:?} should count");
            }
        }
    }

    /// Whether something that counts had not seen an operation whose chain it ends, or one that
    /// the operation rests on.
    fn is_attacked(&self, id: EventId, counted: &BTreeSet<EventId>) -> bool {
        let added_by = self.events[&id].author().added_by;
        counted.iter().any(|one| self.attacks(*one, id))
            || (added_by != id && self.is_attacked(added_by, counted))
    }

    fn attacks(&self, one: EventId, other: EventId) -> bool {
        let ended = self.ended(one, &self.operations[&one]);
        one != other
            && ended.iter().any(|chain| self.concerns(other, *chain))
            && !self.precedes(other, one)
    }

    fn is_rightful(&self, op: &Op, author: Author, node: &Node) -> bool {
        let Op::Found(founding) = &node.session.operations[0].op else {
            panic!("the founding comes first");
        };
        let member = |id| founding.members.iter().any(|member| member.identity == id);
        let Some(by) = self.identities.get(&author).copied() else {
            return false;
        };
        member(by)
            && match op {
                Op::Join(card) | Op::AddDevice(card) => card.identity() == by,
                Op::RemoveDevice(target) => self.identities.get(target) == Some(&by),
                Op::Revoke(revocation) => member(revocation.identity()),
                Op::Found(_) | Op::Leave => true,
            }
    }

    fn is_void(&self, id: EventId, counted: &BTreeSet<EventId>) -> bool {
        let chains: Vec<Author> = self
            .identities
            .keys()
            .copied()
            .filter(|chain| self.concerns(id, *chain))
            .collect();
        chains.into_iter().any(|chain| {
            let enders: Vec<EventId> = counted
                .iter()
                .copied()
                .filter(|one| self.ends(*one, chain) && *one != id)
                .collect();
            let is_ender = self.ends(id, chain);
            let first = enders.iter().filter(|one| {
                let repeats = enders.iter().any(|other| self.precedes(*other, **one));
                !repeats && (!is_ender || !self.precedes(id, **one))
            });
            let saved = first.into_iter().any(|one| self.precedes(id, *one));
            enders.iter().any(|one| !self.precedes(id, *one)) && !saved
        })
    }

    /// Whether the end of a chain bears upon an operation.
    fn concerns(&self, id: EventId, chain: Author) -> bool {
        self.events[&id].author() == chain || chain.added_by == id
    }

    fn ends(&self, id: EventId, chain: Author) -> bool {
        let op = &self.operations[&id];
        self.ended(id, op).contains(&chain)
    }

    fn ended(&self, id: EventId, op: &Op) -> Vec<Author> {
        let Some(by) = self.identities.get(&self.events[&id].author()) else {
            return Vec::new();
        };
        let ended = self
            .identities
            .iter()
            .filter(|(chain, of)| op.ends(*by, **chain, **of));
        ended.map(|(chain, _)| *chain).collect()
    }

    fn check_roster(&self, node: &Node) {
        let roster = &node.session.roster;
        for (chain, membership) in &roster.chains {
            assert!(roster.counted.contains(&chain.added_by));
            let enders: BTreeSet<EventId> = roster
                .counted
                .iter()
                .copied()
                .filter(|one| self.ends(*one, *chain))
                .collect();
            let first: BTreeSet<EventId> = enders
                .iter()
                .copied()
                .filter(|one| !enders.iter().any(|other| self.precedes(*other, *one)))
                .collect();
            let told = membership
                .end
                .iter()
                .flat_map(|end| end.operations.iter().copied());
            assert_eq!(told.collect::<BTreeSet<_>>(), first);
            assert_eq!(membership.end.is_some(), !first.is_empty());
        }
    }

    fn standings(&self, node: &Node) -> BTreeMap<EventId, Standing> {
        let roster = &node.session.roster;
        let points = self.points();
        let mut ordered: Vec<&Event> = self.events.values().collect();
        ordered.sort_by_key(|event| std::cmp::Reverse(event.order()));
        let mut standings: BTreeMap<EventId, Standing> = BTreeMap::new();
        for event in ordered {
            let (id, author) = (event.id(), event.author());
            let membership = roster.chains.get(&author).filter(|chain| !chain.surplus);
            let by_roster = match (self.operations.contains_key(&id), membership) {
                (true, _) => roster.counted.contains(&id),
                (false, None) => false,
                (false, Some(membership)) => membership
                    .end
                    .as_ref()
                    .is_none_or(|end| end.operations.iter().any(|ender| self.precedes(id, *ender))),
            };
            let in_fork = !self.operations.contains_key(&id)
                && points
                    .get(&author)
                    .is_some_and(|point| event.header().seq >= *point);
            let upheld = standings.iter().any(|(other, standing)| {
                standing.counts()
                    && self.events[other].author().device != author.device
                    && self.precedes(id, *other)
            });
            let standing = match (by_roster, in_fork && !upheld) {
                (false, _) => Standing::OffRoster,
                (true, true) => Standing::Forked,
                (true, false) => Standing::Counted,
            };
            standings.insert(id, standing);
        }
        standings
    }

    fn points(&self) -> BTreeMap<Author, u64> {
        let mut seen = BTreeSet::new();
        let mut points: BTreeMap<Author, u64> = BTreeMap::new();
        for event in self.events.values() {
            let (author, seq) = (event.author(), event.header().seq);
            if !seen.insert((author, seq)) {
                let point = points.entry(author).or_insert(seq);
                *point = (*point).min(seq);
            }
        }
        points
    }

    fn tips(&self) -> BTreeSet<EventId> {
        let parents: BTreeSet<EventId> = self
            .events
            .values()
            .flat_map(|event| event.parents().collect::<Vec<_>>())
            .collect();
        self.events
            .keys()
            .copied()
            .filter(|id| !parents.contains(id))
            .collect()
    }

    fn precedes(&self, one: EventId, other: EventId) -> bool {
        self.before[&other].contains(&one)
    }
}

/// An event of a kind that a later version may know.
pub(crate) fn unknown_operation(raw: Raw<'_>) -> Event {
    raw.sign("roster.rename", Content::Payload(vec![1]), None)
}
