//! What a person types or a script pipes in: PINs, phrases, texts (`CLI-5`).
//!
//! Secrets come from a terminal without echo, from a file, or from stdin one a line and the PIN
//! first; never from argv, which everybody on the machine can read.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use tenet_rpc::api::{Error, Kind, Secret};
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::output::note;

/// The longest secret line; a phrase of 24 Japanese words has some 500 bytes.
const MAX_SECRET: u64 = 4 * 1024;
/// The longest text that is read; the longest message has 64 KiB.
const MAX_TEXT: u64 = 1024 * 1024;

/// Stdin and the file that holds the PIN.
#[derive(Debug)]
pub struct Input {
    pin_file: Option<PathBuf>,
    terminal: bool,
    /// The PIN that stood on the first line of stdin.
    first_line: RefCell<Option<Secret>>,
    /// The PIN that was typed to open the home: nobody is asked twice in one command.
    typed: RefCell<Option<Secret>>,
}

impl Input {
    /// Reads from this process's stdin; with `-` as the PIN file, its first line is the PIN.
    pub fn new(pin_file: Option<PathBuf>) -> Self {
        let terminal = io::stdin().is_terminal();
        Self {
            pin_file,
            terminal,
            first_line: RefCell::default(),
            typed: RefCell::default(),
        }
    }

    /// Whether a person sits at stdin.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The PIN, from its file or from the terminal.
    ///
    /// # Errors
    /// [`Kind::Locked`] if there is neither.
    pub fn pin(&self, prompt: &str) -> Outcome<Secret> {
        let typed = self.typed.borrow().clone();
        if let Some(pin) = self.given_pin()?.or(typed) {
            return Ok(pin);
        }
        if self.terminal {
            let pin = ask(prompt)?;
            self.typed.replace(Some(pin.clone()));
            return Ok(pin);
        }
        let message = "the home has a PIN: give it with --pin-file FILE, or - for stdin";
        Err(Error::new(Kind::Locked, message).into())
    }

    /// The PIN where stdin has nothing else to carry: from its file, the terminal, or stdin.
    ///
    /// # Errors
    /// [`Kind::Usage`] if stdin ends before it.
    pub fn pin_or_line(&self, prompt: &str) -> Outcome<Secret> {
        let typed = self.typed.borrow().clone();
        match self.given_pin()?.or(typed) {
            Some(pin) => Ok(pin),
            None => self.secret(prompt),
        }
    }

    /// The PIN, if `--pin-file` gives one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn given_pin(&self) -> Outcome<Option<Secret>> {
        match self.pin_file.as_deref() {
            None => Ok(None),
            Some(path) if is_stdin(path) => {
                self.take_first_line()?;
                Ok(self.first_line.borrow().clone())
            }
            Some(path) => file_line(path).map(Some),
        }
    }

    /// A new secret, typed twice on a terminal; else the next line of stdin.
    ///
    /// # Errors
    /// [`Kind::Usage`] if the two differ or stdin ends before it.
    pub fn new_secret(&self, prompt: &str) -> Outcome<Secret> {
        let secret = self.secret(prompt)?;
        if self.terminal && ask("once more: ")? != secret {
            return Err(Failure::usage(
                "the two are not the same; nothing was changed",
            ));
        }
        Ok(secret)
    }

    /// The next secret: without echo on a terminal, else the next line of stdin.
    ///
    /// # Errors
    /// [`Kind::Usage`] if stdin ends before it.
    pub fn secret(&self, prompt: &str) -> Outcome<Secret> {
        if self.terminal {
            return ask(prompt);
        }
        self.take_first_line()?;
        line(&mut io::stdin().lock(), "stdin")
    }

    /// The first line of a file, or the next one of stdin for `-`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn secret_file(&self, path: &Path, prompt: &str) -> Outcome<Secret> {
        if is_stdin(path) {
            self.secret(prompt)
        } else {
            file_line(path)
        }
    }

    /// The rest of stdin, for a phrase that may stand on several lines.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it is too long or not UTF-8.
    pub fn phrase(&self) -> Outcome<Secret> {
        if self.terminal {
            note("the phrase, on one line:");
            return line(&mut io::stdin().lock(), "stdin");
        }
        self.take_first_line()?;
        rest(MAX_SECRET)
    }

    /// Whether a person at the terminal says yes.
    ///
    /// # Errors
    /// stdin cannot be read.
    pub fn yes(&self, prompt: &str) -> Outcome<bool> {
        note(prompt);
        let said = line(&mut io::stdin().lock(), "stdin")?;
        let said = said.expose().trim().to_lowercase();
        Ok(["y", "yes"].contains(&said.as_str()))
    }

    /// An argument, or what stands on stdin if it is `-`: without the line's end that `echo` puts
    /// behind it.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it is too long or not UTF-8.
    pub fn text(&self, argument: &str) -> Outcome<String> {
        if argument != "-" {
            return Ok(argument.to_owned());
        }
        self.take_first_line()?;
        Ok(String::from(rest(MAX_TEXT)?))
    }

    /// Takes the PIN off stdin before anything else is read from there.
    fn take_first_line(&self) -> Outcome {
        let on_stdin = self.pin_file.as_deref().is_some_and(is_stdin);
        if on_stdin && self.first_line.borrow().is_none() {
            let pin = if self.terminal {
                ask("PIN: ")?
            } else {
                line(&mut io::stdin().lock(), "stdin")?
            };
            self.first_line.replace(Some(pin));
        }
        Ok(())
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A path as it is seen from everywhere: the node may run in another folder than a command.
///
/// # Errors
/// The system's; [`Kind::Usage`] where it is not UTF-8, which the local API speaks.
pub fn absolute(path: &Path) -> Outcome<String> {
    let whole = std::path::absolute(path)
        .map_err(|error| Error::failure(format!("{}: {error}", path.display())))?;
    let text = whole.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::usage(format!("{} is not UTF-8", path.display())).into())
}

