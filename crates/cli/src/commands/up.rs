//! `tenet up`: the node.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use tenet_rpc::api::{Error, Identity, Mode, Status};
use tenet_rpc::client::{Client, ConnectError};
use tenet_rpc::server::{Server, ask};

use super::Shell;
use crate::args::Up;
use crate::caller::LOOK_AGAIN;
use crate::failure::{Failure, Outcome};
use crate::gate::Gate;
use crate::home::{self, Home};
use crate::output::note;
use crate::signals::Signals;

/// The line that says that everything works.
#[derive(Serialize)]
struct Ready {
    event: &'static str,
    did: Option<String>,
    device: Option<String>,
    ui: Option<String>,
    addrs: Vec<String>,
}

pub(super) async fn run(shell: &Shell, args: &Up) -> Outcome {
    // Taken over first: a signal during the start ends a node that has written nothing half.
    let mut signals = Signals::new()?;
    if args.port.is_some() && !args.no_ui {
        note("tenet: this version has no web page; --port does nothing");
    }
    let home = hold(shell).await?;
    let pin = home
        .vault()?
        .has_pin()?
        .then(|| shell.input.pin("PIN: "))
        .transpose()?;
    let gate = Gate::closed(home, shell.options.clone(), Mode::Running)?;
    gate.open(pin).await?;
    let outcome = serve(shell, &gate, &mut signals).await;
    gate.close().await;
    outcome
}

async fn serve(shell: &Shell, gate: &Gate, signals: &mut Signals) -> Outcome {
    if let Some(id) = &shell.id
        && ask(gate, Identity {}).await?.did != *id
    {
        return Err(Error::not_found(format!("the identity of this home is not {id}")).into());
    }
    let socket = shell.paths.socket();
    let server = Server::bind(&socket).map_err(|error| {
        Error::failure(format!("cannot listen at {}: {error}", socket.display()))
    })?;
    let status = ask(gate, Status {}).await?;
    let ready = Ready {
        event: "ready",
        did: status.did,
        device: status.device,
        ui: status.ui,
        addrs: status.addrs,
    };
    // A node goes on although nobody reads what it prints.
    match shell.output.object(&ready, || words(&ready)) {
        Ok(()) | Err(Failure::Pipe) => {}
        Err(failure) => return Err(failure),
    }
    server.serve(Arc::new(gate.clone()), signals.stop()).await;
    Ok(())
}

/// Takes hold of the home, waiting for a command that has it open, but not for another node.
async fn hold(shell: &Shell) -> Outcome<Home> {
    let until = Instant::now() + shell.timeout;
    loop {
        match Client::connect(&shell.paths.socket()).await {
            Ok(_) => return Err(runs_already(shell)),
            Err(ConnectError::NoNode) => {}
            Err(error) => return Err(error.into()),
        }
        match Home::open(&shell.paths) {
            Err(home::Error::InUse { .. }) if Instant::now() < until => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            home => return Ok(home?),
        }
    }
}

fn runs_already(shell: &Shell) -> Failure {
    match Home::open(&shell.paths) {
        Err(error @ home::Error::InUse { .. }) => error.into(),
        _ => Error::refused("a node runs on this home already").into(),
    }
}

fn words(ready: &Ready) -> String {
    let addrs = ready.addrs.join(", ");
    format!(
        "ready: {} on {addrs}",
        ready.did.as_deref().unwrap_or_default()
    )
}
