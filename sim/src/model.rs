//! What is true of sessions of many: who is in, and who said what. Real devices are held to it when all is
//! quiet ([`crate::crowd`]).
//!
//! It knows nothing of events, clocks and merges. Where what is right depends on what somebody had
//! heard when he acted (a moderator removes whom the founder adds), it says that it does not know: then
//! all must still agree, whatever they agree on. Persons and devices are numbers of nodes, a person's that of
//! the first device.

use std::collections::{BTreeMap, BTreeSet};

use tenet_log::{
    ids::{EventId, SessionId},
    roster::{Op, Policy, Role},
};
use tenet_node::command::Reply;

use crate::crowd::Deed;

/// All sessions.
#[derive(Default)]
pub struct Model {
    /// By their ids.
    pub rooms: BTreeMap<SessionId, Room>,
    /// Persons of whom nothing is asked any more.
    lawless: BTreeSet<usize>,
    /// Devices that their person revoked, or may have, or that may not come in any more.
    lost: BTreeMap<usize, Lost>,
    /// Devices that were set back, and whose they are.
    set_back: BTreeMap<usize, usize>,
    /// Which devices revoked a device, or may hand that in where it is not known yet.
    revokers: BTreeMap<usize, BTreeSet<usize>>,
}

/// What became of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It speaks for nobody any more.
    Revoked,
    /// Nobody knows.
    Perhaps,
}

/// Somebody who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub person: usize,
    /// On which device.
    pub device: usize,
}

/// One session. Whoever founded it stays in and is removed by nobody: what it says and does holds.
pub struct Room {
    /// Who founded it.
    pub founder: usize,
    /// Whether it is one of two.
    pub direct: bool,
    /// Whoever was ever to be in, by person.
    pub fates: BTreeMap<usize, Fate>,
    /// Who may have a say beside the founder.
    pub raised: BTreeSet<usize>,
    /// What was said, and answered as kept.
    pub said: BTreeMap<EventId, Said>,
    /// Texts that may have been said: a process ended before it answered.
    pub perhaps: BTreeSet<String>,
    /// What was said again under another id.
    again: BTreeMap<EventId, String>,
    /// Whether the founder ended it, or may have.
    pub over: bool,
    /// Who was put out, or left, by which device.
    out_by: BTreeMap<usize, Who>,
    /// Which devices had a say about whom.
    decided: BTreeMap<usize, BTreeSet<usize>>,
    /// Whether members may have been forbidden to write: also who comes in later, where that was not known yet.
    silenced: bool,
}

/// What is known of somebody's place in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Is in, and nobody ever said otherwise: all that it says counts.
    In,
    /// The founder brought it in: it is in, and what it says counts.
    Brought,
    /// The founder removed it, or it left, and nobody else had a say.
    Out,
    /// Whoever put it out let it in again, and nobody else had a say: it is in, what it says from now on counts, and
    /// of what it said before nobody knows.
    Again,
    /// Several had a say.
    Unclear,
    /// Does whatever it likes, or founded it and was set back to an old state: nothing is asked of it.
    Lawless,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// By whom.
    pub person: usize,
    /// On which device.
    pub device: usize,
    /// What it says; `None` once it was taken back.
    pub text: Option<String>,
    /// Who put which emoji on it.
    pub reactions: BTreeSet<(&'static str, usize)>,
    /// Whether nobody knows: something was done to it by a process that ended before it answered, by several
    /// devices of one person, or by one whose word was taken.
    pub vague: bool,
    /// With which device each person did something about it.
    pub touched: BTreeMap<usize, usize>,
    /// Whether its person was out already, or its device revoked, by somebody who cannot have seen it: then it counts
    /// nowhere while that is so.
    pub void: bool,
    /// Devices that are not to have it: whom this one had put out when it said it.
    pub kept_from: BTreeSet<usize>,
}

impl Model {
    /// A session begins with these persons in it, founded by the first.
    pub fn found(&mut self, session: SessionId, persons: &[usize]) {
        let fates = persons.iter().map(|person| (*person, Fate::In));
        let room = Room {
            founder: persons[0],
            direct: false,
            fates: fates.collect(),
            raised: BTreeSet::new(),
            silenced: false,
            said: BTreeMap::new(),
            perhaps: BTreeSet::new(),
            again: BTreeMap::new(),
            over: false,
            out_by: BTreeMap::new(),
            decided: BTreeMap::new(),
        };
        self.rooms.insert(session, room);
        self.note_lawless();
    }

