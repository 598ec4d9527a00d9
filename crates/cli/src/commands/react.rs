//! `tenet react`: put an emoji on a message.

use tenet_rpc::api;

use super::Shell;
use crate::args::React;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, args: React) -> Outcome {
    let params = api::React {
        id: args.id,
        emoji: args.emoji,
        remove: args.remove,
    };
    let changed = shell
        .with(Need::Network, async |caller| {
            let changed = caller.call(params).await?;
            shell.settle(caller).await?;
            Ok(changed)
        })
        .await?;
    shell.output.object(&changed, || changed.id.clone())
}
