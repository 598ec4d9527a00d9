//! `tenet id show`, `tenet id list` and `tenet id use`

use serde::Serialize;
use tenet_rpc::api::Identity;

use crate::args::Use;
use crate::caller::{Finder, Need};
use crate::choice::{Chosen, Seen};
use crate::commands::Shell;
use crate::failure::Outcome;
use crate::output::shown_short;

#[derive(Serialize)]
struct Shown {
    did: String,
    name: String,
    device: String,
}

#[derive(Serialize)]
struct Listed {
    did: Option<String>,
    name: Option<String>,
    device: Option<String>,
    current: bool,
    locked: bool,
    /// Why it cannot be said who it is.
    reason: Option<String>,
}

pub(in crate::commands) async fn show(shell: &Shell) -> Outcome {
    let identity = read(shell, &shell.finder()).await?;
    shell.output.object(&identity, || {
        let Shown { did, name, device } = &identity;
        format!("{did}\nname    {}\ndevice  {device}", shown_short(name))
    })
}

/// One line for each identity, the usual one first.
pub(in crate::commands) async fn list(shell: &Shell) -> Outcome {
    let (_home, seen) = shell.finder().list().await?;
    for listed in seen.into_iter().map(listed) {
        shell.output.object(&listed, || words(&listed))?;
    }
    Ok(())
}

/// Chooses the identity that is meant where none is named (`HOME-703`).
pub(in crate::commands) async fn choose(shell: &Shell, args: Use) -> Outcome {
    let finder = Finder {
        id: Some(&args.who),
        ..shell.finder()
    };
    let Chosen { home, place, known } = finder.choose().await?;
    let shown = match known {
        Some(known) => Shown {
            did: known.did,
            name: known.name,
            device: known.device,
        },
        None => read(shell, &finder).await?,
    };
    home.choose(&place)?;
    shell
        .output
        .object(&shown, || format!("{} is used from now on", shown.did))
}

async fn read(shell: &Shell, finder: &Finder<'_>) -> Outcome<Shown> {
    let identity = shell
        .with_found(finder, Need::Home, async |caller| {
            caller.call(Identity {}).await
        })
        .await?;
    Ok(Shown {
        did: identity.did,
        name: identity.name,
        device: identity.device,
    })
}

fn listed(seen: Seen) -> Listed {
    let (known, reason) = match seen.who {
        Ok(known) => (Some(known), None),
        Err(error) => (None, Some(error.message)),
    };
    let locked = known.is_none();
    let (did, name, device) = match known {
        Some(known) => (Some(known.did), Some(known.name), Some(known.device)),
        None => (None, None, None),
    };
    Listed {
        did,
        name,
        device,
        current: seen.current,
        locked,
        reason,
    }
}

fn words(listed: &Listed) -> String {
    let mark = if listed.current { '*' } else { ' ' };
    match (&listed.did, &listed.name) {
        (Some(did), Some(name)) => format!("{mark} {did}  {}", shown_short(name)),
        _ => {
            let reason = listed.reason.as_deref().unwrap_or_default();
            format!("{mark} locked: {}", shown_short(reason))
        }
    }
}
