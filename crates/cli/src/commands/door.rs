//! `tenet door`: whether anybody may ask who knows the DID.

use tenet_rpc::api::{self, DoorInfo};

use super::Shell;
use crate::args::{Door, DoorCommand};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;

pub(super) async fn run(shell: &Shell, args: Door) -> Outcome {
    // The network, although nobody is called: what is shown says where this node listens.
    let door = shell
        .with(Need::Network, async |caller| match args.command {
            None => caller.call(api::Door {}).await,
            Some(DoorCommand::Open { question }) => caller.call(api::DoorOpen { question }).await,
            Some(DoorCommand::Close) => caller.call(api::DoorClose {}).await,
        })
        .await?;
    shell.output.object(&door, || words(&door))
}

fn words(door: &DoorInfo) -> String {
    let Some(address) = &door.address else {
        return if door.open { "open" } else { "closed" }.into();
    };
    let add = format!("tenet contact add {} --at {address}", door.did);
    if !door.open {
        return "closed: only who has a link of yours can ask; tenet door open".into();
    }
    let question = door.question.as_ref().map_or_else(String::new, |question| {
        format!("\nthey are asked first: {}", shown_short(question))
    });
    format!("open: while tenet up runs, anybody may ask by\n    {add}{question}")
}
