//! What a device holds, in short: for telling the other side.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, OnceLock},
};

use minicbor::bytes::ByteVec;
use tenet_identity::{domain::derive, encoding, keys::DeviceId};

use super::{
    HeadEntry, Message, RangeEntry, RegisterEntry, Within,
    message::{MAX_HEADS, MAX_REGISTERS},
    range::Range,
};
use crate::{
    clock::Hlc,
    domain::DIGEST,
    frontier::Head,
    ids::{Author, EventId},
    register::Register,
    session::{Ending, Session},
    store::{LogStore, StoreError},
};

/// The names of what is held, as far as somebody may hear of it, by the first byte of the device's key.
///
/// A copy shares all ranges that are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    ranges: BTreeMap<u8, Arc<Range>>,
    digest: OnceLock<[u8; 32]>,
}

/// What a device says to hold: all of it, also where it named only what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The last events of every chain.
    pub heads: Vec<HeadEntry>,
    /// The versions of registers.
    pub versions: Vec<RegisterEntry>,
}

impl Summary {
    fn of(
        heads: impl IntoIterator<Item = HeadEntry>,
        versions: impl IntoIterator<Item = RegisterEntry>,
    ) -> Self {
        let mut ranges: BTreeMap<u8, Range> = BTreeMap::new();
        for head in heads {
            let range = ranges.entry(range_of(head.author.device)).or_default();
            range.push_head(head);
        }
        for version in versions {
            let range = ranges.entry(range_of(version.device)).or_default();
            range.push_version(version);
        }
        ranges.values_mut().for_each(Range::sort);
        let ranges = ranges.into_iter();
        Self {
            ranges: ranges.map(|(at, range)| (at, Arc::new(range))).collect(),
            digest: OnceLock::new(),
        }
    }

    /// Of all that is held.
    pub(crate) fn whole(session: &Session, registers: &[Register]) -> Self {
        Self::of(heads(session), registers.iter().map(version))
    }

    /// Of what somebody says to hold.
    pub(super) fn of_claim(claim: &Claim) -> Self {
        Self::of(claim.heads.clone(), claim.versions.clone())
    }

    /// The last events of a chain are these now.
    pub(crate) fn set_chain(&mut self, author: Author, branches: &[Head]) {
        let range = self.range_mut(author.device);
        range.set_chain(author, branches.iter().map(entry));
    }

    /// The register has this version now.
    pub(crate) fn set_register(&mut self, register: &Register) {
        let range = self.range_mut(register.device());
        range.set_version(version(register));
    }

    fn range_mut(&mut self, device: DeviceId) -> &mut Range {
        self.digest = OnceLock::new();
        Arc::make_mut(self.ranges.entry(range_of(device)).or_default())
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.ranges.values().map(|range| range.len()).sum()
    }

    /// The last events of every chain, ascending.
    pub(super) fn heads(&self) -> impl Iterator<Item = HeadEntry> + '_ {
        self.ranges.values().flat_map(|it| it.heads()).copied()
    }

    /// A hash over the names of what is held (SYNC-2).
    pub(super) fn digest(&self) -> [u8; 32] {
        *self
            .digest
            .get_or_init(|| derive(DIGEST, &[&encoding::encode(&self.ranges())]))
    }

    /// The hashes of which that is made.
    pub(super) fn ranges(&self) -> Vec<RangeEntry> {
        let entry = |(range, held): (&u8, &Arc<Range>)| RangeEntry {
            range: *range,
            digest: held.digest(),
        };
        self.ranges.iter().map(entry).collect()
    }

    /// In which ranges somebody holds something else, ascending.
    pub(super) fn differing(&self, theirs: &[RangeEntry]) -> Within {
        let theirs: BTreeMap<u8, [u8; 32]> =
            theirs.iter().map(|it| (it.range, it.digest)).collect();
        let all: BTreeSet<u8> = self.ranges.keys().chain(theirs.keys()).copied().collect();
        let differs = |range: &u8| {
            self.ranges.get(range).map(|held| held.digest()) != theirs.get(range).copied()
        };
        Within::from(all.into_iter().filter(differs).collect::<Vec<u8>>())
    }

    /// What is held of the ranges that `named` says of.
    fn claim(&self, named: impl Fn(u8) -> bool) -> Claim {
        let mut claim = Claim::default();
        for (_, range) in self.ranges.iter().filter(|(range, _)| named(**range)) {
            claim.heads.extend(range.heads());
            claim.versions.extend_from_slice(range.versions());
        }
        claim
    }

    /// A claim of some ranges, with what is held here of all others: there both hold the same (SYNC-1701).
    pub(super) fn completed(&self, said: Claim, within: &[u8]) -> Claim {
        let mut claim = self.claim(|range| !within.contains(&range));
        let is_named = |device| within.contains(&range_of(device));
        let heads = said.heads.into_iter();
        claim
            .heads
            .extend(heads.filter(|it| is_named(it.author.device)));
        let versions = said.versions.into_iter();
        claim
            .versions
            .extend(versions.filter(|it| is_named(it.device)));
        claim
    }
}

/// Of all events, and no register.
pub(super) fn of_events(session: &Session) -> Summary {
    Summary::of(heads(session), [])
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
    Ok(Summary::of(known, []))
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
    Ok(Summary::of(known, []))
}

/// The names of what is held (SYNC-3), all or of these ranges. Where there are more than fit, chains that count
/// come first; what is not named is offered once more, and refused as known.
pub(super) fn frontier(session: &Session, summary: &Summary, within: Option<Within>) -> Message {
    let named = |range| within.as_ref().is_none_or(|it| it.contains(&range));
    let Claim {
        mut heads,
        mut versions,
    } = summary.claim(named);
    if heads.len() > MAX_HEADS {
        let chains = &session.roster().chains;
        heads.sort_by_key(|head| !chains.contains_key(&head.author));
        heads.truncate(MAX_HEADS);
        heads.sort_unstable();
    }
    versions.truncate(MAX_REGISTERS);
    Message::Frontier(heads, versions, within)
}

/// The registers of which the other side has no version, or an older one.
pub(super) fn lacking<S: LogStore>(
    session: &Session,
    store: &S,
    versions: &[RegisterEntry],
) -> Result<VecDeque<ByteVec>, StoreError> {
    let theirs: BTreeMap<(DeviceId, &str), (Hlc, EventId)> = versions
        .iter()
        .map(|entry| ((entry.device, entry.key.as_str()), (entry.time, entry.id)))
        .collect();
    let ours = session.summed_up(store)?;
    let mut lacking = VecDeque::new();
    for ours in ours.ranges.values().flat_map(|range| range.versions()) {
        let version = theirs.get(&(ours.device, ours.key.as_str()));
        if version.is_none_or(|version| *version < (ours.time, ours.id)) {
            let register = store.register(session.id(), ours.device, &ours.key)?;
            lacking.extend(register.map(|register| ByteVec::from(register.encode())));
        }
    }
    Ok(lacking)
}

/// In which range a device's chains and registers are.
fn range_of(device: DeviceId) -> u8 {
    let [first, ..] = *device.as_bytes();
    first
}

fn heads(session: &Session) -> impl Iterator<Item = HeadEntry> + '_ {
    session.frontier().heads().map(entry)
}

fn entry(head: &Head) -> HeadEntry {
    HeadEntry {
        author: head.author,
        seq: head.seq,
        id: head.id,
    }
}

fn version(register: &Register) -> RegisterEntry {
    let (time, id) = register.version();
    RegisterEntry {
        device: register.device(),
        key: register.key().to_owned(),
        time,
        id,
    }
}
