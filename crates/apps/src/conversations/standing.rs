//! How a conversation stands: the last change of each matter.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use tenet_identity::encoding;
use tenet_log::{clock::Hlc, ids::EventId};

use super::Matter;

/// The version of the stored form.
const VERSION: u8 = 1;

/// How a conversation stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing(BTreeMap<Matter, Last>);

/// The last change of one matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
struct Last {
    #[n(0)]
    time: Hlc,
    #[n(1)]
    event: EventId,
    #[n(2)]
    on: bool,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[n(1)]
    matters: BTreeMap<Matter, Last>,
}

impl Standing {
    /// Takes in a change made by `event` at `time`; says whether it is the last of its matter.
    pub fn merge(&mut self, matter: Matter, time: Hlc, event: EventId, on: bool) -> bool {
        let last = Last { time, event, on };
        let later = self.0.get(&matter).is_none_or(|known| *known < last);
        if later {
            self.0.insert(matter, last);
        }
        later
    }

    /// Both together: of a conversation that is held in two sessions.
    pub fn join(&mut self, other: &Self) {
        for (matter, last) in &other.0 {
            self.merge(*matter, last.time, last.event, last.on);
        }
    }

    /// Whether a matter holds. Of an archived conversation [`Self::is_away`] says more.
    pub fn is(&self, matter: Matter) -> bool {
        self.0.get(&matter).is_some_and(|last| last.on)
    }

    /// Whether it is put away still, when the last message was written at `last` (`CONV-3`).
    pub fn is_away(&self, last: Option<Hlc>) -> bool {
        let archived = self.0.get(&Matter::Archived).filter(|last| last.on);
        archived.is_some_and(|archived| {
            self.is(Matter::Muted) || last.is_none_or(|last| last < archived.time)
        })
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&Form {
            version: VERSION,
            matters: self.0.clone(),
        })
    }

    /// Reads stored bytes; `None` where they are damaged or of a newer version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let form: Form = encoding::decode(bytes).ok()?;
        (form.version <= VERSION).then_some(Self(form.matters))
    }
}
