//! Domain strings: every derivation and signature of this crate, each with the attack it stops.
//!
//! A hash or signature made for one purpose must be worthless for any other. So each has a string
//! of its own that enters the computation, and none is used twice.

/// Identity keys from a phrase: no other program's key from the same seed is ours, or ours theirs.
pub const IDENTITY_KEY: &str = "tenet v1 identity";

/// Device card ids: the bytes of a card never hash to the id of anything else that is signed.
pub const CARD_ID: &str = "tenet v1 card id";
/// Device card signatures: an identity's signature elsewhere certifies no device.
pub const CARD_SIGNATURE: &str = "tenet v1 card signature";
/// Revocation ids: a card is never read as its own revocation.
pub const REVOCATION_ID: &str = "tenet v1 revocation id";
/// Revocation signatures: an identity's signature elsewhere revokes no device.
pub const REVOCATION_SIGNATURE: &str = "tenet v1 revocation signature";

/// The binding of a hello: one connection, one direction, two endpoints; no relay and no replay.
pub const HELLO_BINDING: &str = "tenet v1 hello binding";
/// Hello signatures: a device's signature over an event never opens a connection in its name.
pub const HELLO_SIGNATURE: &str = "tenet v1 hello signature";

/// Invite ids: they name an invite in lists and knocks without giving away its secret.
pub const INVITE_ID: &str = "tenet v1 invite id";
/// The check within a link: an altered or cut link is noticed before anything is dialled.
pub const LINK_CHECK: &str = "tenet v1 link check";
/// Keys of knock proofs: a proof shows the link's secret and reveals nothing of it.
pub const KNOCK_KEY: &str = "tenet v1 knock key";
/// Commitments of the knocker's nonce: it cannot be chosen after the other side's was seen.
pub const KNOCK_COMMITMENT: &str = "tenet v1 knock commitment";
/// Keys of the proofs by which a device is linked: none of them is one of a knock.
pub const DEVICE_LINK_KEY: &str = "tenet v1 device link key";
/// Commitments of a new device's nonce: it cannot be chosen after the other side's was seen.
pub const DEVICE_LINK_COMMITMENT: &str = "tenet v1 device link commitment";
/// The connection and devices of a linking: a string or signature of another is none of this.
pub const DEVICE_LINK_BINDING: &str = "tenet v1 device link binding";
/// That a new device holds its key: its signature elsewhere gets no card.
pub const DEVICE_LINK_POSSESSION: &str = "tenet v1 device link possession";
/// The short string that two people compare: no other value of theirs can be steered into it.
pub const SHORT_STRING: &str = "tenet v1 short string";
/// The long number of two identities: as above, without a handshake.
pub const LONG_NUMBER: &str = "tenet v1 long number";

/// The signing key of a link into a group: the secret of another link makes no key of a session's.
pub const GROUP_LINK_KEY: &str = "tenet v1 group link key";
/// The invite of a link into a group: two links into groups go by one name only if they are one.
pub const GROUP_LINK_INVITE: &str = "tenet v1 group link invite";
/// What whoever knocks at a group signs: the bytes are those of nothing else.
pub const GROUP_KNOCK_ID: &str = "tenet v1 group knock id";
/// Proofs of a link into a group: one for a connection is none for another, and lets no device come in.
pub const GROUP_KNOCK: &str = "tenet v1 group knock";

/// The key of a door: no invite that is made otherwise is anybody's door.
pub const DOOR_KEY: &str = "tenet v1 door key";
/// The secret of a door: who knows it knows the identity, and nothing else follows from it.
pub const DOOR_SECRET: &str = "tenet v1 door secret";
/// Contact card ids: the bytes of a contact card never hash to the id of anything else.
pub const CONTACT_CARD_ID: &str = "tenet v1 contact card id";
/// Contact card signatures: a device's signature elsewhere makes no contact card.
pub const CONTACT_CARD_SIGNATURE: &str = "tenet v1 contact card signature";
/// The key over a sealed link: it is no other key of the same password.
pub const SEALED_LINK_KEY: &str = "tenet v1 sealed link key";
/// The check of a sealed link: damage is told from a wrong password.
pub const SEALED_LINK_CHECK: &str = "tenet v1 sealed link check";
/// The key over a key file: it is no other key of the same password.
pub const KEY_FILE_KEY: &str = "tenet v1 key file key";
/// The check of a key file: damage is told from a wrong password.
pub const KEY_FILE_CHECK: &str = "tenet v1 key file check";
/// The key over the head of an exported home: another key of the same password does not open it.
pub const HOME_FILE_KEY: &str = "tenet v1 home file key";
/// The check of that head: damage is told from a wrong password.
pub const HOME_FILE_CHECK: &str = "tenet v1 home file check";

