//! Frames on a stream: a length, then as many bytes (`NET-7`).
//!
//! ```text
//! ┌──────────────┬───────────────────────┐
//! │ u32, big end │ 1 … limit bytes       │   repeated until the stream ends
//! └──────────────┴───────────────────────┘
//! ```

use bytes::{Buf, Bytes};

/// The bytes of a length.
pub(crate) const HEADER: usize = 4;

/// How much is set aside for a frame before its bytes are there.
///
/// A length is only a claim: a peer that announces 1 MiB and sends nothing costs 64 KiB.
const RESERVE: usize = 64 << 10;

/// Why bytes are no frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// A frame without bytes says nothing.
    #[error("an empty frame")]
    Empty,
    /// A frame is longer than this peer may send.
    #[error("a frame of {length} bytes where at most {limit} are allowed")]
    Oversized { length: usize, limit: usize },
}

/// Takes a stream apart into frames; holds at most the one that is under way.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    header: [u8; HEADER],
    /// How much of `header` is there.
    have: usize,
    /// The frame under way, once its length is known.
    body: Option<Body>,
}

#[derive(Debug)]
struct Body {
    bytes: Vec<u8>,
    length: usize,
}

/// The length that stands before a frame; `None` if no peer would take such a frame.
pub(crate) fn header(length: usize, limit: usize) -> Option<[u8; HEADER]> {
    let fits = length > 0 && length <= limit;
    fits.then(|| u32::try_from(length).ok().map(u32::to_be_bytes))
        .flatten()
}

impl Decoder {
    /// Whether the next byte belongs to a length, so that `limit` matters to the next call.
    pub(crate) fn at_header(&self) -> bool {
        self.body.is_none()
    }

    /// Whether nothing is under way: the stream may end here.
    pub(crate) fn is_between(&self) -> bool {
        self.have == 0 && self.body.is_none()
    }

    /// Takes bytes off `input` until a length is known and returns it; `None` if more are needed.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the frame would be empty or longer than `limit`; the stream is of no use
    /// afterwards.
    pub(crate) fn length(
        &mut self,
        input: &mut Bytes,
        limit: usize,
    ) -> Result<Option<usize>, FrameError> {
        while let Some(slot) = self.header.get_mut(self.have) {
            if !input.has_remaining() {
                return Ok(None);
            }
            *slot = input.get_u8();
            self.have += 1;
        }
        let length = u32::from_be_bytes(self.header) as usize;
        match length {
            0 => Err(FrameError::Empty),
            length if length > limit => Err(FrameError::Oversized { length, limit }),
            length => {
                let bytes = Vec::with_capacity(length.min(RESERVE));
                self.body = Some(Body { bytes, length });
                self.have = 0;
                Ok(Some(length))
            }
        }
    }

    /// Takes bytes off `input` until the frame is whole and returns it; `None` if more are needed
    /// or no length is known.
    pub(crate) fn body(&mut self, input: &mut Bytes) -> Option<Vec<u8>> {
        let body = self.body.as_mut()?;
        let missing = body.length.saturating_sub(body.bytes.len());
        let part = input.split_to(missing.min(input.len()));
        body.bytes.extend_from_slice(&part);
        if body.bytes.len() < body.length {
            return None;
        }
        self.body.take().map(|body| body.bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1000;

    fn encode(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for frame in frames {
            out.extend_from_slice(&header(frame.len(), LIMIT).unwrap());
            out.extend_from_slice(frame);
        }
        out
    }

    fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Vec<u8>>, FrameError> {
        let mut input = Bytes::copy_from_slice(bytes);
        let mut frames = Vec::new();
        loop {
            if decoder.at_header() && decoder.length(&mut input, LIMIT)?.is_none() {
                return Ok(frames);
            }
            match decoder.body(&mut input) {
                Some(frame) => frames.push(frame),
                None => return Ok(frames),
            }
        }
    }

    #[test]
    fn bytes_of_two_frames() {
        let bytes = encode(&[b"tenet".to_vec(), vec![0xff]]);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&bytes),
            "0000000574656e657400000001ff"
        );
    }

    #[test]
    fn an_empty_frame_is_refused() {
        let result = decode(&mut Decoder::default(), &[0, 0, 0, 0]);
        assert_eq!(result, Err(FrameError::Empty));
        assert_eq!(header(0, LIMIT), None);
    }

    #[test]
    fn a_long_frame_is_refused_at_its_length() {
        let result = decode(&mut Decoder::default(), &[0, 0, 3, 0xe9]);
        assert_eq!(
            result,
            Err(FrameError::Oversized {
                length: 1001,
                limit: LIMIT
            })
        );
        assert_eq!(header(LIMIT + 1, LIMIT), None);
        assert_eq!(header(LIMIT, LIMIT), Some([0, 0, 3, 0xe8]));
    }

    #[test]
    fn a_claimed_length_reserves_little() {
        let mut decoder = Decoder::default();
        let mut input = Bytes::from_static(&[0, 0x10, 0, 0]);
        assert_eq!(decoder.length(&mut input, 1 << 20), Ok(Some(1 << 20)));
        assert!(decoder.body.unwrap().bytes.capacity() <= RESERVE);
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_are_cut(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=LIMIT), 0..8),
            cuts in prop::collection::vec(1usize..700, 0..40),
        ) {
            let bytes = encode(&frames);
            let mut decoder = Decoder::default();
            let mut out = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                out.extend(decode(&mut decoder, part).unwrap());
                rest = after;
            }
            out.extend(decode(&mut decoder, rest).unwrap());
            prop_assert_eq!(out, frames);
            prop_assert!(decoder.is_between());
        }

        #[test]
        fn any_bytes_are_taken_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
            let mut decoder = Decoder::default();
            if let Ok(frames) = decode(&mut decoder, &bytes) {
                prop_assert!(frames.iter().all(|frame| (1..=LIMIT).contains(&frame.len())));
            }
        }
    }
}
