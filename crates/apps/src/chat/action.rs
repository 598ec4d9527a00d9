//! What a person can do in a chat, as events.

use tenet_identity::encoding;
use tenet_log::{
    event::{Content, Event, HeaderError, Kind},
    ids::EventId,
    roster::{Op, Withdrawal, kind},
    session::{Draft, DraftContent},
};

use super::{
    edit, edit::Edit, file, react, react::React, text, text::Text, timer, timer::Timer, unsend,
    unsend::Unsend,
};

/// One thing done in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Says something.
    Text(Text),
    /// Gives an own message another text.
    Edit(Edit),
    /// Takes an own message back.
    Unsend(Unsend),
    /// Puts an emoji on a message, or takes it away.
    React(React),
    /// Lets what is said from now on disappear after a while.
    Timer(Timer),
    /// Withdraws another's message: an operation of the roster, which asks for the right to it (`CHAT-1303`).
    Withdraw(Withdrawal),
}

/// Why something cannot be said, or why an event says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// A text without a character.
    #[error("the text is empty; nothing was sent")]
    Empty,
    /// A text over the limit.
    #[error(
        "the text has {len} bytes, at most {max} fit into one message; send it in parts, nothing was sent",
        max = text::MAX_BYTES
    )]
    TooLong {
        /// Its length in bytes of UTF-8.
        len: usize,
    },
    /// More files than fit into one message.
    #[error("{count} files are more than the {max} of one message; nothing was sent", max = file::MAX_FILES)]
    TooManyFiles {
        /// How many.
        count: usize,
    },
    /// More edits than an unsend may name.
    #[error("an unsend names {count} edits, at most {max}", max = unsend::MAX_EDITS)]
    TooManyEdits {
        /// How many.
        count: usize,
    },
    /// A name that a person on a card cannot have.
    #[error("not a name for a person: it is too long, or has control characters")]
    Name,
    /// A name that is none, or that could lead into another folder.
    #[error(
        "not a name for a file: it has 1 to {max} bytes, no slash and no control character",
        max = file::MAX_NAME_BYTES
    )]
    FileName,
    /// A time after which nobody would look any more.
    #[error("messages disappear after at most {days} days", days = timer::MAX_SECONDS / 86_400)]
    Timer,
    /// A text that is no emoji.
    #[error(
        "not an emoji to react with: it has 1 to {max} bytes, no space and no control character",
        max = react::MAX_BYTES
    )]
    Emoji,
    /// An event whose body is malformed.
    #[error("a chat event is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// An event that carries in its header what belongs into a body, or the reverse.
    #[error("a chat event carries its content in the wrong place")]
    Place,
    /// An event whose body was erased.
    #[error("the body of a chat event is gone")]
    Gone,
}

