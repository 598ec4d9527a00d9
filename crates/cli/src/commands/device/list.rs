//! `tenet device list`, `rename`, `suspend`, `resume`, `revoke`.

use tenet_rpc::api::{
    Call, DeviceInfo, DeviceRename, DeviceResume, DeviceRevoke, DeviceStatus, DeviceSuspend,
    Devices, Request,
};

use super::super::message::size;
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
        shell.output.object(device, || {
            let status = device.status.as_ref().map(|status| how(device, status));
            let lines = [Some(line(device)), status];
            lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
        })?;
    }
    Ok(())
}

pub(super) async fn rename(shell: &Shell, args: args::DeviceRename) -> Outcome {
    let (id, name) = (args.id, args.name);
    change(shell, DeviceRename { id, name }).await
}

pub(super) async fn suspend(shell: &Shell, args: args::DeviceNamed) -> Outcome {
    change(shell, DeviceSuspend { id: args.id }).await?;
    note(
        "your other devices do not speak with it until you resume it: tenet device resume. The people you know \
         still do; if it is lost for good: tenet device revoke",
    );
    Ok(())
}

pub(super) async fn resume(shell: &Shell, args: args::DeviceNamed) -> Outcome {
    change(shell, DeviceResume { id: args.id }).await
}

/// Changes a device, tells the others, and shows how it stands.
async fn change(shell: &Shell, wanted: impl Call<Answer = DeviceInfo> + Into<Request>) -> Outcome {
    let device = shell
        .with(Need::Network, async |caller| {
            let device = caller.call(wanted).await?;
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
    change(shell, params).await?;
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
    let suspended = if device.suspended { ", suspended" } else { "" };
    let bringing = device.bringing.as_ref().map_or_else(String::new, |it| {
        format!(", {} of {} events brought", it.done, it.total)
    });
    let name = shown_short(&device.name);
    format!("{id}…  {name}  {standing}{suspended}{bringing}")
}

/// How a device is, in a line; of one that is not here since when that is so.
fn how(device: &DeviceInfo, status: &DeviceStatus) -> String {
    let of = |free: Option<u64>, all: Option<u64>, word: &str| {
        let (free, all) = (free?, all?);
        Some(format!("{word} {} of {}", size(free), size(all)))
    };
    let parts = [
        status.cpu.map(|cpu| format!("load {cpu} %")),
        of(status.memory_used, status.memory, "memory"),
        of(status.disk_free, status.disk, "disk free"),
        status.uptime.map(|seconds| {
            let on = time::span(seconds.saturating_mul(1000));
            format!("on for {on}")
        }),
        Some(format!(
            "tenet {} on {}",
            shown_short(&status.version),
            shown_short(&status.platform)
        )),
        (!device.this).then(|| format!("at {}", time::short(status.at))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("    {}", parts.join(", "))
}
