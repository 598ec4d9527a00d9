//! What holds in sessions of many when all is quiet.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use tenet_delivery::outbox::Outbox;
use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    ids::{EventId, SessionId},
    register::Register,
    roster::Roster,
    session::Session,
    standing::Standing,
    store::{LogStore, Position},
};
use tenet_node::{Engine, groups::Group, input::Notice};

use super::{
    Crowd, Fault, anew,
    chance::EMOJI,
    shown::{Line, leafed_through, line, told},
};
use crate::{
    model::{Fate, Lost, Room, Said},
    node::Node,
};

/// More events than any session of a world has.
pub(super) const ALL: usize = 1 << 30;

/// What one device holds of a session, as far as all must hold the same.
struct Holds {
    /// The set, by id, with how each stands.
    events: BTreeMap<EventId, Standing>,
    heads: Vec<EventId>,
    roster: Roster,
    /// What a running process tells of it, where it is a session of many.
    told: Option<Group>,
    registers: BTreeMap<(DeviceId, String), Register>,
    view: Vec<Line>,
    /// What lies below the floor of whose device it is, and is not shown to them (ROS-515).
    below: BTreeSet<EventId>,
}

impl Crowd {
    /// Checks that every device of every session holds the same, and that it is what was done.
    ///
    /// # Errors
    /// What differs, and where.
    pub fn check(&self) -> Result<()> {
        for node in self.there() {
            ensure!(
                node.engine().is_some(),
                "node {} does not run",
                node.place()
            );
            let bad = node
                .notices
                .iter()
                .find(|notice| !self.is_due_to_faults(notice));
            if let Some(bad) = bad {
                bail!("node {} was told: {bad:?}", node.place());
            }
        }
        if let Some((node, deed, error)) = self.refused.first() {
            bail!("node {node} was refused {deed:?}: {error}");
        }
        for (session, room) in &self.model.rooms {
            self.check_room(*session, room)?;
            self.check_bygone(*session)?;
        }
        self.check_own()?;
        self.check_debts()
    }

    /// The devices that were ever let in.
    fn there(&self) -> impl Iterator<Item = &Node> {
        self.world.nodes.iter().filter(|node| !node.lost)
    }

    /// Whether a device is one of its person's, for all that is known.
    fn stays(&self, node: &Node) -> bool {
        !node.lost && self.model.lost(node.place()).is_none()
    }

    /// Whether a notice tells of something that the world did to its nodes.
    fn is_due_to_faults(&self, notice: &Notice) -> bool {
        let was = |fault| self.faults.contains(&fault);
        match notice {
            Notice::Misbehaved { .. } | Notice::TooMuch { .. } => was(Fault::Rogue),
            Notice::Forked { .. } => was(Fault::Rogue) || was(Fault::Restore),
            Notice::DiskFull => was(Fault::Full),
            Notice::TooEarly { .. } => was(Fault::Future),
            _ => false,
        }
    }

    /// Whether it was changed who is in, and as what.
    fn is_stormy(&self) -> bool {
        let changes = [Fault::Roster, Fault::Device, Fault::Storm];
        changes.iter().any(|fault| self.faults.contains(fault))
    }

    /// The devices of one person hold the same of what they tell each other.
    fn check_own(&self) -> Result<()> {
        for node in self.there().filter(|node| self.stays(node)) {
            let first = self.there().filter(|one| self.stays(one));
            let first = first.min_by_key(|one| (one.person() != node.person(), one.place()));
            let Some(first) = first.filter(|first| first.place() != node.place()) else {
                continue;
            };
            if self.model.is_lawless(node.person()) {
                continue;
            }
            let own = |node: &Node| node.engine().map(Engine::own_sessions);
            let (one, other) = (first.place(), node.place());
            ensure!(
                own(first) == own(node),
                "nodes {one} and {other} are one person's, and have other sessions of their own"
            );
            for session in own(node).unwrap_or_default() {
                let (here, there) = (self.holds(first, session)?, self.holds(node, session)?);
                same(&here, &there, |_| false)
                    .with_context(|| format!("nodes {one} and {other}, their own {session}"))?;
            }
        }
        Ok(())
    }

