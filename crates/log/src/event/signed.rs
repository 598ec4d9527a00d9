//! Events as they travel and as they are believed: two types, one crossing (LOG-2).

use std::{fmt, sync::Arc};

use minicbor::{Decoder, Encoder};
use tenet_identity::{
    domain::derive,
    encoding,
    keys::{DeviceKey, Signature},
};

use super::{Body, Content, Header, HeaderError, MAX_BODY_BYTES, MAX_HEADER_BYTES, size_bucket};
use crate::{
    clock::Hlc,
    domain::{EVENT_ID, EVENT_SIGNATURE, SESSION_ID},
    ids::{Author, EventId, SessionId},
    order::OrderKey,
};

/// An event whose signature, hashes and sizes hold.
///
/// Whether its author may say it is the roster's question, not this type's.
#[derive(Clone)]
pub struct Event {
    id: EventId,
    session: SessionId,
    header: Arc<Header>,
    encoded: Arc<[u8]>,
    signature: Signature,
    body: Option<Arc<Body>>,
}

/// An event off the wire: well formed, not yet believed.
#[derive(Clone, Debug)]
pub struct Unverified(pub(super) Event);

/// Why bytes are no event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The frame around header, signature and body is malformed.
    #[error("event is not deterministic CBOR: {0}")]
    Encoding(#[from] encoding::Error),
    /// CBOR of another shape.
    #[error("event has the wrong shape: {0}")]
    Shape(#[from] minicbor::decode::Error),
    /// The header is not one.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The body is not the one that the header commits to.
    #[error("event body does not match its header")]
    Body,
    /// The body or header is too large.
    #[error("event is over the limit of {0} bytes")]
    TooLarge(usize),
    /// The signature is not the device's.
    #[error("event is signed wrongly")]
    Signature,
}

impl Event {
    /// Signs a header (and the body it commits to) with the author's device key.
    pub fn sign(key: &DeviceKey, header: Header, body: Option<Body>) -> Self {
        let encoded = header.encode();
        let id = EventId::from(derive(EVENT_ID, &[&encoded]));
        let signature = key.sign(EVENT_SIGNATURE, id.as_bytes());
        Self::assemble(header, encoded.into(), signature, body, id)
    }

    /// The event back from a store that keeps only what was verified.
    ///
    /// # Errors
    /// [`EventError`] where the stored bytes are damaged.
    pub fn trusted(
        encoded: Vec<u8>,
        signature: Signature,
        body: Option<Body>,
    ) -> Result<Self, EventError> {
        let header = Header::decode(&encoded)?;
        let id = EventId::from(derive(EVENT_ID, &[&encoded]));
        Ok(Self::assemble(header, encoded.into(), signature, body, id))
    }

    fn assemble(
        header: Header,
        encoded: Arc<[u8]>,
        signature: Signature,
        body: Option<Body>,
        id: EventId,
    ) -> Self {
        let session = header
            .session
            .unwrap_or_else(|| SessionId::from(derive(SESSION_ID, &[id.as_bytes()])));
        Self {
            id,
            session,
            header: Arc::new(header),
            encoded,
            signature,
            body: body.map(Arc::new),
        }
    }

    /// The event's id.
    pub fn id(&self) -> EventId {
        self.id
    }

    /// The session it belongs to.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header's bytes as they were signed.
    pub fn encoded_header(&self) -> &[u8] {
        &self.encoded
    }

    /// The device's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Its body, where it has one and still holds it.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_deref()
    }

    /// Whether the body that its header commits to is not with it (LOG-15).
    pub fn is_bare(&self) -> bool {
        self.body.is_none() && matches!(self.header.content, Content::Body { .. })
    }

    /// The same event without its body.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self {
            body: None,
            ..self.clone()
        }
    }

    /// Whether by a clock that says `now` (Unix milliseconds) its body need not be kept any more.
    pub fn is_expired(&self, now: u64) -> bool {
        self.header.expires.is_some_and(|at| at <= now)
    }

    /// Whether it was said before a floor (ROS-515). Operations are for everybody.
    pub fn is_below(&self, floor: Hlc) -> bool {
        !self.header.kind.is_roster() && self.header.time < floor
    }

    /// Who wrote it.
    pub fn author(&self) -> Author {
        let added_by = self.header.added_by.unwrap_or(self.id);
        Author {
            device: self.header.device,
            added_by,
        }
    }

    /// Where it stands in the total order.
    pub fn order(&self) -> OrderKey {
        OrderKey {
            time: self.header.time,
            author: self.author(),
            seq: self.header.seq,
            id: self.id,
        }
    }

    /// Its immediate causal past: `prev`, or at a chain's beginning the event that added the device
    /// (LOG-5); and every dep.
    pub fn parents(&self) -> impl Iterator<Item = EventId> + '_ {
        let header = &self.header;
        let before = header.prev.or(header.added_by);
        before.into_iter().chain(header.deps.iter().copied())
    }

    /// How many bytes it takes on the wire, within a few.
    pub fn wire_len(&self) -> usize {
        self.encoded.len() + 64 + 16 + self.body().map_or(0, |body| body.bytes.len() + 40)
    }

    /// The event as it travels: `[header, signature]` or `[header, signature, salt, body]`.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::with_capacity(self.wire_len()));
        // Writing to a Vec cannot fail; the signature of the encoder forces the Result.
        let _: Result<(), minicbor::encode::Error<core::convert::Infallible>> = (|| {
            out.array(if self.body.is_some() { 4 } else { 2 })?;
            out.bytes(&self.encoded)?.bytes(self.signature.as_bytes())?;
            if let Some(body) = self.body() {
                out.bytes(&body.salt)?.bytes(&body.bytes)?;
            }
            Ok(())
        })();
        out.into_writer()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, kind) = (self.id, self.header.kind.as_str());
        write!(f, "Event({id:?}, {kind}, redacted)")
    }
}

