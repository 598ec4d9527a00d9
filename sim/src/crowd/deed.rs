//! What persons do in sessions of many.

use tenet_log::{
    ids::{EventId, SessionId},
    roster::Op,
};
use tenet_node::command::{Command, device, entrance::Entrance};

use crate::{files, node};

/// Something that a person does; a session is named by its id.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Found a session.
    Found {
        /// What it is called.
        name: String,
        /// The DIDs of who is in from the start: contacts.
        with: Vec<String>,
    },
    /// Write; no two messages of a world have the same text.
    Say {
        /// Where.
        session: SessionId,
        /// What.
        text: String,
    },
    /// Give an own message another text.
    Edit {
        /// Where it is.
        session: SessionId,
        /// Which.
        id: EventId,
        /// The new text.
        text: String,
    },
    /// Take an own message back.
    Unsend {
        /// Where it is.
        session: SessionId,
        /// Which.
        id: EventId,
    },
    /// Put an emoji on a message, or take it away.
    React {
        /// Where it is.
        session: SessionId,
        /// Which.
        id: EventId,
        /// The emoji.
        emoji: &'static str,
        /// Take it away.
        remove: bool,
    },
    /// Have read everything.
    Read {
        /// Where.
        session: SessionId,
    },
    /// Renew cards.
    RenewCards {
        /// Whose.
        person: usize,
    },
    /// Revoke the keys that a device had before.
    RevokeFormer {
        /// Whose it is.
        person: usize,
    },
    /// Revoke a device, everywhere.
    Revoke {
        /// Whose it is.
        person: usize,
        /// Which.
        device: String,
    },
    /// Have a person's devices not speak with one of them, or again.
    Suspend {
        /// Which.
        device: String,
        /// Whether they do not.
        suspended: bool,
    },
    /// Call a device something else.
    Rename {
        /// Which.
        device: String,
        /// What.
        name: String,
    },
    /// Do something about links into a session.
    Enter(Entrance),
    /// Change who is in a session, and as what.
    Operate {
        /// Which.
        session: SessionId,
        /// The change.
        op: Box<Op>,
        /// Which person it is about; whoever does it where it is about nobody else.
        whom: usize,
    },
}

impl Deed {
    /// The command for it.
    pub fn command(&self) -> Command {
        match self.clone() {
            Self::Found { name, with } => Command::Found { name, with },
            Self::Say { session, text } => Command::Send {
                files: files::files(&text),
                who: session.to_string(),
                text,
                reply: None,
            },
            Self::Edit { id, text, .. } => Command::Edit { id, text },
            Self::Unsend { id, .. } => Command::Unsend { id },
            Self::React {
                id, emoji, remove, ..
            } => Command::React {
                id,
                emoji: emoji.to_owned(),
                remove,
            },
            Self::Read { session } => Command::Read {
                who: session.to_string(),
            },
            Self::Enter(what) => Command::Entrance(what),
            Self::Operate { session, op, .. } => Command::Operate { session, op },
            Self::RenewCards { person } => Command::Device(device::Deed::RenewCards {
                key: Box::new(node::root(person)),
            }),
            Self::RevokeFormer { person } => Command::Device(device::Deed::RevokeFormer {
                key: Box::new(node::root(person)),
            }),
            Self::Suspend { device, suspended } => {
                Command::Device(device::Deed::Suspend { device, suspended })
            }
            Self::Revoke { person, device } => Command::Device(device::Deed::Revoke {
                key: Box::new(node::root(person)),
                device,
            }),
            Self::Rename { device, name } => Command::Device(device::Deed::Rename { device, name }),
        }
    }

    /// In which session; none for one that is not founded yet.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Found { .. }
            | Self::RenewCards { .. }
            | Self::RevokeFormer { .. }
            | Self::Suspend { .. }
            | Self::Revoke { .. }
            | Self::Enter(_)
            | Self::Rename { .. } => None,
            Self::Say { session, .. }
            | Self::Edit { session, .. }
            | Self::Unsend { session, .. }
            | Self::React { session, .. }
            | Self::Read { session }
            | Self::Operate { session, .. } => Some(*session),
        }
    }
}
