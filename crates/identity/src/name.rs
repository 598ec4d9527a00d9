//! Names that people give to themselves and their devices, and other words of a line: short, and
//! harmless to show.

/// The longest name, in bytes of UTF-8.
pub const MAX_BYTES: usize = 64;
/// The longest remark, question or status, in bytes of UTF-8.
pub const MAX_LINE_BYTES: usize = 280;

/// Why a text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than are allowed.
    #[error("{got} bytes; at most {most} are allowed here")]
    TooLong {
        /// The bytes of the text.
        got: usize,
        /// How many it may have.
        most: usize,
    },
    /// A control character, a line separator or a change of the writing direction.
    ///
    /// A stranger's name is shown in terminals and lists: it must not move the cursor there or
    /// make other text read backwards.
    #[error("a control character (U+{:04X}) is not allowed here", *character as u32)]
    Control {
        /// The first such character.
        character: char,
    },
}

/// Checks that `text` can be a name (NAME-1); the empty text can.
///
/// # Errors
/// [`Error`].
pub fn check(text: &str) -> Result<(), Error> {
    check_within(text, MAX_BYTES)
}

/// Checks that `text` can be a line that people say of themselves: a remark, a question, a status
/// (NAME-101).
///
/// # Errors
/// [`Error`].
pub fn check_line(text: &str) -> Result<(), Error> {
    check_within(text, MAX_LINE_BYTES)
}

fn check_within(text: &str, most: usize) -> Result<(), Error> {
    let got = text.len();
    if got > most {
        return Err(Error::TooLong { got, most });
    }
    match text.chars().find(|character| is_control(*character)) {
        Some(character) => Err(Error::Control { character }),
        None => Ok(()),
    }
}

fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{2028}' | '\u{2029}' // line and paragraph separators
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') // directional embedding, isolates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_people_are_called() {
        for name in [
            "",
            "Anna",
            "O'Brien-Łukasz",
            "李小龍",
            "👩‍💻 laptop",
            "אבי",
            &"x".repeat(64),
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    /// NAME-101.
    #[test]
    fn a_line_may_be_longer_than_a_name() {
        assert_eq!(check_line(&"x".repeat(280)), Ok(()));
        assert_eq!(
            check_line(&"x".repeat(281)),
            Err(Error::TooLong {
                got: 281,
                most: 280
            })
        );
        assert!(check_line("two\nlines").is_err());
    }

    /// NAME-1.
    #[test]
    fn refuses_what_is_long_or_moves_the_cursor() {
        assert_eq!(
            check(&"x".repeat(65)),
            Err(Error::TooLong { got: 65, most: 64 })
        );
        assert_eq!(
            check(&"é".repeat(33)),
            Err(Error::TooLong { got: 66, most: 64 })
        );
        for character in [
            '\n', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '\u{2067}', '\u{2028}',
        ] {
            assert_eq!(
                check(&format!("a{character}b")),
                Err(Error::Control { character })
            );
        }
    }
}
