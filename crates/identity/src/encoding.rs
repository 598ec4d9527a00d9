//! Deterministic CBOR: one form for every value (RFC 8949 §4.2.1).
//!
//! What is signed, hashed or compared must have one encoding only, or two nodes that agree on a
//! value disagree on its id. So what comes from outside is checked before it is decoded:
//!
//! ```text
//! bytes ── check: one item, shortest forms, sorted keys ── decode ── T
//! ```
//!
//! Types derive [`minicbor::Encode`] and [`minicbor::Decode`] as maps with ascending small integer
//! keys, which makes what [`encode`] writes pass [`check`].

/// The deepest nesting of arrays and maps that [`check`] accepts.
///
/// Our own forms nest three deep; the rest is room for apps. Bounded so that a stranger's bytes
/// cannot exhaust the stack.
pub const MAX_DEPTH: usize = 16;

/// Why bytes are not one deterministic CBOR item, or not the expected one.
///
/// `at` counts bytes from the start of the input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input ends inside an item.
    #[error("the encoding ends early, after {at} bytes")]
    Truncated {
        /// Where the item that does not fit begins.
        at: usize,
    },
    /// Bytes follow the item.
    #[error("the encoding goes on after its end at byte {at}")]
    Trailing {
        /// Where the item ended.
        at: usize,
    },
    /// An integer or length has a shorter form.
    #[error("a number at byte {at} is not in its shortest form")]
    NotShortest {
        /// Where the item begins.
        at: usize,
    },
    /// A string, array or map has no definite length.
    #[error("an item of indefinite length at byte {at}")]
    Indefinite {
        /// Where the item begins.
        at: usize,
    },
    /// A reserved form, a tag, a float, `undefined` or another simple value.
    #[error("an item of a kind that is not allowed at byte {at}")]
    Forbidden {
        /// Where the item begins.
        at: usize,
    },
    /// Map keys are not strictly ascending by their encoded bytes.
    #[error("map keys out of order or repeated at byte {at}")]
    KeyOrder {
        /// Where the offending key begins.
        at: usize,
    },
    /// A text string is not UTF-8.
    #[error("a text that is not UTF-8 at byte {at}")]
    Utf8 {
        /// Where the item begins.
        at: usize,
    },
    /// Arrays and maps nest deeper than [`MAX_DEPTH`].
    #[error("nested too deeply at byte {at}")]
    Depth {
        /// Where the item that is too deep begins.
        at: usize,
    },
    /// Deterministic CBOR, but not of the expected type.
    #[error("not of the expected form")]
    Shape(#[source] minicbor::decode::Error),
}

/// Checks that `bytes` are exactly one deterministic CBOR item (ENC-1; RFC 8949 §4.2.1).
///
/// Beyond the RFC: no floats, no tags, no simple values but `false`, `true` and `null`, nesting of
/// at most [`MAX_DEPTH`] (ENC-2).
///
/// # Errors
/// Any [`Error`] but [`Error::Shape`].
pub fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut walk = Walk { bytes, at: 0 };
    walk.item(0)?;
    if walk.at == bytes.len() {
        Ok(())
    } else {
        Err(Error::Trailing { at: walk.at })
    }
}

/// Decodes a `T` from bytes that must be exactly its deterministic form.
///
/// Map entries that `T` does not know are skipped: a newer version may have added them (ENC-3).
///
/// # Errors
/// As [`check`], and [`Error::Shape`] where the item is not a `T`.
pub fn decode<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, Error> {
    check(bytes)?;
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(Error::Shape)?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(Error::Trailing {
            at: decoder.position(),
        })
    }
}

/// Encodes a value whose form is deterministic by construction.
///
/// `T` must not fail to encode: writing to memory cannot, and the types of this workspace refuse
/// what they cannot say when they are made.
pub fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    let outcome = minicbor::encode(value, &mut bytes);
    debug_assert!(outcome.is_ok(), "a type refused to encode");
    debug_assert!(
        check(&bytes).is_ok(),
        "a type encodes to a form that is not deterministic"
    );
    bytes
}

