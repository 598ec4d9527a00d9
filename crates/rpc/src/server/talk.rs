//! What one program has asked and is yet to hear: everything of a connection but its socket.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use zeroize::Zeroize;

use super::{Delivery, Handler, Outcome, Pending, Subscription};
use crate::api::{Call, Error, Kind, Request, Subscribe, Subscribed, parameters};
use crate::frame;
use crate::lines::Line;

/// How much may be in flight: this many requests, of which a page of history counts as
/// [`PAGE_WEIGHT`] because its answer may have a megabyte.
const MAX_IN_FLIGHT: usize = 1024;
const PAGE_WEIGHT: usize = 64;
/// How many bytes may wait for the program; one answer may go beyond it.
const MAX_UNSENT: usize = 256 * 1024;

/// Requests under way, a subscription, and bytes for the program to take.
pub(super) struct Talk {
    handler: Arc<dyn Handler>,
    pending: FuturesUnordered<Answering>,
    in_flight: usize,
    events: Option<Subscription>,
    out: Vec<u8>,
    /// How much of `out` is written.
    written: usize,
    /// `out` may hold a phrase.
    secret: bool,
}

/// Something to say, from wherever it came.
pub(super) enum Saying {
    Answer(Answer),
    /// `None` at the end of the events.
    Event(Option<Delivery>),
}

/// An answer, the id to answer to, and what its request weighed.
pub(super) struct Answer {
    id: Option<Box<str>>,
    weight: usize,
    outcome: Outcome,
}

/// A request whose answer is awaited.
struct Answering {
    id: Option<Box<str>>,
    weight: usize,
    pending: Pending,
}

impl Talk {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        Self {
            handler,
            pending: FuturesUnordered::new(),
            in_flight: 0,
            events: None,
            out: Vec::new(),
            written: 0,
            secret: false,
        }
    }

    /// Whether another line may be taken.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight < MAX_IN_FLIGHT && !self.is_full()
    }

    /// Whether so much waits for the program that nothing more is said.
    pub(super) fn is_full(&self) -> bool {
        self.unsent().len() >= MAX_UNSENT
    }

    /// What waits for the program to take it.
    pub(super) fn unsent(&self) -> &[u8] {
        self.out.get(self.written..).unwrap_or_default()
    }

    /// The program took this many bytes.
    pub(super) fn sent(&mut self, count: usize) {
        self.written += count;
        if self.unsent().is_empty() {
            if std::mem::take(&mut self.secret) {
                self.out.zeroize();
            }
            self.out.clear();
            self.out.shrink_to(MAX_UNSENT);
            self.written = 0;
        }
    }

    /// Takes a line: hands its request on, or refuses it. Answers whether it may have held a PIN.
    pub(super) fn take(&mut self, line: &Line<'_>) -> bool {
        let text = match line {
            Line::Text(text) if text.trim_ascii().is_empty() => return false,
            Line::Text(text) => text,
            Line::TooLong => {
                let message = format!("a line may have {} bytes", frame::MAX_REQUEST);
                frame::write_error(&mut self.out, None, &Error::new(Kind::Request, message));
                return false;
            }
        };
        match frame::read_request(text) {
            Ok(asked) if asked.method == Subscribe::METHOD => {
                let outcome = self.subscribe(asked.params);
                write_outcome(&mut self.out, asked.id, outcome);
                false
            }
            Ok(asked) => match Request::parse(&asked.method, asked.params) {
                Ok(request) => self.hand_on(asked.id, request),
                Err(error) => {
                    write_outcome(&mut self.out, asked.id, Err(error));
                    true
                }
            },
            Err(refused) => {
                frame::write_error(&mut self.out, refused.id, &refused.error);
                true
            }
        }
    }

    /// Puts everything that can be said at once, and is due, into `unsent`.
    pub(super) fn collect(&mut self) {
        while !self.is_full() {
            let Some(Some(answer)) = self.pending.next().now_or_never() else {
                break;
            };
            self.say(Saying::Answer(answer));
        }
        while !self.is_full() {
            let Some(delivery) = self.events.as_mut().and_then(Subscription::take) else {
                break;
            };
            self.say(Saying::Event(Some(delivery)));
        }
    }

    /// The next thing to say; never ready while there is nothing. Dropping it loses nothing.
    pub(super) async fn next(&mut self) -> Saying {
        let events = async {
            match &mut self.events {
                Some(events) => events.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(answer) = self.pending.next() => Saying::Answer(answer),
            event = events => Saying::Event(event),
        }
    }

    /// Puts something into `unsent`.
    pub(super) fn say(&mut self, saying: Saying) {
        match saying {
            Saying::Answer(answer) => {
                self.in_flight -= answer.weight;
                write_outcome(&mut self.out, answer.id.as_deref(), answer.outcome);
            }
            Saying::Event(Some(Delivery::Event(notice))) => {
                frame::write_event(&mut self.out, &notice);
            }
            Saying::Event(Some(Delivery::Gap(gap))) => frame::write_gap(&mut self.out, gap),
            Saying::Event(None) => {
                self.events = None;
                frame::write_closed(&mut self.out);
            }
        }
    }

    /// The next answer, or `None` if nothing is under way.
    pub(super) async fn next_answer(&mut self) -> Option<Saying> {
        self.pending.next().await.map(Saying::Answer)
    }

    fn hand_on(&mut self, id: Option<&str>, request: Request) -> bool {
        let secret = request.is_secret();
        self.secret |= secret;
        let weight = match request {
            Request::History(_) => PAGE_WEIGHT,
            _ => 1,
        };
        match self.handler.call(request).now() {
            Ok(outcome) => write_outcome(&mut self.out, id, outcome),
            Err(pending) => {
                self.in_flight += weight;
                let id = id.map(Box::from);
                self.pending.push(Answering {
                    id,
                    weight,
                    pending,
                });
            }
        }
        secret
    }

    fn subscribe(&mut self, params: &str) -> Outcome {
        let params: Subscribe = parameters(Subscribe::METHOD, params)?;
        let subscription = self.handler.subscribe(params.since)?;
        let answer = Subscribed {
            seq: subscription.seq(),
            gap: subscription.gap(),
        };
        self.events = Some(subscription);
        super::answer(Ok(answer))
    }
}

impl Future for Answering {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        Pin::new(&mut self.pending).poll(cx).map(|outcome| Answer {
            id: self.id.take(),
            weight: self.weight,
            outcome,
        })
    }
}

fn write_outcome(out: &mut Vec<u8>, id: Option<&str>, outcome: Outcome) {
    match (id, outcome) {
        (Some(id), Ok(result)) => frame::write_answer(out, id, &result),
        (Some(id), Err(error)) => frame::write_error(out, Some(id), &error),
        // JSON-RPC 2.0 §4.1: a notification is never answered.
        (None, _) => {}
    }
}
