//! Events that nobody made sense of: on partial views, with forks, by anybody.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use tenet_identity::keys::InviteKey;

use super::world::{Device, NOW, Node, Person, Raw, below, found, found_on, pick, rng};
use crate::{
    clock::Hlc,
    event::{Content, Event},
    ids::{Author, EventId},
    roster::{
        self, Addition, History, Joining, Member, Muting, Op, Opening, Policy, Removal, Role,
        Setting, Withdrawal,
    },
};

/// A session's founding with whatever anybody says in it.
pub(crate) struct Tangle {
    pub(crate) founding: Event,
    /// In an order in which each comes after what it builds on.
    pub(crate) events: Vec<Event>,
    /// What no node may take, with all that builds on it.
    pub(crate) refused: BTreeSet<EventId>,
    people: Vec<Person>,
    chains: Vec<Chain>,
    operations: BTreeMap<EventId, Op>,
    mix: Mix,
}

struct Chain {
    author: Author,
    person: usize,
    device: usize,
    events: Vec<Event>,
}

/// How often chains fork and how often what is written changes the roster, in percent; and whether
/// it is a session of many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) forks: usize,
    pub(crate) operations: usize,
    pub(crate) many: bool,
}

const ROLES: [Role; 4] = [Role::Owner, Role::Moderator, Role::Member, Role::Observer];

