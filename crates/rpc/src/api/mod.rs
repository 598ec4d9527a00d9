//! What can be asked of a node, what it answers, and what it tells.
//!
//! These types are the local API's own: they are neither wire nor stored forms. Ids and DIDs are
//! strings, times are integer Unix milliseconds, sizes are bytes, absent things are `null`.
//!
//! A method is a struct of its parameters which implements [`Call`]; [`Request`] is any one of them
//! as it arrives. Unknown parameters are refused, unknown fields of answers and events are skipped:
//! an older program may talk to a newer node, not the other way round (`API-7`).

mod chat;
mod contacts;
mod conversations;
mod devices;
mod doors;
mod entrances;
mod error;
mod event;
mod files;
mod groups;
mod identity;
mod node;
mod pipe;
mod profile;
mod request;
mod requests;
mod search;
mod secret;
mod typing;

pub use chat::{
    Changed, Edit, Forward, History, Message, MessageChange, MessageContact, MessageFile,
    MessageInvitation, MessageReach, MessageWithdrawn, Page, React, Read, ReadUpTo, Save, Saved,
    Send, Sent, State, Unsend, Wait, Withdraw,
};
pub use contacts::{
    Accept, AcceptState, Accepted, Contact, ContactBlock, ContactConfirm, ContactDevice,
    ContactDeviceList, ContactDevices, ContactList, ContactRemove, ContactRename, ContactUnblock,
    ContactVerify, Contacts, Invite, InviteInfo, InviteList, InviteRevoke, Invited, Invites,
    Presence, Verification,
};
pub use conversations::{
    Conversation, ConversationList, ConversationSet, Conversations, Draft, DraftKept, DraftSet,
    Timer, TimerInfo, TimerSet,
};
pub use devices::{
    Bringing, DeviceChange, DeviceConfirm, DeviceInfo, DeviceLink, DeviceLinked, DeviceList,
    DeviceNews, DeviceRename, DeviceResume, DeviceRevoke, DeviceStatus, DeviceSuspend, Devices,
};
pub use doors::{ContactAdd, ContactCard, ContactCardText, Door, DoorClose, DoorInfo, DoorOpen};
pub use entrances::{
    GroupAccept, GroupInvite, GroupInvites, GroupLink, GroupLinkList, GroupPreview, GroupReject,
    GroupRequest, GroupRequestList, GroupRequests, GroupShown, GroupUninvite,
};
pub use error::{Error, Kind};
pub use event::{Connection, ContactChange, Event, Gap, Notice, Subscribe, Subscribed};
pub use files::{
    FileKind, FileList, FileRemove, Files, ListedFile, Transfer, TransferCancel, TransferList,
    TransferPause, TransferResume, Transfers,
};
pub use groups::{
    BlockedList, BlockedMember, Change, Group, GroupBlocked, GroupChange, GroupList, GroupMember,
    GroupMembers, GroupNew, GroupPin, GroupPins, GroupPolicy, GroupShow, Groups, MemberList,
    Newcomers, PinList, Right, Role,
};
pub use identity::{
    Identity, IdentityInfo, Lock, Phrase, PhraseShown, PinChange, PinRemove, PinSet, Unlock,
};
pub use node::{
    Check, Checks, Connections, Doctor, Done, Mode, Net, NodeStatus, Path, Peer, Setting,
    SettingList, SettingsGet, SettingsSet, Status, Sync, Synced, SyncedOther,
};
pub use pipe::{PipeData, PipeEnded, PipeOpen, PipeOpened, PipeRead, PipeWait, PipeWrite};
pub use profile::{Profile, ProfileInfo, ProfileSet};
pub(crate) use request::parameters;
pub use request::{Call, Request};
pub use requests::{
    AcceptInfo, AcceptList, Accepts, RequestAccept, RequestInfo, RequestList, RequestReject,
    RequestState, Requests,
};
pub use search::{Found, FoundList, Search};
pub use secret::Secret;
pub use typing::{Typing, TypingSaid, Typist};
