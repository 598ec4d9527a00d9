//! `tenet save`: put the files of a message where a person wants them.

use tenet_rpc::api;

use super::Shell;
use crate::args::Save;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::input::absolute;

pub(super) async fn run(shell: &Shell, args: Save) -> Outcome {
    let to = absolute(&args.to)?;
    let saved = shell
        .with(Need::Network, async |caller| {
            let params = api::Save {
                id: args.id,
                to,
                timeout_ms: Some(shell.timeout_ms()),
            };
            caller.call(params).await
        })
        .await?;
    shell.output.object(&saved, || saved.paths.join("\n"))
}
