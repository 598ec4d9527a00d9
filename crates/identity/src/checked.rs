//! Forms that say their version first, and forms that say themselves whether they are whole.
//!
//! ```text
//! [ body (byte string), check: the first 8 bytes of derive(domain, body) ]
//! ```

use minicbor::{Decode, Encode};

use crate::{domain::derive, encoding};

/// The version that stands first in every stored form.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct Version {
    #[n(0)]
    pub(crate) version: u16,
}

/// A body with its check: damage is seen before anything is tried with it.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(crate) struct Checked {
    #[cbor(n(0), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    check: [u8; 8],
}

impl Checked {
    /// Puts a check beside a body.
    pub(crate) fn new(domain: &'static str, body: Vec<u8>) -> Self {
        let check = check(domain, &body);
        Self { body, check }
    }

    /// The stored form.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The body, if it is whole.
    pub(crate) fn body(&self, domain: &'static str) -> Option<&[u8]> {
        (check(domain, &self.body) == self.check).then_some(&*self.body)
    }
}

fn check(domain: &'static str, body: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = derive(domain, &[body]);
    [a, b, c, d, e, f, g, h]
}
