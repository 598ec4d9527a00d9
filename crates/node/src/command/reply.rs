//! What is answered to a command.

use tenet_apps::contacts::{Contact, Request};
use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::{invite::InviteId, link::Link},
};
use tenet_log::ids::{EventId, SessionId};

use crate::groups::{GroupMember, GroupRequest, LinkInto};

/// What was done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// A message is kept.
    Sent {
        /// Its id.
        id: EventId,
        /// Its session.
        session: SessionId,
    },
    /// A message was changed.
    Changed {
        /// Which.
        id: EventId,
        /// By which event.
        event: EventId,
        /// In which session.
        session: SessionId,
    },
    /// The read position stands at a message.
    Read {
        /// The session.
        session: SessionId,
        /// The last message; `None` in an empty session.
        id: Option<EventId>,
    },
    /// Whether somebody was told that something is being written.
    Typing {
        /// In which session.
        session: SessionId,
        /// Whether somebody is there to be told, and the setting lets them.
        told: bool,
    },
    /// A link was made.
    Invited {
        /// Its id.
        id: InviteId,
        /// The link.
        link: Box<Link>,
    },
    /// Something about an own device was changed.
    Device {
        /// Which.
        device: DeviceId,
    },
    /// Who is in a session of many.
    Members {
        /// Which session.
        session: SessionId,
        /// They, by role, then by identity.
        members: Vec<GroupMember>,
    },
    /// Whom no link lets into a session of many.
    Blocked {
        /// Which session.
        session: SessionId,
        /// They, by identity, and what they called themselves there; empty where that is not known.
        blocked: Vec<(IdentityId, String)>,
    },
    /// A link into a session of many: as it stands now.
    LinkInto {
        /// Into which session.
        session: SessionId,
        /// The link.
        link: Box<LinkInto>,
        /// The message by which it was sent to somebody.
        message: Option<EventId>,
    },
    /// The links into a session of many that are open.
    LinksInto {
        /// Into which session.
        session: SessionId,
        /// They, by id.
        links: Vec<LinkInto>,
    },
    /// It is asked what group a link leads into; [`Notice::Looked`](crate::input::Notice::Looked) says it.
    Looking {
        /// Which link.
        invite: InviteId,
    },
    /// Who asks to come into a session of many.
    Asks {
        /// Which.
        session: SessionId,
        /// They, who knocked longest ago first.
        asks: Vec<GroupRequest>,
    },
    /// The keys that this device had before.
    Former {
        /// How many of them are not revoked yet.
        left: usize,
    },
    /// A link is useless now.
    Revoked {
        /// Which.
        id: InviteId,
    },
    /// A link is being taken.
    Accepting {
        /// Which.
        invite: InviteId,
        /// Whose.
        identity: IdentityId,
        /// Whether both are contacts by it already.
        connected: bool,
    },
    /// A request was decided: as it stands now.
    Request(Box<Request>),
    /// Something about a contact was noted.
    Contact {
        /// Whom.
        identity: IdentityId,
    },
    /// A contact card.
    Card(String),
    /// A contact is none any more: as it was last.
    Removed(Box<Contact>),
    /// A conversation stands so now.
    Conversation {
        /// Its session.
        session: SessionId,
    },
    /// A setting was changed.
    Set,
    /// So many damaged events have not come yet.
    Mending {
        /// Their number.
        left: usize,
    },
    /// Who is in a session was changed.
    Operated {
        /// In which session.
        session: SessionId,
        /// By which event.
        event: EventId,
    },
    /// It was done.
    Done,
}
