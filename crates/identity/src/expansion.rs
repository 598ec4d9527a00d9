//! What [`crate::byte_id!`] expands to, for crates that do not depend on it themselves.

pub use minicbor;

use crate::keys::ParseError;

/// Lowercase hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The bytes of lowercase hexadecimal.
///
/// # Errors
/// [`ParseError::Hexadecimal`].
pub fn from_hex(text: &str) -> Result<Vec<u8>, ParseError> {
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .map_err(|_| ParseError::Hexadecimal)
}
