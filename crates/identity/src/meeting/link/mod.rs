//! Links: the one line of text that lets another person find me and knock.
//!
//! ```text
//! tenet: ‖ base64url(public key) ‖ . ‖ base64url(service) ‖ . ‖ base64url(check ‖ ext)
//!          49 bytes                    UTF-8, may be empty      4 bytes   CBOR map
//! ```
//!
//! Whoever has the link can knock, so its text is a secret: it is zeroized and not printed.

mod form;

use std::{fmt, net::SocketAddr, net::SocketAddrV6};

use data_encoding::{BASE64URL_NOPAD, DecodeKind};
use zeroize::Zeroizing;

use super::{
    door::Place,
    invite::{BadKey, InvitePublic, Secret},
};
use crate::{
    domain::{LINK_CHECK, derive_framed},
    encoding,
    keys::{EndpointId, IdentityId, WeakKey},
    name,
};
use form::Form;

/// The version of the link form that this crate writes and reads.
pub const VERSION: u16 = 1;
/// How many addresses a link may carry; more would make its QR code hard to read.
pub const MAX_ADDRESSES: usize = 16;
/// How many further members' devices a link into a group may name: with its maker's own four, so that one that is
/// switched off does not make it useless.
pub const MAX_PLACES: usize = 3;
/// How many addresses each of those may have, for the same reason as above.
pub const MAX_PLACE_ADDRESSES: usize = 4;
/// The longest service URL, in bytes.
pub const MAX_SERVICE_BYTES: usize = 512;
/// The longest text that is read as a link, in characters; those of today have at most 2,044.
pub const MAX_CHARACTERS: usize = 4096;

/// What a person gives to another one so that the two become contacts.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    invite: InvitePublic,
    service: Option<String>,
    ext: Ext,
}

/// Who invites, where, and until when.
#[derive(Clone, PartialEq, Eq)]
pub struct Ext {
    /// The inviter: an answer by anybody else is refused.
    pub identity: IdentityId,
    /// The endpoint to dial.
    pub endpoint: EndpointId,
    /// Where it was when the link was made; at most [`MAX_ADDRESSES`].
    pub addresses: Vec<SocketAddr>,
    /// What a knock proves to know.
    pub secret: Secret,
    /// The first moment when the link is no longer valid, in Unix milliseconds.
    pub expires_ms: u64,
    /// Whether more than one person may use it.
    pub reusable: bool,
    /// What the inviter calls themself.
    pub name: Option<String>,
    /// Whether it lets in another device of the same identity, instead of somebody else (DLINK-6).
    pub device: bool,
    /// The group into which it leads, instead of to a person (GLINK-1).
    pub group: Option<Group>,
}

/// The group into which a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The session's id.
    pub session: [u8; 32],
    /// The event that opened the link.
    pub opening: [u8; 32],
    /// What it was called when the link was made.
    pub name: String,
    /// Where further members are met; at most [`MAX_PLACES`].
    pub places: Vec<Place>,
    /// Whether somebody there is asked first.
    pub consent: bool,
}

