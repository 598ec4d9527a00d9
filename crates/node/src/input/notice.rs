//! What a person or program is told of.

use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::{invite::InviteId, knock::Preview, short::Short},
};
use tenet_log::ids::{BlobId, EventId, SessionId};

use super::ConnId;
use crate::{engine::Progress, groups::Group};

/// Something that a person or program may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A new message.
    Message {
        /// Its session.
        session: SessionId,
        /// Its id.
        id: EventId,
    },
    /// A message stands differently now.
    Changed {
        /// Its session.
        session: SessionId,
        /// Its id.
        id: EventId,
    },
    /// A message is shown no more: its time is over, or it does not count.
    Gone {
        /// Its session.
        session: SessionId,
        /// Its id.
        id: EventId,
    },
    /// Own messages are farther than they were: delivered, or read.
    Progress {
        /// Their session.
        session: SessionId,
        /// Which, in order.
        ids: Vec<EventId>,
    },
    /// An own message stands under another id: it was dated by a clock far ahead, and nobody takes
    /// it so. The old one is shown no more.
    WrittenAgain {
        /// Its session.
        session: SessionId,
        /// What it was.
        old: EventId,
        /// What it is.
        new: EventId,
    },
    /// The other side's read position moved.
    ReadPosition {
        /// The session.
        session: SessionId,
    },
    /// Somebody types, or no more; nothing is said of who has not begun.
    Typing {
        /// In which session.
        session: SessionId,
        /// Who.
        identity: IdentityId,
        /// Whether they do.
        typing: bool,
    },
    /// A conversation stands differently: muted, pinned, put away, read, its draft.
    Conversation {
        /// Its session.
        session: SessionId,
    },
    /// The content of a file is here now.
    File {
        /// Which.
        blob: BlobId,
    },
    /// This device came into a session that was there before.
    SessionEntered {
        /// Which.
        session: SessionId,
    },
    /// The sessions among our own devices are these now, the one that is written in first.
    OwnSessions {
        /// Which.
        sessions: Vec<SessionId>,
    },
    /// This device's card was renewed.
    CardRenewed {
        /// Its last moment, in Unix milliseconds.
        until: u64,
    },
    /// A new device of ours asks for its card.
    DeviceAsks {
        /// Which.
        device: DeviceId,
        /// What it is to be called.
        name: String,
        /// What its screen must show too.
        short: Short,
        /// Whether it gets its card only after a yes.
        waits: bool,
    },
    /// Somebody's device is in our sessions for the first time, or an own one was given its card.
    DeviceAdded {
        /// Whose.
        identity: IdentityId,
        /// Which.
        device: DeviceId,
    },
    /// Somebody has revoked a device of theirs, or we one of ours.
    DeviceRevoked {
        /// Whose.
        identity: IdentityId,
        /// Which.
        device: DeviceId,
    },
    /// A device of ours is suspended, or no more; perhaps this one.
    DeviceSuspended {
        /// Which.
        device: DeviceId,
        /// Whether it is now.
        suspended: bool,
    },
    /// A device of ours is brought what it lacks of a session, or brings it to us.
    Bringing {
        /// The other device.
        device: DeviceId,
        /// Which session.
        session: SessionId,
        /// Whether it brings, or is brought.
        coming: bool,
        /// How far that is.
        progress: Progress,
    },
    /// A contact is new.
    ContactAdded {
        /// Who.
        identity: IdentityId,
    },
    /// A contact is called differently.
    ContactRenamed {
        /// Who.
        identity: IdentityId,
    },
    /// This person says something else of themselves.
    Profile {
        /// What they call themselves.
        name: String,
    },
    /// A contact says something else of themselves.
    ContactProfile {
        /// Who.
        identity: IdentityId,
    },
    /// A contact was verified.
    ContactVerified {
        /// Who.
        identity: IdentityId,
    },
    /// A contact is blocked now.
    ContactBlocked {
        /// Who.
        identity: IdentityId,
    },
    /// A contact is blocked no more.
    ContactUnblocked {
        /// Who.
        identity: IdentityId,
    },
    /// A contact was removed here.
    ContactRemoved {
        /// Who.
        identity: IdentityId,
    },
    /// Somebody has removed us from their contacts.
    ContactLeft {
        /// Who.
        identity: IdentityId,
    },
    /// A link that was accepted here came to an end, good or bad.
    Knocked {
        /// The link.
        invite: InviteId,
        /// Whose.
        identity: IdentityId,
        /// `None`: connected. Otherwise why not, in a person's words.
        refused: Option<String>,
    },
    /// A link that was accepted here led to somebody who is asked.
    Requested {
        /// The link.
        invite: InviteId,
        /// Whose.
        identity: IdentityId,
    },
    /// Somebody came by an own link, and the person is asked; or they say something else now.
    Request {
        /// Which link.
        invite: InviteId,
        /// Who.
        identity: IdentityId,
    },
    /// Somebody asks to come into a group of ours, or says something else now.
    Asks {
        /// Which.
        session: SessionId,
        /// Who.
        identity: IdentityId,
    },
    /// What group a link leads into that was looked at.
    Looked {
        /// The link.
        invite: InviteId,
        /// The group's session.
        session: SessionId,
        /// What is shown of it, or why nothing is, in a person's words.
        found: Result<Box<Preview>, String>,
    },
    /// An own link was taken.
    InviteUsed {
        /// Which.
        invite: InviteId,
        /// By whom.
        identity: IdentityId,
    },
    /// A used one-time link was tried again by another device.
    LinkReused {
        /// Which link, where it is ours.
        invite: Option<InviteId>,
        /// The contact who came by it, where known.
        identity: Option<IdentityId>,
    },
    /// A device is connected, or not any more.
    Connection {
        /// Whose.
        identity: IdentityId,
        /// Which.
        device: DeviceId,
        /// On which connection; `None` when it is gone.
        conn: Option<ConnId>,
    },
    /// Our clock and another device's differ by more than is accepted: what one of us wrote waits.
    TooEarly {
        /// The device.
        device: DeviceId,
        /// Its time in Unix milliseconds.
        theirs: u64,
        /// Ours.
        ours: u64,
    },
    /// A device wrote two histories.
    Forked {
        /// The session.
        session: SessionId,
        /// The device.
        device: DeviceId,
    },
    /// What was done to a session of many is to be shown among its messages.
    Told {
        /// The session.
        session: SessionId,
        /// By which event.
        id: EventId,
    },
    /// Somebody who is no contact says in a session what they call themselves.
    Named {
        /// The session.
        session: SessionId,
    },
    /// A session of many is another than before, or new.
    Group(Group),
    /// This device was set back to an earlier state: it is shown what it wrote since then. It writes nothing more
    /// until it goes on under another key (BACK-2).
    SetBack,
    /// A device sent what no honest device sends.
    Misbehaved {
        /// The device, where it is known.
        device: Option<DeviceId>,
        /// What it did.
        what: String,
    },
    /// Somebody sends more than is kept before a person has looked: nothing more of them is taken until
    /// somebody here writes or reads in the session.
    TooMuch {
        /// The session.
        session: SessionId,
        /// Who.
        identity: IdentityId,
    },
    /// The disk is full: nothing more is taken until there is room.
    DiskFull,
    /// A file that would have been fetched unasked waits for a yes, because the quota leaves no room.
    QuotaReached {
        /// The quota, in bytes.
        quota: u64,
    },
}