fn ask(prompt: &str) -> Outcome<Secret> {
    rpassword::prompt_password(prompt)
        .map(Secret::from)
        .map_err(|error| Error::usage(format!("cannot ask on this terminal: {error}")).into())
}

fn file_line(path: &Path) -> Outcome<Secret> {
    let file = File::open(path)
        .map_err(|error| Error::usage(format!("cannot read {}: {error}", path.display())))?;
    line(&mut BufReader::new(file), &path.display().to_string())
}

/// One line without its end.
fn line(reader: &mut impl BufRead, from: &str) -> Outcome<Secret> {
    // Large enough never to grow: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET as usize));
    reader.take(MAX_SECRET).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Err(Failure::usage(format!(
            "{from} ends where a secret should stand"
        )));
    }
    let whole = bytes.len() < MAX_SECRET as usize || bytes.ends_with(b"\n");
    if !whole {
        return Err(Failure::usage(format!("the secret in {from} is too long")));
    }
    text_of(&bytes)
}

/// All of stdin without the end of its last line.
fn rest(limit: u64) -> Outcome<Secret> {
    let mut bytes = Zeroizing::new(Vec::new());
    io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Failure::usage(format!("more than {limit} bytes on stdin")));
    }
    text_of(&bytes)
}

fn text_of(bytes: &[u8]) -> Outcome<Secret> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let text =
        std::str::from_utf8(bytes).map_err(|_| Failure::usage("what was read is not UTF-8"))?;
    Ok(Secret::from(text.to_owned()))
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
    fn secrets_stand_one_a_line() {
        let mut input = &b"1234\r\nnext\nlast"[..];
        let mut next = || line(&mut input, "stdin").map(String::from);
        assert_eq!(next().unwrap(), "1234");
        assert_eq!(next().unwrap(), "next");
        assert_eq!(next().unwrap(), "last");
        assert!(next().is_err());
    }

    #[test]
    fn a_secret_that_is_too_long_or_no_text_is_refused() {
        let long = vec![b'x'; MAX_SECRET as usize + 1];
        assert!(line(&mut &long[..], "stdin").is_err());
        assert!(line(&mut &b"\xff\n"[..], "stdin").is_err());
    }

    #[test]
    fn the_pin_file_has_the_pin_on_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        std::fs::write(&path, "1234\nnot this\n").unwrap();
        let input = Input::new(Some(path.clone()));
        assert_eq!(input.given_pin().unwrap().unwrap().expose(), "1234");
        std::fs::remove_file(&path).unwrap();
        assert!(input.given_pin().is_err());
        assert!(Input::new(None).given_pin().unwrap().is_none());
    }
}