/// Why a text is no link that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It does not begin with `tenet:`.
    #[error("not a Tenet link: a link begins with \"tenet:\"")]
    NotALink,
    /// More than [`MAX_CHARACTERS`].
    #[error("too long for a Tenet link")]
    TooLong,
    /// Its end is missing.
    #[error("the link is incomplete: its end is missing; copy it again as a whole")]
    Truncated,
    /// A character was changed, added or lost.
    #[error("the link was altered on its way; copy it again")]
    Altered,
    /// Made by a newer program.
    #[error("the link is of version {version}, made by a newer program: update this one")]
    Newer {
        /// The link's version.
        version: u16,
    },
    /// Whole, but not of the expected form: its maker is at fault.
    #[error("the link is whole, but its contents are not of the expected form")]
    Encoding(#[from] encoding::Error),
    /// Whole, but its invite key is none.
    #[error("the link is whole, but its key is none")]
    Invite(#[from] BadKey),
    /// Whole, but with contents that are not allowed.
    #[error("the link has contents that are not allowed")]
    Limit(#[from] LimitError),
}

/// Why a link cannot have such contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The inviter's identity is a weak key.
    #[error(transparent)]
    Weak(#[from] WeakKey),
    /// More than [`MAX_ADDRESSES`].
    #[error("{got} addresses; at most 16 are allowed")]
    Addresses {
        /// How many there are.
        got: usize,
    },
    /// An empty service, or one of more than [`MAX_SERVICE_BYTES`].
    #[error("a service of {got} bytes; 1 to 512 are allowed")]
    Service {
        /// The bytes of its URL.
        got: usize,
    },
    /// The inviter's name, or the group's, is not allowed.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// More than [`MAX_PLACES`], or one with more than [`MAX_PLACE_ADDRESSES`].
    #[error("too many places where a group is met")]
    Places,
    /// It leads into a group and lets in a device of one's own.
    #[error("a link that leads to two things")]
    Twofold,
}

impl Link {
    /// A link with these contents.
    ///
    /// Scope and flow of IPv6 addresses are dropped: they mean nothing on another machine.
    ///
    /// # Errors
    /// [`LimitError`].
    pub fn new(
        invite: InvitePublic,
        service: Option<String>,
        mut ext: Ext,
    ) -> Result<Self, LimitError> {
        ext.identity.check()?;
        if ext.addresses.len() > MAX_ADDRESSES {
            return Err(LimitError::Addresses {
                got: ext.addresses.len(),
            });
        }
        if let Some(got) = service.as_ref().map(String::len)
            && (got == 0 || got > MAX_SERVICE_BYTES)
        {
            return Err(LimitError::Service { got });
        }
        name::check(ext.name.as_deref().unwrap_or_default())?;
        if let Some(group) = &ext.group {
            group.check(ext.device)?;
        }
        let places = ext.group.iter_mut().flat_map(|group| &mut group.places);
        let places = places.flat_map(|place| &mut place.addresses);
        for address in ext.addresses.iter_mut().chain(places) {
            if let SocketAddr::V6(v6) = address {
                *v6 = SocketAddrV6::new(*v6.ip(), v6.port(), 0, 0);
            }
        }
        Ok(Self {
            invite,
            service,
            ext,
        })
    }

    /// Reads a link; white space in and around it is ignored, as mail programs break lines.
    ///
    /// Whether it has expired is [`Self::expired_at`].
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_CHARACTERS {
            return Err(Error::TooLong);
        }
        let mut line = Zeroizing::new(String::with_capacity(text.len()));
        line.extend(text.chars().filter(|character| !character.is_whitespace()));
        let scheme = line
            .get(..SCHEME.len())
            .filter(|start| start.eq_ignore_ascii_case(SCHEME));
        let rest = scheme
            .and_then(|scheme| line.get(scheme.len()..))
            .ok_or(Error::NotALink)?;
        let mut parts = rest.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(invite), Some(service), Some(ext), None) => Self::read(invite, service, ext),
            (.., None) => Err(Error::Truncated),
            _ => Err(Error::Altered),
        }
    }

    /// The link as text (LINK-1); it holds the secret.
    pub fn text(&self) -> Zeroizing<String> {
        let service = self.service.as_deref().unwrap_or_default();
        let form = Zeroizing::new(encoding::encode(&Form::of(&self.ext)));
        let check = check(self.invite.as_bytes(), service.as_bytes(), &form);
        let mut ext = Zeroizing::new(Vec::with_capacity(check.len() + form.len()));
        ext.extend_from_slice(&check);
        ext.extend_from_slice(&form);
        let mut text = Zeroizing::new(String::with_capacity(MAX_CHARACTERS));
        text.push_str(SCHEME);
        BASE64URL_NOPAD.encode_append(self.invite.as_bytes(), &mut text);
        text.push('.');
        BASE64URL_NOPAD.encode_append(service.as_bytes(), &mut text);
        text.push('.');
        BASE64URL_NOPAD.encode_append(&ext, &mut text);
        text
    }

    /// The public key of the invite, which also names it.
    pub fn invite(&self) -> &InvitePublic {
        &self.invite
    }

    /// The URL of a service that takes messages for the inviter, where there is one.
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Who invites, where, and until when.
    pub fn ext(&self) -> &Ext {
        &self.ext
    }

    /// Where it leads: its maker's endpoint, and those of further members of a group.
    pub fn places(&self) -> impl Iterator<Item = (EndpointId, &[SocketAddr])> {
        let further = self.ext.group.iter().flat_map(|group| &group.places);
        let further = further.map(|place| (place.endpoint, place.addresses.as_slice()));
        std::iter::once((self.ext.endpoint, self.ext.addresses.as_slice())).chain(further)
    }

    /// Whether the link is no longer valid at `now_ms`.
    pub fn expired_at(&self, now_ms: u64) -> bool {
        now_ms >= self.ext.expires_ms
    }

    /// LINK-3. The check, the version, the contents: each error says what is really wrong.
    fn read(invite: &str, service: &str, ext: &str) -> Result<Self, Error> {
        let ext = decode_last(ext)?;
        let (given, form) = ext.split_at_checked(4).ok_or(Error::Truncated)?;
        let whole = part(invite).zip(part(service)).filter(|(invite, service)| {
            // A checksum, no secret: the comparison may stop early.
            check(invite, service, form).as_slice() == given
        });
        let (invite, service) = whole.ok_or_else(|| cut_or_altered(form))?;
        let ext = Form::read(form)?;
        let service = String::from_utf8(service).map_err(|_| Error::Altered)?;
        let service = Some(service).filter(|service| !service.is_empty());
        Ok(Self::new(
            InvitePublic::try_from(invite.as_slice())?,
            service,
            ext,
        )?)
    }
}

