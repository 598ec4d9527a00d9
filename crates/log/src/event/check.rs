//! Who checks the signatures of what came: whoever asks, or whoever has a processor to spare.
//!
//! ```text
//! Unverified ──▶ Claim ── Checks ──▶ whether it holds ──▶ Event
//! ```
//!
//! A claim is all that a check needs, so whoever checks never holds an event, and which claims hold does not
//! depend on who checks them or when: a machine that asks stays deterministic.

use rand_core::CryptoRng;
use tenet_identity::keys::{self, Signature};

use super::{Event, EventError, Unverified};
use crate::domain::EVENT_SIGNATURE;

/// That a device signed the event with this id.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    device: [u8; 32],
    id: [u8; 32],
    signature: Signature,
}

/// Of each claim whether it holds, in order; what ends early leaves the rest to whoever asked.
pub type Answers = Box<dyn Iterator<Item = bool>>;

/// Whoever checks claims.
pub trait Checks: Send {
    /// Checks many. `rng` weights them where they are checked together.
    fn check(&mut self, rng: &mut dyn CryptoRng, claims: Vec<Claim>) -> Answers;
}

/// Checks all together, and before it answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtOnce;

impl Checks for AtOnce {
    fn check(&mut self, rng: &mut dyn CryptoRng, claims: Vec<Claim>) -> Answers {
        Box::new(check(rng, &claims).into_iter())
    }
}

/// Checks these claims together: of each whether it holds.
pub fn check<R: CryptoRng + ?Sized>(rng: &mut R, claims: &[Claim]) -> Vec<bool> {
    let items: Vec<_> = claims
        .iter()
        .map(|claim| (claim.device, claim.id, claim.signature))
        .collect();
    keys::verify_batch(rng, EVENT_SIGNATURE, &items)
}

/// Crosses from unverified to verified with many: the answers are those of [`Unverified::verify`], in order, as
/// soon as each is known.
pub fn verify_all(
    checks: &mut dyn Checks,
    rng: &mut dyn CryptoRng,
    events: Vec<Unverified>,
) -> impl Iterator<Item = Result<Event, EventError>> + use<> {
    let mut answers: Answers = match events.len() {
        0 | 1 => Box::new(std::iter::empty()),
        _ => checks.check(rng, events.iter().map(Unverified::claim).collect()),
    };
    events.into_iter().map(move |event| match answers.next() {
        Some(holds) => event.settle(holds),
        None => event.verify(),
    })
}

impl Unverified {
    fn claim(&self) -> Claim {
        let Self(event) = self;
        Claim {
            device: *event.header().device.as_bytes(),
            id: *event.id().as_bytes(),
            signature: *event.signature(),
        }
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`EventError::Signature`].
    pub fn verify(self) -> Result<Event, EventError> {
        let Claim {
            device,
            id,
            signature,
        } = self.claim();
        let holds = keys::verify(&device, EVENT_SIGNATURE, &id, &signature).is_ok();
        self.settle(holds)
    }

    /// The only way from unverified to verified (LOG-2).
    fn settle(self, holds: bool) -> Result<Event, EventError> {
        match holds {
            true => Ok(self.0),
            false => Err(EventError::Signature),
        }
    }
}