    /// Nobody owes anything to anybody, where both are in.
    fn check_debts(&self) -> Result<()> {
        let devices = self.world.nodes.iter();
        let places: BTreeMap<_, _> = devices
            .flat_map(|node| node.keys().map(|device| (device, node.place())))
            .collect();
        for node in self.there().filter(|node| self.stays(node)) {
            let (from, disk) = (node.place(), node.disk());
            for (device, _) in disk.waiting()? {
                let Some(to) = places.get(&device) else {
                    bail!("node {from} owes something to nobody");
                };
                let other = &self.world.nodes[*to];
                let owed = disk.pending(device, Position::default(), ALL)?;
                let owed = owed.iter().find(|owed| {
                    let room = self.model.rooms.get(&owed.session);
                    room.is_some_and(|room| {
                        let both = room.counts(node.person()) && room.counts(other.person());
                        both && self.stays(other)
                    })
                });
                if let Some(owed) = owed {
                    let seats = self.seats(from, device, owed.session);
                    bail!("node {from} owes node {to} {owed:?}: {seats:?}");
                }
            }
        }
        Ok(())
    }

    fn check_room(&self, session: SessionId, room: &Room) -> Result<()> {
        if room.fates[&room.founder] == Fate::Lawless || room.over {
            return Ok(());
        }
        let mut founders = self.there().filter(|node| node.person() == room.founder);
        let Some(founder) = founders.find(|node| self.stays(node)) else {
            return Ok(());
        };
        let held = self.holds(founder, session)?;
        self.as_done(room, &held)
            .with_context(|| format!("at node {}, {session}", founder.place()))?;
        if self.is_stormy() {
            let at = || format!("node {}, {session}", founder.place());
            anew::is_alike(founder, session).with_context(at)?;
        }
        for node in &self.world.nodes {
            let active = held.roster.author(node.own().device()).is_some();
            self.check_place(session, room.fates.get(&node.person()), node, active)?;
        }
        for node in self.there() {
            let (place, fate) = (node.place(), room.fates.get(&node.person()).copied());
            let device = node.own().device();
            let active = held.roster.author(device).is_some();
            let there = Session::load(founder.disk(), session)?;
            let was_seen = there.is_some_and(|it| it.has_seen(device));
            self.check_told(session, node, was_seen && !active)?;
            if active && fate != Some(Fate::Lawless) && place != founder.place() {
                let holds = self.holds(node, session)?;
                let open = |line: &Line| !self.is_settled(room, line.author);
                same(&held, &holds, open).with_context(|| {
                    format!(
                        "nodes {} and {place} ({fate:?}), {session}",
                        founder.place()
                    )
                })?;
            }
        }
        self.check_kept_from(room)
    }

    /// NODE-109: what a person is out of all devices of theirs hold alike.
    fn check_bygone(&self, session: SessionId) -> Result<()> {
        let mut first: BTreeMap<usize, &Node> = BTreeMap::new();
        for node in self.there().filter(|node| self.stays(node)) {
            let here = Session::load(node.disk(), session)?;
            let lost = here.is_some_and(|it| it.has_lost(node.identity()));
            if lost && !self.model.is_lawless(node.person()) {
                first.entry(node.person()).or_insert(node);
            }
        }
        for node in self.there().filter(|node| self.stays(node)) {
            let Some(first) = first.get(&node.person()) else {
                continue;
            };
            let (one, other) = (first.place(), node.place());
            if one != other {
                let (here, there) = (self.holds(first, session)?, self.holds(node, session)?);
                same(&here, &there, |_| false).with_context(|| {
                    format!("nodes {one} and {other} are one person's, who is out of {session}")
                })?;
            }
        }
        Ok(())
    }

    /// Who is in no more knows it, also whose joining turned out to be void.
    fn check_told(&self, session: SessionId, node: &Node, is_out: bool) -> Result<()> {
        if !is_out || !self.stays(node) || self.model.is_lawless(node.person()) {
            return Ok(());
        }
        let here = Session::load(node.disk(), session)?;
        let in_here = here.is_some_and(|it| it.roster().author(node.own().device()).is_some());
        let founder = self
            .model
            .rooms
            .get(&session)
            .map_or(0, |room| room.founder);
        ensure!(
            !in_here,
            "node {} believes to be in {session}, by the roster of its founder: {:?}",
            node.place(),
            self.seats(founder, node.own().device(), session)
        );
        Ok(())
    }