impl Group {
    /// GLINK-1
    fn check(&self, device: bool) -> Result<(), LimitError> {
        let crowded = |place: &Place| place.addresses.len() > MAX_PLACE_ADDRESSES;
        if self.places.len() > MAX_PLACES || self.places.iter().any(crowded) {
            return Err(LimitError::Places);
        }
        if device {
            return Err(LimitError::Twofold);
        }
        Ok(name::check(&self.name)?)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({:?})", self.invite.id())
    }
}

impl fmt::Debug for Ext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ext(by {:?})", self.identity)
    }
}

const SCHEME: &str = "tenet:";

/// LINK-2. Four bytes over all parts: one altered link in four thousand million goes unnoticed here, and
/// fails at the knock.
fn check(invite: &[u8], service: &[u8], form: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = derive_framed(LINK_CHECK, &[invite, service, form]);
    [a, b, c, d]
}

fn part(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

/// Decodes the last part; where the text ends within a byte, what is before it decides the error.
fn decode_last(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let error = match BASE64URL_NOPAD.decode(text.as_bytes()) {
        Ok(bytes) => return Ok(Zeroizing::new(bytes)),
        Err(error) => error,
    };
    if error.kind == DecodeKind::Symbol {
        return Err(Error::Altered);
    }
    let whole = text
        .get(..text.len() / 4 * 4)
        .and_then(part)
        .map(Zeroizing::new);
    let whole = whole.ok_or(Error::Altered)?;
    Err(cut_or_altered(whole.get(4..).unwrap_or_default()))
}

/// The contents end early exactly if characters are missing at the end.
fn cut_or_altered(form: &[u8]) -> Error {
    match encoding::check(form) {
        Err(encoding::Error::Truncated { .. }) => Error::Truncated,
        _ => Error::Altered,
    }
}

#[cfg(test)]
mod tests;
