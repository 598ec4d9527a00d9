//! How a message is named: by its id, or by a beginning of it that no other message has (`CLI-10`).

use std::str::FromStr;

use tenet_apps::chat::store::ChatStore;
use tenet_log::ids::EventId;
use tenet_rpc::api;

use super::shared::failed;

/// The fewest digits of a beginning: among 10,000 messages a stray beginning of 6 digits finds
/// nothing in 1,677 of 1,678 cases.
const LEAST_DIGITS: usize = 6;

/// The digits of a whole id.
const ALL_DIGITS: usize = 64;

/// How many messages with one beginning are looked at to say how many digits tell them apart.
const LOOKED_AT: usize = 256;

/// What was typed to name a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Its whole id, which needs no look at the store.
    Whole(EventId),
    /// A beginning of it.
    Beginning(Beginning),
}

/// A beginning of ids, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    digits: String,
    /// The first and the last id that begin so.
    range: (EventId, EventId),
}

/// Reads what was typed.
///
/// # Errors
/// A usage error, where it can be no message's name.
pub(super) fn read(text: &str) -> Result<Name, api::Error> {
    let digits = text.trim().to_ascii_lowercase();
    let filled = |with: char| {
        let rest = ALL_DIGITS.saturating_sub(digits.len());
        EventId::from_str(&(digits.clone() + &with.to_string().repeat(rest))).ok()
    };
    let range = filled('0').zip(filled('f'));
    match range.filter(|_| digits.len() >= LEAST_DIGITS) {
        Some((id, _)) if digits.len() == ALL_DIGITS => Ok(Name::Whole(id)),
        Some(range) => Ok(Name::Beginning(Beginning { digits, range })),
        None => Err(api::Error::usage(format!(
            "\"{text}\" names no message: a message's id has {ALL_DIGITS} hexadecimal digits, of \
             which at least the first {LEAST_DIGITS} are needed"
        ))),
    }
}

impl Name {
    /// The first and the last id that it may mean.
    pub(super) fn range(&self) -> (EventId, EventId) {
        match self {
            Self::Whole(id) => (*id, *id),
            Self::Beginning(beginning) => beginning.range,
        }
    }

    /// The message's id; a whole one as it is, whether or not there is such a message.
    ///
    /// # Errors
    /// Not found, or a usage error where several messages begin so.
    pub(super) fn find(&self, store: &impl ChatStore) -> Result<EventId, api::Error> {
        match self {
            Self::Whole(id) => Ok(*id),
            Self::Beginning(beginning) => beginning.find(store),
        }
    }
}

impl Beginning {
    /// The only message that begins so.
    ///
    /// # Errors
    /// As [`Name::find`].
    pub(super) fn find(&self, store: &impl ChatStore) -> Result<EventId, api::Error> {
        let (first, last) = self.range;
        let found = store
            .messages_between(first, last, LOOKED_AT)
            .map_err(failed)?;
        self.only(&found)
    }

    fn only(&self, found: &[EventId]) -> Result<EventId, api::Error> {
        match found {
            [id] => Ok(*id),
            [] => Err(api::Error::not_found(format!(
                "there is no message whose id begins with {}; tenet history WHO --ids shows them",
                self.digits
            ))),
            several => Err(api::Error::usage(format!(
                "the ids of {} messages begin with {}; {} digits more tell them apart",
                several.len(),
                self.digits,
                digits_apart(several).saturating_sub(self.digits.len())
            ))),
        }
    }
}

/// How many digits tell all of these apart, which are in ascending order.
fn digits_apart(ids: &[EventId]) -> usize {
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let pairs = texts.iter().zip(texts.iter().skip(1));
    let common = pairs.map(|(one, next)| {
        let same = one.bytes().zip(next.bytes()).take_while(|(a, b)| a == b);
        same.count()
    });
    common.max().unwrap_or_default() + 1
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

    #[test]
    fn a_whole_id_is_taken_as_it_is() {
        let id = EventId::from([0xab; 32]);
        assert_eq!(read(&format!(" {id}\n")).unwrap(), Name::Whole(id));
        let loud = id.to_string().to_ascii_uppercase();
        assert_eq!(read(&loud).unwrap(), Name::Whole(id));
    }

    /// CLI-10
    #[test]
    fn a_beginning_is_every_id_that_begins_so() {
        let Name::Beginning(beginning) = read("ABCDEF1").unwrap() else {
            panic!("no beginning");
        };
        let (first, last) = beginning.range;
        assert_eq!(first.to_string(), format!("abcdef1{}", "0".repeat(57)));
        assert_eq!(last.to_string(), format!("abcdef1{}", "f".repeat(57)));
    }

    #[test]
    fn what_can_be_no_name_is_refused() {
        for text in ["", "abcde", "abcdeg", "hello you", "ab cdef", "ÄÖÜabc"] {
            let error = read(text).unwrap_err();
            assert_eq!(error.kind, api::Kind::Usage, "{text}");
        }
        assert_eq!(read(&"a".repeat(65)).unwrap_err().kind, api::Kind::Usage);
    }

    #[test]
    fn what_none_or_several_have_names_nothing() {
        let Ok(Name::Beginning(beginning)) = read("070707") else {
            panic!("no beginning");
        };
        let id = |last| {
            let mut bytes = [7; 32];
            bytes[4] = last;
            EventId::from(bytes)
        };
        assert_eq!(beginning.only(&[id(1)]), Ok(id(1)));
        let none = beginning.only(&[]).unwrap_err();
        assert_eq!(none.kind, api::Kind::NotFound);
        let several = beginning.only(&[id(1), id(2), id(0x20)]).unwrap_err();
        assert_eq!(several.kind, api::Kind::Usage);
        assert!(several.message.contains("of 3 messages"), "{several}");
        assert!(several.message.contains("4 digits more"), "{several}");
    }

    #[test]
    fn enough_digits_tell_all_apart() {
        let id = |a: u8, b: u8| {
            let mut bytes = [7; 32];
            (bytes[3], bytes[4]) = (a, b);
            EventId::from(bytes)
        };
        assert_eq!(digits_apart(&[id(0x10, 0), id(0x20, 0)]), 7);
        assert_eq!(digits_apart(&[id(0x10, 0), id(0x11, 0)]), 8);
        assert_eq!(digits_apart(&[id(0x10, 0), id(0x11, 1), id(0x11, 2)]), 10);
    }
}
