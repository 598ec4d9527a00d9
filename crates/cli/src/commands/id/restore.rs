//! `tenet id restore`

use std::path::Path;

use serde::Serialize;
use tenet_identity::phrase::Phrase;
use tenet_rpc::api::{Error, Identity, Mode, Secret};
use tenet_rpc::server::ask;

use super::make::{Recipe, check_name, choose_pin};
use crate::args::Restore;
use crate::commands::{Shell, backup};
use crate::failure::{Failure, Outcome};
use crate::gate::Gate;
use crate::home::{self, Home};
use crate::host::Options;
use crate::output::note;

#[derive(Serialize)]
struct Shown {
    did: String,
    device: String,
    name: String,
}

pub(in crate::commands) async fn run(shell: &Shell, args: Restore) -> Outcome {
    check_name(args.name.as_deref())?;
    let home = Home::prepare(&shell.paths)?;
    let there = match home.identity() {
        Ok(_) => true,
        Err(home::Error::NoIdentity) => false,
        Err(error) => return Err(error.into()),
    };
    // In this order on stdin: PIN, passphrase, phrase; or PIN, password, passphrase.
    let pin = choose_pin(&shell.input)?;
    let recipe = match &args.file {
        Some(file) => of_file(shell, &args, file, pin)?,
        None => of_phrase(shell, args, pin)?,
    };
    let shown = if there {
        reopen(shell, home, recipe).await?
    } else {
        let made = recipe.make(&home).await?;
        Shown {
            did: made.did,
            device: made.device,
            name: made.name,
        }
    };
    shell.output.object(&shown, || shown.did.clone())
}

fn of_phrase(shell: &Shell, args: Restore, pin: Option<Secret>) -> Outcome<Recipe> {
    let passphrase = args
        .passphrase_file
        .map(|path| shell.input.secret_file(&path, "passphrase: "))
        .transpose()?;
    let phrase = Phrase::parse(shell.input.phrase()?.expose())
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Recipe {
        phrase,
        passphrase,
        index: args.index,
        name: args.name,
        pin,
    })
}

fn of_file(shell: &Shell, args: &Restore, file: &Path, pin: Option<Secret>) -> Outcome<Recipe> {
    let key_file = backup::open(shell, file, args.password_file.as_deref())?;
    let passphrase = match (&args.passphrase_file, key_file.passphrase) {
        (Some(path), _) => Some(shell.input.secret_file(path, "passphrase: ")?),
        (None, true) => Some(
            shell
                .input
                .secret("the passphrase that belongs to the words: ")?,
        ),
        (None, false) => None,
    };
    key_file
        .seed(passphrase.as_ref().map_or("", Secret::expose))
        .map_err(|error| Error::refused(error.to_string()))?;
    Ok(Recipe {
        phrase: key_file.phrase,
        passphrase,
        index: key_file.index,
        name: args.name.clone(),
        pin,
    })
}

/// The identity is here, and its PIN or machine secret is lost: opens the vault by the phrase and
/// closes it anew. Everything in it stays.
async fn reopen(shell: &Shell, home: Home, recipe: Recipe) -> Outcome<Shown> {
    let vault = home.vault()?;
    vault.recover(&recipe.seed(), recipe.pin.as_ref().map(Secret::expose))?;
    note(match recipe.pin {
        Some(_) => "the home opens again, with the new PIN",
        None => "the home opens again; it has no PIN now: tenet pin set",
    });
    let options = Options {
        network: false,
        ..shell.options.clone()
    };
    let gate = Gate::closed(home, options, Mode::Offline)?;
    gate.open(recipe.pin).await?;
    let identity = ask(&gate, Identity {}).await;
    gate.close().await;
    let identity = identity?;
    Ok(Shown {
        did: identity.did,
        device: identity.device,
        name: identity.name,
    })
}
