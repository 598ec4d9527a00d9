//! Read positions: how far somebody has read, published as a register of the session.
//!
//! A message may come late and yet stand early in the total order: its writer was offline. A
//! position that named only a place in the order would claim it as read before anybody saw it. So a
//! position also says what its device held of every chain when it was set (`CHAT-13`).

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use tenet_identity::{encoding, keys::IdentityId};
use tenet_log::{
    frontier::Frontier,
    ids::{Author, SessionId},
    order::OrderKey,
    register,
    store::StoreError,
};

use super::{
    order::OrderForm,
    store::{ChatStore, MessageRow},
};

/// The key of the register.
pub const KEY: &str = "read";

/// The most chains that a position speaks of (`CHAT-12`): what fits into a register.
pub const MAX_CHAINS: usize = 48;

/// How far somebody has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    order: OrderKey,
    held: BTreeMap<Author, u64>,
}

/// A position and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Whose device has read.
    pub identity: IdentityId,
    /// How far.
    pub position: Position,
}

/// Why the value of a register is no position.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PositionError {
    /// Malformed bytes.
    #[error("a read position is malformed: {0}")]
    Encoding(#[from] encoding::Error),
    /// Over a limit.
    #[error("a read position is over the limit of {0}")]
    TooLarge(&'static str),
}

impl Position {
    /// Everything up to `order` was read, by a device that holds the chains up to `frontier`.
    ///
    /// Of more than [`MAX_CHAINS`] chains those that were written last are named; messages on the
    /// others do not show as read.
    pub fn new(order: OrderKey, frontier: &Frontier) -> Self {
        let mut heads: Vec<_> = frontier.heads().collect();
        heads.sort_by_key(|head| (std::cmp::Reverse(head.time), head.author));
        let mut held = BTreeMap::new();
        for head in heads {
            if held.len() < MAX_CHAINS || held.contains_key(&head.author) {
                let seq = held.entry(head.author).or_insert(head.seq);
                *seq = head.seq.max(*seq);
            }
        }
        Self { order, held }
    }

    /// The same with another message as the last: one that stands where the last is void.
    #[must_use]
    pub fn moved(self, order: OrderKey) -> Self {
        Self { order, ..self }
    }

    /// The last message that was read.
    pub fn order(&self) -> OrderKey {
        self.order
    }

    /// Whether the message at this place was read.
    pub fn covers(&self, message: &OrderKey) -> bool {
        let held = self
            .held
            .get(&message.author)
            .is_some_and(|seq| *seq >= message.seq);
        held && *message <= self.order
    }

    /// The register's value.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&Form {
            order: self.order.into(),
            held: self.held.clone(),
        })
    }

    /// Reads a register's value.
    ///
    /// # Errors
    /// [`PositionError`].
    pub fn decode(value: &[u8]) -> Result<Self, PositionError> {
        if value.len() > register::MAX_VALUE_BYTES {
            return Err(PositionError::TooLarge("4 KiB"));
        }
        let form: Form = encoding::decode(value)?;
        if form.held.len() > MAX_CHAINS {
            return Err(PositionError::TooLarge("48 chains"));
        }
        Ok(Self {
            order: form.order.into(),
            held: form.held,
        })
    }
}

/// Whether any of these positions covers the message.
pub fn is_read<'a>(message: &OrderKey, positions: impl IntoIterator<Item = &'a Position>) -> bool {
    positions
        .into_iter()
        .any(|position| position.covers(message))
}

