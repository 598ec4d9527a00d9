//! A reference for small sessions: the rules as they are written, without any thought of cost.
//!
//! It is told which operations count, and asks of each whether that is as the rules say of it, given
//! all the others. What follows from that (roles, chains, standings) it finds for itself.

use std::collections::{BTreeMap, BTreeSet};

use tenet_identity::keys::IdentityId;

use super::world::Node;
use crate::{
    clock::Hlc,
    event::Event,
    ids::{Author, EventId},
    roster::{Founding, Op, Policy, Role},
    standing::Standing,
};

/// What the rules say of the set that a node holds.
pub(crate) struct Model {
    events: BTreeMap<EventId, Event>,
    /// Everything that each event builds on, itself left out.
    before: BTreeMap<EventId, BTreeSet<EventId>>,
    /// Whose chains they are, by what the operations claim.
    identities: BTreeMap<Author, IdentityId>,
    operations: BTreeMap<EventId, Op>,
    counted: BTreeSet<EventId>,
}

impl Model {
    pub(crate) fn of(node: &Node) -> Self {
        let mut model = Self {
            events: BTreeMap::new(),
            before: BTreeMap::new(),
            identities: BTreeMap::new(),
            operations: BTreeMap::new(),
            counted: node.session.fold(&node.store).unwrap().counted().clone(),
        };
        for event in node.events() {
            let mut before: BTreeSet<EventId> = event.parents().collect();
            for parent in event.parents() {
                before.extend(&model.before[&parent]);
            }
            model.before.insert(event.id(), before);
            if let Some(op) = Op::of(&event).unwrap() {
                let card = match &op {
                    Op::Found(Founding { card, .. }) | Op::Join(card) | Op::AddDevice(card) => {
                        Some(card)
                    }
                    Op::JoinLink(joining) => Some(&joining.card),
                    _ => None,
                };
                if let Some(card) = card {
                    let chain = Author {
                        device: card.device(),
                        added_by: event.id(),
                    };
                    model.identities.insert(chain, card.identity());
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
        self.check_counted();
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
        let fold = node.session.fold(&node.store).unwrap();
        for op in fold.operations() {
            for other in fold.operations() {
                let includes = op.past.includes(&other.order);
                assert_eq!(includes, self.saw(op.order.id, other.order.id));
            }
        }
    }

    /// What counts is rightful and not void. What does not is not rightful or void; or it lost in a
    /// circle: it would void what counts, or what counts would void it but for what saves it.
    fn check_counted(&self) {
        for (id, op) in &self.operations {
            let rightful = self.is_rightful(*id);
            if self.counted.contains(id) {
                assert!(rightful && !self.is_void(*id), "{op:?} should not count");
            } else {
                assert!(
                    !rightful || self.is_void(*id) || self.is_lost_in_circle(*id),
                    "{op:?} should count"
                );
            }
        }
    }

    pub(super) fn event(&self, id: EventId) -> &Event {
        &self.events[&id]
    }

    pub(super) fn operation(&self, id: EventId) -> Option<&Op> {
        self.operations.get(&id)
    }

    pub(super) fn counted(&self, id: EventId) -> bool {
        self.counted.contains(&id)
    }

    /// ROS-7: whether it would void what counts, or what counts would void it.
    pub(super) fn is_lost_in_circle(&self, id: EventId) -> bool {
        let mut others = self.counted.iter();
        others.any(|one| self.opposes(id, *one) || self.opposes(*one, id))
    }

    /// Of what ended the chain of an ordinary event one that had not seen it, if all had not.
    pub(super) fn end(&self, event: &Event) -> Option<&Op> {
        let ended = self.first(self.enders(event.author()));
        let blind = !ended.iter().any(|one| self.saw(*one, event.id()));
        ended
            .first()
            .filter(|_| blind)
            .map(|one| &self.operations[one])
    }

    // What an operation's author had the right to, in what it had seen.

    pub(super) fn is_rightful(&self, id: EventId) -> bool {
        let (op, author) = (&self.operations[&id], self.events[&id].author());
        let Some(by) = self.identities.get(&author).copied() else {
            return false;
        };
        let past = &self.before[&id];
        let saw = |other: &EventId| past.contains(other);
        let own_chain = author.added_by == id
            || (self.counted.contains(&author.added_by)
                && !self
                    .enders(author)
                    .iter()
                    .any(|one| saw(one) && self.counted.contains(one)));
        let unrevoked = self.begun(id).is_none_or(|chain| {
            !self
                .enders(chain)
                .iter()
                .any(|one| saw(one) && self.counted.contains(one))
        });
        let stands = own_chain && unrevoked;
        match op {
            Op::Found(_) => true,
            Op::JoinLink(_) if self.is_closed() => false,
            Op::JoinLink(joining) => {
                let Some(Op::OpenLink(link)) = self.operations.get(&joining.opening) else {
                    return false;
                };
                let time = self.events[&id].header().time;
                let closed = self.about_link(joining.opening);
                let closed = closed
                    .iter()
                    .any(|one| saw(one) && self.counted.contains(one));
                let ended = |one: &EventId| matches!(self.operations[one], Op::Dissolve);
                // ROS-1401
                !link.asks()
                    && unrevoked
                    && !self.ordered(past).iter().any(ended)
                    && saw(&joining.opening)
                    && self.counted.contains(&joining.opening)
                    && !closed
                    && link.until.is_none_or(|until| time < until)
                    && self.role(by, past).is_none()
                    && !self.is_shut_out(by, past)
            }
            _ => {
                stands
                    && self
                        .role(by, past)
                        .is_some_and(|role| self.suffices(role, id))
            }
        }
    }

    /// ROS-3 to 5, ROS-506 to 508: whether a role suffices for an operation.
    fn suffices(&self, role: Role, id: EventId) -> bool {
        let (op, past) = (&self.operations[&id], &self.before[&id]);
        let by = self.identities[&self.events[&id].author()];
        let policy = self.policy(past);
        let target = |identity: IdentityId| self.role(identity, past);
        let over = |identity: IdentityId| {
            identity != by
                && target(identity).is_some_and(|target| role < target)
                && role <= policy.remove
        };
        let over_or_gone = |identity: IdentityId| {
            let gone = identity != by && target(identity).is_none();
            over(identity) || (gone && role <= policy.remove)
        };
        let gives = |given: Role| given >= Role::Member && role <= given || role == Role::Owner;
        match op {
            Op::Join(card) | Op::AddDevice(card) => card.identity() == by,
            Op::RemoveDevice(chain) => {
                let itself = chain.device == self.events[&id].author().device;
                itself || self.identities.get(chain) == Some(&by) && past.contains(&chain.added_by)
            }
            Op::Revoke(revocation) => past.iter().any(|one| {
                self.operations.contains_key(one)
                    && self.named(*one).contains(&revocation.identity())
            }),
            Op::Found(_) | Op::JoinLink(_) | Op::Leave => true,
            _ if self.is_closed() => false,
            Op::Add(one) => role <= policy.add && gives(one.role) && target(one.identity).is_none(),
            Op::Promote(one) => {
                let lower = target(one.identity).is_some_and(|target| one.role < target);
                role <= policy.add && gives(one.role) && lower
            }
            Op::Demote(one) => {
                let higher = target(one.identity).is_some_and(|target| target < one.role);
                higher && (one.identity == by || over(one.identity))
            }
            Op::Remove(one) => over_or_gone(one.identity),
            Op::Mute(one) => over(one.identity),
            Op::Unmute(one) => over(*one),
            Op::Withdraw(one) => over_or_gone(one.identity),
            Op::Unblock(one) => *one != by && target(*one).is_none() && role <= policy.remove,
            Op::Refuse(one) => {
                one.identity != by && target(one.identity).is_none() && role <= policy.add
            }
            Op::OpenLink(one) => role <= policy.links && gives(one.role),
            Op::CloseLink(opening) => role <= policy.links && past.contains(opening),
            Op::Policy(_) | Op::Dissolve => role == Role::Owner,
            Op::Set(_) => role <= policy.settings,
        }
    }

    /// ROS-502
    fn role(&self, identity: IdentityId, past: &BTreeSet<EventId>) -> Option<Role> {
        let mut role = None;
        for id in self.ordered(past) {
            // For good, whatever was written apart from it and is dated later.
            if matches!(self.operations[&id], Op::Dissolve) {
                return None;
            }
            role = self.role_after(role, id, identity);
        }
        role
    }

    fn role_after(&self, role: Option<Role>, id: EventId, of: IdentityId) -> Option<Role> {
        let given = |given: Role| Some(role.map_or(given, |role| role.min(given)));
        match &self.operations[&id] {
            Op::Found(founding) => {
                let mut members = founding.members.iter();
                let named = members.find(|member| member.identity == of);
                named.map_or(role, |member| given(member.role))
            }
            Op::Add(one) if one.identity == of => given(one.role),
            Op::JoinLink(one) if one.card.identity() == of => {
                match &self.operations[&one.opening] {
                    Op::OpenLink(link) => given(link.role),
                    _ => role,
                }
            }
            Op::Promote(one) if one.identity == of => role.map(|role| role.min(one.role)),
            Op::Demote(one) if one.identity == of => role.map(|role| role.max(one.role)),
            Op::Remove(one) if one.identity == of => None,
            Op::Leave if self.identities[&self.events[&id].author()] == of => None,
            Op::Dissolve => None,
            _ => role,
        }
    }

    fn is_shut_out(&self, identity: IdentityId, past: &BTreeSet<EventId>) -> bool {
        let said = self.ordered(past);
        let bars = said.iter().enumerate().filter(|(_, id)| {
            let removed = matches!(&self.operations[*id], Op::Remove(one) if one.identity == identity && one.shut_out);
            removed
        });
        let lifted = |at: usize, bar: EventId| {
            said[at..].iter().any(|id| match &self.operations[id] {
                Op::Add(one) => one.identity == identity,
                Op::Unblock(one) => *one == identity && self.saw(*id, bar),
                _ => false,
            })
        };
        bars.into_iter().any(|(at, bar)| !lifted(at, *bar))
    }

    /// ROS-503
    fn policy(&self, past: &BTreeSet<EventId>) -> Policy {
        let mut policy = Policy::default();
        for id in self.ordered(past) {
            match &self.operations[&id] {
                Op::Found(founding) => policy = founding.policy,
                Op::Policy(one) => policy = *one,
                _ => {}
            }
        }
        policy
    }

    // What is void.

    /// ROS-6, ROS-510
    pub(super) fn is_void(&self, id: EventId) -> bool {
        let lost = |ground: &(BTreeSet<EventId>, bool)| {
            let takers: BTreeSet<EventId> = ground.0.intersection(&self.counted).copied().collect();
            let first = takers.iter().filter(|one| {
                !takers
                    .iter()
                    .any(|other| other != *one && self.saw(**one, *other))
            });
            let saved = !ground.1 && first.into_iter().any(|one| self.saw(*one, id));
            let blind = |one: &EventId| !self.saw(*one, id) && self.prevails(*one, id);
            takers.iter().any(blind) && !saved
        };
        self.grounds(id).iter().any(lost) || self.is_outranked(id)
    }

    /// ROS-510
    pub(super) fn is_outranked(&self, id: EventId) -> bool {
        self.counted.iter().any(|one| self.outranks(*one, id))
    }

    /// For each thing on which an operation rests all that take it and that it had not seen, and
    /// whether it is one of them.
    fn grounds(&self, id: EventId) -> Vec<(BTreeSet<EventId>, bool)> {
        let author = self.events[&id].author();
        let by = self.identities.get(&author).copied();
        let others = |takers: BTreeSet<EventId>| {
            let takes_itself = takers.contains(&id);
            let unseen = takers
                .into_iter()
                .filter(|one| *one != id && !self.saw(id, *one));
            (unseen.collect::<BTreeSet<EventId>>(), takes_itself)
        };
        let mut own = self.enders(author);
        own.extend(self.operations.iter().filter_map(|(one, op)| match op {
            Op::Demote(member) if Some(member.identity) == by && *one != id => {
                (!self.suffices(member.role, id)).then_some(*one)
            }
            _ => None,
        }));
        let mut grounds = vec![others(own)];
        if let Some(chain) = self.begun(id).filter(|chain| *chain != author) {
            grounds.push((others(self.enders(chain)).0, false));
        }
        if let Op::JoinLink(joining) = &self.operations[&id] {
            grounds.push(others(self.about_link(joining.opening)));
        }
        if let Op::Add(_) | Op::Promote(_) = &self.operations[&id] {
            let whom = self.named(id);
            let from = |one: &EventId| match &self.operations[one] {
                Op::Remove(removal) => whom.contains(&removal.identity),
                Op::Demote(member) => whom.contains(&member.identity),
                Op::Leave => whom.is_superset(&self.named(*one)),
                _ => false,
            };
            let takers = self.operations.keys().copied().filter(from);
            grounds.push((others(takers.collect()).0, false));
        }
        grounds
    }

    /// ROS-510: whether a taking prevails over what it had not seen.
    fn prevails(&self, taker: EventId, id: EventId) -> bool {
        let gives = matches!(self.operations[&id], Op::Add(_) | Op::Promote(_));
        let by = self.identities[&self.events[&taker].author()];
        let about = gives && self.named(taker) == self.named(id);
        !about || self.named(id).contains(&by) || !self.is_above(id, taker)
    }

    /// ROS-510: whether a giving prevails over a taking that is apart from it.
    fn outranks(&self, one: EventId, taker: EventId) -> bool {
        let gives = matches!(self.operations[&one], Op::Add(_) | Op::Promote(_));
        let takes = matches!(self.operations[&taker], Op::Remove(_) | Op::Demote(_));
        let by = self.identities.get(&self.events[&taker].author());
        gives
            && takes
            && self.named(one) == self.named(taker)
            && by.is_some_and(|by| !self.named(one).contains(by))
            && !self.saw(one, taker)
            && !self.saw(taker, one)
            && self.is_above(one, taker)
    }

    fn is_above(&self, one: EventId, other: EventId) -> bool {
        let rank = |id: EventId| {
            let by = self.identities[&self.events[&id].author()];
            self.role(by, &self.before[&id])
        };
        match (rank(one), rank(other)) {
            (Some(one), Some(other)) => one < other,
            (one, _) => one.is_some(),
        }
    }

    /// Whether one operation would void another, if nothing saved that.
    fn opposes(&self, one: EventId, other: EventId) -> bool {
        let rests_on = self.events[&other].author().added_by;
        let mut grounds = self.grounds(other).into_iter();
        grounds.any(|(takers, _)| takers.contains(&one) && !self.saw(one, other))
            || self.enders(self.events[&other].author()).contains(&one)
            || self.outranks(one, other)
            || (rests_on != other && self.opposes(one, rests_on))
    }

    /// All that end a chain, counted or not.
    fn enders(&self, chain: Author) -> BTreeSet<EventId> {
        let Some(of) = self.identities.get(&chain) else {
            return BTreeSet::new();
        };
        let later = |id: &EventId| !self.saw(chain.added_by, *id);
        let ends = |id: &EventId, op: &Op| match op {
            Op::RemoveDevice(one) => *one == chain,
            Op::Revoke(one) => one.device() == chain.device && one.identity() == *of,
            Op::Leave => self.identities.get(&self.events[id].author()) == Some(of) && later(id),
            Op::Remove(one) => one.identity == *of && later(id),
            Op::Dissolve => later(id),
            _ => false,
        };
        let enders = self.operations.iter().filter(|(id, op)| ends(id, op));
        enders.map(|(id, _)| *id).collect()
    }

    fn about_link(&self, opening: EventId) -> BTreeSet<EventId> {
        let closings = self
            .operations
            .iter()
            .filter(|(_, op)| **op == Op::CloseLink(opening));
        closings.map(|(id, _)| *id).collect()
    }

    /// Whom an operation names.
    fn named(&self, id: EventId) -> BTreeSet<IdentityId> {
        match &self.operations[&id] {
            Op::Found(founding) => founding.members.iter().map(|one| one.identity).collect(),
            Op::Add(one) => [one.identity].into(),
            Op::Promote(one) | Op::Demote(one) => [one.identity].into(),
            Op::Remove(one) => [one.identity].into(),
            Op::Mute(one) => [one.identity].into(),
            Op::Unmute(one) | Op::Unblock(one) => [*one].into(),
            Op::Refuse(one) => [one.identity].into(),
            Op::Withdraw(one) => [one.identity].into(),
            Op::JoinLink(_) | Op::Leave => {
                let by = self.identities.get(&self.events[&id].author());
                by.into_iter().copied().collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn begun(&self, id: EventId) -> Option<Author> {
        self.identities
            .keys()
            .copied()
            .find(|chain| chain.added_by == id)
    }

    // What follows.

    fn check_roster(&self, node: &Node) {
        let roster = node.session.roster();
        let all: BTreeSet<EventId> = self.events.keys().copied().collect();
        let identities: BTreeSet<IdentityId> = self
            .operations
            .keys()
            .flat_map(|id| self.named(*id))
            .collect();
        let members = identities
            .iter()
            .filter_map(|one| Some((*one, self.role(*one, &all)?)));
        assert_eq!(members.collect::<BTreeMap<_, _>>(), roster.members);
        assert_eq!(self.policy(&all), roster.policy);
        let open = self.counted.iter().filter(|id| {
            let opens = matches!(self.operations[*id], Op::OpenLink(_));
            opens && self.about_link(**id).is_disjoint(&self.counted)
        });
        assert!(open.eq(roster.links.keys()));
        let begun = self
            .identities
            .keys()
            .filter(|one| self.counted.contains(&one.added_by));
        assert!(begun.eq(roster.chains.keys()));
        for (chain, membership) in &roster.chains {
            let end = membership
                .end
                .iter()
                .flat_map(|end| end.operations.iter().copied());
            assert_eq!(
                end.collect::<BTreeSet<_>>(),
                self.first(self.enders(*chain))
            );
            let active = |(other, one): &(&Author, &crate::roster::Membership)| {
                one.identity == membership.identity
                    && one.end.is_none()
                    && other.device != chain.device
            };
            let others: BTreeSet<_> = roster
                .chains
                .iter()
                .filter(active)
                .map(|one| one.0.device)
                .collect();
            assert!(!membership.surplus || others.len() >= crate::roster::MAX_DEVICES_PER_IDENTITY);
        }
    }

    /// Of these operations the counted ones that had seen no other counted one.
    fn first(&self, all: BTreeSet<EventId>) -> BTreeSet<EventId> {
        let counted: BTreeSet<EventId> = all.intersection(&self.counted).copied().collect();
        let seen = |one: &EventId| counted.iter().any(|other| self.saw(*one, *other));
        counted.iter().copied().filter(|one| !seen(one)).collect()
    }

    fn standings(&self, node: &Node) -> BTreeMap<EventId, Standing> {
        let roster = node.session.roster();
        let points = self.points();
        let mut ordered: Vec<&Event> = self.events.values().collect();
        ordered.sort_by_key(|event| std::cmp::Reverse(event.order()));
        let mut standings: BTreeMap<EventId, Standing> = BTreeMap::new();
        for event in ordered {
            let (id, author) = (event.id(), event.author());
            let is_operation = self.operations.contains_key(&id);
            let ended = self.first(self.enders(author));
            let surplus = roster
                .chains
                .get(&author)
                .is_some_and(|chain| chain.surplus);
            let off = match is_operation {
                true => !self.counted.contains(&id),
                false => {
                    !self.counted.contains(&author.added_by)
                        || surplus
                        || !(ended.is_empty() || ended.iter().any(|one| self.saw(*one, id)))
                }
            };
            let silenced = !is_operation && !off && self.silenced(event).contains(&true);
            let in_fork = !is_operation
                && points
                    .get(&author)
                    .is_some_and(|point| event.header().seq >= *point);
            let upheld = standings.iter().any(|(other, standing)| {
                standing.counts()
                    && self.events[other].author().device != author.device
                    && self.saw(*other, id)
            });
            let standing = match (off, silenced, in_fork && !upheld) {
                (true, ..) => Standing::OffRoster,
                (_, true, _) => Standing::Silenced,
                (_, _, true) => Standing::Forked,
                _ => Standing::Counted,
            };
            standings.insert(id, standing);
        }
        standings
    }

    /// ROS-513, ROS-514: whether by its role and whether by mutes, told as two lives of the identity.
    pub(super) fn silenced(&self, event: &Event) -> [bool; 2] {
        let of = self.identities[&event.author()];
        let all: BTreeSet<EventId> = self.events.keys().copied().collect();
        let (mut role, mut write) = (None, Policy::default().write);
        let (mut by_role, mut by_mute) = (Life::default(), Life::default());
        for id in self.ordered(&all) {
            let time = self.events[&id].header().time;
            let before = role.is_none_or(|role: Role| role <= write);
            let mut takes = matches!(&self.operations[&id], Op::Demote(one) if one.identity == of);
            match &self.operations[&id] {
                Op::Found(founding) => write = founding.policy.write,
                Op::Policy(policy) => {
                    takes = policy.write < write;
                    write = policy.write;
                }
                Op::Mute(one) if one.identity == of => by_mute.take(self, id, one.until),
                Op::Unmute(one) if *one == of => by_mute.give(time, |first| self.saw(id, first)),
                _ => {}
            }
            let had = role.is_some();
            role = self.role_after(role, id, of);
            let may = role.is_none_or(|role| role <= write);
            match (before, may) {
                // Whoever is out begins anew.
                _ if role.is_none() && had => by_role.give(time, |_| true),
                (true, false) => by_role.take(self, id, None),
                (false, false) if takes => by_role.take(self, id, None),
                (false, true) => by_role.give(time, |first| self.saw(id, first)),
                _ => {}
            }
        }
        let time = event.header().time;
        [by_role, by_mute].map(|life| {
            life.silences.iter().any(|(firsts, until)| {
                until.is_none_or(|until| time < until)
                    && !firsts.iter().any(|first| self.saw(*first, event.id()))
            })
        })
    }

    /// FORK-1: whether an event lies at or after a fork of its chain.
    pub(super) fn is_forked(&self, event: &Event) -> bool {
        let point = self.points().get(&event.author()).copied();
        point.is_some_and(|point| event.header().seq >= point)
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
        let parents = self
            .events
            .values()
            .flat_map(|event| event.parents().collect::<Vec<_>>());
        let parents: BTreeSet<EventId> = parents.collect();
        self.events
            .keys()
            .copied()
            .filter(|id| !parents.contains(id))
            .collect()
    }

    /// Counted operations among these events, in the total order.
    fn ordered(&self, among: &BTreeSet<EventId>) -> Vec<EventId> {
        let mut ordered: Vec<EventId> = among.intersection(&self.counted).copied().collect();
        ordered.sort_by_key(|id| self.events[id].order());
        ordered
    }

    fn founding(&self) -> EventId {
        let mut founding = self.operations.iter();
        *founding
            .find(|(_, op)| matches!(op, Op::Found(_)))
            .unwrap()
            .0
    }

    fn is_closed(&self) -> bool {
        match &self.operations[&self.founding()] {
            Op::Found(founding) => founding.kind.is_closed(),
            _ => panic!(),
        }
    }

    fn saw(&self, one: EventId, other: EventId) -> bool {
        self.before[&one].contains(&other)
    }
}

/// When somebody may not write: each time with the first that took the word, and its end.
#[derive(Default)]
struct Life {
    silences: Vec<(Vec<EventId>, Option<Hlc>)>,
    /// Whether the last of them goes on, mutes that end by themselves aside.
    silent: bool,
}

impl Life {
    fn take(&mut self, model: &Model, id: EventId, until: Option<Hlc>) {
        let time = model.events[&id].header().time;
        let goes_on =
            |(_, until): &&mut (Vec<EventId>, Option<Hlc>)| until.is_none_or(|until| until > time);
        let silent = self.silent;
        match self.silences.last_mut().filter(|_| silent).filter(goes_on) {
            Some((firsts, ends)) => {
                *ends = match firsts.iter().all(|first| model.saw(id, *first)) {
                    true => until,
                    false => ends.zip(until).map(|(one, other)| one.max(other)),
                };
                if !firsts.iter().any(|first| model.saw(id, *first)) {
                    firsts.push(id);
                }
            }
            None => self.silences.push((vec![id], until)),
        }
        self.silent = true;
    }

    fn give(&mut self, time: Hlc, saw: impl Fn(EventId) -> bool) {
        let silent = std::mem::replace(&mut self.silent, false);
        let Some((firsts, until)) = self.silences.last_mut().filter(|_| silent) else {
            return;
        };
        if until.is_some_and(|until| until <= time) {
            return;
        }
        let unseen: Vec<EventId> = firsts.iter().copied().filter(|one| !saw(*one)).collect();
        let was = until.replace(time);
        if !unseen.is_empty() {
            self.silences.push((unseen, was));
            self.silent = true;
        }
    }
}