    /// It was founded just now: whoever is named comes in when it is brought.
    pub fn only_brought(&mut self, session: SessionId) {
        let Some(room) = self.rooms.get_mut(&session) else {
            return;
        };
        let founder = room.founder;
        let others = room.fates.iter_mut().filter(|(who, _)| **who != founder);
        let others = others.filter(|(_, fate)| **fate != Fate::Lawless);
        others.for_each(|(_, fate)| *fate = Fate::Brought);
    }

    /// Somebody did something and was told that it is done; `devices` tells all of a person's.
    pub fn done(
        &mut self,
        who: Who,
        deed: &Deed,
        reply: &Reply,
        devices: impl Fn(usize) -> Vec<usize>,
    ) {
        let by_one = self
            .revokers
            .get(&who.device)
            .is_some_and(|by| by.len() == 1);
        let revoked = by_one && self.lost(who.device) == Some(Lost::Revoked);
        let room = deed.session().and_then(|id| self.rooms.get_mut(&id));
        let Some(room) = room else { return };
        match (deed, reply) {
            (Deed::Say { text, .. }, Reply::Sent { id, .. }) => {
                room.said(who, text, *id, revoked, devices);
            }
            (Deed::Edit { id, text, .. }, _) => room.change(who, id, |said| {
                if let Some(old) = &mut said.text {
                    old.clone_from(text);
                }
            }),
            (Deed::Unsend { id, .. }, _) => room.change(who, id, |said| said.text = None),
            (
                Deed::React {
                    id, emoji, remove, ..
                },
                _,
            ) => room.change(who, id, |said| {
                match remove {
                    true => said.reactions.remove(&(*emoji, who.person)),
                    false => said.reactions.insert((*emoji, who.person)),
                };
            }),
            (Deed::Operate { op, whom, .. }, _) => {
                room.operated(who, op, *whom);
                if self.lost.contains_key(&who.device) {
                    // It has not heard that it was revoked.
                    self.perhaps(deed);
                }
                self.note_lawless();
            }
            _ => {}
        }
    }

    /// Somebody may have done something: the process ended before it answered.
    pub fn perhaps(&mut self, deed: &Deed) {
        let room = deed.session().and_then(|id| self.rooms.get_mut(&id));
        let Some(room) = room else { return };
        match deed {
            Deed::Say { text, .. } => drop(room.perhaps.insert(text.clone())),
            Deed::Edit { id, .. } | Deed::Unsend { id, .. } | Deed::React { id, .. } => {
                if let Some(said) = room.said.get_mut(id) {
                    said.vague = true;
                }
            }
            Deed::Operate { op, whom, .. } => {
                room.over |= matches!(**op, Op::Dissolve);
                match **op {
                    Op::Policy(policy) if silences(&policy) => room.all_unclear(),
                    Op::Policy(_) | Op::Set(_) => {}
                    _ => room.unclear(*whom),
                }
            }
            Deed::Read { .. }
            | Deed::Found { .. }
            | Deed::RenewCards { .. }
            | Deed::RevokeFormer { .. }
            | Deed::Suspend { .. }
            | Deed::Rename { .. }
            | Deed::Enter(_)
            | Deed::Revoke { .. } => {}
        }
    }

    /// A device was revoked, or may have been, or may not come in any more: whether what it did where that was not
    /// known counts, nobody knows. Of two others that revoke it apart, or hand that in (NODE-604), one may have seen what
    /// the other had not.
    pub fn lose(&mut self, device: usize, how: Lost, by: &[usize]) {
        let before = self.lost.insert(device, how);
        if before == Some(Lost::Revoked) {
            self.lost.insert(device, Lost::Revoked);
        }
        let revokers = self.revokers.entry(device).or_default();
        revokers.extend(by);
        if revokers.len() > 1 {
            let said = self
                .rooms
                .values_mut()
                .flat_map(|room| room.said.values_mut());
            let theirs = said.filter(|said| said.device == device);
            theirs.for_each(|said| said.void = false);
        }
        self.rooms
            .values_mut()
            .for_each(|room| room.doubt_all_of(device));
    }

