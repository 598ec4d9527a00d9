//! `tenet id new`

use serde::Serialize;
use tenet_identity::phrase::{Language, Length, Phrase};
use tenet_rpc::api::{self, Error, Secret};

use super::make::{Recipe, check_name, choose_pin, did_of, made_of};
use crate::args::New;
use crate::caller::Need;
use crate::commands::{Shell, backup};
use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::output::note;
use crate::random;

#[derive(Serialize)]
struct Shown<'a> {
    did: &'a str,
    device: &'a str,
    name: &'a str,
    phrase: &'a str,
    index: u32,
}

pub(in crate::commands) async fn run(shell: &Shell, args: New) -> Outcome {
    check_name(args.name.as_deref())?;
    let (language, length) = shape(&args)?;
    let same = match args.same_phrase {
        true => Some(same_phrase(shell, &args).await?),
        false => None,
    };
    let home = Home::prepare(&shell.paths)?;
    // Refused before a person types anything.
    drop(home.draft()?);
    let further = home.current().is_ok();

    // In this order on stdin: the PIN first.
    let pin = choose_pin(&shell.input)?;
    let (phrase, passphrase) = match same {
        Some(same) => same,
        None => (
            Phrase::generate(&mut random::generator()?, language, length)
                .map_err(|error| Error::internal(error.to_string()))?,
            passphrase(shell, &args)?,
        ),
    };
    let text = phrase.text();
    let mut recipe = Recipe {
        phrase,
        passphrase,
        index: args.index.unwrap_or(0),
        name: args.name,
        pin,
    };
    recipe.index = free_index(&home, &recipe, args.index)?;
    let index = recipe.index;
    let made = recipe.make(&home).await?;

    let shown = Shown {
        did: &made.did,
        device: &made.device,
        name: &made.name,
        phrase: &text,
        index,
    };
    let words = || format!("{}\n\n    {}\n", made.did, *text);
    shell.output.object(&shown, words)?;
    note("Write these words down and keep them from everybody: whoever has them is you.");
    if index > 0 {
        note(&format!(
            "With them belongs the number {index}: tenet id restore --index {index}"
        ));
    }
    if further {
        note(
            "Commands are about another identity of this home unless they say --id, or: tenet id use DID",
        );
    }
    Ok(())
}

fn shape(args: &New) -> Outcome<(Language, Length)> {
    let usage = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    let language = args.lang.parse().map_err(|error| usage(&error))?;
    let length = Length::try_from(args.words).map_err(|error| usage(&error))?;
    Ok((language, length))
}

fn passphrase(shell: &Shell, args: &New) -> Outcome<Option<Secret>> {
    let path = args.passphrase_file.as_ref();
    path.map(|path| shell.input.secret_file(path, "passphrase: "))
        .transpose()
}

/// The words of an identity that is here, and the passphrase that belongs to them.
async fn same_phrase(shell: &Shell, args: &New) -> Outcome<(Phrase, Option<Secret>)> {
    let (shown, identity) = shell
        .with(Need::Home, async |caller| {
            let pin = backup::ask_pin(shell, caller).await?;
            let shown = caller.call(api::Phrase { pin }).await?;
            Ok((shown, caller.call(api::Identity {}).await?))
        })
        .await?;
    let passphrase = match (passphrase(shell, args)?, shown.passphrase) {
        (None, true) => Some(
            shell
                .input
                .secret("the passphrase that belongs to the words: ")?,
        ),
        (passphrase, _) => passphrase,
    };
    let phrase =
        Phrase::parse(shown.phrase.expose()).map_err(|error| Error::internal(error.to_string()))?;
    let seed = phrase.seed(passphrase.as_ref().map_or("", Secret::expose));
    match did_of(&seed, shown.index) == identity.did {
        true => Ok((phrase, passphrase)),
        false => Err(Error::refused("this passphrase does not belong to the words").into()),
    }
}

/// The first index of which no identity is here, or the one that was asked for.
fn free_index(home: &Home, recipe: &Recipe, asked: Option<u32>) -> Outcome<u32> {
    let seed = recipe.seed();
    let here = made_of(home, &seed)?;
    let is_free = |index: &u32| {
        let did = did_of(&seed, *index);
        !here.iter().any(|(_, known)| known.did == did)
    };
    let free = match asked {
        Some(index) => Some(index).filter(is_free),
        None => (0..=u32::MAX).find(is_free),
    };
    free.ok_or_else(|| {
        Error::refused("this identity is in this home already: tenet id list").into()
    })
}
