//! What a device holds, in short: for telling the other side.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;
use tenet_identity::{domain::derive, encoding, keys::DeviceId};

use super::{
    HeadEntry, Message, RegisterEntry,
    message::{MAX_HEADS, MAX_REGISTERS},
};
use crate::{clock::Hlc, domain::DIGEST, ids::EventId, register::Register, session::Session};

/// A hash over the names of all that is held (SYNC-2).
pub(super) fn digest(session: &Session, registers: &[Register]) -> [u8; 32] {
    let held = (heads(session), versions(registers));
    derive(DIGEST, &[&encoding::encode(&held)])
}

/// The names of all that is held (SYNC-3). Where there are more than fit, chains that count come
/// first; what is not named is offered once more, and refused as known.
pub(super) fn frontier(session: &Session, registers: &[Register]) -> Message {
    let mut heads = heads(session);
    if heads.len() > MAX_HEADS {
        let chains = &session.roster().chains;
        heads.sort_by_key(|head| !chains.contains_key(&head.author));
        heads.truncate(MAX_HEADS);
        heads.sort_unstable();
    }
    let mut versions = versions(registers);
    versions.truncate(MAX_REGISTERS);
    Message::Frontier(heads, versions)
}

/// The registers of which the other side has no version, or an older one.
pub(super) fn lacking(registers: &[Register], versions: &[RegisterEntry]) -> Vec<ByteVec> {
    let theirs: BTreeMap<(DeviceId, &str), (Hlc, EventId)> = versions
        .iter()
        .map(|entry| ((entry.device, entry.key.as_str()), (entry.time, entry.id)))
        .collect();
    registers
        .iter()
        .filter(|register| {
            let version = theirs.get(&(register.device(), register.key()));
            version.is_none_or(|version| *version < register.version())
        })
        .map(|register| ByteVec::from(register.encode()))
        .collect()
}

fn heads(session: &Session) -> Vec<HeadEntry> {
    let mut entries: Vec<HeadEntry> = session
        .frontier()
        .heads()
        .map(|head| HeadEntry {
            author: head.author,
            seq: head.seq,
            id: head.id,
        })
        .collect();
    entries.sort_unstable();
    entries
}

fn versions(registers: &[Register]) -> Vec<RegisterEntry> {
    let mut entries: Vec<RegisterEntry> = registers
        .iter()
        .map(|register| {
            let (time, id) = register.version();
            RegisterEntry {
                device: register.device(),
                key: register.key().to_owned(),
                time,
                id,
            }
        })
        .collect();
    entries.sort_by(|a, b| (a.device, &a.key).cmp(&(b.device, &b.key)));
    entries
}
