//! What forwarders say to each other.

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_identity::encoding;
use tenet_log::ids::EventId;

use super::{marks::Marks, plan::Task, point::Span, presence::Word};

/// The most events that one [`Message::Have`] names.
pub const MAX_HAD: usize = 256;

/// Who of a span has the event (`FAN-11`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Report {
    /// The span.
    #[n(0)]
    pub span: Span,
    /// Whether the speaker has forwarded, and heard what there was to hear; otherwise it has only forwarded.
    #[n(1)]
    pub done: bool,
    /// Who has it, of those that the speaker knows there.
    #[n(2)]
    pub has: Marks,
    /// Whom the speaker took for away and sent nothing, where it is the last level.
    #[n(3)]
    pub away: Option<Marks>,
}

/// A message about one event, or several.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// The event in its wire form, and to a head what it is to see to.
    #[n(0)]
    Give(#[n(0)] ByteVec, #[n(1)] Option<Task>),
    /// The same without the event, for whoever may have it already.
    #[n(1)]
    Offer(#[n(0)] EventId, #[n(1)] Option<Task>),
    /// The sender lacks what was offered.
    #[n(2)]
    Want(#[n(0)] EventId),
    /// These are durable at the sender.
    #[n(3)]
    Have(#[n(0)] Vec<EventId>),
    /// The sender has forwarded to its span.
    #[n(4)]
    Report(#[n(0)] EventId, #[n(1)] Report),
    /// Who was heard of lately.
    #[n(5)]
    Present(#[n(0)] Word),
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Malformed.
    #[error("fan-out message is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// A task that is none: an empty span, too many heads, or some outside it.
    #[error("fan-out message holds no sound task")]
    Task,
    /// More events or members than a message may name, or marks that are not in their one form.
    #[error("fan-out message is over a limit")]
    Limit,
}

impl Message {
    /// The message's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`] for what no honest device sends.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let message: Self = encoding::decode(bytes)?;
        message.check()?;
        Ok(message)
    }

    /// Checks what a decoded message names (`FAN-13`).
    ///
    /// # Errors
    /// [`MessageError::Task`], [`MessageError::Limit`].
    pub fn check(&self) -> Result<(), MessageError> {
        match self {
            Self::Give(_, Some(task)) | Self::Offer(_, Some(task)) if !task.is_sound() => {
                Err(MessageError::Task)
            }
            Self::Have(events) if events.len() > MAX_HAD => Err(MessageError::Limit),
            Self::Report(_, report) => {
                let sound =
                    report.has.is_sound() && report.away.as_ref().is_none_or(Marks::is_sound);
                sound.then_some(()).ok_or(MessageError::Limit)
            }
            Self::Present(word) if !word.heard.is_sound() => Err(MessageError::Limit),
            _ => Ok(()),
        }
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
    use crate::fanout::point::Point;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    fn span(first: u64, last: u64) -> Span {
        Span {
            first: Point(first),
            last: Point(last),
        }
    }

    fn task() -> Task {
        Task {
            span: span(1, 9),
            heads: vec![Point(3), Point(2)],
            known: vec![Point(9)],
        }
    }

    fn id(byte: u8) -> EventId {
        EventId::from([byte; 32])
    }

    fn report(members: &[(u64, bool)]) -> Report {
        Report {
            span: span(1, 9),
            done: true,
            has: Marks::new(members.iter().map(|(at, set)| (Point(*at), *set))),
            away: None,
        }
    }

    /// FAN-12: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let one = format!("5820{}", "11".repeat(32));
        let marked = report(&[(1, true), (2, false), (3, true), (9, false)]);
        let mut away = report(&[(1, false)]);
        away.away = Some(report(&[(1, true)]).has);
        for (message, expected) in [
            (
                Message::Give(vec![7, 8].into(), Some(task())),
                "82 00 82 42 0708 83 82 01 09 82 03 02 81 09".to_owned(),
            ),
            (
                Message::Give(vec![7].into(), None),
                "82 00 81 41 07".to_owned(),
            ),
            (Message::Offer(id(0x11), None), format!("82 01 81 {one}")),
            (
                Message::Report(id(0x11), away),
                format!("82 04 82 {one} 84 82 01 09 f5 82 1a29e3f368 40 82 1a29e3f368 41 01"),
            ),
            (Message::Want(id(0x11)), format!("82 02 81 {one}")),
            (Message::Have(vec![id(0x11)]), format!("82 03 81 81 {one}")),
            (
                Message::Present(Word {
                    period: 7,
                    heard: report(&[(1, true)]).has,
                }),
                "82 05 81 82 07 82 1a29e3f368 41 01".to_owned(),
            ),
            (
                Message::Report(id(0x11), marked),
                format!("82 04 82 {one} 83 82 01 09 f5 82 1ad537000c 41 05"),
            ),
        ] {
            let bytes = message.encode();
            assert_eq!(HEXLOWER.encode(&bytes), expected.replace(' ', ""));
            assert_eq!(Message::decode(&bytes).unwrap(), message);
        }
    }

    /// FAN-13.
    #[test]
    fn what_is_over_a_limit_is_no_message() {
        let refused = |message: Message| Message::decode(&message.encode()).is_err();
        let with = |change: fn(&mut Task)| {
            let mut task = task();
            change(&mut task);
            Message::Offer(id(1), Some(task))
        };
        assert!(!refused(with(|_| {})));
        assert!(refused(with(|task| task.heads.clear())));
        assert!(refused(with(|task| task.heads = vec![Point(4); 6])));
        assert!(refused(with(|task| task.heads = vec![Point(10)])));
        assert!(refused(with(|task| task.known = vec![Point(0)])));
        assert!(refused(with(|task| task.known = vec![Point(4); 33])));
        assert!(refused(with(|task| task.span = span(9, 1))));
        assert!(!refused(Message::Have(vec![id(1); MAX_HAD])));
        assert!(refused(Message::Have(vec![id(1); MAX_HAD + 1])));
        let mut bytes = Message::Report(id(1), report(&[(1, true)])).encode();
        *bytes.last_mut().unwrap() = 0;
        assert!(
            Message::decode(&bytes).is_err(),
            "marks with a zero at the end"
        );
    }

    proptest! {
        #[test]
        fn round_trips(
            members in prop::collection::btree_map(1_u64..10, any::<bool>(), 0..9),
            event in prop::collection::vec(any::<u8>(), 0..40), with: bool, n in 0_usize..4,
        ) {
            let members: Vec<(u64, bool)> = members.into_iter().collect();
            let report = report(&members);
            prop_assert_eq!(report.has.count(), members.iter().filter(|(_, set)| *set).count());
            for message in [
                Message::Give(event.into(), with.then(task)),
                Message::Offer(id(1), with.then(task)),
                Message::Want(id(2)),
                Message::Have(vec![id(3); n]),
                Message::Present(Word { period: 3, heard: report.has.clone() }),
                Message::Report(id(4), report),
            ] {
                prop_assert_eq!(Message::decode(&message.encode()).unwrap(), message);
            }
        }

        #[test]
        fn never_panics(
            at in any::<prop::sample::Index>(), to: u8, noise in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut bytes = Message::Offer(id(1), Some(task())).encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Message::decode(&bytes);
            let _ = Message::decode(&bytes[..at]);
            let _ = Message::decode(&noise);
        }
    }
}
