//! Bytes as a text that is kept in a file or sent by mail: a scheme and base64url (RFC 4648).

use data_encoding::BASE64URL_NOPAD;

/// Why a text carries no bytes.
pub(crate) enum Error {
    /// It does not begin with the scheme.
    Scheme,
    /// Not base64url, or too long.
    Damaged,
}

/// The text that carries bytes.
pub(crate) fn write(scheme: &str, bytes: &[u8]) -> String {
    format!("{scheme}{}", BASE64URL_NOPAD.encode(bytes))
}

/// The bytes that a text carries, in at most `most` characters behind its scheme; white space is
/// ignored, wherever a line was broken.
pub(crate) fn read(text: &str, scheme: &str, most: usize) -> Result<Vec<u8>, Error> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let rest = text.strip_prefix(scheme).ok_or(Error::Scheme)?;
    if rest.len() > most {
        return Err(Error::Damaged);
    }
    let bytes = BASE64URL_NOPAD.decode(rest.as_bytes());
    bytes.map_err(|_| Error::Damaged)
}
