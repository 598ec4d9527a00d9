//! Who answers requests, and the promise of an answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::Serialize;
use tokio::sync::oneshot;

use super::Subscription;
use crate::api::{Call, Error, Request};

/// The JSON of an answer, or why there is none.
pub type Outcome = Result<String, Error>;

/// Whoever answers requests: the engine in its shell, or a gate before it.
pub trait Handler: Send + Sync + 'static {
    /// Takes a request.
    ///
    /// Whatever fixes the order of requests (a place in a queue) happens before this returns, not
    /// when the answer is awaited: requests of one connection are called in their order. Must not
    /// block.
    fn call(&self, request: Request) -> Pending;

    /// Events from now on, or from after `since`.
    ///
    /// # Errors
    /// [`Kind::Locked`](crate::api::Kind::Locked) where there are none.
    fn subscribe(&self, since: Option<u64>) -> Result<Subscription, Error>;
}

/// The promise of an answer; dropping it does not undo what was asked.
pub struct Pending(Inner);

/// The other end of a [`Pending`]; dropped without an answer, the request has failed.
#[derive(Debug)]
pub struct Answerer(oneshot::Sender<Outcome>);

/// The outcome of a request whose answer is `result`.
///
/// # Errors
/// The given one, or [`Kind::Internal`](crate::api::Kind::Internal) if it has no JSON form.
pub fn answer<T: Serialize>(result: Result<T, Error>) -> Outcome {
    let result = result?;
    serde_json::to_string(&result).map_err(|error| Error::internal(error.to_string()))
}

/// Asks a handler of this process, with no socket between.
///
/// # Errors
/// The handler's.
pub async fn ask<C: Call + Into<Request>>(
    handler: &dyn Handler,
    params: C,
) -> Result<C::Answer, Error> {
    let outcome = handler.call(params.into()).await?;
    serde_json::from_str(&outcome).map_err(|error| Error::internal(error.to_string()))
}

enum Inner {
    Ready(Option<Outcome>),
    Channel(oneshot::Receiver<Outcome>),
    Future(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

impl Pending {
    /// An answer that is there already.
    pub fn ready(outcome: Outcome) -> Self {
        Self(Inner::Ready(Some(outcome)))
    }

    /// An answer that somebody else will give.
    pub fn channel() -> (Answerer, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answerer(sender), Self(Inner::Channel(receiver)))
    }

    /// The answer that a future comes to. It runs only while it is awaited, so what must happen in
    /// order has happened before.
    pub fn future(future: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Self(Inner::Future(Box::pin(future)))
    }

    /// The answer, if it was there from the beginning.
    pub(super) fn now(self) -> Result<Outcome, Self> {
        match self.0 {
            Inner::Ready(Some(outcome)) => Ok(outcome),
            inner => Err(Self(inner)),
        }
    }
}

impl Answerer {
    /// Gives the answer; nobody may be waiting for it any more.
    pub fn answer(self, outcome: Outcome) {
        let _ = self.0.send(outcome);
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let unanswered = || Err(Error::failure("the node closed before it had an answer"));
        match &mut self.0 {
            Inner::Ready(outcome) => Poll::Ready(outcome.take().unwrap_or_else(unanswered)),
            Inner::Channel(receiver) => Pin::new(receiver)
                .poll(cx)
                .map(|outcome| outcome.unwrap_or_else(|_| unanswered())),
            Inner::Future(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}
