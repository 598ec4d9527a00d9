//! The methods, in one table: name, parameters, answer.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Accept, AcceptList, Accepted, Accepts, BlockedList, Changed, Checks, Connections, Contact,
    ContactAdd, ContactBlock, ContactCard, ContactCardText, ContactConfirm, ContactDeviceList,
    ContactDevices, ContactList, ContactRemove, ContactRename, ContactUnblock, ContactVerify,
    Contacts, Conversation, ConversationList, ConversationSet, Conversations, DeviceConfirm,
    DeviceInfo, DeviceLink, DeviceLinked, DeviceList, DeviceRename, DeviceResume, DeviceRevoke,
    DeviceSuspend, Devices, Doctor, Done, Door, DoorClose, DoorInfo, DoorOpen, Draft, DraftKept,
    DraftSet, Edit, Error, FileList, FileRemove, Files, Forward, FoundList, Group, GroupAccept,
    GroupBlocked, GroupChange, GroupInvite, GroupInvites, GroupLink, GroupLinkList, GroupList,
    GroupMembers, GroupNew, GroupPin, GroupPins, GroupPreview, GroupReject, GroupRequestList,
    GroupRequests, GroupShow, GroupShown, GroupUninvite, Groups, History, Identity, IdentityInfo,
    Invite, InviteInfo, InviteList, InviteRevoke, Invited, Invites, Kind, Lock, MemberList, Net,
    NodeStatus, Page, Phrase, PhraseShown, PinChange, PinList, PinRemove, PinSet, PipeData,
    PipeEnded, PipeOpen, PipeOpened, PipeRead, PipeWait, PipeWrite, Profile, ProfileInfo,
    ProfileSet, React, Read, ReadUpTo, RequestAccept, RequestInfo, RequestList, RequestReject,
    Requests, Save, Saved, Search, Send, Sent, Setting, SettingList, SettingsGet, SettingsSet,
    Status, Subscribe, Subscribed, Sync, Synced, Timer, TimerInfo, TimerSet, TransferCancel,
    TransferList, TransferPause, TransferResume, Transfers, Typing, TypingSaid, Unlock, Unsend,
    Verification, Wait, Withdraw,
};

/// A method: its parameters are the type that implements this.
pub trait Call: Serialize + DeserializeOwned {
    /// The method's name.
    const METHOD: &'static str;
    /// What it answers.
    type Answer: Serialize + DeserializeOwned;
}