impl Action {
    /// What an event does in a chat; `None` where its kind is another app's or a later version's.
    ///
    /// # Errors
    /// [`ActionError`] for what no honest device writes, and for events whose body is gone. Such
    /// events have no effect (`CHAT-3`).
    pub fn decode(event: &Event) -> Result<Option<Self>, ActionError> {
        Ok(Some(match event.header().kind.as_str() {
            text::KIND => Self::Text(Text::decode(body(event)?)?),
            edit::KIND => Self::Edit(Edit::decode(body(event)?)?),
            react::KIND => Self::React(React::decode(body(event)?)?),
            unsend::KIND => Self::Unsend(Unsend::decode(payload(event)?)?),
            timer::KIND => Self::Timer(Timer::decode(payload(event)?)?),
            kind::WITHDRAW => match Op::trusted(event) {
                Ok(Some(Op::Withdraw(withdrawal))) => Self::Withdraw(withdrawal),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// The event that does this, to be signed.
    ///
    /// # Errors
    /// [`HeaderError::Kind`], which the kinds of this app never cause.
    pub fn draft(&self) -> Result<Draft, HeaderError> {
        let (kind, content) = match self {
            Self::Text(text) => (text::KIND, DraftContent::Body(encoding::encode(text))),
            Self::Edit(edit) => (edit::KIND, DraftContent::Body(encoding::encode(edit))),
            Self::React(react) => (react::KIND, DraftContent::Body(encoding::encode(react))),
            Self::Unsend(unsend) => (
                unsend::KIND,
                DraftContent::Payload(encoding::encode(unsend)),
            ),
            Self::Timer(timer) => (timer::KIND, DraftContent::Payload(encoding::encode(timer))),
            Self::Withdraw(withdrawal) => {
                let op = Op::Withdraw(withdrawal.clone());
                (op.kind(), DraftContent::Payload(op.payload()))
            }
        };
        Ok(Draft {
            kind: Kind::new(kind)?,
            content,
            expires: None,
        })
    }

    /// The same about other messages: each id that it names is replaced by what `name` gives.
    #[must_use]
    pub fn renamed(self, name: impl Fn(EventId) -> EventId) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.renamed(name)),
            Self::Edit(edit) => Self::Edit(edit.renamed(name)),
            Self::React(react) => Self::React(react.renamed(name)),
            Self::Unsend(unsend) => Self::Unsend(unsend.renamed(name)),
            Self::Timer(timer) => Self::Timer(timer),
            Self::Withdraw(withdrawal) => Self::Withdraw(Withdrawal {
                event: name(withdrawal.event),
                ..withdrawal
            }),
        }
    }

    /// The message that it changes, if it changes one.
    pub fn target(&self) -> Option<EventId> {
        match self {
            Self::Text(_) | Self::Timer(_) => None,
            Self::Edit(edit) => Some(edit.target()),
            Self::Unsend(unsend) => Some(unsend.target()),
            Self::React(react) => Some(react.target()),
            Self::Withdraw(withdrawal) => Some(withdrawal.event),
        }
    }
}

fn body(event: &Event) -> Result<&[u8], ActionError> {
    match event.header().content {
        Content::Body { .. } => event
            .body()
            .map(|body| body.bytes.as_slice())
            .ok_or(ActionError::Gone),
        Content::Payload(_) => Err(ActionError::Place),
    }
}

fn payload(event: &Event) -> Result<&[u8], ActionError> {
    match &event.header().content {
        Content::Payload(bytes) => Ok(bytes),
        Content::Body { .. } => Err(ActionError::Place),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use crate::chat::{react::Emoji, testing::Writer};
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn target() -> EventId {
        EventId::from([0xab; 32])
    }

    fn all() -> [Action; 9] {
        let emoji = Emoji::new("👍").unwrap();
        [
            Action::Text(Text::new("hi".into(), None).unwrap()),
            Action::Text(Text::new("hi".into(), Some(target())).unwrap()),
            Action::Edit(Edit::new(target(), "ho".into()).unwrap()),
            Action::React(React::new(target(), emoji.clone(), true)),
            Action::React(React::new(target(), emoji, false)),
            Action::Unsend(Unsend::new(target())),
            Action::Text(Text::new("hi".into(), None).unwrap().forwarded()),
            Action::Unsend(Unsend::new(target()).with_edits(vec![target()])),
            Action::Timer(Timer::new(3600).unwrap()),
        ]
    }

    fn bytes(action: &Action) -> Vec<u8> {
        match action.draft().unwrap().content {
            DraftContent::Body(bytes) | DraftContent::Payload(bytes) => bytes,
        }
    }

    /// CHAT-2: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let id = "5820".to_owned() + &"ab".repeat(32);
        let expected = [
            "a100626869".to_owned(),
            format!("a20062686901{id}"),
            format!("a200{id}0162686f"),
            format!("a300{id}0164f09f918d02f5"),
            format!("a300{id}0164f09f918d02f4"),
            format!("a100{id}"),
            "a20062686903f5".to_owned(),
            format!("a200{id}0181{id}"),
            "a100190e10".to_owned(),
        ];
        for (action, hex) in all().iter().zip(expected) {
            assert_eq!(HEXLOWER.encode(&bytes(action)), hex, "{action:?}");
        }
    }

    #[test]
    fn the_same_can_be_done_to_another_message() {
        let other = EventId::from([0xcd; 32]);
        for action in all() {
            let name = |id| if id == target() { other } else { target() };
            let renamed = action.clone().renamed(name);
            let about = |action: &Action| match action {
                Action::Text(text) => text.reply(),
                action => action.target(),
            };
            assert_eq!(about(&renamed), about(&action).map(|_| other));
            assert_eq!(renamed.renamed(name), action);
        }
    }

    /// CHAT-1.
    #[test]
    fn kinds_are_valid_and_told_apart() {
        let mut writer = Writer::new(1, 1);
        let kinds = [
            "chat.text",
            "chat.text",
            "chat.edit",
            "chat.react",
            "chat.react",
            "chat.unsend",
            "chat.text",
            "chat.unsend",
            "chat.timer",
        ];
        for (action, kind) in all().iter().zip(kinds) {
            let draft = action.draft().unwrap();
            assert_eq!(draft.kind.as_str(), kind);
            let erases = matches!(draft.content, DraftContent::Payload(_));
            let stays = ["chat.unsend", "chat.timer"].contains(&kind);
            assert_eq!(erases, stays, "erasures travel in the header");
            assert_eq!(
                Action::decode(&writer.write(draft)).unwrap().as_ref(),
                Some(action)
            );
        }
    }

    #[test]
    fn other_kinds_are_let_be() {
        let mut writer = Writer::new(1, 1);
        for kind in ["chat.poll", "files.add", "roster.leave"] {
            let content = DraftContent::Body(vec![0xff]);
            let event = writer.write(Draft {
                kind: Kind::new(kind).unwrap(),
                content,
                expires: None,
            });
            assert_eq!(Action::decode(&event).unwrap(), None, "{kind}");
        }
    }

    /// CHAT-3.
    #[test]
    fn content_in_the_wrong_place_is_refused() {
        let mut writer = Writer::new(1, 1);
        for action in all() {
            let mut draft = action.draft().unwrap();
            draft.content = match draft.content {
                DraftContent::Body(bytes) => DraftContent::Payload(bytes),
                DraftContent::Payload(bytes) => DraftContent::Body(bytes),
            };
            assert!(matches!(
                Action::decode(&writer.write(draft)),
                Err(ActionError::Place)
            ));
        }
    }

    #[derive(minicbor::Encode)]
    #[cbor(map)]
    struct Boundless {
        #[n(0)]
        target: EventId,
        #[n(1)]
        edits: Vec<EventId>,
    }

    /// CHAT-20.
    #[test]
    fn an_unsend_names_the_last_edits_and_no_more() {
        let edits: Vec<EventId> = (0..=256_u16)
            .map(|number| {
                let mut id = [0; 32];
                id[..2].copy_from_slice(&number.to_be_bytes());
                EventId::from(id)
            })
            .collect();
        let unsend = Unsend::new(target()).with_edits(edits.clone());
        assert_eq!(unsend.edits(), &edits[1..]);
        let mut writer = Writer::new(1, 1);
        let event = writer.act(&Action::Unsend(unsend));
        assert!(matches!(
            Action::decode(&event),
            Ok(Some(Action::Unsend(_)))
        ));
        // The same with one more, by a hand that keeps no limit.
        let bytes = encoding::encode(&Boundless {
            target: target(),
            edits,
        });
        let kind = Kind::new(unsend::KIND).unwrap();
        let content = DraftContent::Payload(bytes);
        let event = writer.write(Draft {
            kind,
            content,
            expires: None,
        });
        let decoded = Action::decode(&event);
        assert!(matches!(
            decoded,
            Err(ActionError::TooManyEdits { count: 257 })
        ));
    }

    #[test]
    fn a_body_that_is_gone_is_told_from_a_malformed_one() {
        let mut writer = Writer::new(1, 1);
        let event = writer.act(&all()[0]);
        let header = event.encoded_header().to_vec();
        let bare = Event::trusted(header, *event.signature(), None).unwrap();
        assert!(matches!(Action::decode(&bare), Err(ActionError::Gone)));
    }

    #[test]
    fn nothing_that_a_person_wrote_shows_in_debug() {
        let text = Action::Text(Text::new("secret".into(), None).unwrap());
        let edit = Action::Edit(Edit::new(target(), "secret".into()).unwrap());
        assert!(!format!("{text:?}{edit:?}").contains("secret"));
    }

    fn action() -> impl Strategy<Value = Action> {
        let id = || any::<[u8; 32]>().prop_map(EventId::from);
        prop_oneof![
            (".{1,300}", prop::option::of(id()))
                .prop_map(|(text, reply)| Action::Text(Text::new(text, reply).unwrap())),
            (id(), ".{1,300}").prop_map(|(id, text)| Action::Edit(Edit::new(id, text).unwrap())),
            (id(), "[a-z👍🎉]{1,8}", any::<bool>()).prop_map(|(id, emoji, on)| Action::React(
                React::new(id, Emoji::new(&emoji).unwrap(), on)
            )),
            (id(), prop::collection::vec(id(), 0..3))
                .prop_map(|(id, edits)| Action::Unsend(Unsend::new(id).with_edits(edits))),
            (0..=timer::MAX_SECONDS)
                .prop_map(|seconds| Action::Timer(Timer::new(seconds).unwrap())),
        ]
    }

    proptest! {
        #[test]
        fn round_trips(action in action()) {
            let event = Writer::new(1, 1).act(&action);
            prop_assert_eq!(Action::decode(&event).unwrap(), Some(action));
        }

        #[test]
        fn never_panics(
            kind in prop::sample::select(vec![
                "chat.text", "chat.edit", "chat.react", "chat.unsend", "chat.timer",
            ]),
            bytes in prop::collection::vec(any::<u8>(), 0..100),
            erases in any::<bool>(),
        ) {
            let content = if erases { DraftContent::Payload(bytes) } else { DraftContent::Body(bytes) };
            let draft = Draft { kind: Kind::new(kind).unwrap(), content, expires: None };
            let _ = Action::decode(&Writer::new(1, 1).write(draft));
        }

        /// Bytes that are nearly right: one byte of a real action changed.
        #[test]
        fn never_panics_on_altered_actions(action in action(), at in any::<prop::sample::Index>(), to: u8) {
            let mut draft = action.draft().unwrap();
            let (DraftContent::Body(bytes) | DraftContent::Payload(bytes)) = &mut draft.content;
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Action::decode(&Writer::new(1, 1).write(draft));
        }
    }
}
