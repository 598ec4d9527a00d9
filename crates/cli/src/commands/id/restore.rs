//! `tenet id restore`

use std::path::Path;

use serde::Serialize;
use tenet_identity::phrase::Phrase;
use tenet_identity::vault;
use tenet_rpc::api::{Error, Identity, Mode, Secret};
use tenet_rpc::server::ask;

use super::make::{Recipe, check_name, choose_pin, did_of, made_of};
use crate::args::Restore;
use crate::commands::{Shell, backup};
use crate::failure::{Failure, Outcome};
use crate::gate::Gate;
use crate::home::{self, Home, Place};
use crate::host::Options;
use crate::output::note;

/// How many indices are tried to tell which identity of the phrase one is.
const TRIED: u32 = 16;

#[derive(Serialize)]
struct Shown {
    did: String,
    device: String,
    name: String,
    index: Option<u32>,
}

pub(in crate::commands) async fn run(shell: &Shell, args: Restore) -> Outcome {
    check_name(args.name.as_deref())?;
    let home = Home::prepare(&shell.paths)?;
    // In this order on stdin: PIN, passphrase, phrase; or PIN, password, passphrase.
    let pin = choose_pin(&shell.input)?;
    let (recipe, index) = match &args.file {
        Some(file) => {
            let recipe = of_file(shell, &args, file, pin)?;
            let index = recipe.index;
            (recipe, Some(index))
        }
        None => (of_phrase(shell, &args, pin)?, args.index),
    };
    let seed = recipe.seed();
    let mut here = made_of(&home, &seed)?;
    if let Some(index) = index {
        let did = did_of(&seed, index);
        here.retain(|(_, known)| known.did == did);
    }
    if here.is_empty() {
        return make(shell, &home, recipe).await;
    }
    let tried = index.into_iter().chain(0..TRIED);
    let dids: Vec<_> = tried.map(|index| (index, did_of(&seed, index))).collect();
    for (place, known) in here {
        let index = dids.iter().find(|(_, did)| *did == known.did);
        let index = index.map(|(index, _)| *index);
        let shown = reopen(shell, &home, &place, &recipe, index).await?;
        shell.output.object(&shown, || shown.did.clone())?;
    }
    Ok(())
}

/// None of the identities here is of this phrase: makes it again.
async fn make(shell: &Shell, home: &Home, recipe: Recipe) -> Outcome {
    let further = !home.identities()?.is_empty();
    if further && home.paths().machine().read().is_err() {
        // Whoever comes to open what is here is not given something new instead.
        return Err(home::Error::from(vault::Error::WrongPhrase).into());
    }
    let index = recipe.index;
    let made = recipe.make(home).await?;
    let shown = Shown {
        did: made.did,
        device: made.device,
        name: made.name,
        index: Some(index),
    };
    shell.output.object(&shown, || shown.did.clone())?;
    if further {
        note("These words are of none of the identities that were here: it is a further one.");
    }
    Ok(())
}

fn of_phrase(shell: &Shell, args: &Restore, pin: Option<Secret>) -> Outcome<Recipe> {
    let passphrase = args
        .passphrase_file
        .as_ref()
        .map(|path| shell.input.secret_file(path, "passphrase: "))
        .transpose()?;
    let phrase = Phrase::parse(shell.input.phrase()?.expose())
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Recipe {
        phrase,
        passphrase,
        index: args.index.unwrap_or(0),
        name: args.name.clone(),
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
async fn reopen(
    shell: &Shell,
    home: &Home,
    place: &Place,
    recipe: &Recipe,
    index: Option<u32>,
) -> Outcome<Shown> {
    let held = home.hold(place)?;
    let pin = recipe.pin.as_ref().map(Secret::expose);
    place.vault().recover(&recipe.seed(), pin)?;
    note(match recipe.pin {
        Some(_) => "the home opens again, with the new PIN",
        None => "the home opens again; it has no PIN now: tenet pin set",
    });
    let options = Options {
        network: false,
        ..shell.options.clone()
    };
    let gate = Gate::closed(held, options, Mode::Offline);
    gate.open(recipe.pin.clone()).await?;
    let identity = ask(&gate, Identity {}).await;
    gate.close().await;
    let identity = identity?;
    Ok(Shown {
        did: identity.did,
        device: identity.device,
        name: identity.name,
        index,
    })
}
