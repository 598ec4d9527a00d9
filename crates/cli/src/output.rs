//! What a person or a script sees: data on stdout, everything else on stderr (`CLI-4`).

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Outcome;

/// Where and in which form data is printed.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// JSON instead of words.
    pub json: bool,
}

impl Output {
    /// Prints an object: as JSON on one line, or in words (`CLI-1`).
    ///
    /// # Errors
    /// [`Failure::Pipe`](crate::failure::Failure::Pipe) if nobody reads.
    pub fn object(self, object: &impl Serialize, words: impl FnOnce() -> String) -> Outcome {
        if !self.json {
            return self.words(&words());
        }
        let mut line = serde_json::to_vec(object).map_err(io::Error::from)?;
        line.push(b'\n');
        print(&line)
    }

    /// Prints words, each line of them; nothing for none.
    ///
    /// # Errors
    /// As [`Self::object`].
    pub fn words(self, words: &str) -> Outcome {
        if words.is_empty() {
            return Ok(());
        }
        print(format!("{words}\n").as_bytes())
    }
}

/// Says something on stderr; nothing is lost if nobody reads it.
pub fn note(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}

/// What another person wrote, harmless to show: a text must not move the cursor, change the
/// terminal or make other text read backwards (`CLI-6`). Line ends and tabs stay.
pub fn shown(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmful(c) { '\u{fffd}' } else { c })
        .collect()
}

/// As [`shown`], with every line after the first indented: a message cannot look like another.
pub fn shown_indented(text: &str, indent: usize) -> String {
    shown(text).replace('\n', &format!("\n{:indent$}", ""))
}

/// As [`shown`], on one line.
pub fn shown_short(text: &str) -> String {
    shown(text).replace(['\n', '\t'], " ")
}

/// Prints bytes as they are.
///
/// # Errors
/// As [`Output::object`].
pub fn print(bytes: &[u8]) -> Outcome {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_cannot_touch_the_terminal() {
        assert_eq!(
            shown("a\u{1b}[2Jb\rc\u{7}\u{202e}d"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}d"
        );
        assert_eq!(shown("two\nlines\tand é 🙂"), "two\nlines\tand é 🙂");
        assert_eq!(shown_indented("one\ntwo", 4), "one\n    two");
        assert_eq!(shown_short("one\ntwo"), "one two");
    }
}
