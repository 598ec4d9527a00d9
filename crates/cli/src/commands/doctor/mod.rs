//! `tenet doctor`: what is well, what is not, and what to do about it.

mod files;
mod system;

use serde::Serialize;
use tenet_rpc::api::{Check, Doctor, Error, Kind};
use tenet_rpc::client::{Client, ConnectError};

use super::Shell;
use crate::args;
use crate::caller::Need;
use crate::choice::Chosen;
use crate::failure::{Failure, Outcome};
use crate::home;
use crate::output::shown;

#[derive(Serialize)]
struct Shown {
    checks: Vec<Check>,
}

pub(super) async fn run(shell: &Shell, args: args::Doctor) -> Outcome {
    let mut checks = files::checks(&shell.paths);
    checks.push(configuration(shell));
    checks.push(holder(shell).await);
    let others_well = checks.iter().all(|check| check.ok);
    checks.extend(inside(shell, args.repair, others_well).await);
    checks.push(system::clock());
    checks.extend(system::disk(&shell.paths.home));

    let shown = Shown { checks };
    shell.output.object(&shown, || {
        shown
            .checks
            .iter()
            .map(words)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    if shown.checks.iter().all(|check| check.ok) {
        Ok(())
    } else {
        Err(Failure::Said)
    }
}

/// Something that is well.
fn well(name: &str, detail: impl Into<String>) -> Check {
    Check {
        name: name.into(),
        ok: true,
        detail: detail.into(),
        advice: None,
    }
}

/// Something that is not, and what to do.
fn ill(name: &str, detail: impl Into<String>, advice: impl Into<String>) -> Check {
    Check {
        name: name.into(),
        ok: false,
        detail: detail.into(),
        advice: Some(advice.into()),
    }
}

/// What the home's `config.toml` says, and where it does not hold.
fn configuration(shell: &Shell) -> Check {
    match &shell.configured {
        Ok(summary) => well("config", summary.clone()),
        Err(error) => ill(
            "config",
            error.message.clone(),
            "mend that line: until then no command but this one does anything",
        ),
    }
}

/// Who has the identity open.
async fn holder(shell: &Shell) -> Check {
    let Ok(Chosen { home, place, .. }) = shell.finder().choose().await else {
        // Why not is said when it is to be opened.
        return well("node", "not looked for");
    };
    let socket = place.socket();
    match Client::connect(&socket).await {
        Ok(_) => well("node", "a node runs on this home"),
        Err(ConnectError::NoNode) => match home.hold(&place) {
            Err(home::Error::InUse { .. }) => well("node", "a command has this home open"),
            _ => well("node", "no node runs; start one: tenet up"),
        },
        Err(error) => ill(
            "node",
            error.to_string(),
            format!("see who owns {}", socket.display()),
        ),
    }
}

/// What only whoever has the store open can say.
async fn inside(shell: &Shell, repair: bool, others_well: bool) -> Vec<Check> {
    let need = if repair { Need::Network } else { Need::Home };
    let checks = shell
        .with(need, async |caller| caller.call(Doctor { repair }).await)
        .await;
    match checks {
        Ok(checks) => checks.checks,
        Err(Failure::Error(error)) => vec![unopened(error, others_well)],
        Err(_) => Vec::new(),
    }
}

/// What it means that the store could not be opened: where all else is well, the store itself is
/// at fault.
fn unopened(error: Error, others_well: bool) -> Check {
    match error.kind {
        Kind::Locked => Check {
            name: "store".into(),
            ok: true,
            detail: "not checked: the home is locked".into(),
            advice: Some("give the PIN: --pin-file FILE, or tenet unlock".into()),
        },
        Kind::NotFound | Kind::Refused if !others_well => ill(
            "store",
            format!("not checked: {}", error.message),
            "do first what the other checks say",
        ),
        _ => ill(
            "store",
            error.message,
            "nothing was changed; keep a copy of the home. The identity comes back in another home \
             with its phrase: tenet --home DIR id restore",
        ),
    }
}

fn words(check: &Check) -> String {
    let mark = if check.ok { "ok  " } else { "BAD " };
    let advice = check.advice.as_ref().map_or_else(String::new, |advice| {
        format!("\n                    → {}", shown(advice))
    });
    format!("{mark} {:14} {}{advice}", check.name, shown(&check.detail))
}
