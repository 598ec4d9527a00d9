//! The outcome as it is kept in the store, part by part (LOG-1601).
//!
//! ```text
//! operation ── Fold ──▶ parts that changed ── rows ──▶ store, with the operation
//! store ── all rows, if they are of these operations ──▶ Outcome
//! ```
//!
//! It is a copy of what the operations say, never a truth: what does not fit them is dropped, and made anew.

mod reading;

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use tenet_identity::{
    encoding,
    keys::{DeviceId, IdentityId, InviteId},
};

use super::{Outcome, Role, SessionKind, ledger::Ledger, policy::PolicyForm};
use crate::{
    clock::Hlc,
    ids::{Author, EventId, SessionId},
    store::{LogStore, Position, StoreError},
};

/// What rows hold and what rules they follow from; another number than this is not read. It is raised with every
/// change of either.
const VERSION: u16 = 1;

/// One part of an outcome: the key of its row says which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What there is once, and of which operations all rows are.
    Head,
    /// An identity with its chains.
    Person(IdentityId),
    /// A link that is open.
    Link(EventId),
    /// A setting.
    Setting(String),
    /// A device that somebody revoked.
    Device(DeviceId),
}

/// Rows that changed: those that are gone have no value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

#[derive(Encode, Decode)]
struct HeadForm {
    #[n(0)]
    version: u16,
    /// How many operations there are,
    #[n(1)]
    operations: u64,
    /// and where the last of them came in.
    #[n(2)]
    last: i64,
    #[n(3)]
    kind: SessionKind,
    #[cbor(n(4), with = "minicbor::bytes")]
    secret: [u8; 32],
    #[n(5)]
    policy: PolicyForm,
    #[n(6)]
    dissolved: bool,
    #[n(7)]
    founded: Hlc,
    #[n(8)]
    founder: DeviceId,
    #[n(9)]
    shut_out: Vec<DeviceId>,
}

#[derive(Encode, Decode)]
struct PersonForm {
    #[n(0)]
    role: Option<Role>,
    #[n(1)]
    muted: Option<MutedForm>,
    #[n(2)]
    floor: Option<Hlc>,
    #[n(3)]
    taken: bool,
    #[n(4)]
    chains: Vec<ChainForm>,
}

#[derive(Encode, Decode)]
struct MutedForm {
    #[n(0)]
    until: Option<Hlc>,
}

#[derive(Encode, Decode)]
struct ChainForm {
    #[n(0)]
    author: Author,
    #[n(1)]
    state: State,
    #[n(2)]
    end: Option<EndForm>,
    #[n(3)]
    silences: Vec<SilenceForm>,
}

#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
enum State {
    #[n(0)]
    Counts,
    #[n(1)]
    Surplus,
    #[n(2)]
    Void,
    #[n(3)]
    VoidByLink,
}

#[derive(Encode, Decode)]
struct EndForm {
    #[n(0)]
    cut: u64,
    #[n(1)]
    operations: Vec<EventId>,
    #[n(2)]
    by_itself: bool,
    #[n(3)]
    with_identity: bool,
}

#[derive(Encode, Decode)]
struct SilenceForm {
    #[n(0)]
    cut: u64,
    #[n(1)]
    until: Option<Hlc>,
    #[n(2)]
    operations: Vec<EventId>,
}

#[derive(Encode, Decode)]
struct LinkForm {
    #[n(0)]
    key: InviteId,
    #[n(1)]
    role: Role,
    #[n(2)]
    until: Option<Hlc>,
}

#[derive(Encode, Decode)]
struct DeviceForm {
    #[n(0)]
    revoked: bool,
    #[n(1)]
    statement: minicbor::bytes::ByteVec,
}

impl Part {
    fn key(&self) -> Vec<u8> {
        let (tag, bytes): (u8, &[u8]) = match self {
            Self::Head => (0, &[]),
            Self::Person(identity) => (1, identity.as_bytes()),
            Self::Link(opening) => (2, opening.as_bytes()),
            Self::Setting(key) => (3, key.as_bytes()),
            Self::Device(device) => (4, device.as_bytes()),
        };
        [&[tag], bytes].concat()
    }

    fn of_key(key: &[u8]) -> Option<Self> {
        let (tag, bytes) = key.split_first()?;
        let id = || <[u8; 32]>::try_from(bytes).ok();
        Some(match tag {
            0 if bytes.is_empty() => Self::Head,
            1 => Self::Person(id()?.into()),
            2 => Self::Link(id()?.into()),
            3 => Self::Setting(String::from_utf8(bytes.to_vec()).ok()?),
            4 => Self::Device(id()?.into()),
            _ => return None,
        })
    }
}

impl Rows {
    /// Notes what a part is now, if it was something else.
    pub(super) fn note(&mut self, part: &Part, before: Option<Vec<u8>>, after: Option<Vec<u8>>) {
        if before != after {
            self.put(part, after);
        }
    }

