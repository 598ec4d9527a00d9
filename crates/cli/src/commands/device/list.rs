//! `tenet device list`, `rename`, `revoke`.

use tenet_rpc::api::{DeviceInfo, DeviceRename, DeviceRevoke, Devices};

use super::words;
use crate::args;
use crate::caller::Need;
use crate::commands::Shell;
use crate::failure::Outcome;
use crate::output::{note, shown_short};
use crate::time;

pub(super) async fn list(shell: &Shell) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| caller.call(Devices {}).await)
        .await?;
    for device in &list.devices {
        shell.output.object(device, || line(device))?;
    }
    Ok(())
}

pub(super) async fn rename(shell: &Shell, args: args::DeviceRename) -> Outcome {
    let (id, name) = (args.id, args.name);
    let device = shell
        .with(Need::Network, async |caller| {
            let device = caller.call(DeviceRename { id, name }).await?;
            shell.settle(caller).await?;
            Ok(device)
        })
        .await?;
    shell.output.object(&device, || line(&device))
}

pub(super) async fn revoke(shell: &Shell, args: args::DeviceRevoke) -> Outcome {
    let (phrase, passphrase) = words(shell, &args.words)?;
    let params = DeviceRevoke {
        id: args.id,
        phrase,
        passphrase,
    };
    let device = shell
        .with(Need::Network, async |caller| {
            let device = caller.call(params).await?;
            shell.settle(caller).await?;
            Ok(device)
        })
        .await?;
    shell.output.object(&device, || line(&device))?;
    note(
        "it speaks for you no more, wherever this is heard. If it kept your phrase, whoever has it can still \
         make themselves another device: then begin anew with another phrase",
    );
    Ok(())
}

pub(super) fn line(device: &DeviceInfo) -> String {
    let id = device.device.get(..12).unwrap_or(&device.device);
    let standing = match (device.this, device.online, device.revoked) {
        (_, _, true) => "revoked".to_owned(),
        (true, ..) => "this device".to_owned(),
        (_, true, _) => "online".to_owned(),
        _ => device.last_seen.map_or_else(
            || "never seen".into(),
            |at| format!("seen {}", time::short(at)),
        ),
    };
    format!("{id}…  {}  {standing}", shown_short(&device.name))
}
