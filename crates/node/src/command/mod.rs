//! What a person or program can ask of the engine: one file per family.

mod contact;
mod conversation;
pub mod device;
mod door;
pub mod entrance;
mod error;
mod invitation;
mod invite;
mod member;
mod message;
mod profile;
mod reply;
mod request;
mod roster;
mod settings;
mod transfer;
mod typing;

use tenet_apps::{chat::file::File, conversations::Matter};
use tenet_identity::{meeting::link::Link, name};
use tenet_log::{
    ids::{BlobId, EventId, SessionId},
    roster::Op,
};

pub use error::CommandError;
pub use reply::Reply;

use crate::{engine::Engine, groups::GroupChange, storage::Storage};

/// Something asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Command {
    /// Write a message.
    Send {
        /// To whom.
        who: String,
        /// What.
        text: String,
        /// In answer to which message.
        reply: Option<EventId>,
        /// With which files; their contents are here, durably.
        files: Vec<File>,
    },
    /// Tell somebody of a contact.
    Introduce {
        /// Whom to tell.
        who: String,
        /// Of whom.
        contact: String,
        /// With which words.
        text: String,
        /// In answer to which message.
        reply: Option<EventId>,
    },
    /// Say something of oneself; what is not given stays.
    Profile {
        /// What to be called.
        name: Option<String>,
        /// How one is.
        status: Option<String>,
        /// A small JPEG, or none any more.
        picture: Option<Option<Vec<u8>>>,
    },
    /// Do something about the contents of files.
    Transfer {
        /// Which contents.
        of: Contents,
        /// What to do.
        change: TransferChange,
    },
    /// Say in another conversation what a message says.
    Forward {
        /// Which message.
        id: EventId,
        /// To whom.
        who: String,
    },
    /// Give an own message another text.
    Edit {
        /// Which.
        id: EventId,
        /// The new text.
        text: String,
    },
    /// Take an own message back.
    Unsend {
        /// Which.
        id: EventId,
    },
    /// Withdraw another's message, as far as one's role allows.
    Withdraw {
        /// Which.
        id: EventId,
        /// Why; may be empty.
        reason: String,
    },
    /// Pin a message of a group, or pin it no more.
    Pin {
        /// Which.
        id: EventId,
        /// Whether it is pinned from now on.
        on: bool,
    },
    /// Put an emoji on a message, or take it away.
    React {
        /// Which.
        id: EventId,
        /// The emoji.
        emoji: String,
        /// Take it away.
        remove: bool,
    },
    /// All of a conversation was read.
    Read {
        /// Which.
        who: String,
    },
    /// Tell whoever is there that something is being written, or no more.
    Typing {
        /// To whom.
        who: String,
        /// Whether it is.
        on: bool,
    },
    /// Make a link.
    Invite {
        /// What to call who takes it.
        name: Option<String>,
        /// Whether several may take it.
        reusable: bool,
        /// For how long it is good, in milliseconds.
        lasts_ms: u64,
        /// What is asked of who takes it, where several may.
        question: Option<String>,
    },
    /// Make a link useless.
    RevokeInvite {
        /// Its id, or a beginning of it.
        id: String,
    },
    /// Take a link.
    Accept {
        /// The link.
        link: Box<Link>,
        /// What to call who gave it.
        name: Option<String>,
        /// What to say to them, where they decide.
        remark: Option<String>,
    },
    /// Let somebody in who knocked.
    AcceptRequest {
        /// The request's id, or a beginning of it; or the DID of who asks.
        id: String,
    },
    /// Let somebody not in who knocked.
    RejectRequest {
        /// As for [`Self::AcceptRequest`].
        id: String,
        /// What they are told.
        remark: Option<String>,
    },
    /// The short string was compared and was equal.
    Confirm {
        /// With whom.
        who: String,
    },
    /// Call a contact something else.
    Rename {
        /// Whom.
        who: String,
        /// The new name.
        name: String,
    },
    /// Hear nothing of somebody any more, and say nothing to them.
    Block {
        /// A contact, or anybody by their DID.
        who: String,
    },
    /// The end of that.
    Unblock {
        /// Whom.
        who: String,
    },
    /// End the contact with somebody.
    Remove {
        /// Whom.
        who: String,
    },
    /// Let anybody ask to become a contact who knows our DID.
    OpenDoor {
        /// What is asked of them first.
        question: Option<String>,
    },
    /// The end of that.
    CloseDoor,
    /// Make a card of who we are and where we are met.
    ContactCard,
    /// Change a setting.
    Set {
        /// Which.
        name: String,
        /// To what.
        value: String,
    },
    /// Mute, pin or put away a conversation, or the reverse.
    Conversation {
        /// Which.
        who: String,
        /// What is on or off now.
        changes: Vec<(Matter, bool)>,
    },
    /// Let what is said from now on disappear after a while.
    Timer {
        /// In which conversation.
        who: String,
        /// After how many seconds; 0 for never.
        seconds: u64,
    },
    /// Keep what was begun to be written.
    Draft {
        /// In which conversation.
        who: String,
        /// What; `None` to forget it.
        text: Option<String>,
    },
    /// Keep the words of what was said until now, as far as that is soon done.
    KeepWords,
    /// Do something about the devices of this identity.
    Device(device::Deed),
    /// Found a session of many, of which this person is the owner and the others are members.
    Found {
        /// What it is called: the setting `name`.
        name: String,
        /// Who is in from the start: contacts.
        with: Vec<String>,
    },
    /// Change a session of many.
    Group {
        /// Which: its name, its id or a beginning of it.
        who: String,
        /// How.
        change: GroupChange,
    },
    /// Do something about links into a session of many.
    Entrance(entrance::Entrance),
    /// Say who is in a session of many.
    Members {
        /// Which: its name, its id or a beginning of it.
        who: String,
    },
    /// Say whom no link lets into a session of many.
    Blocked {
        /// Which: its name, its id or a beginning of it.
        who: String,
    },
    /// Change who is in a session, and as what.
    Operate {
        /// Which session.
        session: SessionId,
        /// The change.
        op: Box<Op>,
    },
    /// Dial everybody now.
    Reach,
    /// Fetch events again whose copies here are damaged, from whoever has them.
    Mend {
        /// Which, with their sessions.
        events: Vec<(SessionId, EventId)>,
        /// Sessions of which something else is kept than their operations come to: that is made anew.
        miskept: Vec<SessionId>,
    },
}

