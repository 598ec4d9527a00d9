//! `tenet backup`: what the identity is made from, for another place.

use std::path::Path;

use serde::Serialize;
use tenet_identity::did;
use tenet_identity::key_file::{self, KeyFile};
use tenet_identity::phrase::Phrase;
use tenet_identity::vault::Cost;
use tenet_rpc::api::{self, Error, Secret};

use super::{Shell, text_file};
use crate::args::{BackupCommand, BackupFile};
use crate::caller::{Caller, Need};
use crate::failure::Outcome;
use crate::random;

#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
    did: &'a str,
    passphrase: bool,
}

pub(super) async fn run(shell: &Shell, command: BackupCommand) -> Outcome {
    match command {
        BackupCommand::File(args) => file(shell, args).await,
    }
}

async fn file(shell: &Shell, args: BackupFile) -> Outcome {
    let (shown, identity) = shell
        .with(Need::Home, async |caller| {
            let pin = ask_pin(shell, caller).await?;
            let shown = caller.call(api::Phrase { pin }).await?;
            Ok((shown, caller.call(api::Identity {}).await?))
        })
        .await?;
    let password = match &args.password_file {
        Some(path) => shell.input.secret_file(path, PROMPT)?,
        None => shell.input.new_secret(PROMPT)?,
    };
    let broken = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    let file = KeyFile {
        phrase: Phrase::parse(shown.phrase.expose()).map_err(|error| broken(&error))?,
        index: shown.index,
        identity: did::parse(&identity.did).map_err(|error| broken(&error))?,
        passphrase: shown.passphrase,
    };
    let mut rng = random::generator().map_err(|error| broken(&error))?;
    let text = file
        .seal(&mut rng, password.expose(), Cost::DEFAULT)
        .map_err(|error| Error::usage(error.to_string()))?;
    text_file::write(&args.file, &text)?;
    let written = Written {
        file: &args.file,
        did: &identity.did,
        passphrase: shown.passphrase,
    };
    shell.output.object(&written, || {
        let passphrase = match shown.passphrase {
            true => "; the passphrase is not in it and is needed besides",
            false => "",
        };
        format!(
            "{} is written: with its password it is you; tenet id restore --file{passphrase}",
            args.file.display()
        )
    })
}

const PROMPT: &str = "a password for the key file, 8 characters or more: ";

/// Asked for although the home may be open: whoever sits down at it is not its owner for that.
pub(super) async fn ask_pin(shell: &Shell, caller: &Caller) -> Outcome<Option<Secret>> {
    Ok(match caller.has_pin().await? {
        true => Some(shell.input.pin_or_line("PIN: ")?),
        false => None,
    })
}

/// Reads a key file and opens it.
pub(super) fn open(shell: &Shell, file: &Path, password_file: Option<&Path>) -> Outcome<KeyFile> {
    let text = text_file::read(file)?;
    // Before a password is asked for.
    if !text.trim_start().starts_with(key_file::SCHEME) {
        let file = file.display();
        return Err(Error::usage(format!("{file} is no file that tenet backup file wrote")).into());
    }
    let password = match password_file {
        Some(path) => shell.input.secret_file(path, "its password: ")?,
        None => shell.input.secret("its password: ")?,
    };
    KeyFile::open(&text, password.expose()).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        match error {
            key_file::Error::Sealed(tenet_identity::sealed::Error::WrongPassword) => {
                Error::refused(message)
            }
            _ => Error::usage(message),
        }
        .into()
    })
}
