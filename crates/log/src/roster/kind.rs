//! Names of the roster events' kinds.

/// Founds a session.
pub const FOUND: &str = "roster.found";
/// A device of a member identity adds itself.
pub const JOIN: &str = "roster.join";
/// A device adds another device of its own identity.
pub const ADD_DEVICE: &str = "roster.add-device";
/// A device takes out another device of its own identity.
pub const REMOVE_DEVICE: &str = "roster.remove-device";
/// Somebody hands in an identity's statement that a device is no longer its own.
pub const REVOKE: &str = "roster.revoke";
/// An identity leaves with all its devices.
pub const LEAVE: &str = "roster.leave";
/// An identity becomes a member.
pub const ADD: &str = "roster.add";
/// A stranger comes in by a link.
pub const JOIN_LINK: &str = "roster.join-link";
/// A member gets a higher role.
pub const PROMOTE: &str = "roster.promote";
/// A member gets a lower role, or gives up a higher one.
pub const DEMOTE: &str = "roster.demote";
/// An identity is taken out.
pub const REMOVE: &str = "roster.remove";
/// A member loses the word, for a time or for good.
pub const MUTE: &str = "roster.mute";
/// A member gets the word back.
pub const UNMUTE: &str = "roster.unmute";
/// A link lets strangers in.
pub const OPEN_LINK: &str = "roster.open-link";
/// A link lets nobody more in.
pub const CLOSE_LINK: &str = "roster.close-link";
/// The policy becomes another.
pub const POLICY: &str = "roster.policy";
/// A setting of the session: its name, its description, …
pub const SET: &str = "roster.set";
/// Another's event is withdrawn, for a reason.
pub const WITHDRAW: &str = "roster.withdraw";
/// Links let in somebody again whom a removal had shut out.
pub const UNBLOCK: &str = "roster.unblock";
/// Somebody who asked to come in does not.
pub const REFUSE: &str = "roster.refuse";
/// The session ends for all.
pub const DISSOLVE: &str = "roster.dissolve";

/// All of them.
pub(super) const ALL: [&str; 21] = [
    FOUND,
    JOIN,
    ADD_DEVICE,
    REMOVE_DEVICE,
    REVOKE,
    LEAVE,
    ADD,
    JOIN_LINK,
    PROMOTE,
    DEMOTE,
    REMOVE,
    MUTE,
    UNMUTE,
    OPEN_LINK,
    CLOSE_LINK,
    POLICY,
    SET,
    WITHDRAW,
    UNBLOCK,
    REFUSE,
    DISSOLVE,
];

/// Whether this version knows what events of this kind do to the roster.
pub fn is_known(kind: &str) -> bool {
    ALL.contains(&kind)
}
