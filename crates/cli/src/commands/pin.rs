//! `tenet pin …`: set, change, remove.

use serde::Serialize;
use tenet_rpc::api::{Error, PinChange, PinRemove, PinSet};

use super::Shell;
use crate::args::PinCommand;
use crate::caller::{Caller, Need};
use crate::failure::Outcome;

#[derive(Serialize)]
struct Shown {
    pin: bool,
}

pub(super) async fn run(shell: &Shell, command: PinCommand) -> Outcome {
    let input = &shell.input;
    let pin = shell
        .with(Need::Vault, async |caller| {
            match command {
                PinCommand::Set => {
                    expect_pin(caller, false).await?;
                    let pin = input.new_secret("new PIN: ")?;
                    caller.call(PinSet { pin }).await?;
                }
                PinCommand::Change => {
                    expect_pin(caller, true).await?;
                    let pin = input.pin_or_line("PIN: ")?;
                    let new = input.new_secret("new PIN: ")?;
                    caller.call(PinChange { pin, new }).await?;
                }
                PinCommand::Remove => {
                    expect_pin(caller, true).await?;
                    let pin = input.pin_or_line("PIN: ")?;
                    caller.call(PinRemove { pin }).await?;
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    shell.output.object(&Shown { pin }, || {
        if pin {
            "the home has this PIN now"
        } else {
            "the home has no PIN now"
        }
        .into()
    })
}

/// Refuses before a person types anything.
async fn expect_pin(caller: &Caller, expected: bool) -> Outcome {
    match (caller.has_pin().await?, expected) {
        (true, false) => Err(Error::refused("there is a PIN already: tenet pin change").into()),
        (false, true) => Err(Error::refused("there is no PIN yet: tenet pin set").into()),
        _ => Ok(()),
    }
}
