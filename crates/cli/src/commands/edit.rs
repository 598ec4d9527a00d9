//! `tenet edit`: give an own message another text.

use tenet_rpc::api;

use super::Shell;
use crate::args::Edit;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, args: Edit) -> Outcome {
    let params = api::Edit {
        id: args.id,
        text: shell.input.text(&args.text)?,
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
