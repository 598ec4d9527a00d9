//! `tenet status`: what this node is and does.

use serde::Serialize;
use tenet_rpc::api::{Mode, NodeStatus, Status};
use tenet_rpc::client::{Client, ConnectError};

use super::Shell;
use crate::caller::Need;
use crate::choice::Chosen;
use crate::failure::Outcome;
use crate::gate::locked;
use crate::home;
use crate::output::shown_short;
use crate::time;

#[derive(Serialize)]
struct Shown<'a> {
    running: bool,
    home: String,
    socket: String,
    #[serde(flatten)]
    status: &'a NodeStatus,
}

pub(super) async fn run(shell: &Shell) -> Outcome {
    let chosen = shell.finder().choose().await?;
    let place = chosen.place.clone();
    let status = match asleep(shell, chosen).await? {
        Some(status) => status,
        None => {
            shell
                .with(Need::Home, async |caller| caller.call(Status {}).await)
                .await?
        }
    };
    let running = match status.mode {
        Mode::Offline => false,
        _ => status.started > 0,
    };
    let home = shell.paths.home.display().to_string();
    let shown = Shown {
        running,
        home,
        socket: place.socket().display().to_string(),
        status: &status,
    };
    shell.output.object(&shown, || words(&shown))
}

/// What is known without the PIN: nobody is asked for it to see how things stand.
async fn asleep(shell: &Shell, chosen: Chosen) -> Outcome<Option<NodeStatus>> {
    let Chosen { home, place, .. } = chosen;
    if !matches!(
        Client::connect(&place.socket()).await,
        Err(ConnectError::NoNode)
    ) {
        return Ok(None);
    }
    match home.hold(&place) {
        Ok(_held) if place.vault().has_pin()? && shell.input.given_pin()?.is_none() => {
            Ok(Some(locked()))
        }
        Ok(_) | Err(home::Error::InUse { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn words(shown: &Shown<'_>) -> String {
    let status = shown.status;
    let what = match (shown.running, status.mode) {
        (true, Mode::Locked) => format!("running since {}, locked", time::short(status.started)),
        (true, _) => format!("running since {}", time::short(status.started)),
        (false, Mode::Locked) => "not running; a PIN is needed to say more".into(),
        (false, _) => "not running".into(),
    };
    let mut lines = vec![what, format!("home      {}", shown.home)];
    if let Some(did) = &status.did {
        let name = shown_short(status.name.as_deref().unwrap_or_default());
        lines.push(format!("identity  {did}  {name}"));
        lines.push(format!(
            "contacts  {} ({} connected)",
            status.contacts, status.connected
        ));
        lines.push(format!(
            "pending   {} events, {} links",
            status.pending, status.accepting
        ));
    }
    if let Some(bringing) = &status.bringing {
        let (done, total) = (bringing.done, bringing.total);
        lines.push(format!(
            "brought   {done} of {total} events, by another device"
        ));
    }
    if !status.addrs.is_empty() {
        lines.push(format!("listens   {}", status.addrs.join(", ")));
    }
    lines.push(format!(
        "PIN       {}",
        if status.pin { "yes" } else { "no" }
    ));
    lines.join("\n")
}
