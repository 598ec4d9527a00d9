//! Loading a session: from what the store keeps of its outcome, or from all operations.
//!
//! ```text
//! load ── kept, and of these operations ──▶ Outcome        operations are read once something asks for them
//!      └─ else: operations ── Fold ──────▶ Outcome
//! ```

use std::sync::OnceLock;

use tenet_identity::card::DeviceCard;

use super::{Named, Session};
use crate::{
    fork::Forks,
    frontier::Frontier,
    ids::{Author, SessionId},
    roster::{Fold, Op, Operation, Outcome, Shift},
    store::{LogStore, Position, StoreError},
};

impl Session {
    /// Loads a session from the store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load<S: LogStore>(store: &S, id: SessionId) -> Result<Option<Self>, StoreError> {
        match Outcome::kept(store, id)? {
            Some((outcome, of)) => {
                let mut session = Self::with(store, id, outcome, None)?;
                session.kept = Some(of);
                Ok(Some(session))
            }
            None => Self::load_anew(store, id),
        }
    }

    /// The same from its operations, whatever is kept of what they come to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load_anew<S: LogStore>(store: &S, id: SessionId) -> Result<Option<Self>, StoreError> {
        match folded(store, id)? {
            Some((fold, outcome)) => Ok(Some(Self::with(store, id, outcome, Some(fold))?)),
            None => Ok(None),
        }
    }

    fn with<S: LogStore>(
        store: &S,
        id: SessionId,
        outcome: Outcome,
        fold: Option<Fold>,
    ) -> Result<Self, StoreError> {
        let heads = store.heads(id)?;
        let latest = heads.iter().map(|head| head.time).max();
        let frontier = Frontier::from_heads(heads);
        let forks = Forks::load(store, id, &frontier)?;
        let mut session = Self {
            id,
            outcome,
            kept: None,
            fold: fold.map_or_else(OnceLock::new, |fold| OnceLock::from(Box::new(fold))),
            unfolded: false,
            frontier,
            forks,
            latest: latest.unwrap_or_default(),
            sealed: false,
            named: Named::default(),
            summed_up: OnceLock::new(),
        };
        session.share();
        Ok(session)
    }

    /// Whether what the store keeps of a session is what its operations come to; what it would make anew is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_kept_right<S: LogStore>(store: &S, id: SessionId) -> Result<bool, StoreError> {
        let Some((kept, _)) = Outcome::kept(store, id)? else {
            return Ok(true);
        };
        Ok(folded(store, id)?.is_some_and(|(_, outcome)| outcome == kept))
    }

    /// Whether the store keeps what the operations come to.
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Has the store keep what the operations come to, in place of what it kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep<S: LogStore>(&mut self, store: &mut S) -> Result<(), StoreError> {
        store.forget_outcome(self.id)?;
        let of = store.operation_count(self.id)?;
        let rows = self.outcome.rows();
        rows.write(store, self.id, &self.outcome, of)?;
        self.kept = Some(of);
        Ok(())
    }

    /// The same after one operation more, which came in there.
    pub(super) fn keep_shift<S: LogStore>(
        &mut self,
        store: &mut S,
        shift: &Shift,
        position: Position,
    ) -> Result<(), StoreError> {
        let Some((operations, _)) = self.kept else {
            return self.keep(store);
        };
        let of = (operations.saturating_add(1), position);
        shift.rows.write(store, self.id, &self.outcome, of)?;
        self.kept = Some(of);
        Ok(())
    }

    /// Lets go of the operations, which are read again once something asks for them.
    pub fn rest(&mut self) {
        if self.kept.is_some() {
            self.fold = OnceLock::new();
            self.unfolded = false;
        }
    }

    /// The operations, read if they were not yet.
    pub(super) fn fold<S: LogStore>(&self, store: &S) -> Result<&Fold, StoreError> {
        if let Some(fold) = self.fold.get() {
            return Ok(fold);
        }
        let (fold, _) = folded(store, self.id)?.ok_or(UNFOUNDED)?;
        Ok(self.fold.get_or_init(|| Box::new(fold)))
    }

    /// Makes sure that the operations are here before there is one more, and that what was kept is what they come to: if
    /// not, that is dropped.
    pub(super) fn unfold<S: LogStore>(&mut self, store: &S) -> Result<(), StoreError> {
        if !self.unfolded {
            let (fold, outcome) = folded(store, self.id)?.ok_or(UNFOUNDED)?;
            if outcome != self.outcome {
                self.outcome = outcome;
                self.kept = None;
            }
            self.fold = OnceLock::from(Box::new(fold));
            self.share();
        }
        Ok(())
    }

    /// Shares with the pasts of operations what the frontier has in common with them.
    fn share(&mut self) {
        if let Some(last) = self.fold.get().and_then(|fold| fold.operations().last()) {
            self.frontier.share(&last.past);
            self.unfolded = true;
        }
    }

    /// The card of a device, as it came in on a chain; `None` where no operation that is here began that.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn card<S: LogStore>(
        &self,
        store: &S,
        chain: Author,
    ) -> Result<Option<DeviceCard>, StoreError> {
        let Some(stored) = store.event(chain.added_by)? else {
            return Ok(None);
        };
        let op = Op::trusted(&stored.event)
            .map_err(|_| StoreError::Damaged("a roster operation does not decode"))?;
        let card = op.as_ref().and_then(Op::card).cloned();
        Ok(card.filter(|card| card.device() == chain.device))
    }
}

const UNFOUNDED: StoreError = StoreError::Damaged("a session has no founding");

fn folded<S: LogStore>(store: &S, id: SessionId) -> Result<Option<(Fold, Outcome)>, StoreError> {
    let mut operations = Vec::new();
    for (stored, past) in store.operations(id)? {
        let operation = Operation::trusted(&stored.event, past)
            .map_err(|_| StoreError::Damaged("a roster operation does not decode"))?;
        operations.extend(operation);
    }
    Ok(Fold::of(operations))
}