/// How many messages of others' chains I have not read, counted up to `most` (`CHAT-204`).
///
/// What a position covers of a chain is its beginning, because order grows with it: so counting
/// goes back from each chain's end and stops at the first that was read.
///
/// # Errors
/// [`StoreError`].
pub fn unread<S: ChatStore + ?Sized>(
    store: &S,
    session: SessionId,
    others: impl IntoIterator<Item = Author>,
    mine: &[Position],
    most: usize,
) -> Result<usize, StoreError> {
    const PAGE: usize = 64;
    let mut count = 0;
    for author in others {
        let mut before = u64::MAX;
        while count < most {
            let page = store.chain_back(session, author, before, PAGE)?;
            let covered =
                |row: &&MessageRow| mine.iter().any(|position| position.covers(&row.order));
            let new = page.iter().take_while(|row| !covered(row)).count();
            count += new;
            match page.last() {
                Some(last) if new == PAGE => before = last.order.seq,
                _ => break,
            }
        }
    }
    Ok(count.min(most))
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    order: OrderForm,
    #[n(1)]
    held: BTreeMap<Author, u64>,
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
    use proptest::prelude::*;
    use tenet_identity::keys::DeviceId;
    use tenet_log::{clock::Hlc, frontier::Head, ids::EventId};

    fn author(n: u8) -> Author {
        Author {
            device: DeviceId::from([n; 32]),
            added_by: EventId::from([n; 32]),
        }
    }

    fn order(millis: u64, of: u8, seq: u64) -> OrderKey {
        let id = EventId::from([seq as u8; 32]);
        OrderKey {
            time: Hlc::from_millis(millis),
            author: author(of),
            seq,
            id,
        }
    }

    fn frontier(heads: impl IntoIterator<Item = (u8, u64)>) -> Frontier {
        let head = |(n, seq)| Head {
            author: author(n),
            branch: 0,
            seq,
            id: EventId::from([n; 32]),
            time: Hlc::from_millis(1_000 + u64::from(n)),
            tip: true,
        };
        Frontier::from_heads(heads.into_iter().map(head).collect())
    }

    /// CHAT-13.
    #[test]
    fn covers_what_was_held_and_stands_before() {
        let position = Position::new(order(500, 1, 7), &frontier([(1, 7), (2, 3)]));
        assert!(position.covers(&order(500, 1, 7)));
        assert!(position.covers(&order(400, 2, 3)));
        assert!(
            !position.covers(&order(501, 1, 8)),
            "later than what was read"
        );
        assert!(
            !position.covers(&order(300, 2, 4)),
            "stands early, came late"
        );
        assert!(!position.covers(&order(300, 3, 0)), "of a chain not held");
        assert!(is_read(&order(400, 2, 3), [&position]));
        assert!(!is_read(&order(400, 2, 3), []));
    }

    /// CHAT-12.
    #[test]
    fn the_latest_chains_are_named_and_fit_into_a_register() {
        let last = order(u64::MAX >> 16, 200, u64::MAX);
        let position = Position::new(last, &frontier((0..60).map(|n| (n, u64::MAX))));
        let value = position.encode();
        assert!(value.len() <= register::MAX_VALUE_BYTES, "{}", value.len());
        assert_eq!(Position::decode(&value).unwrap(), position);
        assert!(position.covers(&order(0, 59, 0)) && position.covers(&order(0, 12, 0)));
        assert!(!position.covers(&order(0, 11, 0)));
    }

    #[test]
    fn refuses_what_is_too_large() {
        let held = (0..49).map(|n| (author(n), 0)).collect();
        let form = Form {
            order: order(1, 1, 1).into(),
            held,
        };
        let decoded = Position::decode(&encoding::encode(&form));
        assert!(matches!(decoded, Err(PositionError::TooLarge("48 chains"))));
        let decoded = Position::decode(&[0; register::MAX_VALUE_BYTES + 1]);
        assert!(matches!(decoded, Err(PositionError::TooLarge("4 KiB"))));
    }

    /// CHAT-12: the bytes that travel.
    #[test]
    fn has_these_bytes() {
        let position = Position::new(order(1, 0xaa, 2), &frontier([(0xaa, 2), (0xbb, 300)]));
        let id = |byte: &str| format!("5820{}", byte.repeat(32));
        let author = |byte| format!("82{}{}", id(byte), id(byte));
        let expected = format!(
            "a200a4001a0001000001{}020203{}01a2{}02{}19012c",
            author("aa"),
            id("02"),
            author("aa"),
            author("bb"),
        );
        assert_eq!(HEXLOWER.encode(&position.encode()), expected);
    }

    proptest! {
        #[test]
        fn round_trips(
            millis in 0..u64::MAX >> 16, of: u8, seq: u64,
            heads in prop::collection::btree_map(any::<u8>(), any::<u64>(), 0..60),
        ) {
            let position = Position::new(order(millis, of, seq), &frontier(heads));
            prop_assert_eq!(Position::decode(&position.encode()).unwrap(), position);
        }

        #[test]
        fn never_panics(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Position::decode(&value);
        }

        #[test]
        fn never_panics_on_altered_positions(at in any::<prop::sample::Index>(), to: u8) {
            let mut value = Position::new(order(1, 1, 1), &frontier([(1, 1), (2, 9)])).encode();
            let at = at.index(value.len());
            value[at] = to;
            let _ = Position::decode(&value);
        }
    }
}
