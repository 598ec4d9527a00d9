//! What two nodes say to each other over one connection.
//!
//! A frame is one CBOR array `[number, [fields…]]`. Its length is the transport's matter. What the
//! identity crate says (hello, knock and its answers) travels as bytes of that crate's own forms.

use minicbor::{Decode, Encode, bytes::ByteVec};
use tenet_delivery::fanout::message as fanout;
use tenet_identity::encoding;
use tenet_log::sync::{Message, MessageError, Tag};

/// The version of the protocol that this program speaks.
pub const VERSION: u16 = 1;

/// The most session tags in one frame, padding included.
pub const MAX_TAGS: usize = 16_384;

/// The most foundings in one frame: at most 32 KiB each, they fit the 1 MiB of a frame.
pub const MAX_BROUGHT: usize = 24;

/// One frame.
#[derive(Clone, Debug, Encode, Decode)]
pub enum Frame {
    /// Shows a device; the first frame of either side.
    #[n(0)]
    Hello(#[n(0)] ByteVec),
    /// A message of becoming contacts.
    #[n(1)]
    Knock(#[n(0)] ByteVec),
    /// Tags of the sessions that the sender believes to share, among random ones.
    #[n(2)]
    Meet(#[n(0)] Vec<Tag>),
    /// A message about the session with this tag of the sender's.
    #[n(3)]
    Sync(#[n(0)] Tag, #[n(1)] Message),
    /// In the session with this tag of the sender's, its person types, or no more.
    #[n(4)]
    Typing(#[n(0)] Tag, #[n(1)] bool),
    /// Foundings of sessions in which the receiver has a place and of which it seems not to know; or, between
    /// devices of one identity, of such that this is out of.
    #[n(5)]
    Bring(#[n(0)] Vec<ByteVec>, #[n(1)] bool),
    /// A message of letting in another device of the same identity.
    #[n(6)]
    Link(#[n(0)] ByteVec),
    /// A message about an event of the session with this tag of the sender's, on its way to many.
    #[n(7)]
    Spread(#[n(0)] Tag, #[n(1)] fanout::Message),
}

/// Why bytes are no frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Malformed.
    #[error("frame is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// A message in it is over a limit.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A message of fan-out in it is none.
    #[error(transparent)]
    Spread(#[from] fanout::MessageError),
    /// Too many tags.
    #[error("frame holds too many session tags")]
    Tags,
    /// Too many foundings.
    #[error("frame brings too many sessions")]
    Brought,
}

impl Frame {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] for what no honest node sends.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let frame: Self = encoding::decode(bytes)?;
        match &frame {
            Self::Sync(_, message) => message.check()?,
            Self::Spread(_, message) => message.check()?,
            Self::Meet(tags) if tags.len() > MAX_TAGS => return Err(FrameError::Tags),
            Self::Bring(brought, _) if brought.len() > MAX_BROUGHT => {
                return Err(FrameError::Brought);
            }
            _ => {}
        }
        Ok(frame)
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
    use data_encoding::HEXLOWER;
    use minicbor::bytes::ByteVec;
    use proptest::prelude::*;
    use tenet_log::{
        clock::Hlc,
        ids::{Author, EventId},
        sync::{HeadEntry, MAX_EVENTS_PER_MESSAGE, Objection, RangeEntry, RegisterEntry},
    };

    fn tag(byte: u8) -> Tag {
        Tag([byte; 16])
    }

    fn id(byte: u8) -> EventId {
        EventId::from([byte; 32])
    }

    fn head(seq: u64) -> HeadEntry {
        let author = Author {
            device: [0x11; 32].into(),
            added_by: id(0x22),
        };
        HeadEntry {
            author,
            seq,
            id: id(0x33),
        }
    }

    fn entry() -> RegisterEntry {
        let (device, key) = ([0x44; 32].into(), "read".to_owned());
        RegisterEntry {
            device,
            key,
            time: Hlc::from_raw(5),
            id: id(0x55),
        }
    }

    /// NODE-1: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let sync = |message| Frame::Sync(tag(0xaa), message);
        let [one, two, three] = ["11", "22", "33"].map(|byte| format!("5820{}", byte.repeat(32)));
        let [four, five, six] = ["44", "55", "66"].map(|byte| format!("5820{}", byte.repeat(32)));
        let aa = format!("50{}", "aa".repeat(16));
        let heads = format!("81 83 82 {one} {two} 07 {three}");
        for (frame, expected) in [
            (
                Frame::Hello(ByteVec::from(vec![1, 2])),
                "82 00 81 42 0102".to_owned(),
            ),
            (
                Frame::Knock(ByteVec::from(vec![3])),
                "82 01 81 41 03".to_owned(),
            ),
            (Frame::Meet(vec![tag(0xaa)]), format!("82 02 81 81 {aa}")),
            (
                sync(Message::Digest([0x66; 32])),
                format!("82 03 82 {aa} 82 00 81 {six}"),
            ),
            (
                sync(Message::Frontier(vec![head(7)], vec![entry()], None)),
                format!("82 03 82 {aa} 82 01 82 {heads} 81 84 {four} 64 72656164 05 {five}"),
            ),
            (
                sync(Message::Events(vec![ByteVec::from(vec![9])])),
                format!("82 03 82 {aa} 82 02 81 81 41 09"),
            ),
            (
                sync(Message::Registers(vec![ByteVec::from(vec![8])])),
                format!("82 03 82 {aa} 82 03 81 81 41 08"),
            ),
            (
                sync(Message::Have(vec![head(7)])),
                format!("82 03 82 {aa} 82 04 81 {heads}"),
            ),
            (
                sync(Message::Object(id(0x66), Objection::TooEarly(6))),
                format!("82 03 82 {aa} 82 05 82 {six} 82 00 81 06"),
            ),
            (
                sync(Message::Want(vec![id(0x66)])),
                format!("82 03 82 {aa} 82 06 81 81 {six}"),
            ),
            (Frame::Typing(tag(0xaa), true), format!("82 04 82 {aa} f5")),
        ] {
            has_bytes(&frame, &expected);
        }
    }

    fn has_bytes(frame: &Frame, expected: &str) {
        let bytes = frame.encode();
        assert_eq!(
            HEXLOWER.encode(&bytes),
            expected.replace(' ', ""),
            "{frame:?}"
        );
        assert_eq!(Frame::decode(&bytes).unwrap().encode(), bytes);
    }

    /// NODE-1, NODE-32, DLINK-1: the bytes that travel.
    #[test]
    fn what_brings_and_links_has_these_bytes() {
        let nine = || ByteVec::from(vec![9]);
        has_bytes(&Frame::Bring(vec![nine()], true), "82 05 82 81 41 09 f5");
        has_bytes(&Frame::Link(nine()), "82 06 81 41 09");
    }

    /// NODE-1, FAN-12: the bytes that travel.
    #[test]
    fn what_is_on_its_way_to_many_has_these_bytes() {
        let one = || fanout::Message::Have(vec![id(0x11)]);
        let (aa, one_id) = ("aa".repeat(16), "11".repeat(32));
        let expected = format!("82 07 82 50{aa} 82 03 81 81 5820{one_id}");
        has_bytes(&Frame::Spread(tag(0xaa), one()), &expected);
        let many = fanout::Message::Have(vec![id(1); fanout::MAX_HAD + 1]);
        let refused = Frame::decode(&Frame::Spread(tag(1), many).encode());
        assert!(matches!(refused, Err(FrameError::Spread(_))));
    }

    /// NODE-2.
    #[test]
    fn what_is_over_a_limit_is_no_frame() {
        let tags = |many| Frame::Meet(vec![tag(1); many]).encode();
        assert!(Frame::decode(&tags(MAX_TAGS)).is_ok());
        assert!(matches!(
            Frame::decode(&tags(MAX_TAGS + 1)),
            Err(FrameError::Tags)
        ));
        let brought = Frame::Bring(vec![ByteVec::from(vec![1]); MAX_BROUGHT + 1], false).encode();
        assert!(matches!(Frame::decode(&brought), Err(FrameError::Brought)));
        let events = vec![ByteVec::from(Vec::new()); MAX_EVENTS_PER_MESSAGE + 1];
        let events = Frame::Sync(tag(1), Message::Events(events)).encode();
        assert!(matches!(
            Frame::decode(&events),
            Err(FrameError::Message(_))
        ));
        let mut more = tags(1);
        more.push(0);
        assert!(matches!(Frame::decode(&more), Err(FrameError::Encoding(_))));
        // What claims to be long costs no more than it is long.
        assert!(
            Frame::decode(&[0x82, 2, 0x81, 0x9b, 0x7f, 255, 255, 255, 255, 255, 255, 255]).is_err()
        );
    }

    fn frames() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40).prop_map(ByteVec::from);
        let heads = || prop::collection::vec(any::<u64>().prop_map(head), 0..4);
        let message = prop_oneof![
            any::<[u8; 32]>().prop_map(Message::Digest),
            (heads(), 0..3_usize).prop_map(|(heads, n)| Message::Frontier(
                heads,
                vec![entry(); n],
                None
            )),
            prop::collection::vec(bytes(), 0..4).prop_map(Message::Events),
            prop::collection::vec(bytes(), 0..4).prop_map(Message::Registers),
            heads().prop_map(Message::Have),
            any::<u64>().prop_map(|now| Message::Object(id(1), Objection::TooEarly(now))),
            Just(Message::Object(id(2), Objection::Invalid)),
            Just(Message::Object(id(2), Objection::NoRoom)),
            (0..40_u8).prop_map(|n| Message::Want(vec![id(n)])),
            any::<(u8, [u8; 32])>()
                .prop_map(|(range, digest)| Message::Ranges(vec![RangeEntry { range, digest }])),
        ];
        let tag = || any::<[u8; 16]>().prop_map(Tag);
        prop_oneof![
            bytes().prop_map(Frame::Hello),
            bytes().prop_map(Frame::Knock),
            bytes().prop_map(Frame::Link),
            prop::collection::vec(tag(), 0..20).prop_map(Frame::Meet),
            (tag(), message).prop_map(|(tag, message)| Frame::Sync(tag, message)),
            (prop::collection::vec(bytes(), 0..4), any::<bool>())
                .prop_map(|(brought, over)| Frame::Bring(brought, over)),
            (tag(), any::<bool>()).prop_map(|(tag, on)| Frame::Typing(tag, on)),
            (tag(), bytes()).prop_map(|(tag, event)| {
                Frame::Spread(tag, fanout::Message::Give(event, None))
            }),
        ]
    }

    proptest! {
        #[test]
        fn round_trips(frame in frames()) {
            let bytes = frame.encode();
            let back = Frame::decode(&bytes).unwrap();
            prop_assert_eq!(format!("{back:?}"), format!("{frame:?}"));
            prop_assert_eq!(back.encode(), bytes);
        }

        #[test]
        fn never_panics(
            frame in frames(), at in any::<prop::sample::Index>(), to: u8,
            noise in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut bytes = frame.encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Frame::decode(&bytes);
            let _ = Frame::decode(&bytes[..at]);
            let _ = Frame::decode(&noise);
        }
    }
}