impl Unverified {
    /// Reads an event off the wire and checks all but its signature.
    ///
    /// # Errors
    /// [`EventError`] for anything that no honest device sends.
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        const MAX: usize = MAX_HEADER_BYTES + MAX_BODY_BYTES + 256;
        if bytes.len() > MAX {
            return Err(EventError::TooLarge(MAX));
        }
        encoding::check(bytes)?;
        let mut input = Decoder::new(bytes);
        let parts = input.array()?.unwrap_or(0);
        let encoded = input.bytes()?.to_vec();
        let signature = Signature::try_from(input.bytes()?).map_err(|_| EventError::Signature)?;
        let body = match parts {
            2 => None,
            4 => Some(Body {
                salt: read_salt(&mut input)?,
                bytes: input.bytes()?.to_vec(),
            }),
            _ => return Err(EventError::Body),
        };
        let header = Header::decode(&encoded)?;
        check_body(&header, body.as_ref())?;
        let id = EventId::from(derive(EVENT_ID, &[&encoded]));
        Ok(Self(Event::assemble(
            header,
            encoded.into(),
            signature,
            body,
            id,
        )))
    }

    /// The session that it says it belongs to.
    pub fn session(&self) -> SessionId {
        self.0.session
    }

    /// Its id.
    pub fn id(&self) -> EventId {
        self.0.id
    }

    /// The chain that it says it is on, and its place there.
    pub fn place(&self) -> (Author, u64) {
        (self.0.author(), self.0.header.seq)
    }
}

fn read_salt(input: &mut Decoder<'_>) -> Result<[u8; 32], EventError> {
    <[u8; 32]>::try_from(input.bytes()?).map_err(|_| EventError::Body)
}

fn check_body(header: &Header, body: Option<&Body>) -> Result<(), EventError> {
    match (&header.content, body) {
        // LOG-15: a body may have been erased, or have expired, where the event comes from.
        (Content::Payload(_) | Content::Body { .. }, None) => Ok(()),
        (Content::Body { hash, bucket }, Some(body)) => {
            if body.bytes.len() > MAX_BODY_BYTES {
                return Err(EventError::TooLarge(MAX_BODY_BYTES));
            }
            let matches = *hash == body.hash() && *bucket == size_bucket(body.bytes.len());
            if matches {
                Ok(())
            } else {
                Err(EventError::Body)
            }
        }
        (Content::Payload(_), Some(_)) => Err(EventError::Body),
    }
}