    /// A device was set back to an earlier state: what it did may be gone, or stand there once more. Of what its person
    /// says all must only agree from now on, and whom it revoked may be in again.
    pub fn set_back(&mut self, device: usize, person: usize, sisters: &[usize]) {
        self.set_back.insert(device, person);
        for sister in sisters {
            self.doubt_loss(*sister);
        }
        self.rooms
            .values_mut()
            .for_each(|room| room.doubt_all_of(device));
        self.note_lawless();
    }

    /// A device that was revoked may be in still.
    pub fn doubt_loss(&mut self, device: usize) {
        if let Some(lost) = self.lost.get_mut(&device) {
            *lost = Lost::Perhaps;
        }
    }

    /// Whether a device was set back, and its person is not wicked.
    pub fn was_set_back(&self, device: usize) -> bool {
        let person = self.set_back.get(&device);
        person.is_some_and(|person| !self.is_lawless(*person))
    }

    /// Whether a message must not be shown: it was said by who was out already, or on a device that was revoked, and
    /// that holds.
    pub fn must_be_hidden(&self, room: &Room, said: &Said) -> bool {
        let fate = room.fates.get(&said.person);
        let revoked = self.lost(said.device) == Some(Lost::Revoked);
        // Where its person is perhaps out the revocation is handed in by somebody else, who may have seen it (NODE-604).
        let holds = revoked && fate != Some(&Fate::Unclear);
        said.void && (fate == Some(&Fate::Out) || holds)
    }

    /// Whether a message must be shown.
    pub fn must_be_shown(&self, room: &Room, said: &Said) -> bool {
        room.counts(said.person) && !self.lost.contains_key(&said.device)
    }

    /// Whether it is known what it says and what was put on it.
    pub fn is_known(&self, said: &Said) -> bool {
        let mut touched = said.touched.values();
        let doubtful =
            |device| self.lost.contains_key(device) || self.set_back.contains_key(device);
        !said.vague && !touched.any(doubtful)
    }

    /// What became of a device.
    pub fn lost(&self, device: usize) -> Option<Lost> {
        self.lost.get(&device).copied()
    }

    /// A person does whatever it likes from now on.
    pub fn lawless(&mut self, person: usize) {
        self.lawless.insert(person);
        self.note_lawless();
    }

    /// Whether nothing is asked of a person any more.
    pub fn is_lawless(&self, person: usize) -> bool {
        self.lawless.contains(&person)
    }

    fn note_lawless(&mut self) {
        for room in self.rooms.values_mut() {
            for (person, fate) in &mut room.fates {
                let founded = room.founder == *person;
                let set_back = self.set_back.values().any(|one| one == person);
                if self.lawless.contains(person) || (set_back && founded) {
                    *fate = Fate::Lawless;
                } else if set_back {
                    *fate = Fate::Unclear;
                }
            }
        }
    }

    /// A message stands under another id: it was dated by a clock far ahead, or was void under the key of a device that
    /// was set back. There it may come to count again (FORK-1), and stands twice.
    pub fn written_again(&mut self, old: EventId, new: EventId) {
        for room in self.rooms.values_mut() {
            let Some(mut said) = room.said.remove(&old) else {
                // Whoever was set back does not know any more that it said it again already.
                room.perhaps.extend(room.again.get(&old).cloned());
                continue;
            };
            room.again.extend(said.text.clone().map(|text| (old, text)));
            if self.set_back.contains_key(&said.device) {
                room.perhaps.extend(said.text.clone());
            }
            // What others put on it stays with the place that it has no more: they do not know the new one.
            said.vague |= said.reactions.iter().any(|(_, who)| *who != said.person);
            room.said.insert(new, said);
        }
    }
}

impl Room {
    /// Whether what a person says must be seen by all.
    pub fn counts(&self, person: usize) -> bool {
        matches!(self.fates.get(&person), Some(Fate::In | Fate::Brought)) && !self.over
    }