/// Contents of files, as a person names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Those of all files of a message.
    Message(EventId),
    /// One.
    One(BlobId),
}

/// What to do about the contents of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferChange {
    /// Fetch them, or go on with it.
    Resume,
    /// Fetch no more of them for now; what came stays.
    Pause,
    /// Fetch no more, and remove what came; they are offered again.
    Cancel,
    /// Remove them though all is here; they are offered again, to be had from whoever has them.
    Remove,
}

/// A line of words that others will see; `None` for an empty one.
fn line(words: Option<String>) -> Result<Option<String>, CommandError> {
    let words = words.map(|words| words.trim().to_owned());
    let words = words.filter(|words| !words.is_empty());
    if let Some(words) = &words {
        name::check_line(words).map_err(|error| CommandError::Usage(error.to_string()))?;
    }
    Ok(words)
}

impl<S: Storage> Engine<S> {
    pub(crate) fn execute(&mut self, now: u64, command: Command) -> Result<Reply, CommandError> {
        match command {
            Command::Send {
                who,
                text,
                reply,
                files,
            } => self.send_message(now, &who, text, reply, files),
            Command::Introduce {
                who,
                contact,
                text,
                reply,
            } => self.introduce(now, &who, &contact, text, reply),
            Command::Profile {
                name,
                status,
                picture,
            } => self.change_profile(now, name, status, picture),
            Command::Transfer { of, change } => self.change_transfer(of, change),
            Command::Forward { id, who } => self.forward(now, id, &who),
            Command::Edit { id, text } => self.edit(now, id, text),
            Command::Unsend { id } => self.unsend(now, id),
            Command::Pin { id, on } => self.pin(now, id, on),
            Command::Withdraw { id, reason } => self.withdraw(now, id, &reason),
            Command::React { id, emoji, remove } => self.react(now, id, &emoji, remove),
            Command::Read { who } => self.mark_read(now, &who),
            Command::Typing { who, on } => self.type_to(now, &who, on),
            Command::Invite {
                name,
                reusable,
                lasts_ms,
                question,
            } => self.invite(now, name, reusable, lasts_ms, question),
            Command::RevokeInvite { id } => self.revoke_invite(now, &id),
            Command::Accept { link, name, remark } => self.accept(now, *link, name, remark),
            Command::AcceptRequest { id } => self.accept_request(now, &id),
            Command::RejectRequest { id, remark } => self.reject_request(now, &id, remark),
            Command::Confirm { who } => self.confirm(now, &who),
            Command::Rename { who, name } => self.rename(&who, &name),
            Command::Block { who } => self.block(now, &who),
            Command::Unblock { who } => self.unblock(now, &who),
            Command::Remove { who } => self.remove(now, &who),
            Command::OpenDoor { question } => self.open_door(now, question),
            Command::CloseDoor => self.close_door(now),
            Command::ContactCard => Ok(self.contact_card(now)),
            Command::Set { name, value } => self.set(&name, &value),
            Command::Conversation { who, changes } => self.change_conversation(now, &who, &changes),
            Command::Timer { who, seconds } => self.set_timer(now, &who, seconds),
            Command::Draft { who, text } => self.keep_draft(&who, text.as_deref()),
            Command::KeepWords => self.keep_words(now),
            Command::Device(deed) => self.do_to_device(now, deed),
            Command::Found { name, with } => self.found(now, &name, &with),
            Command::Operate { session, op } => self.operate(now, session, &op),
            Command::Group { who, change } => self.change_group(now, &who, change),
            Command::Entrance(what) => self.enter_by(now, what),
            Command::Members { who } => self.members_of(now, &who),
            Command::Blocked { who } => self.blocked_in(&who),
            Command::Reach => self.reach(now),
            Command::Mend { events, miskept } => self.mend_all(events, &miskept),
        }
    }
}
