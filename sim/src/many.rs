//! Sessions of many, and of one person's devices: founding them, changing who is in, writing there.

use tenet_log::{ids::SessionId, roster::Op};
use tenet_node::command::{Command, device::Deed};

use crate::{act::Act, files, machine::World, node};

/// Something that a person does in a session of many.
#[derive(Clone, Debug)]
pub enum Many {
    /// Found one.
    Found {
        /// What it is called.
        name: String,
        /// The DIDs of who is in from the start.
        with: Vec<String>,
    },
    /// Change who is in.
    Operate {
        /// Which session.
        session: SessionId,
        /// The change.
        op: Box<Op>,
    },
    /// Renew cards.
    RenewCards {
        /// Whose.
        person: usize,
    },
    /// Revoke a device.
    Revoke {
        /// Whose it is.
        person: usize,
        /// Which.
        device: String,
    },
    /// Write.
    Say {
        /// In which session.
        session: SessionId,
        /// What; no two messages of a story have the same text.
        text: String,
    },
}

impl Many {
    /// The command for it.
    pub fn command(self) -> Command {
        match self {
            Self::Found { name, with } => Command::Found { name, with },
            Self::Operate { session, op } => Command::Operate { session, op },
            Self::RenewCards { person } => Command::Device(Deed::RenewCards {
                key: Box::new(node::root(person)),
            }),
            Self::Revoke { person, device } => Command::Device(Deed::Revoke {
                key: Box::new(node::root(person)),
                device,
            }),
            Self::Say { session, text } => Command::Send {
                files: files::files(&text),
                who: session.to_string(),
                text,
                reply: None,
            },
        }
    }
}

impl World {
    /// Founds a session of many.
    ///
    /// # Panics
    /// Where that is refused.
    pub fn found(&mut self, node: usize, name: &str, with: Vec<String>) -> SessionId {
        let name = name.to_owned();
        self.ask(node, Act::Many(Box::new(Many::Found { name, with })));
        self.until(|world| world.founded.is_some());
        self.founded.take().expect("it was founded")
    }

    /// Changes who is in a session.
    pub fn operate(&mut self, node: usize, session: SessionId, op: Op) {
        let op = Box::new(op);
        self.ask(node, Act::Many(Box::new(Many::Operate { session, op })));
    }

    /// Renews the cards of a person, at a node that holds their key.
    pub fn renew_cards(&mut self, node: usize, person: usize) {
        self.ask(node, Act::Many(Box::new(Many::RenewCards { person })));
    }

    /// Revokes a node's device, at another one of the same person.
    pub fn revoke(&mut self, node: usize, person: usize, revoked: usize) {
        let device = self.nodes[revoked].own().device().to_string();
        self.revoke_by_id(node, person, device);
    }

    /// Revokes a device of a person, at a node of theirs.
    pub fn revoke_by_id(&mut self, node: usize, person: usize, device: String) {
        self.ask(node, Act::Many(Box::new(Many::Revoke { person, device })));
    }

    /// Writes in a session of many.
    pub fn say(&mut self, node: usize, session: SessionId, text: &str) {
        let text = text.to_owned();
        self.ask(node, Act::Many(Box::new(Many::Say { session, text })));
    }
}
