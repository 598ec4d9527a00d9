//! A device that writes events, without a log around it.
#![allow(clippy::expect_used)]

use tenet_identity::keys::{DeviceKey, IdentityId};
use tenet_log::{
    clock::Hlc,
    event::{Body, Content, Event, Header, size_bucket},
    ids::{EventId, SessionId},
    session::{Draft, DraftContent},
    store::Position,
};

use crate::chat::{Action, fold::Entry, react::Emoji, react::React, text::Text};

/// A device that writes a chain of really signed events.
#[derive(Debug)]
pub struct Writer {
    key: DeviceKey,
    session: SessionId,
    prev: Option<EventId>,
    seq: u64,
    /// The time of the next event, in Unix milliseconds; each event makes it one later.
    pub time: u64,
    /// Whose device it is.
    pub identity: IdentityId,
}

impl Writer {
    /// Device `device` (which also is identity `device`) in session `session`.
    pub fn new(device: u8, session: u8) -> Self {
        Self {
            key: DeviceKey::from_seed([device; 32]),
            session: SessionId::from([session; 32]),
            prev: None,
            seq: 0,
            time: 1_800_000_000_000,
            identity: IdentityId::from([device; 32]),
        }
    }

    /// The next event of the chain.
    pub fn write(&mut self, draft: Draft) -> Event {
        let (content, body) = match draft.content {
            DraftContent::Payload(bytes) => (Content::Payload(bytes), None),
            DraftContent::Body(bytes) => {
                let body = Body {
                    salt: [0; 32],
                    bytes,
                };
                let bucket = size_bucket(body.bytes.len());
                (
                    Content::Body {
                        hash: body.hash(),
                        bucket,
                    },
                    Some(body),
                )
            }
        };
        let header = Header {
            session: Some(self.session),
            device: self.key.public(),
            added_by: Some(EventId::from([0; 32])),
            seq: self.seq,
            prev: self.prev,
            deps: Vec::new(),
            time: Hlc::from_millis(self.time),
            kind: draft.kind,
            content,
            expires: draft.expires,
        };
        let event = Event::sign(&self.key, header, body);
        (self.prev, self.seq, self.time) = (Some(event.id()), self.seq + 1, self.time + 1);
        event
    }

    /// An event that does something.
    ///
    /// # Panics
    /// Never: the kinds of chat are valid.
    pub fn act(&mut self, action: &Action) -> Event {
        self.write(action.draft().expect("a valid kind"))
    }

    /// A text.
    ///
    /// # Panics
    /// If it is empty or too long.
    pub fn text(&mut self, text: &str) -> Event {
        self.act(&Action::Text(
            Text::new(text.to_owned(), None).expect("a valid text"),
        ))
    }

    /// A reaction.
    ///
    /// # Panics
    /// If it is no emoji.
    pub fn react(&mut self, target: EventId, emoji: &str, on: bool) -> Event {
        let emoji = Emoji::new(emoji).expect("an emoji");
        self.act(&Action::React(React::new(target, emoji, on)))
    }

    /// An event of this device as the fold takes it; it counts.
    pub fn entry<'a>(&self, event: &'a Event) -> Entry<'a> {
        // The first event of a log is its first: positions begin at 1.
        let position = Position(i64::try_from(event.header().seq + 1).unwrap_or(i64::MAX));
        Entry {
            event,
            position,
            identity: self.identity,
            counts: true,
        }
    }
}
