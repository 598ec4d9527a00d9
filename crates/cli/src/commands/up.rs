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
use crate::home::{self, Held};
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
    let held = hold(shell).await?;
    let vault = held.place().vault();
    let pin = vault
        .has_pin()?
        .then(|| shell.input.pin("PIN: "))
        .transpose()?;
    let gate = Gate::closed(held, shell.options.clone(), Mode::Running);
    gate.open(pin).await?;
    let outcome = serve(shell, &gate, &mut signals).await;
    gate.close().await;
    outcome
}

async fn serve(shell: &Shell, gate: &Gate, signals: &mut Signals) -> Outcome {
    if shell.id.is_some() {
        let identity = ask(gate, Identity {}).await?;
        shell.finder().check(&identity.did, &identity.name)?;
    }
    let socket = gate.place().socket();
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

/// Takes hold of the identity, waiting for a command that has it open, but not for another node.
async fn hold(shell: &Shell) -> Outcome<Held> {
    let until = Instant::now() + shell.timeout;
    let chosen = shell.finder().choose().await?;
    loop {
        let held = chosen.home.hold(&chosen.place);
        match Client::connect(&chosen.place.socket()).await {
            Ok(_) => {
                return Err(match held {
                    Err(error @ home::Error::InUse { .. }) => error.into(),
                    _ => Error::refused("a node runs on this home already").into(),
                });
            }
            Err(ConnectError::NoNode) => {}
            Err(error) => return Err(error.into()),
        }
        match held {
            Err(home::Error::InUse { .. }) if Instant::now() < until => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            held => return Ok(held?),
        }
    }
}

fn words(ready: &Ready) -> String {
    let addrs = ready.addrs.join(", ");
    format!(
        "ready: {} on {addrs}",
        ready.did.as_deref().unwrap_or_default()
    )
}