/// The key over a machine-only slot: a machine secret used elsewhere opens no vault.
pub const VAULT_MACHINE: &str = "tenet v1 vault machine key";
/// The key over a PIN slot: it is no other key of the same PIN and machine secret.
pub const VAULT_PIN: &str = "tenet v1 vault pin key";
/// The key over a phrase slot: it is not the identity key of the same phrase.
pub const VAULT_PHRASE: &str = "tenet v1 vault phrase key";
/// Associated data of every slot: a slot of another kind, vault or version does not open.
pub const VAULT_SLOT: &str = "tenet v1 vault slot";
/// The machine check: tells a foreign machine secret from a wrong PIN and gives neither away.
pub const VAULT_MACHINE_CHECK: &str = "tenet v1 vault machine check";
/// The checksum over the stored form: damage on disk is never reported as a wrong PIN.
pub const VAULT_CHECK: &str = "tenet v1 vault check";

/// BLAKE3 in `derive_key` mode over the concatenation of `parts`.
///
/// Each part must be of fixed length, or carry its length, or be the only one: else two lists of
/// parts could concatenate to the same bytes. [`derive_framed`] has no such condition. Source: the
/// BLAKE3 paper, §2.3 and §6.2.
pub fn derive(context: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// [`derive()`] over parts of any length: each is preceded by its length as a little-endian `u64`.
pub fn derive_framed(context: &'static str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    frame(parts, |bytes| {
        hasher.update(bytes);
    });
    *hasher.finalize().as_bytes()
}

/// Feeds `parts` to `take`, each preceded by its length as a little-endian `u64`.
pub(crate) fn frame(parts: &[&[u8]], mut take: impl FnMut(&[u8])) {
    for part in parts {
        take(&(part.len() as u64).to_le_bytes());
        take(part);
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

    use super::*;
    use data_encoding::HEXLOWER;
    use std::collections::BTreeSet;

    #[test]
    fn every_domain_is_used_once() {
        let all = [
            IDENTITY_KEY,
            CARD_ID,
            CARD_SIGNATURE,
            REVOCATION_ID,
            REVOCATION_SIGNATURE,
            HELLO_BINDING,
            HELLO_SIGNATURE,
            INVITE_ID,
            LINK_CHECK,
            KNOCK_KEY,
            KNOCK_COMMITMENT,
            DEVICE_LINK_KEY,
            DEVICE_LINK_COMMITMENT,
            DEVICE_LINK_BINDING,
            DEVICE_LINK_POSSESSION,
            SHORT_STRING,
            LONG_NUMBER,
            GROUP_LINK_KEY,
            GROUP_LINK_INVITE,
            GROUP_KNOCK_ID,
            GROUP_KNOCK,
            DOOR_KEY,
            DOOR_SECRET,
            CONTACT_CARD_ID,
            CONTACT_CARD_SIGNATURE,
            SEALED_LINK_KEY,
            SEALED_LINK_CHECK,
            KEY_FILE_KEY,
            KEY_FILE_CHECK,
            HOME_FILE_KEY,
            HOME_FILE_CHECK,
            VAULT_MACHINE,
            VAULT_PIN,
            VAULT_PHRASE,
            VAULT_SLOT,
            VAULT_MACHINE_CHECK,
            VAULT_CHECK,
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|domain| domain.starts_with("tenet v1 ")));
    }

    /// The published BLAKE3 vector for `derive_key` over three bytes (0, 1, 2).
    #[test]
    fn derives_as_blake3_publishes() {
        let derived = derive(
            "BLAKE3 2019-12-27 16:29:52 test vectors context",
            &[&[0], &[1, 2]],
        );
        assert_eq!(
            HEXLOWER.encode(&derived),
            "440aba35cb006b61fc17c0529255de438efc06a8c9ebf3f2ddac3b5a86705797"
        );
    }

    #[test]
    fn framing_keeps_parts_apart() {
        assert_eq!(
            derive(LINK_CHECK, &[b"ab", b"c"]),
            derive(LINK_CHECK, &[b"a", b"bc"])
        );
        assert_ne!(
            derive_framed(LINK_CHECK, &[b"ab", b"c"]),
            derive_framed(LINK_CHECK, &[b"a", b"bc"])
        );
    }
}
