//! What of a session another device may hear.

use std::{collections::BTreeSet, sync::Arc};

use tenet_identity::keys::DeviceId;

use super::{
    HeadEntry,
    summary::{self, Summary},
};
use crate::{
    event::Event,
    session::{Ending, Session},
    store::{LogStore, StoreError},
};

/// What of a session another device may hear.
#[derive(Clone, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// How it came to be out of it, and nothing else (SYNC-11).
    Ending(Ending),
    /// Every event, and no register (SYNC-1401).
    Events,
    /// No event; of those that it named itself which are here (SYNC-12).
    Named(Named),
}

/// The last events of chains that a device said to hold.
#[derive(Clone, Debug, Default)]
pub struct Named(BTreeSet<HeadEntry>);

impl Part {
    /// Whether nothing is kept back.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }

    /// Of a device that is out which one it is.
    pub fn out(&self) -> Option<DeviceId> {
        match self {
            Self::Ending(ending) => Some(ending.device()),
            Self::Whole | Self::Events | Self::Named(_) => None,
        }
    }

    /// Whether an event belongs to it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn includes<S: LogStore>(&mut self, store: &S, event: &Event) -> Result<bool, StoreError> {
        match self {
            Self::Whole | Self::Events => Ok(true),
            Self::Ending(ending) => ending.includes(store, event),
            Self::Named(_) => Ok(false),
        }
    }

    /// Whether both are the same, whatever was named.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ending(one), Self::Ending(other)) => one.is_like(other),
            (Self::Whole, Self::Whole)
            | (Self::Events, Self::Events)
            | (Self::Named(_), Self::Named(_)) => true,
            _ => false,
        }
    }

    /// Whether it can be told what is held only once the other side has said that itself.
    pub(super) fn hears_first(&self) -> bool {
        matches!(self, Self::Named(Named(heads)) if heads.is_empty())
    }

    /// They say what they hold.
    pub(super) fn note(&mut self, heads: &[HeadEntry]) {
        if let Self::Named(named) = self {
            named.0.extend(heads);
        }
    }

    /// What is held of it here.
    pub(super) fn summed_up<S: LogStore>(
        &self,
        session: &Session,
        store: &S,
    ) -> Result<Arc<Summary>, StoreError> {
        let summary = match self {
            Self::Whole => return session.summed_up(store),
            Self::Events => summary::of_events(session),
            Self::Ending(ending) => summary::of_ending(session, store, ending)?,
            Self::Named(Named(heads)) => summary::of_named(session, store, heads)?,
        };
        Ok(Arc::new(summary))
    }
}

impl From<Option<Ending>> for Part {
    fn from(ending: Option<Ending>) -> Self {
        ending.map_or(Self::Whole, Self::Ending)
    }
}