/// A position in the input; each call passes over one part.
struct Walk<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Walk<'b> {
    fn item(&mut self, depth: usize) -> Result<(), Error> {
        let start = self.at;
        let initial = self.byte(start)?;
        match initial >> 5 {
            0 | 1 => self.argument(initial, start).map(drop),
            2 => {
                let length = self.argument(initial, start)?;
                self.take(length, start).map(drop)
            }
            3 => {
                let length = self.argument(initial, start)?;
                let text = self.take(length, start)?;
                std::str::from_utf8(text)
                    .map(drop)
                    .map_err(|_| Error::Utf8 { at: start })
            }
            4 => self.array(initial, start, depth),
            5 => self.map(initial, start, depth),
            _ => match initial {
                FALSE | TRUE | NULL => Ok(()),
                _ => Err(Error::Forbidden { at: start }),
            },
        }
    }

    fn array(&mut self, initial: u8, start: usize, depth: usize) -> Result<(), Error> {
        let count = self.container(initial, start, depth)?;
        for _ in 0..count {
            self.item(depth + 1)?;
        }
        Ok(())
    }

    fn map(&mut self, initial: u8, start: usize, depth: usize) -> Result<(), Error> {
        let count = self.container(initial, start, depth)?;
        let mut previous: Option<&[u8]> = None;
        for _ in 0..count {
            let at = self.at;
            self.item(depth + 1)?;
            let key = self.bytes.get(at..self.at);
            if previous.is_some() && key <= previous {
                return Err(Error::KeyOrder { at });
            }
            previous = key;
            self.item(depth + 1)?;
        }
        Ok(())
    }

    fn container(&mut self, initial: u8, start: usize, depth: usize) -> Result<u64, Error> {
        if depth >= MAX_DEPTH {
            return Err(Error::Depth { at: start });
        }
        self.argument(initial, start)
    }

    /// The number in or after an initial byte, in its shortest form (RFC 8949 §3).
    fn argument(&mut self, initial: u8, start: usize) -> Result<u64, Error> {
        let (width, least) = match initial & 0x1f {
            small @ 0..=23 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 if initial >> 5 >= 2 => return Err(Error::Indefinite { at: start }),
            _ => return Err(Error::Forbidden { at: start }),
        };
        let number = self
            .take(width, start)?
            .iter()
            .fold(0, |n, byte| n << 8 | u64::from(*byte));
        if number < least {
            return Err(Error::NotShortest { at: start });
        }
        Ok(number)
    }

    fn byte(&mut self, start: usize) -> Result<u8, Error> {
        let byte = self
            .bytes
            .get(self.at)
            .copied()
            .ok_or(Error::Truncated { at: start })?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, length: u64, start: usize) -> Result<&'b [u8], Error> {
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length));
        let part = end.and_then(|end| self.bytes.get(self.at..end));
        let part = part.ok_or(Error::Truncated { at: start })?;
        self.at += part.len();
        Ok(part)
    }
}

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

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
    use std::collections::BTreeMap;

    /// Items of RFC 8949 appendix A that are deterministic and of an allowed kind.
    #[test]
    fn accepts_the_examples_of_the_rfc() {
        let good = [
            "00",
            "01",
            "0a",
            "17",
            "1818",
            "1819",
            "1864",
            "1903e8",
            "1a000f4240",
            "1b000000e8d4a51000",
            "1bffffffffffffffff",
            "3bffffffffffffffff",
            "20",
            "29",
            "3863",
            "3903e7",
            "f4",
            "f5",
            "f6",
            "40",
            "4401020304",
            "60",
            "6161",
            "6449455446",
            "62225c",
            "62c3bc",
            "63e6b0b4",
            "64f0908591",
            "80",
            "83010203",
            "8301820203820405",
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            "a0",
            "a201020304",
            "a26161016162820203",
            "826161a161626163",
            "a56161614161626142616361436164614461656145",
        ];
        for hex in good {
            check(&bytes(hex)).unwrap_or_else(|error| panic!("{hex}: {error}"));
        }
    }

    /// ENC-1, ENC-2.
    #[test]
    fn refuses_every_other_form_of_the_same_values() {
        type Is = fn(&Error) -> bool;
        let truncated: Is = |e| matches!(e, Error::Truncated { .. });
        let trailing: Is = |e| matches!(e, Error::Trailing { .. });
        let longer: Is = |e| matches!(e, Error::NotShortest { .. });
        let indefinite: Is = |e| matches!(e, Error::Indefinite { .. });
        let forbidden: Is = |e| matches!(e, Error::Forbidden { .. });
        let order: Is = |e| matches!(e, Error::KeyOrder { .. });
        let utf8: Is = |e| matches!(e, Error::Utf8 { .. });
        let bad = [
            ("", truncated),
            ("18", truncated),
            ("420a", truncated),
            ("8201", truncated),
            ("a101", truncated),
            ("5bffffffffffffffff", truncated),
            ("9bffffffffffffffff", truncated),
            ("0000", trailing),
            ("f6f6", trailing),
            ("1800", longer),
            ("1817", longer),
            ("190001", longer),
            ("1a0000ffff", longer),
            ("1b00000000ffffffff", longer),
            ("5800", longer),
            ("7800", longer),
            ("9800", longer),
            ("b800", longer),
            ("380a", longer),
            ("5f42010243030405ff", indefinite),
            ("7fff", indefinite),
            ("9fff", indefinite),
            ("bfff", indefinite),
            ("1f", forbidden),
            ("1c", forbidden),
            ("c074323031332d30332d3231", forbidden),
            ("f90000", forbidden),
            ("fa47c35000", forbidden),
            ("fb3ff199999999999a", forbidden),
            ("f7", forbidden),
            ("e0", forbidden),
            ("f818", forbidden),
            ("ff", forbidden),
            ("a203040102", order),
            ("a201020102", order),
            ("a2616200616100", order),
            ("a261610018ff00", order),
            ("61ff", utf8),
            ("62c328", utf8),
        ];
        for (hex, expected) in bad {
            let error = check(&bytes(hex)).expect_err(hex);
            assert!(expected(&error), "{hex}: {error:?}");
        }
    }

    /// ENC-2.
    #[test]
    fn nests_sixteen_deep_and_no_deeper() {
        let nested = |depth| [vec![0x81; depth], vec![0x00]].concat();
        check(&nested(MAX_DEPTH)).unwrap();
        assert!(matches!(
            check(&nested(MAX_DEPTH + 1)),
            Err(Error::Depth { at: MAX_DEPTH })
        ));
        assert!(check(&vec![0x81; 1 << 20]).is_err());
    }

    #[derive(Debug, PartialEq, minicbor::Encode, minicbor::Decode)]
    #[cbor(map)]
    struct Sample {
        #[n(0)]
        number: u64,
        #[n(1)]
        text: Option<String>,
    }

    /// ENC-3.
    #[test]
    fn decodes_what_it_encodes_and_skips_what_is_newer() {
        let sample = Sample {
            number: 300,
            text: Some("ü".into()),
        };
        assert_eq!(HEXLOWER.encode(&encode(&sample)), "a20019012c0162c3bc");
        assert_eq!(decode::<Sample>(&encode(&sample)).unwrap(), sample);
        let newer = decode::<Sample>(&bytes("a200010280")).unwrap();
        assert_eq!(
            newer,
            Sample {
                number: 1,
                text: None
            }
        );
        assert!(matches!(
            decode::<Sample>(&bytes("a101616a")),
            Err(Error::Shape(_))
        ));
        assert!(matches!(
            decode::<Sample>(&bytes("a1000100")),
            Err(Error::Trailing { at: 3 })
        ));
    }

    #[derive(Debug, Clone)]
    enum Value {
        Int(u64),
        Negative(u64),
        Bytes(Vec<u8>),
        Text(String),
        Bool(bool),
        Null,
        Array(Vec<Value>),
        Map(BTreeMap<Vec<u8>, Value>),
    }

    impl Value {
        fn write(&self, out: &mut Vec<u8>) {
            let mut encoder = minicbor::Encoder::new(&mut *out);
            match self {
                Value::Int(n) => drop(encoder.u64(*n).unwrap()),
                Value::Negative(n) => {
                    drop(encoder.int(minicbor::data::Int::try_from(-1 - i128::from(*n)).unwrap()))
                }
                Value::Bytes(b) => drop(encoder.bytes(b).unwrap()),
                Value::Text(t) => drop(encoder.str(t).unwrap()),
                Value::Bool(b) => drop(encoder.bool(*b).unwrap()),
                Value::Null => drop(encoder.null().unwrap()),
                Value::Array(items) => {
                    encoder.array(items.len() as u64).unwrap();
                    items.iter().for_each(|item| item.write(out));
                }
                Value::Map(entries) => {
                    encoder.map(entries.len() as u64).unwrap();
                    for (key, value) in entries {
                        out.extend_from_slice(key);
                        value.write(out);
                    }
                }
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<u64>().prop_map(Value::Int),
            (0..300_u64).prop_map(Value::Int),
            any::<u64>().prop_map(Value::Negative),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            ".{0,20}".prop_map(Value::Text),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
        ];
        let key = any::<u16>().prop_map(|n| minicbor::to_vec(n).unwrap());
        leaf.prop_recursive(8, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map(key.clone(), inner, 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn accepts_every_deterministic_item_and_no_cut_of_it(value in value()) {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            check(&bytes).unwrap();
            for end in 0..bytes.len() {
                prop_assert!(check(&bytes[..end]).is_err());
            }
        }

        #[test]
        fn never_panics_and_accepts_only_what_another_reader_accepts(
            bytes in prop::collection::vec(any::<u8>(), 0..64)
        ) {
            if check(&bytes).is_ok() {
                let mut other = minicbor::Decoder::new(&bytes);
                other.skip().unwrap();
                prop_assert_eq!(other.position(), bytes.len());
            }
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).unwrap()
    }
}
