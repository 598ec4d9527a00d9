//! `tenet id show` and `tenet id list`

use serde::Serialize;
use tenet_rpc::api::Identity;

use crate::caller::Need;
use crate::commands::Shell;
use crate::failure::Outcome;
use crate::output::shown_short;

#[derive(Serialize)]
struct Shown {
    did: String,
    name: String,
    device: String,
}

pub(in crate::commands) async fn show(shell: &Shell) -> Outcome {
    let identity = read(shell).await?;
    shell.output.object(&identity, || {
        let Shown { did, name, device } = &identity;
        format!("{did}\nname    {}\ndevice  {device}", shown_short(name))
    })
}

/// One line for each identity; in this version there is one.
pub(in crate::commands) async fn list(shell: &Shell) -> Outcome {
    let identity = read(shell).await?;
    shell.output.object(&identity, || {
        format!("{}  {}", identity.did, shown_short(&identity.name))
    })
}

async fn read(shell: &Shell) -> Outcome<Shown> {
    let identity = shell
        .with(Need::Home, async |caller| caller.call(Identity {}).await)
        .await?;
    Ok(Shown {
        did: identity.did,
        name: identity.name,
        device: identity.device,
    })
}
