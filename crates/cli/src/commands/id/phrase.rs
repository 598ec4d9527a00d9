//! `tenet id phrase`: the words again.

use serde::Serialize;
use tenet_rpc::api::Phrase;

use crate::caller::Need;
use crate::commands::Shell;
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
            // Asked for here although the home may be open: whoever sits down at it is not its
            // owner for that.
            let pin = match caller.has_pin().await? {
                true => Some(shell.input.pin_or_line("PIN: ")?),
                false => None,
            };
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
