//! What must be seen in the end for what persons did: the reference that real views are held to.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::contacts::store::ContactStore;
use tenet_identity::keys::IdentityId;
use tenet_log::{ids::EventId, store::LogStore};
use tenet_node::command::Reply;

use crate::{act::Act, node::Node};

/// What must be seen.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// All messages.
    pub messages: BTreeMap<EventId, Expected>,
    /// Who confirmed whom.
    pub confirmed: BTreeSet<(usize, usize)>,
    /// Who read up to which message, as far as that was answered.
    pub read: Vec<(usize, EventId)>,
    /// Texts of messages that were asked for and came to nothing with a process.
    pub lost: BTreeSet<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who wrote it.
    pub author: usize,
    /// To whom.
    pub to: usize,
    /// What it said at first: its name in scripts.
    pub label: String,
    /// What it says, unless it was taken back.
    pub text: String,
    /// Whether it was changed.
    pub edited: bool,
    /// Whether it was taken back.
    pub unsent: bool,
    /// What it answers.
    pub reply: Option<EventId>,
    /// When it disappears, by its author's clock.
    pub expires: Option<u64>,
    /// Who put which emoji on it.
    pub reactions: BTreeSet<(&'static str, usize)>,
}

impl Model {
    /// The message of this label, if there is one.
    pub fn by_label(&self, label: &str) -> Option<EventId> {
        self.messages
            .iter()
            .find(|(_, message)| message.label == label)
            .map(|(id, _)| *id)
    }

    /// Something was asked for and answered.
    pub fn done(&mut self, node: usize, act: &Act, reply: &Reply, nodes: &[Node]) {
        match (act, reply) {
            (Act::Send { .. }, Reply::Sent { id, .. }) => self.sent(node, act, *id, nodes),
            (Act::Read { .. }, Reply::Read { id: Some(id), .. }) => self.read.push((node, *id)),
            (Act::Confirm { with }, _) => {
                self.confirmed.insert((node, *with));
            }
            _ => self.changed(node, act),
        }
    }

    /// Something was asked for, and the process ended without an answer: the person looks whether
    /// it was done.
    pub fn look(&mut self, node: usize, act: &Act, nodes: &[Node]) {
        let this = &nodes[node];
        let shown = |id: EventId| {
            let all = nodes
                .iter()
                .filter(|other| other.identity() != this.identity());
            let mut all = all.flat_map(|other| this.history(other.identity()));
            all.find(|shown| shown.message.id == id)
                .map(|shown| shown.message)
        };
        match act {
            Act::Send { to, text, .. } => {
                let history = this.history(nodes[*to].identity());
                let there = history
                    .iter()
                    .find(|shown| shown.message.text.as_ref() == Some(text));
                match there {
                    Some(shown) => self.sent(node, act, shown.message.id, nodes),
                    None => drop(self.lost.insert(text.clone())),
                }
            }
            Act::Edit { id, text } if shown(*id).is_some_and(|m| m.text.as_ref() == Some(text)) => {
                self.changed(node, act);
            }
            Act::Unsend { id } if shown(*id).is_some_and(|message| message.unsent) => {
                self.changed(node, act);
            }
            Act::React { id, emoji, remove } => {
                let there = shown(*id).is_some_and(|message| {
                    let me: IdentityId = this.identity();
                    let mut found = message.reactions.iter();
                    found.any(|(shown, who)| shown.as_str() == *emoji && who.contains(&me))
                });
                if there != *remove {
                    self.changed(node, act);
                }
            }
            Act::Confirm { with } => {
                let contact = this.disk().contact(nodes[*with].identity()).unwrap();
                if contact.is_some_and(|contact| contact.verified.is_some()) {
                    self.confirmed.insert((node, *with));
                }
            }
            Act::Forward { to, .. } | Act::Introduce { to, .. } => self.discover(node, *to, nodes),
            _ => {}
        }
    }

    /// Whether an act is about a message that disappeared or was taken back meanwhile: that it is refused is right.
    pub fn came_too_late(&self, act: &Act) -> bool {
        let about = match act {
            Act::Send { reply, .. } => *reply,
            Act::Edit { id, .. } | Act::Unsend { id } | Act::React { id, .. } => Some(*id),
            _ => None,
        };
        let message = about.and_then(|id| self.messages.get(&id));
        message.is_some_and(|message| message.expires.is_some() || message.unsent)
    }

    /// Something was asked for and refused, as it should be: what hangs on it comes to nothing.
    pub fn refused(&mut self, act: &Act) {
        if let Act::Send { text, .. } = act {
            self.lost.insert(text.clone());
        }
    }

    /// What a node has said again, or told somebody of, and nobody has noted yet.
    fn discover(&mut self, node: usize, to: usize, nodes: &[Node]) {
        let this = &nodes[node];
        for shown in this.history(nodes[to].identity()) {
            let message = shown.message;
            let mine = message.identity == this.identity();
            let said_so = message.forwarded || message.card.is_some();
            if mine && said_so && !self.messages.contains_key(&message.id) {
                let text = message.text.unwrap_or_default();
                self.messages.insert(
                    message.id,
                    Expected {
                        author: node,
                        to,
                        label: text.clone(),
                        text,
                        edited: false,
                        unsent: false,
                        reply: None,
                        expires: message.expires,
                        reactions: BTreeSet::new(),
                    },
                );
            }
        }
    }

    /// A message stands under another id.
    pub fn written_again(&mut self, old: EventId, new: EventId) {
        // What a process that was killed did not tell is not known here.
        let message = self.messages.remove(&old);
        self.messages.extend(message.map(|message| (new, message)));
        for message in self.messages.values_mut() {
            message.reply = message.reply.map(|id| if id == old { new } else { id });
        }
        for (_, id) in &mut self.read {
            *id = if *id == old { new } else { *id };
        }
    }

    fn sent(&mut self, node: usize, act: &Act, id: EventId, nodes: &[Node]) {
        let Act::Send { to, text, reply } = act else {
            return;
        };
        let stored = LogStore::event(nodes[node].disk(), id).unwrap().unwrap();
        let message = Expected {
            expires: stored.event.header().expires,
            author: node,
            to: *to,
            label: text.clone(),
            text: text.clone(),
            edited: false,
            unsent: false,
            reply: *reply,
            reactions: BTreeSet::new(),
        };
        let before = self.messages.insert(id, message);
        assert!(before.is_none(), "two answers name the same message");
    }

    fn changed(&mut self, node: usize, act: &Act) {
        match act {
            Act::Edit { id, text } => {
                let message = self.messages.get_mut(id).unwrap();
                message.text.clone_from(text);
                message.edited = true;
            }
            Act::Unsend { id } => self.messages.get_mut(id).unwrap().unsent = true,
            Act::React { id, emoji, remove } => {
                let reactions = &mut self.messages.get_mut(id).unwrap().reactions;
                if *remove {
                    reactions.remove(&(*emoji, node));
                } else {
                    reactions.insert((*emoji, node));
                }
            }
            _ => {}
        }
    }
}
