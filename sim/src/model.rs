//! What is true of sessions of many: who is in, and who said what. Real devices are held to it when all is
//! quiet ([`crate::crowd`]).
//!
//! It knows nothing of events, clocks and merges. Where what is right depends on what somebody had
//! heard when he acted (a moderator removes whom the founder adds), it says that it does not know: then
//! all must still agree, whatever they agree on.

use std::collections::{BTreeMap, BTreeSet};

use tenet_log::{
    ids::{EventId, SessionId},
    roster::Op,
};
use tenet_node::command::Reply;

use crate::crowd::Deed;

/// All sessions.
#[derive(Default)]
pub struct Model {
    /// By their ids.
    pub rooms: BTreeMap<SessionId, Room>,
    /// Nodes of which nothing is asked any more.
    lawless: BTreeSet<usize>,
}

/// One session. Whoever founded it stays in and is removed by nobody: what it says and does holds.
pub struct Room {
    /// Who founded it.
    pub founder: usize,
    /// Whoever was ever to be in, by node.
    pub fates: BTreeMap<usize, Fate>,
    /// What was said, and answered as kept.
    pub said: BTreeMap<EventId, Said>,
    /// Texts that may have been said: a process ended before it answered.
    pub perhaps: BTreeSet<String>,
    /// Whether the founder ended it, or may have.
    pub over: bool,
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
    /// Several had a say.
    Unclear,
    /// Does whatever it likes, or was set back to an old state: nothing is asked of it.
    Lawless,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// By which node.
    pub node: usize,
    /// What it says; `None` once it was taken back.
    pub text: Option<String>,
    /// Who put which emoji on it.
    pub reactions: BTreeSet<(&'static str, usize)>,
    /// Whether nobody knows: something was done to it by a process that ended before it answered.
    pub vague: bool,
    /// Who is not to have it: whom the founder had removed when he said it.
    pub kept_from: BTreeSet<usize>,
}

impl Model {
    /// A session begins with these in it, founded by the first.
    pub fn found(&mut self, session: SessionId, nodes: &[usize]) {
        let fates = nodes.iter().map(|node| (*node, Fate::In));
        let room = Room {
            founder: nodes[0],
            fates: fates.collect(),
            said: BTreeMap::new(),
            perhaps: BTreeSet::new(),
            over: false,
        };
        self.rooms.insert(session, room);
        self.lawless
            .clone()
            .into_iter()
            .for_each(|node| self.lawless(node));
    }

    /// It was founded just now: whoever is named comes in when it is brought.
    pub fn only_brought(&mut self, session: SessionId) {
        let Some(room) = self.rooms.get_mut(&session) else {
            return;
        };
        let founder = room.founder;
        let others = room.fates.iter_mut().filter(|(node, _)| **node != founder);
        let others = others.filter(|(_, fate)| **fate != Fate::Lawless);
        others.for_each(|(_, fate)| *fate = Fate::Brought);
    }

    /// A node did something and was told that it is done; `whom` tells whose an identity is.
    pub fn done(&mut self, node: usize, deed: &Deed, reply: &Reply) {
        let room = deed.session().and_then(|id| self.rooms.get_mut(&id));
        let Some(room) = room else { return };
        match (deed, reply) {
            (Deed::Say { text, .. }, Reply::Sent { id, .. }) => room.said(node, text, *id),
            (Deed::Edit { id, text, .. }, _) => room.change(id, |said| {
                if let Some(old) = &mut said.text {
                    old.clone_from(text);
                }
            }),
            (Deed::Unsend { id, .. }, _) => room.change(id, |said| said.text = None),
            (
                Deed::React {
                    id, emoji, remove, ..
                },
                _,
            ) => room.change(id, |said| {
                match remove {
                    true => said.reactions.remove(&(*emoji, node)),
                    false => said.reactions.insert((*emoji, node)),
                };
            }),
            (Deed::Operate { op, whom, .. }, _) => {
                room.operated(node, op, *whom);
                self.lawless
                    .clone()
                    .into_iter()
                    .for_each(|node| self.lawless(node));
            }
            _ => {}
        }
    }

