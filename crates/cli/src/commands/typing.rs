//! `tenet typing`: let somebody see that something is being written to them.

use tenet_rpc::api::{self, Typist};

use super::Shell;
use crate::args::Typing;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::{note, shown_short};

pub(super) async fn run(shell: &Shell, args: Typing) -> Outcome {
    let typing = api::Typing {
        who: args.who,
        typing: !args.stop,
    };
    let said = shell
        .with(Need::Running, async |caller| caller.call(typing).await)
        .await?;
    if !said.told && !args.stop {
        note("nobody was told: they are not connected, or tenet settings typing is off");
    }
    shell.output.object(&said, String::new)
}

/// Who types, or no more.
pub(super) fn words(typist: &Typist) -> String {
    let name = shown_short(&typist.name);
    match typist.typing {
        true => format!("{name} is typing"),
        false => format!("{name} is not typing any more"),
    }
}
