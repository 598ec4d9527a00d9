//! `tenet device renew`: another device key and endpoint for this device.

use tenet_rpc::api::{DeviceRevoke, Devices, Error, Mode, Secret, Sync};
use tenet_rpc::server::ask;

use super::list;
use crate::commands::Shell;
use crate::failure::Outcome;
use crate::gate::Gate;
use crate::host::{self, Options};
use crate::output::note;
use crate::time;

/// If this is cut off after the first step the former key is still in the list, and can be revoked there.
pub(super) async fn run(shell: &Shell) -> Outcome {
    let chosen = shell.finder().choose().await?;
    let held = chosen.home.hold(&chosen.place)?;
    let vault = chosen.place.vault();
    let pin = match vault.has_pin()? {
        true => Some(shell.input.pin("PIN: ")?),
        false => None,
    };
    let key = vault.open(pin.as_ref().map(Secret::expose), time::now())?;
    let former = host::peek(chosen.place.folder(), &key)?.device;
    host::rekey(chosen.place.folder(), &key)?;
    drop(key);

    let options = Options {
        network: true,
        ..shell.options.clone()
    };
    let gate = Gate::closed(held, options, Mode::Offline);
    gate.open(pin).await?;
    let revoke = DeviceRevoke {
        id: former,
        phrase: None,
        passphrase: None,
    };
    let outcome = match ask(&gate, revoke).await {
        Ok(_) => ask(&gate, Devices {}).await,
        Err(error) => Err(error),
    };
    let synced = ask(
        &gate,
        Sync {
            timeout_ms: Some(shell.timeout_ms()),
        },
    )
    .await;
    gate.close().await;
    let devices = outcome?.devices.into_iter();
    let this = devices.into_iter().find(|device| device.this);
    let this = this.ok_or_else(|| Error::internal("this device is nowhere"))?;
    shell.output.object(&this, || list::line(&this))?;
    if !synced.is_ok_and(|synced| !synced.waits()) {
        note("not everybody was reached; they are told while tenet up runs");
    }
    Ok(())
}
