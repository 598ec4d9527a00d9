//! What one node asks another for outside of the log: parts of a file's sealed content, or what comes
//! out of a pipe.
//!
//! A request travels alone at the beginning of a stream of its own; what comes back on that stream
//! is the shell's matter, which proves every group of a content against its name.

use minicbor::{Decode, Encode, bytes::ByteArray};
use tenet_identity::encoding;
use tenet_log::ids::{BlobId, SessionId};

/// The most parts in one request (`NODE-25`): what is missing after many cuts is asked for in turns.
pub const MAX_SPANS: usize = 64;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ask {
    /// These parts of a content.
    #[n(0)]
    Blob(#[n(0)] BlobId, #[n(1)] Vec<Span>),
    /// What comes out of the other end of a pipe, from a place on (`NODE-27`).
    #[n(1)]
    Pipe(#[n(0)] Pipe),
}

/// One end of a pipe asks the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pipe {
    /// The session between the two ends.
    #[n(0)]
    pub session: SessionId,
    /// The asking end: random, another one each time that a pipe is opened.
    #[n(1)]
    pub end: ByteArray<16>,
    /// How many bytes of the other end are here; they need not be kept any more.
    #[n(2)]
    pub offset: u64,
}

/// Bytes of the sealed form, from `start` up to and without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Span {
    /// The first.
    #[n(0)]
    pub start: u64,
    /// The first that is not meant.
    #[n(1)]
    pub end: u64,
}

/// Why bytes are no request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Malformed.
    #[error("a request is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Parts that are none, too many, or not ascending.
    #[error("a request names no parts of a file, too many, or in no order")]
    Spans,
}

impl Ask {
    /// The request's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`AskError`] for what no honest node sends.
    pub fn decode(bytes: &[u8]) -> Result<Self, AskError> {
        let ask: Self = encoding::decode(bytes)?;
        let Self::Blob(_, spans) = &ask else {
            return Ok(ask);
        };
        let ascending = spans.iter().try_fold(0, |from, span| {
            (from <= span.start && span.start < span.end).then_some(span.end)
        });
        match ascending {
            Some(_) if (1..=MAX_SPANS).contains(&spans.len()) => Ok(ask),
            _ => Err(AskError::Spans),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn ask(spans: &[(u64, u64)]) -> Ask {
        let spans = spans.iter().map(|&(start, end)| Span { start, end });
        Ask::Blob(BlobId::from([0xab; 32]), spans.collect())
    }

    /// NODE-25: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let hex = HEXLOWER.encode(&ask(&[(0, 65_536), (131_072, 131_073)]).encode());
        let spans = "82820 01a00010000".replace(' ', "") + "821a000200001a00020001";
        assert_eq!(hex, format!("8200825820{}{spans}", "ab".repeat(32)));
    }

    /// NODE-27: the bytes that travel.
    #[test]
    fn a_pipe_has_these_bytes() {
        let pipe = Pipe {
            session: SessionId::from([0x5e; 32]),
            end: [0x77; 16].into(),
            offset: 9,
        };
        let bytes = Ask::Pipe(pipe).encode();
        let (session, end) = ("5e".repeat(32), "77".repeat(16));
        let expected = format!("820181835820{session}50{end}09");
        assert_eq!(HEXLOWER.encode(&bytes), expected);
        assert_eq!(Ask::decode(&bytes).unwrap(), Ask::Pipe(pipe));
    }

    /// NODE-25.
    #[test]
    fn parts_ascend_and_are_bounded() {
        let many: Vec<_> = (0..65).map(|n| (n * 2, n * 2 + 1)).collect();
        for bad in [
            &[][..],
            &[(1, 1)],
            &[(2, 1)],
            &[(0, 5), (4, 9)],
            &[(5, 9), (0, 1)],
            &many,
        ] {
            let bytes = ask(bad).encode();
            assert!(
                matches!(Ask::decode(&bytes), Err(AskError::Spans)),
                "{bad:?}"
            );
        }
        let full = ask(&many[..MAX_SPANS]);
        assert_eq!(Ask::decode(&full.encode()).unwrap(), full);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(ask) = Ask::decode(&bytes) {
                prop_assert_eq!(Ask::decode(&ask.encode()).unwrap(), ask);
            }
        }
    }
}
