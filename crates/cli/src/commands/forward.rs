//! `tenet forward`: say in another conversation what a message says.

use tenet_rpc::api;

use super::Shell;
use crate::args::Forward;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, args: Forward) -> Outcome {
    let params = api::Forward {
        id: args.id,
        who: args.who,
    };
    let sent = shell
        .with(Need::Network, async |caller| {
            let sent = caller.call(params).await?;
            shell.settle(caller).await?;
            Ok(sent)
        })
        .await?;
    shell.output.object(&sent, || sent.id.clone())
}