    pub(super) fn put(&mut self, part: &Part, value: Option<Vec<u8>>) {
        self.0.insert(part.key(), value);
    }

    /// Writes them, with how many operations they are of, and where the last of those came in.
    pub(crate) fn write<S: LogStore>(
        &self,
        store: &mut S,
        session: SessionId,
        outcome: &Outcome,
        (operations, last): (u64, Position),
    ) -> Result<(), StoreError> {
        for (key, value) in &self.0 {
            store.put_outcome(session, key, value.as_deref())?;
        }
        let head = outcome.head(operations, last);
        store.put_outcome(session, &Part::Head.key(), Some(&head))
    }
}

impl Outcome {
    /// All rows but for the head.
    pub(crate) fn rows(&self) -> Rows {
        let mut rows = Rows::default();
        let mut chains: BTreeMap<IdentityId, Vec<Author>> = BTreeMap::new();
        let counted = self
            .roster
            .chains
            .iter()
            .map(|(at, one)| (one.identity, *at));
        let void = self.annals.void.iter().map(|(at, one)| (one.identity, *at));
        for (identity, chain) in counted.chain(void) {
            chains.entry(identity).or_default().push(chain);
        }
        for identity in self.annals.named.keys() {
            let chains = chains.get(identity).into_iter().flatten().copied();
            rows.put(&Part::Person(*identity), self.person(*identity, chains));
        }
        for opening in self.roster.links.keys() {
            rows.put(&Part::Link(*opening), self.link(*opening));
        }
        for (key, value) in &self.roster.settings {
            rows.put(&Part::Setting(key.clone()), Some(value.clone()));
        }
        for device in self.annals.revocations.keys() {
            rows.put(&Part::Device(*device), self.device(*device));
        }
        rows
    }

    /// One part as it is kept; `None` where there is nothing to keep.
    pub(super) fn row(&self, part: &Part, ledger: &Ledger) -> Option<Vec<u8>> {
        match part {
            Part::Head => None,
            Part::Person(identity) => self.person(*identity, ledger.chains_of(*identity)),
            Part::Link(opening) => self.link(*opening),
            Part::Setting(key) => self.roster.settings.get(key).cloned(),
            Part::Device(device) => self.device(*device),
        }
    }

    fn head(&self, operations: u64, last: Position) -> Vec<u8> {
        encoding::encode(&HeadForm {
            version: VERSION,
            operations,
            last: last.0,
            kind: self.roster.kind,
            secret: self.roster.secret,
            policy: self.roster.policy.into(),
            dissolved: self.roster.dissolved,
            founded: self.annals.founded,
            founder: self.annals.founder,
            shut_out: self.annals.shut_out.iter().copied().collect(),
        })
    }

    fn person(
        &self,
        identity: IdentityId,
        chains: impl Iterator<Item = Author>,
    ) -> Option<Vec<u8>> {
        let taken = *self.annals.named.get(&identity)?;
        let mut chains: Vec<ChainForm> = chains.filter_map(|chain| self.chain(chain)).collect();
        chains.sort_by_key(|chain| chain.author);
        Some(encoding::encode(&PersonForm {
            role: self.roster.members.get(&identity).copied(),
            muted: self
                .roster
                .muted
                .get(&identity)
                .map(|until| MutedForm { until: *until }),
            floor: self.roster.floors.get(&identity).copied(),
            taken,
            chains,
        }))
    }

    fn chain(&self, author: Author) -> Option<ChainForm> {
        let Some(membership) = self.roster.chains.get(&author) else {
            let void = self.annals.void.get(&author)?;
            let state = if void.by_link {
                State::VoidByLink
            } else {
                State::Void
            };
            return Some(ChainForm {
                author,
                state,
                end: None,
                silences: Vec::new(),
            });
        };
        let silences = membership.silences.iter().map(|one| SilenceForm {
            cut: one.cut,
            until: one.until,
            operations: one.operations.clone(),
        });
        Some(ChainForm {
            author,
            state: if membership.surplus {
                State::Surplus
            } else {
                State::Counts
            },
            end: membership.end.as_ref().map(|end| EndForm {
                cut: end.cut,
                operations: end.operations.clone(),
                by_itself: end.by_itself,
                with_identity: end.with_identity,
            }),
            silences: silences.collect(),
        })
    }

    fn link(&self, opening: EventId) -> Option<Vec<u8>> {
        let link = self.roster.links.get(&opening)?;
        Some(encoding::encode(&LinkForm {
            key: link.key,
            role: link.role,
            until: link.until,
        }))
    }

    fn device(&self, device: DeviceId) -> Option<Vec<u8>> {
        let statement = self.annals.revocations.get(&device)?;
        Some(encoding::encode(&DeviceForm {
            revoked: self.roster.revoked.contains(&device),
            statement: statement.to_bytes().into(),
        }))
    }
}
