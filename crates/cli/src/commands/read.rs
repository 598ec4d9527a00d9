//! `tenet read`: mark everything of somebody as read.

use tenet_rpc::api;

use super::Shell;
use crate::args::Read;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, args: Read) -> Outcome {
    let read = shell
        .with(Need::Network, async |caller| {
            let read = caller.call(api::Read { who: args.who }).await?;
            shell.settle(caller).await?;
            Ok(read)
        })
        .await?;
    shell.output.object(&read, String::new)
}