    /// Whether a device is in a session, as what its person is to be there has it.
    fn check_place(
        &self,
        session: SessionId,
        fate: Option<&Fate>,
        node: &Node,
        active: bool,
    ) -> Result<()> {
        let place = node.place();
        match (fate, self.model.lost(place)) {
            // Never let in, or put away, but not surely revoked.
            (_, None | Some(Lost::Perhaps)) if node.lost => {}
            (Some(Fate::Lawless), _) | (Some(_), Some(Lost::Perhaps)) => {}
            (Some(_), Some(Lost::Revoked)) => ensure!(
                !active,
                "node {place} was revoked and is in {session} by the roster of its founder"
            ),
            (Some(Fate::In | Fate::Brought | Fate::Again), None) => ensure!(
                active,
                "node {place} is not in {session} by the roster of its founder: {:?}",
                self.seats(place, node.own().device(), session)
            ),
            (Some(Fate::Out), None) => ensure!(
                !active,
                "node {place} is still in {session} by the roster of its founder"
            ),
            (Some(Fate::Unclear), None) => {}
            (None, _) => ensure!(
                !self.holds_any(place, session)?,
                "node {place} holds events of {session}, where it never was"
            ),
        }
        Ok(())
    }

    /// Who was removed has nothing that was said by who knew it.
    fn check_kept_from(&self, room: &Room) -> Result<()> {
        for (id, said) in &room.said {
            for place in &said.kept_from {
                let person = self.world.nodes[*place].person();
                let still = room.fates.get(&person) == Some(&Fate::Out);
                let holds = self.world.nodes[*place].disk().event(*id)?.is_some();
                ensure!(
                    !(still && holds),
                    "node {place} was removed and has {said:?}, which was said later"
                );
            }
        }
        Ok(())
    }

    fn holds(&self, node: &Node, session: SessionId) -> Result<Holds> {
        let disk = node.disk();
        anew::is_kept(node, session)?;
        let all = disk.since(session, Position::default(), ALL)?;
        let many = all.len();
        let events: BTreeMap<_, _> = all
            .iter()
            .map(|stored| (stored.event.id(), stored.standing))
            .collect();
        ensure!(
            events.len() == many,
            "an event is stored twice in {session}"
        );
        let Some(loaded) = Session::load(disk, session)? else {
            bail!("node {} does not hold {session}", node.place());
        };
        ensure!(
            disk.held_count(session)? == 0,
            "node {} still waits in {session}",
            node.place()
        );
        let floor = loaded.roster().floors.get(&node.identity()).copied();
        let below = all.iter().map(|stored| &stored.event);
        let below = below.filter(|event| floor.is_some_and(|floor| event.is_below(floor)));
        let below = below.map(|event| event.id()).collect();
        let mut heads: Vec<_> = loaded.frontier().heads().map(|head| head.id).collect();
        heads.sort_unstable();
        let registers = disk.registers(session)?.into_iter();
        let registers = registers.map(|one| ((one.device(), one.key().to_owned()), one));
        let registers = registers.collect();
        let shown = leafed_through(node, session)?;
        Ok(Holds {
            events,
            heads,
            roster: loaded.roster().clone(),
            told: told(node, session),
            registers,
            view: shown.iter().map(line).collect(),
            below,
        })
    }

