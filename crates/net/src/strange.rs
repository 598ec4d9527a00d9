//! What the decoders of this crate make of a stranger's bytes, for fuzzing.
//!
//! Not part of the interface.

use bytes::Bytes;

use crate::{EndpointId, frame, lan};

/// The frames in a stream that comes in pieces of so many bytes; one that is not whole is left out.
///
/// # Errors
/// Why it is no stream of frames of at most `limit` bytes.
pub fn frames(stream: &[u8], piece: usize, limit: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut decoder = frame::Decoder::default();
    let mut frames = Vec::new();
    for piece in stream.chunks(piece.max(1)) {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            if decoder.at_header() {
                let length = decoder.length(&mut input, limit);
                if length.map_err(|error| error.to_string())?.is_none() {
                    break;
                }
            }
            match decoder.body(&mut input) {
                Some(frame) => frames.push(frame),
                None => break,
            }
        }
    }
    Ok(frames)
}

/// The endpoint that announces itself under this name (`NET-18`).
pub fn endpoint(label: &str) -> Option<EndpointId> {
    lan::endpoint(label)
}

/// The name under which an endpoint announces itself.
pub fn label(endpoint: EndpointId) -> String {
    lan::label(endpoint)
}