    /// A node may have done something: its process ended before it answered.
    pub fn perhaps(&mut self, deed: &Deed) {
        let room = deed.session().and_then(|id| self.rooms.get_mut(&id));
        let Some(room) = room else { return };
        match deed {
            Deed::Say { text, .. } => drop(room.perhaps.insert(text.clone())),
            Deed::Edit { id, .. } | Deed::Unsend { id, .. } | Deed::React { id, .. } => {
                room.change(id, |said| said.vague = true);
            }
            Deed::Operate { op, whom, .. } => {
                room.over |= matches!(**op, Op::Dissolve);
                room.unclear(*whom);
            }
            Deed::Read { .. }
            | Deed::Found { .. }
            | Deed::RenewCards { .. }
            | Deed::RevokeFormer { .. }
            | Deed::Suspend { .. }
            | Deed::Revoke { .. } => {}
        }
    }

    /// A node does whatever it likes from now on, or was set back.
    pub fn lawless(&mut self, node: usize) {
        self.lawless.insert(node);
        for room in self.rooms.values_mut() {
            if let Some(fate) = room.fates.get_mut(&node) {
                *fate = Fate::Lawless;
            }
        }
    }

    /// A message stands under another id: it was dated by a clock far ahead.
    pub fn written_again(&mut self, old: EventId, new: EventId) {
        for room in self.rooms.values_mut() {
            let said = room.said.remove(&old);
            room.said.extend(said.map(|said| (new, said)));
        }
    }
}

impl Room {
    /// Whether what a node says must be seen by all.
    pub fn counts(&self, node: usize) -> bool {
        matches!(self.fates.get(&node), Some(Fate::In | Fate::Brought)) && !self.over
    }

    fn said(&mut self, node: usize, text: &str, id: EventId) {
        let out = |(node, fate): (&usize, &Fate)| (*fate == Fate::Out).then_some(*node);
        let kept_from = match node == self.founder {
            true => self.fates.iter().filter_map(out).collect(),
            false => BTreeSet::new(),
        };
        let said = Said {
            node,
            text: Some(text.to_owned()),
            reactions: BTreeSet::new(),
            vague: false,
            kept_from,
        };
        let before = self.said.insert(id, said);
        assert!(before.is_none(), "two answers name the same message");
    }

    fn change(&mut self, id: &EventId, change: impl FnOnce(&mut Said)) {
        if let Some(said) = self.said.get_mut(id) {
            change(said);
        }
    }

    fn operated(&mut self, node: usize, op: &Op, whom: usize) {
        let before = self.fates.get(&whom).copied();
        let fate = match (op, before) {
            (Op::Dissolve, _) => {
                self.over = true;
                return;
            }
            (Op::Set(_), _) | (_, Some(Fate::Lawless)) => return,
            (Op::Add(_), None) if node == self.founder => Fate::Brought,
            (Op::Remove(_), Some(Fate::In | Fate::Brought)) if node == self.founder => Fate::Out,
            (Op::Leave, Some(Fate::In | Fate::Brought)) => Fate::Out,
            // Who is in and is brought in again is in.
            (Op::Add(_), Some(fate @ (Fate::In | Fate::Brought))) => fate,
            _ => Fate::Unclear,
        };
        self.fates.insert(whom, fate);
        if matches!(fate, Fate::Out | Fate::Unclear) {
            // What it was doing meanwhile may count or not.
            self.said.values_mut().for_each(|said| {
                said.vague |= said.reactions.iter().any(|(_, node)| *node == whom);
            });
        }
    }

    fn unclear(&mut self, whom: usize) {
        let fate = self.fates.entry(whom).or_insert(Fate::Unclear);
        if *fate != Fate::Lawless {
            *fate = Fate::Unclear;
        }
    }
}
