//! `tenet transfers` and `tenet transfer`: contents of files on their way.

use serde::Serialize;
use tenet_rpc::api::{self, Call, Done, Request, Transfer};

use super::{Shell, message};
use crate::args::{Contents, TransferCommand};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;

pub(super) async fn list(shell: &Shell) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(api::Transfers {}).await
        })
        .await?;
    for transfer in &list.transfers {
        shell.output.object(transfer, || words(transfer))?;
    }
    Ok(())
}

pub(super) async fn run(shell: &Shell, command: TransferCommand) -> Outcome {
    match command {
        TransferCommand::Resume(Contents { id }) => {
            change(
                shell,
                &id,
                api::TransferResume { id: id.clone() },
                "resumed",
            )
            .await
        }
        TransferCommand::Pause(Contents { id }) => {
            change(shell, &id, api::TransferPause { id: id.clone() }, "paused").await
        }
        TransferCommand::Cancel(Contents { id }) => {
            change(
                shell,
                &id,
                api::TransferCancel { id: id.clone() },
                "cancelled",
            )
            .await
        }
    }
}

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
}

/// Does something about contents and says so.
pub(super) async fn change(
    shell: &Shell,
    id: &str,
    call: impl Call<Answer = Done> + Into<Request>,
    words: &str,
) -> Outcome {
    shell
        .with(Need::Home, async |caller| Ok(caller.call(call).await?))
        .await?;
    shell.output.object(&Changed { id }, || words.to_owned())
}

fn words(transfer: &Transfer) -> String {
    let Transfer { id, done, size, .. } = transfer;
    let percent = done.saturating_mul(100).checked_div(*size).unwrap_or(100);
    let rate = match transfer.rate {
        0 => String::new(),
        rate => format!(", {}/s", message::size(rate)),
    };
    let size = message::size(*size);
    let name = shown_short(&transfer.name);
    format!(
        "{id} {name}, {percent} % of {size}, {}{rate}",
        transfer.state
    )
}