macro_rules! methods {
    ($($name:literal $params:ident -> $answer:ident,)*) => {
        /// Any request, as a node gets it.
        #[derive(Clone, PartialEq, Eq)]
        pub enum Request {
            $(#[doc = concat!("`", $name, "`")] $params($params),)*
        }

        impl Request {
            /// The names of all methods that a [`Request`] can be.
            pub const METHODS: &[&'static str] = &[$($name),*];

            /// The request that a method's name and its parameters (JSON, empty for none) make.
            ///
            /// # Errors
            /// [`Kind::Method`] for an unknown name, [`Kind::Usage`] for wrong parameters.
            pub fn parse(method: &str, params: &str) -> Result<Self, Error> {
                match method {
                    $($name => parameters::<$params>(method, params).map(Self::$params),)*
                    _ => Err(Error::new(Kind::Method, format!("no method is called {method:?}"))),
                }
            }

            /// The method's name.
            pub const fn method(&self) -> &'static str {
                match self {
                    $(Self::$params(_) => $name,)*
                }
            }

            /// Whether its parameters hold a PIN or a phrase.
            pub const fn is_secret(&self) -> bool {
                matches!(
                    self,
                    Self::Phrase(_)
                        | Self::DeviceLink(_)
                        | Self::DeviceRevoke(_)
                        | Self::PinSet(_)
                        | Self::PinChange(_)
                        | Self::PinRemove(_)
                        | Self::Unlock(_)
                )
            }
        }

        $(
            impl Call for $params {
                const METHOD: &'static str = $name;
                type Answer = $answer;
            }

            impl From<$params> for Request {
                fn from(params: $params) -> Self {
                    Self::$params(params)
                }
            }
        )*
    };
}

methods! {
    "status" Status -> NodeStatus,
    "net" Net -> Connections,
    "sync" Sync -> Synced,
    "settings_get" SettingsGet -> SettingList,
    "settings_set" SettingsSet -> Setting,
    "doctor" Doctor -> Checks,
    "identity" Identity -> IdentityInfo,
    "phrase" Phrase -> PhraseShown,
    "pin_set" PinSet -> Done,
    "pin_change" PinChange -> Done,
    "pin_remove" PinRemove -> Done,
    "lock" Lock -> Done,
    "unlock" Unlock -> Done,
    "devices" Devices -> DeviceList,
    "device_link" DeviceLink -> DeviceLinked,
    "device_confirm" DeviceConfirm -> Done,
    "device_rename" DeviceRename -> DeviceInfo,
    "device_suspend" DeviceSuspend -> DeviceInfo,
    "device_resume" DeviceResume -> DeviceInfo,
    "device_revoke" DeviceRevoke -> DeviceInfo,
    "invite" Invite -> Invited,
    "invites" Invites -> InviteList,
    "invite_revoke" InviteRevoke -> InviteInfo,
    "accept" Accept -> Accepted,
    "requests" Requests -> RequestList,
    "request_accept" RequestAccept -> RequestInfo,
    "request_reject" RequestReject -> RequestInfo,
    "accepts" Accepts -> AcceptList,
    "door" Door -> DoorInfo,
    "door_open" DoorOpen -> DoorInfo,
    "door_close" DoorClose -> DoorInfo,
    "contact_card" ContactCard -> ContactCardText,
    "contact_add" ContactAdd -> Accepted,
    "contacts" Contacts -> ContactList,
    "contact_verify" ContactVerify -> Verification,
    "contact_devices" ContactDevices -> ContactDeviceList,
    "contact_confirm" ContactConfirm -> Contact,
    "contact_rename" ContactRename -> Contact,
    "contact_block" ContactBlock -> Contact,
    "contact_unblock" ContactUnblock -> Contact,
    "contact_remove" ContactRemove -> Contact,
    "group_new" GroupNew -> Group,
    "groups" Groups -> GroupList,
    "group" GroupShow -> Group,
    "group_members" GroupMembers -> MemberList,
    "group_blocked" GroupBlocked -> BlockedList,
    "group_change" GroupChange -> Group,
    "group_invite" GroupInvite -> GroupLink,
    "group_invites" GroupInvites -> GroupLinkList,
    "group_uninvite" GroupUninvite -> GroupLink,
    "group_preview" GroupPreview -> GroupShown,
    "group_requests" GroupRequests -> GroupRequestList,
    "group_accept" GroupAccept -> Group,
    "group_reject" GroupReject -> Group,
    "group_pin" GroupPin -> Group,
    "group_pins" GroupPins -> PinList,
    "send" Send -> Sent,
    "wait" Wait -> Sent,
    "history" History -> Page,
    "search" Search -> FoundList,
    "conversations" Conversations -> ConversationList,
    "conversation_set" ConversationSet -> Conversation,
    "draft" Draft -> DraftKept,
    "draft_set" DraftSet -> DraftKept,
    "timer" Timer -> TimerInfo,
    "timer_set" TimerSet -> TimerInfo,
    "forward" Forward -> Sent,
    "react" React -> Changed,
    "edit" Edit -> Changed,
    "unsend" Unsend -> Changed,
    "withdraw" Withdraw -> Changed,
    "read" Read -> ReadUpTo,
    "typing" Typing -> TypingSaid,
    "save" Save -> Saved,
    "files" Files -> FileList,
    "file_remove" FileRemove -> Done,
    "transfers" Transfers -> TransferList,
    "transfer_resume" TransferResume -> Done,
    "transfer_pause" TransferPause -> Done,
    "transfer_cancel" TransferCancel -> Done,
    "profile" Profile -> ProfileInfo,
    "profile_set" ProfileSet -> ProfileInfo,
    "pipe_open" PipeOpen -> PipeOpened,
    "pipe_wait" PipeWait -> PipeEnded,
    "pipe_write" PipeWrite -> Done,
    "pipe_read" PipeRead -> PipeData,
}

// Parameters hold what people write and the PINs they type: only the name is printed.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.method()).finish()
    }
}

// The connection itself answers this one, so it is no `Request`.
impl Call for Subscribe {
    const METHOD: &'static str = "subscribe";
    type Answer = Subscribed;
}

/// The parameters of a method; none at all stand for an empty object.
pub(crate) fn parameters<P: DeserializeOwned>(method: &str, params: &str) -> Result<P, Error> {
    let params = if params.is_empty() { "{}" } else { params };
    serde_json::from_str(params)
        .map_err(|error| Error::usage(format!("wrong parameters for {method}: {error}")))
}
