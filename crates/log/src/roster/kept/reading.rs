//! Reading what is kept: all rows of a session, the head first.

use std::collections::BTreeMap;

use minicbor::Decode;
use tenet_identity::{
    card::{Revocation, UnverifiedRevocation},
    keys::IdentityId,
};

use super::{DeviceForm, HeadForm, LinkForm, Part, PersonForm, State, VERSION};
use crate::{
    ids::{Author, SessionId},
    roster::{
        End, Link, Membership, Outcome, Role, Roster, Silence,
        outcome::{Annals, Void},
    },
    store::{LogStore, Position, StoreError},
};

/// How many operations a session has, and where the last of them came in.
type Span = (u64, Position);

impl Outcome {
    /// The outcome that the store keeps, if it is of the operations that the store has, and readable; with how many they
    /// are, and where the last of them came in.
    ///
    /// # Errors
    /// [`StoreError`] where the store cannot be read at all.
    pub(crate) fn kept<S: LogStore>(
        store: &S,
        session: SessionId,
    ) -> Result<Option<(Self, Span)>, StoreError> {
        let of = store.operation_count(session)?;
        let mut reading = Reading::Nothing;
        store.outcome(session, &mut |key, value| {
            let read = std::mem::replace(&mut reading, Reading::Unreadable);
            reading = read.row(key, value, of).unwrap_or(Reading::Unreadable);
        })?;
        Ok(match reading {
            Reading::Read(gathered) => Some((gathered.finish(), of)),
            Reading::Nothing | Reading::Unreadable => None,
        })
    }
}

/// Reads what [`tenet_identity::encoding::encode`] wrote, without asking whether it could have been written otherwise: nobody compares it.
fn read<'b, T: Decode<'b, ()>>(value: &'b [u8]) -> Option<T> {
    minicbor::decode(value).ok()
}

/// How far rows were read; the head comes first.
enum Reading {
    Nothing,
    Read(Box<Gathered>),
    Unreadable,
}

/// What rows said so far, in the order in which they come: maps are made at once from what is sorted.
struct Gathered {
    outcome: Outcome,
    members: Vec<(IdentityId, Role)>,
    named: Vec<(IdentityId, bool)>,
    chains: Vec<(Author, Membership)>,
}

impl Reading {
    fn row(self, key: &[u8], value: &[u8], of: Span) -> Option<Self> {
        match (self, Part::of_key(key)?) {
            (Self::Nothing, Part::Head) => {
                let head: HeadForm = read(value)?;
                let fits = head.version == VERSION && (head.operations, Position(head.last)) == of;
                fits.then(|| Self::Read(Box::new(Gathered::begin(head))))
            }
            (Self::Read(mut gathered), part) => {
                gathered.add(part, value)?;
                Some(Self::Read(gathered))
            }
            _ => None,
        }
    }
}

impl Gathered {
    fn begin(head: HeadForm) -> Self {
        let mut roster = Roster::nobody();
        roster.kind = head.kind;
        roster.secret = head.secret;
        roster.policy = head.policy.into();
        roster.dissolved = head.dissolved;
        let annals = Annals {
            founded: head.founded,
            founder: head.founder,
            named: BTreeMap::new(),
            void: BTreeMap::new(),
            revocations: BTreeMap::new(),
            shut_out: head.shut_out.into_iter().collect(),
        };
        Self {
            outcome: Outcome { roster, annals },
            members: Vec::new(),
            named: Vec::new(),
            chains: Vec::new(),
        }
    }

    fn add(&mut self, part: Part, value: &[u8]) -> Option<()> {
        let Outcome { roster, annals } = &mut self.outcome;
        match part {
            Part::Head => return None,
            Part::Person(identity) => self.person(identity, read(value)?),
            Part::Link(opening) => {
                let link: LinkForm = read(value)?;
                let LinkForm { key, role, until } = link;
                roster.links.insert(opening, Link { key, role, until });
            }
            Part::Setting(key) => drop(roster.settings.insert(key, value.to_vec())),
            Part::Device(device) => {
                let form: DeviceForm = read(value)?;
                let statement = UnverifiedRevocation::from_bytes(&form.statement);
                let statement: Revocation = statement.ok()?.trusted().ok()?;
                annals.revocations.insert(device, statement);
                if form.revoked {
                    roster.revoked.insert(device);
                }
            }
        }
        Some(())
    }

    fn person(&mut self, identity: IdentityId, person: PersonForm) {
        let Outcome { roster, annals } = &mut self.outcome;
        self.named.push((identity, person.taken));
        self.members
            .extend(person.role.map(|role| (identity, role)));
        if let Some(muted) = person.muted {
            roster.muted.insert(identity, muted.until);
        }
        if let Some(floor) = person.floor {
            roster.floors.insert(identity, floor);
        }
        for chain in person.chains {
            let by_link = chain.state == State::VoidByLink;
            if by_link || chain.state == State::Void {
                annals.void.insert(chain.author, Void { identity, by_link });
                continue;
            }
            let silences = chain.silences.into_iter().map(|one| Silence {
                cut: one.cut,
                until: one.until,
                operations: one.operations,
            });
            let membership = Membership {
                identity,
                end: chain.end.map(|end| End {
                    cut: end.cut,
                    operations: end.operations,
                    by_itself: end.by_itself,
                    with_identity: end.with_identity,
                }),
                silences: silences.collect(),
                surplus: chain.state == State::Surplus,
            };
            self.chains.push((chain.author, membership));
        }
    }

    fn finish(self) -> Outcome {
        let mut outcome = self.outcome;
        outcome.roster.members = self.members.into_iter().collect();
        outcome.roster.chains = self.chains.into_iter().collect();
        outcome.annals.named = self.named.into_iter().collect();
        outcome
    }
}
