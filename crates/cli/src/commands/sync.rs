//! `tenet sync`: connect, send and receive all that is possible.

use tenet_rpc::api;

use super::Shell;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell) -> Outcome {
    let params = api::Sync {
        timeout_ms: Some(shell.timeout_ms()),
    };
    let synced = shell
        .with(Need::Network, async |caller| caller.call(params).await)
        .await?;
    shell.output.object(&synced, || {
        let other = match synced.other.pending {
            0 => String::new(),
            count => format!("; other changes pending {count}"),
        };
        format!(
            "messages: sent {}, received {}, pending {}{other}",
            synced.sent, synced.received, synced.pending
        )
    })
}
