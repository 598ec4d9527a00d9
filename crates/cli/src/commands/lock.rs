//! `tenet lock` and `tenet unlock`: the running node forgets its keys, and gets them back.

use serde::Serialize;
use tenet_rpc::api::{Lock, Unlock};

use super::Shell;
use crate::caller::Need;
use crate::failure::Outcome;

#[derive(Serialize)]
struct Shown {
    locked: bool,
}

pub(super) async fn lock(shell: &Shell) -> Outcome {
    shell
        .with(Need::Running, async |caller| caller.call(Lock {}).await)
        .await?;
    shell
        .output
        .object(&Shown { locked: true }, || "locked".into())
}

pub(super) async fn unlock(shell: &Shell) -> Outcome {
    shell
        .with(Need::Running, async |caller| {
            let pin = shell.input.pin_or_line("PIN: ")?;
            caller.call(Unlock { pin }).await
        })
        .await?;
    shell
        .output
        .object(&Shown { locked: false }, || "unlocked".into())
}
