//! `tenet contact …`: verify, devices, confirm, rename, remove, block.

use tenet_rpc::api::{
    Call, Contact, ContactBlock, ContactConfirm, ContactDevice, ContactDevices, ContactRemove,
    ContactRename, ContactUnblock, ContactVerify, Request, Verification,
};

use super::{Shell, contact_file, contacts};
use crate::args::ContactCommand;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;
use crate::time;

pub(super) async fn run(shell: &Shell, command: ContactCommand) -> Outcome {
    let contact = match command {
        ContactCommand::Verify(args) => return verify(shell, args.who).await,
        ContactCommand::Devices(args) => return devices(shell, args.who).await,
        ContactCommand::Add(args) => return contact_file::add(shell, args).await,
        ContactCommand::Card(args) => return contact_file::card(shell, args).await,
        ContactCommand::Confirm(args) => ask(shell, ContactConfirm { who: args.who }).await?,
        ContactCommand::Rename(args) => {
            let params = ContactRename {
                who: args.who,
                name: args.name,
            };
            ask(shell, params).await?
        }
        ContactCommand::Remove(args) => {
            let params = ContactRemove { who: args.who };
            shell
                .with(Need::Network, async |caller| {
                    let contact = caller.call(params).await?;
                    shell.settle(caller).await?;
                    Ok(contact)
                })
                .await?
        }
        ContactCommand::Block(args) => ask(shell, ContactBlock { who: args.who }).await?,
        ContactCommand::Unblock(args) => ask(shell, ContactUnblock { who: args.who }).await?,
    };
    shell.output.object(&contact, || contacts::words(&contact))
}

/// A change of a contact for which nobody need be reached.
async fn ask(
    shell: &Shell,
    params: impl Call<Answer = Contact> + Into<Request>,
) -> Outcome<Contact> {
    shell
        .with(Need::Home, async |caller| caller.call(params).await)
        .await
}

async fn devices(shell: &Shell, who: String) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(ContactDevices { who }).await
        })
        .await?;
    for device in &list.devices {
        shell.output.object(device, || line(device))?;
    }
    Ok(())
}

fn line(device: &ContactDevice) -> String {
    let id = device.device.get(..12).unwrap_or(&device.device);
    let name = shown_short(&device.name);
    let added = time::short(device.added);
    let now = match (device.ended, device.revoked, device.online) {
        (Some(at), true, _) => format!(", revoked {}", time::short(at)),
        (_, true, _) => ", revoked".to_owned(),
        (Some(at), ..) => format!(", out since {}", time::short(at)),
        (None, _, true) => ", online".to_owned(),
        (None, ..) => String::new(),
    };
    format!("{id}…  {name}  added {added}{now}")
}

async fn verify(shell: &Shell, who: String) -> Outcome {
    let params = ContactVerify { who };
    let verification = shell
        .with(Need::Home, async |caller| caller.call(params).await)
        .await?;
    shell.output.object(&verification, || words(&verification))
}

fn words(verification: &Verification) -> String {
    let name = shown_short(&verification.name);
    let number = grouped(&verification.number, 5);
    let compare = match &verification.digits {
        Some(digits) => format!(
            "    {}\n    {}\n    {}\n",
            verification.emoji.join("  "),
            verification.words.join(", "),
            grouped(digits, 4)
        ),
        None => String::new(),
    };
    format!(
        "Compare with {name} over another way, by voice for instance:\n\n{compare}    {number}\n\n\
         If {name} sees the same: tenet contact confirm '{name}'"
    )
}

/// Digits in groups, as people read them aloud.
fn grouped(digits: &str, size: usize) -> String {
    let digits: Vec<char> = digits.chars().collect();
    digits
        .chunks(size)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join(" ")
}