impl Tangle {
    pub(crate) fn grow(seed: u64, steps: usize, mix: Mix) -> Self {
        let people: Vec<Person> = (1..=if mix.many { 5 } else { 3 })
            .map(Person::new)
            .collect();
        // In a session of two the third is a stranger; in one of many the last two come in later.
        let founding = match mix.many {
            false => found(&[&people[0], &people[1]]),
            true => found_on(&people[0], &members(&people[..3]), Policy::default()),
        };
        let mut tangle = Self {
            chains: Vec::new(),
            events: Vec::new(),
            refused: BTreeSet::new(),
            founding: founding.clone(),
            people,
            operations: BTreeMap::new(),
            mix,
        };
        tangle.begin(founding.author(), 0, 0);
        tangle.chains[0].events.push(founding);
        let mut rng = rng(seed);
        for _ in 0..steps {
            tangle.step(&mut rng);
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

    /// All devices that may write in any tangle of two.
    pub(crate) fn devices() -> Vec<Device> {
        (1..=2)
            .flat_map(|number| Person::new(number).devices)
            .collect()
    }

    fn step(&mut self, rng: &mut ChaCha20Rng) {
        let is_operation = below(rng, 100) < self.mix.operations;
        if is_operation && below(rng, 4) == 0 {
            return self.join(rng);
        }
        let at = below(rng, self.chains.len());
        let op = is_operation.then(|| self.operation(rng, at));
        let prev = self.prev(rng, at);
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
        self.push(event, op);
    }

    /// What the next event of a chain follows: the last, or now and then an earlier one.
    fn prev(&self, rng: &mut ChaCha20Rng, at: usize) -> Option<Event> {
        let Chain { author, events, .. } = &self.chains[at];
        let prev = match below(rng, 100) < self.mix.forks {
            true if events.is_empty() || below(rng, 4) == 0 => None,
            true => Some(pick(rng, events)),
            false => events.last(),
        };
        // Who founded or joined does not begin once more.
        let first = events.first().filter(|first| first.id() == author.added_by);
        prev.or(first).cloned()
    }

    fn join(&mut self, rng: &mut ChaCha20Rng) {
        let (person, device) = (below(rng, 9) % self.people.len(), below(rng, 3));
        let mut deps = self.seen(rng, 3);
        deps.push(self.founding.clone());
        let links = self.all(|op| matches!(op, Op::OpenLink(_)));
        let additions = self.all(|op| {
            let identity = self.people[person].key.public();
            matches!(op, Op::Add(one) if one.identity == identity)
        });
        let joining = &self.people[person].devices[device];
        let mut op = Op::Join(joining.card.clone());
        if !links.is_empty() && below(rng, 2) == 0 {
            let link = pick(rng, &links);
            let with = Joining::by(&link_key(), link.id(), joining.card.clone());
            op = Op::JoinLink(with);
            deps.push(link.clone());
        } else if !additions.is_empty() {
            deps.push(pick(rng, &additions).clone());
        }
        let raw = Raw {
            session: self.founding.session(),
            key: &joining.key,
            added_by: None,
            prev: None,
            deps: deps.iter().collect(),
            later_by: 1 + below(rng, 50) as u64,
        };
        let event = raw.operate(&op);
        if self.find(event.id()).is_some() {
            return;
        }
        // ROS-1401: by a link by which one asks nobody comes in.
        let asks =
            |link: EventId| matches!(&self.operations[&link], Op::OpenLink(link) if link.asks());
        if matches!(&op, Op::JoinLink(joining) if asks(joining.opening)) {
            self.refused.insert(event.id());
        }
        let is_stranger = person >= if self.mix.many { 3 } else { 2 };
        if is_stranger && matches!(op, Op::Join(_)) && !self.is_named(person, &event) {
            self.refused.insert(event.id());
        }
        self.begin(event.author(), person, device);
        self.chains.last_mut().unwrap().events.push(event.clone());
        self.push(event, Some(op));
    }

    fn operation(&self, rng: &mut ChaCha20Rng, by: usize) -> Op {
        if self.mix.many && below(rng, 3) > 0 {
            return self.operation_of_many(rng);
        }
        let own = self.chains[by].person;
        let person = match below(rng, 8) {
            0 => below(rng, self.people.len()),
            _ => own,
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

    fn operation_of_many(&self, rng: &mut ChaCha20Rng) -> Op {
        let person = pick(rng, &self.people);
        let (identity, role) = (person.key.public(), *pick(rng, &ROLES));
        let member = Member { identity, role };
        let soon = |rng: &mut ChaCha20Rng| {
            let after = Hlc::from_millis(NOW).raw() + below(rng, 900) as u64;
            (below(rng, 2) == 0).then(|| Hlc::from_raw(after))
        };
        match below(rng, 42) {
            0..8 => Op::Add(Addition {
                identity,
                role,
                floor: soon(rng),
            }),
            8..14 => Op::Promote(member),
            14..20 => Op::Demote(member),
            20..26 => Op::Remove(Removal {
                identity,
                shut_out: below(rng, 3) == 0,
            }),
            26..29 => Op::Mute(Muting {
                identity,
                until: soon(rng),
            }),
            29 => Op::Unmute(identity),
            30 => Op::Withdraw(Withdrawal {
                identity,
                event: EventId::from([7; 32]),
                reason: String::new(),
            }),
            31..34 => Op::OpenLink(opening(soon(rng), soon(rng), role, below(rng, 6) == 0)),
            40 => Op::Unblock(identity),
            41 => Op::Refuse(roster::Refusal {
                identity,
                asked: below(rng, 9) as u64,
                remark: None,
            }),
            34 => match self.all(|op| matches!(op, Op::OpenLink(_))) {
                links if links.is_empty() => Op::Leave,
                links => Op::CloseLink(pick(rng, &links).id()),
            },
            35 | 36 => Op::Policy(Policy {
                add: role,
                remove: *pick(rng, &ROLES),
                write: *pick(rng, &ROLES),
                history: *pick(rng, &[History::None, History::Last(2), History::All]),
                ..Policy::default()
            }),
            37 | 38 => Op::Set(Setting {
                key: "name".into(),
                value: vec![below(rng, 256) as u8],
            }),
            _ if below(rng, 4) == 0 => Op::Dissolve,
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

    fn push(&mut self, event: Event, op: Option<Op>) {
        self.operations.extend(op.map(|op| (event.id(), op)));
        if event.parents().any(|parent| self.refused.contains(&parent)) {
            self.refused.insert(event.id());
        }
        self.events.push(event);
    }

    /// Whether something that an event builds on names somebody.
    fn is_named(&self, person: usize, event: &Event) -> bool {
        let identity = self.people[person].key.public();
        let mut open: Vec<EventId> = event.parents().collect();
        while let Some(id) = open.pop() {
            let before = self.find(id).unwrap();
            let named = match self.operations.get(&id) {
                Some(Op::JoinLink(joining)) => joining.card.identity() == identity,
                Some(Op::Leave) => self
                    .chains
                    .iter()
                    .any(|chain| chain.author == before.author() && chain.person == person),
                Some(op) => op.subject() == Some(identity),
                None => false,
            };
            if named {
                return true;
            }
            open.extend(before.parents());
        }
        false
    }

    fn all(&self, wanted: impl Fn(&Op) -> bool) -> Vec<Event> {
        let all = self.events.iter();
        all.filter(|event| self.operations.get(&event.id()).is_some_and(&wanted))
            .cloned()
            .collect()
    }

    fn find(&self, id: EventId) -> Option<&Event> {
        self.events
            .iter()
            .chain([&self.founding])
            .find(|event| event.id() == id)
    }
}

/// An owner, a moderator and a member.
pub(crate) fn members(people: &[Person]) -> Vec<Member> {
    let roles = people.iter().zip(ROLES);
    roles
        .map(|(person, role)| Member {
            identity: person.key.public(),
            role,
        })
        .collect()
}

/// The key of every link here.
pub(crate) fn link_key() -> InviteKey {
    InviteKey::from_seed([77; 32])
}

/// An event of a kind that a later version may know.
pub(crate) fn unknown_operation(raw: Raw<'_>) -> Event {
    raw.sign("roster.rename", Content::Payload(vec![1]), None)
}

fn opening(until: Option<Hlc>, floor: Option<Hlc>, role: Role, asks: bool) -> Opening {
    let opening = Opening {
        until,
        floor,
        ..Opening::new(link_key().public(), role)
    };
    match asks {
        true => opening.asking(),
        false => opening,
    }
}