    fn said(
        &mut self,
        who: Who,
        text: &str,
        id: EventId,
        revoked: bool,
        devices: impl Fn(usize) -> Vec<usize>,
    ) {
        let void = revoked || self.fates.get(&who.person) == Some(&Fate::Out);
        let mut kept_from = BTreeSet::new();
        for (person, by) in &self.out_by {
            if self.fates.get(person) != Some(&Fate::Out) {
                continue;
            }
            match by.person == *person {
                // Its other devices hear of the leaving later, take what is said until then, and bring it (NODE-109).
                true if who.person == self.founder && devices(*person).len() == 1 => {
                    kept_from.insert(by.device);
                }
                false if *by == who => kept_from.extend(devices(*person)),
                _ => {}
            }
        }
        let said = Said {
            person: who.person,
            device: who.device,
            text: Some(text.to_owned()),
            reactions: BTreeSet::new(),
            vague: false,
            touched: BTreeMap::from([(who.person, who.device)]),
            void,
            kept_from,
        };
        let before = self.said.insert(id, said);
        assert!(before.is_none(), "two answers name the same message");
    }

    fn change(&mut self, who: Who, id: &EventId, change: impl FnOnce(&mut Said)) {
        if let Some(said) = self.said.get_mut(id) {
            change(said);
            let before = said.touched.insert(who.person, who.device);
            // Which of two devices came last, their clocks say.
            said.vague |= before.is_some_and(|before| before != who.device);
        }
    }

    fn operated(&mut self, who: Who, op: &Op, whom: usize) {
        self.decided.entry(whom).or_default().insert(who.device);
        let by_founder = who.person == self.founder;
        let before = self.fates.get(&whom).copied();
        let fate = match (op, before) {
            (Op::Dissolve, _) => {
                self.over = true;
                return;
            }
            (Op::Policy(policy), _) if silences(policy) => return self.all_unclear(),
            (Op::Policy(_) | Op::Set(_), _) | (_, Some(Fate::Lawless)) => return,
            (Op::Add(_), None) if by_founder && !self.silenced => Fate::Brought,
            (Op::Add(_), Some(Fate::Out))
                if by_founder && !self.silenced && self.was_put_out_by(whom, who) =>
            {
                Fate::Again
            }
            (Op::Remove(_), Some(Fate::In | Fate::Brought)) if by_founder => Fate::Out,
            (Op::Leave, Some(Fate::In | Fate::Brought)) => Fate::Out,
            // Who is in and is brought in again is in.
            (Op::Add(_), Some(fate @ (Fate::In | Fate::Brought))) => fate,
            _ => Fate::Unclear,
        };
        if fate == Fate::Out {
            self.out_by.insert(whom, who);
        }
        if let Op::Promote(member) = op
            && matches!(member.role, Role::Owner | Role::Moderator)
        {
            self.raised.insert(whom);
        }
        self.fates.insert(whom, fate);
        if matches!(fate, Fate::Out | Fate::Unclear) {
            self.doubt_reactions(whom);
        }
    }

    /// What a device did may be gone.
    fn doubt_all_of(&mut self, device: usize) {
        for said in self.said.values_mut() {
            said.vague |= said.touched.values().any(|by| *by == device);
        }
        let decided = self.decided.iter();
        let decided = decided.filter(|(_, devices)| devices.contains(&device));
        let whom: Vec<usize> = decided.map(|(whom, _)| *whom).collect();
        whom.into_iter().for_each(|whom| self.unclear(whom));
    }

    /// Whether the very device that lets somebody in again put it out: then it had seen that it did.
    fn was_put_out_by(&self, whom: usize, who: Who) -> bool {
        self.out_by.get(&whom) == Some(&who)
    }

    /// What somebody was doing meanwhile may count or not.
    fn doubt_reactions(&mut self, whom: usize) {
        self.said.values_mut().for_each(|said| {
            said.vague |= said.reactions.iter().any(|(_, person)| *person == whom);
        });
    }

    fn all_unclear(&mut self) {
        self.silenced = true;
        let others = self.fates.keys().filter(|who| **who != self.founder);
        for whom in others.copied().collect::<Vec<_>>() {
            self.unclear(whom);
        }
    }

    fn unclear(&mut self, whom: usize) {
        if whom == self.founder {
            return;
        }
        let fate = self.fates.entry(whom).or_insert(Fate::Unclear);
        if *fate != Fate::Lawless {
            *fate = Fate::Unclear;
        }
        self.doubt_reactions(whom);
    }
}

/// Whether who is in, and was never given a lower role, may have no word by it.
fn silences(policy: &Policy) -> bool {
    !Role::Member.at_least(policy.write)
}
