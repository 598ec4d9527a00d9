//! `tenet unsend`: take an own message back.

use tenet_rpc::api;

use super::Shell;
use crate::args::Unsend;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, args: Unsend) -> Outcome {
    let changed = shell
        .with(Need::Network, async |caller| {
            let changed = caller.call(api::Unsend { id: args.id }).await?;
            shell.settle(caller).await?;
            Ok(changed)
        })
        .await?;
    shell.output.object(&changed, || changed.id.clone())
}
