//! The signed header of an event, as deterministic CBOR.
//!
//! A map with small integer keys; `spec/log.md` has the table. Bytes are kept as they came, so
//! fields that this version does not know survive, stay signed and are passed on (LOG-1).

use std::fmt;

use minicbor::{Decoder, Encoder, data::Type};
use tenet_identity::{encoding, keys::DeviceId};

use crate::{
    clock::Hlc,
    ids::{EventId, SessionId},
};

/// The largest header, in bytes (LOG-3).
pub const MAX_HEADER_BYTES: usize = 32 * 1024;
/// The largest payload of a roster operation, in bytes: a founding with sixteen cards.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024;
/// The most dependencies of an event; usual are one to three.
pub const MAX_DEPS: usize = 16;
/// The longest kind, in bytes.
const MAX_KIND_BYTES: usize = 32;

/// What sort of event: `app.action`, for instance `chat.text`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Box<str>);

impl Kind {
    /// A kind of 1 to 32 bytes of `a-z`, `0-9`, `.`, `-`.
    ///
    /// # Errors
    /// [`HeaderError::Kind`] for anything else.
    pub fn new(name: &str) -> Result<Self, HeaderError> {
        let fits = (1..=MAX_KIND_BYTES).contains(&name.len());
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        if fits && name.bytes().all(plain) {
            Ok(Self(name.into()))
        } else {
            Err(HeaderError::Kind)
        }
    }

    /// The kind's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether events of this kind change the roster.
    pub fn is_roster(&self) -> bool {
        self.0.starts_with("roster.")
    }
}

/// What an event carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// A detachable body, by its hash and size class.
    Body {
        /// See [`super::Body::hash`].
        hash: [u8; 32],
        /// See [`super::size_bucket`].
        bucket: u8,
    },
    /// Bytes in the header itself: roster operations and erasures.
    Payload(Vec<u8>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body { bucket, .. } => write!(f, "Body(below 2^{bucket} bytes, redacted)"),
            Self::Payload(bytes) => write!(f, "Payload({} bytes, redacted)", bytes.len()),
        }
    }
}

/// The fields of a header. See `spec/log.md`, "Header".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The session; absent in the founding event, whose id makes the session's.
    pub session: Option<SessionId>,
    /// The device that signs.
    pub device: DeviceId,
    /// The event that added the device; absent where this event does (founding, joining).
    pub added_by: Option<EventId>,
    /// Place in the author's chain, from 0.
    pub seq: u64,
    /// The event before it in the chain; absent at 0.
    pub prev: Option<EventId>,
    /// The heads of the session's graph that the author had seen, without `prev`; ascending.
    pub deps: Vec<EventId>,
    /// Hybrid logical time, later than that of `prev` and every dep.
    pub time: Hlc,
    /// What sort of event.
    pub kind: Kind,
    /// What it carries.
    pub content: Content,
    /// Unix milliseconds after which it need not be kept.
    pub expires: Option<u64>,
}

/// Why bytes are no header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not deterministic CBOR.
    #[error("header is not deterministic CBOR: {0}")]
    Encoding(#[from] encoding::Error),
    /// CBOR of another shape.
    #[error("header has the wrong shape: {0}")]
    Shape(#[from] minicbor::decode::Error),
    /// Over a limit.
    #[error("header is over the limit of {0}")]
    Limit(&'static str),
    /// A field is missing or contradicts another.
    #[error("header field {0} is missing or contradictory")]
    Field(&'static str),
    /// No valid kind.
    #[error("kind is not 1 to 32 bytes of a-z, 0-9, '.', '-'")]
    Kind,
}

mod key {
    pub(super) const SESSION: u32 = 1;
    pub(super) const DEVICE: u32 = 2;
    pub(super) const ADDED_BY: u32 = 3;
    pub(super) const SEQ: u32 = 4;
    pub(super) const PREV: u32 = 5;
    pub(super) const DEPS: u32 = 6;
    pub(super) const TIME: u32 = 7;
    pub(super) const KIND: u32 = 8;
    pub(super) const BODY: u32 = 9;
    pub(super) const BUCKET: u32 = 10;
    pub(super) const PAYLOAD: u32 = 11;
    pub(super) const EXPIRES: u32 = 12;
}

impl Header {
    /// The bytes that are hashed and signed.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::with_capacity(256));
        // Writing to a Vec is infallible; the error type says so.
        let Ok(()) = self.write(&mut out).map_err(infallible);
        out.into_writer()
    }

    fn write(
        &self,
        out: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        out.map(self.field_count())?;
        if let Some(session) = &self.session {
            out.u32(key::SESSION)?.bytes(session.as_bytes())?;
        }
        out.u32(key::DEVICE)?.bytes(self.device.as_bytes())?;
        if let Some(added_by) = &self.added_by {
            out.u32(key::ADDED_BY)?.bytes(added_by.as_bytes())?;
        }
        out.u32(key::SEQ)?.u64(self.seq)?;
        if let Some(prev) = &self.prev {
            out.u32(key::PREV)?.bytes(prev.as_bytes())?;
        }
        out.u32(key::DEPS)?.array(self.deps.len() as u64)?;
        for dep in &self.deps {
            out.bytes(dep.as_bytes())?;
        }
        out.u32(key::TIME)?.u64(self.time.raw())?;
        out.u32(key::KIND)?.str(self.kind.as_str())?;
        match &self.content {
            Content::Body { hash, bucket } => {
                out.u32(key::BODY)?.bytes(hash)?;
                out.u32(key::BUCKET)?.u8(*bucket)?;
            }
            Content::Payload(bytes) => {
                out.u32(key::PAYLOAD)?.bytes(bytes)?;
            }
        }
        if let Some(expires) = self.expires {
            out.u32(key::EXPIRES)?.u64(expires)?;
        }
        Ok(())
    }

    fn field_count(&self) -> u64 {
        let optional = [
            self.session.is_some(),
            self.added_by.is_some(),
            self.prev.is_some(),
        ];
        let content = match self.content {
            Content::Body { .. } => 2,
            Content::Payload(_) => 1,
        };
        5 + content
            + optional.into_iter().filter(|present| *present).count() as u64
            + u64::from(self.expires.is_some())
    }

    /// Reads a header, ignoring (but not forbidding) fields of later versions.
    ///
    /// # Errors
    /// [`HeaderError`] for anything that no honest device writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        if bytes.len() > MAX_HEADER_BYTES {
            return Err(HeaderError::Limit("32 KiB"));
        }
        encoding::check(bytes)?;
        let mut fields = Fields::default();
        let mut input = Decoder::new(bytes);
        let count = input.map()?.ok_or(HeaderError::Field("map"))?;
        for _ in 0..count {
            fields.read(&mut input)?;
        }
        fields.finish()
    }
}

