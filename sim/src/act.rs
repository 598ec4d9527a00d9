//! What persons do.

use tenet_identity::meeting::link::Link;
use tenet_log::ids::{EventId, SessionId};
use tenet_node::command::{Command, Contents, TransferChange};

use crate::{crowd::Deed, files};

/// Something that a person asks of the own device; `with` and `to` are numbers of nodes.
#[derive(Clone, Debug)]
pub enum Act {
    /// Make a link for somebody, and give it to them when it is there.
    Invite {
        /// For whom.
        to: usize,
    },
    /// Take somebody's link.
    Accept {
        /// The link.
        link: Box<Link>,
    },
    /// Write.
    Send {
        /// To whom.
        to: usize,
        /// What; no two messages of a story have the same text.
        text: String,
        /// In answer to which message.
        reply: Option<EventId>,
    },
    /// Change a message.
    Edit {
        /// Which.
        id: EventId,
        /// To what.
        text: String,
    },
    /// Take a message back.
    Unsend {
        /// Which.
        id: EventId,
    },
    /// React to a message, or take the reaction away.
    React {
        /// To which.
        id: EventId,
        /// How.
        emoji: &'static str,
        /// Whether it is taken away.
        remove: bool,
    },
    /// Have read everything.
    Read {
        /// Of whom.
        with: usize,
    },
    /// Have compared the short strings.
    Confirm {
        /// With whom.
        with: usize,
    },
    /// Let what is said from now on disappear.
    Timer {
        /// In the conversation with whom.
        with: usize,
        /// After how many seconds; 0 for never.
        seconds: u64,
    },
    /// Anything else that may be asked for twice; a link that is made by it goes to `with`.
    Do {
        /// About whom.
        with: usize,
        /// What, with that person's DID.
        command: fn(String) -> Command,
    },
    /// As [`Self::Do`], but where it is refused, or lost with a process, nobody minds.
    Try {
        /// About whom.
        with: usize,
        /// What, with that person's DID.
        command: fn(String) -> Command,
    },
    /// Ask at somebody's door; whoever finds it shut does not mind.
    Knock {
        /// What leads there.
        link: Box<Link>,
    },
    /// Say again what a message says; nobody minds if it was taken back meanwhile.
    Forward {
        /// Which.
        id: EventId,
        /// To whom.
        to: usize,
    },
    /// Tell of somebody; nobody minds where they are no contact.
    Introduce {
        /// Whom to tell.
        to: usize,
        /// Of whom.
        of: usize,
    },
    /// Have the files of a message fetched.
    Fetch {
        /// Which.
        id: EventId,
    },
    /// Something in a session of many.
    Many(Box<Deed>),
    /// One of the things that many do; what comes of it goes to [`World::answers`](crate::World).
    Numbered {
        /// Its number.
        number: u64,
        /// What.
        deed: Box<Deed>,
    },
    /// Have these fetched again, which are damaged.
    Mend {
        /// Which, with their sessions.
        events: Vec<(SessionId, EventId)>,
    },
}

impl Act {
    /// The command for it; `did` names a node's person.
    pub fn command(&self, did: impl Fn(usize) -> String) -> Command {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        match self.clone() {
            Self::Invite { .. } => Command::Invite {
                name: None,
                reusable: false,
                lasts_ms: DAY_MS,
                question: None,
            },
            Self::Accept { link } => Command::Accept {
                link,
                name: None,
                remark: None,
            },
            Self::Send { to, text, reply } => Command::Send {
                files: files::files(&text),
                who: did(to),
                text,
                reply,
            },
            Self::Edit { id, text } => Command::Edit { id, text },
            Self::Unsend { id } => Command::Unsend { id },
            Self::React { id, emoji, remove } => Command::React {
                id,
                emoji: emoji.to_owned(),
                remove,
            },
            Self::Read { with } => Command::Read { who: did(with) },
            Self::Confirm { with } => Command::Confirm { who: did(with) },
            Self::Timer { with, seconds } => Command::Timer {
                who: did(with),
                seconds,
            },
            Self::Do { with, command } | Self::Try { with, command } => command(did(with)),
            Self::Knock { link } => Command::Accept {
                link,
                name: None,
                remark: Some("Elm Street".into()),
            },
            Self::Forward { id, to } => Command::Forward { id, who: did(to) },
            Self::Introduce { to, of } => Command::Introduce {
                who: did(to),
                contact: did(of),
                text: "do you know each other?".into(),
                reply: None,
            },
            Self::Fetch { id } => Command::Transfer {
                of: Contents::Message(id),
                change: TransferChange::Resume,
            },
            Self::Mend { events } => Command::Mend {
                events,
                miskept: Vec::new(),
            },
            Self::Many(deed) => deed.command(),
            Self::Numbered { deed, .. } => deed.command(),
        }
    }

    /// Whether a person who got no answer simply asks again.
    ///
    /// Nobody is harmed by a second link; a second message would be one too many.
    pub fn is_repeated(&self) -> bool {
        matches!(
            self,
            Self::Invite { .. }
                | Self::Accept { .. }
                | Self::Timer { .. }
                | Self::Do { .. }
                | Self::Mend { .. }
                | Self::Fetch { .. }
        )
    }

    /// Whether it may be refused with no harm done.
    pub fn may_fail(&self) -> bool {
        matches!(
            self,
            Self::Try { .. }
                | Self::Knock { .. }
                | Self::Forward { .. }
                | Self::Introduce { .. }
                | Self::Fetch { .. }
        )
    }
}
