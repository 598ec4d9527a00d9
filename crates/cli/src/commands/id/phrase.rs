//! `tenet id phrase`: the words again.

use serde::Serialize;
use tenet_rpc::api::Phrase;

use crate::caller::Need;
use crate::commands::{Shell, backup};
use crate::failure::Outcome;
use crate::output::note;

#[derive(Serialize)]
struct Shown<'a> {
    phrase: &'a str,
    passphrase: bool,
    index: u32,
}

pub(in crate::commands) async fn run(shell: &Shell) -> Outcome {
    let answer = shell
        .with(Need::Home, async |caller| {
            let pin = backup::ask_pin(shell, caller).await?;
            caller.call(Phrase { pin }).await
        })
        .await?;
    let shown = Shown {
        phrase: answer.phrase.expose(),
        passphrase: answer.passphrase,
        index: answer.index,
    };
    shell
        .output
        .object(&shown, || answer.phrase.expose().to_owned())?;
    if answer.passphrase {
        note("A passphrase belongs to these words; it is not kept here.");
    }
    Ok(())
}