    /// What is shown is what was done.
    fn as_done(&self, room: &Room, holds: &Holds) -> Result<()> {
        let places = self.identities();
        let mut seen = BTreeMap::new();
        for line in &holds.view {
            let twice = seen.insert(line.id, line);
            ensure!(twice.is_none(), "{:?} is shown twice", line.id);
            let author = places.get(&line.author);
            let lawless = author.is_some_and(|it| room.fates.get(it) == Some(&Fate::Lawless));
            let known = room.said.contains_key(&line.id)
                || lawless
                || (line.text.as_ref()).is_none_or(|text| room.perhaps.contains(text));
            ensure!(known, "nobody said {line:?}");
            let said = room.said.get(&line.id);
            let hidden = said.is_some_and(|said| self.model.must_be_hidden(room, said));
            ensure!(!hidden, "{line:?} is shown, said by who was out already");
        }
        for (id, said) in &room.said {
            if holds.below.contains(id) || !self.model.must_be_shown(room, said) {
                continue;
            }
            if said.text.is_none() && self.faults.contains(&Fault::Future) && !seen.contains_key(id)
            {
                // Given up with the chain of a clock that was ahead, and not said again.
                continue;
            }
            let Some(line) = seen.get(id) else {
                bail!("lost: {id:?}, {said:?}");
            };
            ensure!(
                holds.events.get(id) == Some(&Standing::Counted),
                "{said:?} does not count"
            );
            if !self.model.is_known(said) {
                continue;
            }
            let mut expected = said.clone();
            // Whether what others put on it counts is as clear as their place.
            expected.reactions.retain(|(_, who)| room.counts(*who));
            if said.text.is_none() {
                expected.reactions.clear();
            }
            let reactions = line.reactions.iter().filter_map(|(emoji, who)| {
                let emoji = EMOJI.iter().find(|known| *known == emoji)?;
                Some((*emoji, *places.get(who).filter(|node| room.counts(**node))?))
            });
            let shown = Said {
                person: places.get(&line.author).copied().unwrap_or(usize::MAX),
                text: line.text.clone(),
                reactions: reactions.collect(),
                ..said.clone()
            };
            ensure!(
                shown == expected,
                "{shown:?} is shown, {expected:?} was done"
            );
        }
        Ok(())
    }

    /// Whether all that somebody says counts.
    fn is_settled(&self, room: &Room, who: IdentityId) -> bool {
        let mut nodes = self.world.nodes.iter();
        nodes.any(|node| node.identity() == who && room.counts(node.person()))
    }

    fn identities(&self) -> BTreeMap<IdentityId, usize> {
        let nodes = self.world.nodes.iter();
        nodes.map(|node| (node.identity(), node.person())).collect()
    }
}

/// `open` says of which lines the text may be lacking on one side. OPEN: a text that was taken back by somebody
/// who lost the right to, later or elsewhere, comes back only where it was not erased yet (seed 13).
fn same(one: &Holds, other: &Holds, open: impl Fn(&Line) -> bool) -> Result<()> {
    if one.events != other.events {
        let beside = |of: &Holds, from: &Holds| -> Vec<EventId> {
            let theirs = from.events.iter();
            let theirs = theirs.filter(|(id, stands)| of.events.get(id) != Some(stands));
            theirs.map(|(id, _)| *id).collect()
        };
        bail!(
            "the sets differ: the first holds otherwise {:?}, the second {:?}",
            beside(other, one),
            beside(one, other)
        );
    }
    ensure!(one.heads == other.heads, "the frontiers differ");
    ensure!(one.roster == other.roster, "the rosters differ");
    ensure!(
        one.told == other.told,
        "what is told of the session differs"
    );
    let differs = |(place, _): &(&_, &_)| one.registers.get(*place) != other.registers.get(*place);
    let both = one.registers.iter().chain(&other.registers);
    let differ: Vec<_> = both.filter(differs).map(|(place, _)| place).collect();
    ensure!(differ.is_empty(), "the registers differ: {differ:?}");
    let alike = |one: &Line, other: &Line| {
        one == other
            || (one.id == other.id && open(one) && (one.text.is_none() || other.text.is_none()))
    };
    let for_both = |line: &&Line| !one.below.contains(&line.id) && !other.below.contains(&line.id);
    let shown = |of: &Holds| -> Vec<Line> { of.view.iter().filter(for_both).cloned().collect() };
    let held = &one.events;
    let (one, other) = (shown(one), shown(other));
    let mut pairs = one.iter().zip(&other);
    let all = one.len() == other.len();
    if !(all && pairs.all(|(one, other)| alike(one, other))) {
        let mut pairs = one.iter().zip(&other);
        let first = pairs.find(|(one, other)| !alike(one, other));
        let ids = first.iter().flat_map(|(one, other)| [one.id, other.id]);
        let counts: Vec<_> = ids.map(|id| held.get(&id)).collect();
        bail!(
            "the views differ: {} and {} lines, first {first:?}, counting {counts:?}",
            one.len(),
            other.len(),
        );
    }
    Ok(())
}