fn infallible(
    error: minicbor::encode::Error<core::convert::Infallible>,
) -> core::convert::Infallible {
    // Our encoders only fail in the writer, and a Vec never does.
    unreachable!("{error}")
}

/// A header while it is read: every field may still be missing.
#[derive(Default)]
struct Fields {
    session: Option<SessionId>,
    device: Option<DeviceId>,
    added_by: Option<EventId>,
    seq: Option<u64>,
    prev: Option<EventId>,
    deps: Option<Vec<EventId>>,
    time: Option<u64>,
    kind: Option<Kind>,
    body: Option<[u8; 32]>,
    bucket: Option<u8>,
    payload: Option<Vec<u8>>,
    expires: Option<u64>,
}

impl Fields {
    fn read(&mut self, input: &mut Decoder<'_>) -> Result<(), HeaderError> {
        if !matches!(input.datatype()?, Type::U8 | Type::U16 | Type::U32) {
            input.skip()?;
            input.skip()?;
            return Ok(());
        }
        match input.u32()? {
            key::SESSION => self.session = Some(input.decode()?),
            key::DEVICE => self.device = Some(input.decode()?),
            key::ADDED_BY => self.added_by = Some(input.decode()?),
            key::SEQ => self.seq = Some(input.u64()?),
            key::PREV => self.prev = Some(input.decode()?),
            key::DEPS => self.deps = Some(read_deps(input)?),
            key::TIME => self.time = Some(input.u64()?),
            key::KIND => self.kind = Some(Kind::new(input.str()?)?),
            key::BODY => self.body = Some(input.decode::<EventId>()?.into()),
            key::BUCKET => self.bucket = Some(input.u8()?),
            key::PAYLOAD => self.payload = Some(read_payload(input)?),
            key::EXPIRES => self.expires = Some(input.u64()?),
            _ => input.skip()?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Header, HeaderError> {
        let content = match (self.body, self.bucket, self.payload) {
            (Some(hash), Some(bucket), None) => Content::Body { hash, bucket },
            (None, None, Some(payload)) => Content::Payload(payload),
            _ => return Err(HeaderError::Field("content")),
        };
        let seq = self.seq.ok_or(HeaderError::Field("seq"))?;
        let adds_itself = self.added_by.is_none();
        // A chain begins at 0 without a predecessor, and whoever adds itself does it at 0.
        if (seq == 0) != self.prev.is_none() || (seq > 0 && adds_itself) {
            return Err(HeaderError::Field("prev"));
        }
        Ok(Header {
            session: self.session,
            device: self.device.ok_or(HeaderError::Field("device"))?,
            added_by: self.added_by,
            seq,
            prev: self.prev,
            deps: self.deps.ok_or(HeaderError::Field("deps"))?,
            time: Hlc::from_raw(self.time.ok_or(HeaderError::Field("time"))?),
            kind: self.kind.ok_or(HeaderError::Field("kind"))?,
            content,
            expires: self.expires,
        })
    }
}

fn read_deps(input: &mut Decoder<'_>) -> Result<Vec<EventId>, HeaderError> {
    let count = input.array()?.ok_or(HeaderError::Field("deps"))?;
    if count > MAX_DEPS as u64 {
        return Err(HeaderError::Limit("16 dependencies"));
    }
    let mut deps: Vec<EventId> = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let dep = input.decode()?;
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(HeaderError::Field("deps"));
        }
        deps.push(dep);
    }
    Ok(deps)
}

fn read_payload(input: &mut Decoder<'_>) -> Result<Vec<u8>, HeaderError> {
    let bytes = input.bytes()?;
    if bytes.len() > MAX_PAYLOAD_BYTES {
        return Err(HeaderError::Limit("16 KiB of payload"));
    }
    Ok(bytes.to_vec())
}
