//! `tenet id new`

use serde::Serialize;
use tenet_identity::phrase::{Language, Length, Phrase};
use tenet_rpc::api::Error;

use super::make::{Recipe, check_name, choose_pin};
use crate::args::New;
use crate::commands::Shell;
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
}

pub(in crate::commands) async fn run(shell: &Shell, args: New) -> Outcome {
    check_name(args.name.as_deref())?;
    let usage = |error: &dyn std::fmt::Display| Failure::usage(error.to_string());
    let language: Language = args.lang.parse().map_err(|error| usage(&error))?;
    let length = Length::try_from(args.words).map_err(|error| usage(&error))?;
    let home = Home::prepare(&shell.paths)?;
    // Refused before a person types anything.
    drop(home.draft()?);

    // In this order on stdin: the PIN first.
    let pin = choose_pin(&shell.input)?;
    let passphrase = args
        .passphrase_file
        .map(|path| shell.input.secret_file(&path, "passphrase: "))
        .transpose()?;
    let phrase = Phrase::generate(&mut random::generator()?, language, length)
        .map_err(|error| Error::internal(error.to_string()))?;
    let text = phrase.text();
    let recipe = Recipe {
        phrase,
        passphrase,
        index: args.index,
        name: args.name,
        pin,
    };
    let made = recipe.make(&home).await?;

    let shown = Shown {
        did: &made.did,
        device: &made.device,
        name: &made.name,
        phrase: &text,
    };
    let words = || format!("{}\n\n    {}\n", made.did, *text);
    shell.output.object(&shown, words)?;
    note("Write these words down and keep them from everybody: whoever has them is you.");
    Ok(())
}
