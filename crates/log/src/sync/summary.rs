//! What a device holds, in short: for telling the other side.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;
use tenet_identity::{domain::derive, encoding, keys::DeviceId};

use super::{
    HeadEntry, Message, RegisterEntry,
    message::{MAX_HEADS, MAX_REGISTERS},
};
use crate::{
    clock::Hlc,
    domain::DIGEST,
    ids::EventId,
    register::Register,
    session::{Ending, Session},
    store::{LogStore, StoreError},
};

/// The names of what is held, as far as somebody may hear of it.
#[derive(Debug)]
pub(crate) struct Summary {
    heads: Vec<HeadEntry>,
    versions: Vec<RegisterEntry>,
    digest: [u8; 32],
}

impl Summary {
    fn of(heads: Vec<HeadEntry>, versions: Vec<RegisterEntry>) -> Self {
        let digest = derive(DIGEST, &[&encoding::encode(&(&heads, &versions))]);
        Self {
            heads,
            versions,
            digest,
        }
    }

    /// The last events of every chain.
    pub(super) fn heads(&self) -> &[HeadEntry] {
        &self.heads
    }

    /// A hash over the names of what is held (SYNC-2).
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// Of all that is held.
pub(crate) fn whole(session: &Session, registers: &[Register]) -> Summary {
    Summary::of(heads(session), versions(registers))
}

/// Of all events, and no register.
pub(super) fn of_events(session: &Session) -> Summary {
    Summary::of(heads(session), Vec::new())
}

/// Of the events that a device named those that are here.
pub(super) fn of_named<S: LogStore>(
    session: &Session,
    store: &S,
    named: &BTreeSet<HeadEntry>,
) -> Result<Summary, StoreError> {
    let mut known = Vec::new();
    for head in named {
        let event = store.event(head.id)?.map(|stored| stored.event);
        let here = event.is_some_and(|event| {
            let place = (event.author(), event.header().seq);
            event.session() == session.id() && place == (head.author, head.seq)
        });
        known.extend(here.then_some(*head));
    }
    Ok(Summary::of(known, Vec::new()))
}

/// Of what a device may hear that is out (SYNC-11): every chain as far as that goes.
pub(super) fn of_ending<S: LogStore>(
    session: &Session,
    store: &S,
    ending: &Ending,
) -> Result<Summary, StoreError> {
    let mut known = Vec::new();
    for head in heads(session) {
        let author = head.author;
        let Some(last) = ending.count(author).checked_sub(1) else {
            continue;
        };
        if head.seq <= last {
            known.push(head);
            continue;
        }
        let there = store.chain(session.id(), author, last, 1)?.pop();
        known.extend(there.map(|stored| HeadEntry {
            author,
            seq: last,
            id: stored.event.id(),
        }));
    }
    known.sort_unstable();
    known.dedup();
    Ok(Summary::of(known, Vec::new()))
}

/// The names of what is held (SYNC-3). Where there are more than fit, chains that count come
/// first; what is not named is offered once more, and refused as known.
pub(super) fn frontier(session: &Session, summary: &Summary) -> Message {
    let (mut heads, mut versions) = (summary.heads.clone(), summary.versions.clone());
    if heads.len() > MAX_HEADS {
        let chains = &session.roster().chains;
        heads.sort_by_key(|head| !chains.contains_key(&head.author));
        heads.truncate(MAX_HEADS);
        heads.sort_unstable();
    }
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
