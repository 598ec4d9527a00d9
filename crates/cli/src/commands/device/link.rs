//! `tenet device link`, `tenet device confirm`: letting in another device.

use std::io::IsTerminal;
use std::time::Duration;

use serde::Serialize;
use tenet_rpc::api::{
    DeviceChange, DeviceConfirm, DeviceLink, DeviceLinked, DeviceNews, Error, Event,
};
use tenet_rpc::client::Occurrence;

use super::words;
use crate::args;
use crate::caller::{Caller, Events, Need};
use crate::commands::{Shell, invite};
use crate::failure::Outcome;
use crate::output::{note, shown_short};
use crate::time;

#[derive(Serialize)]
struct Shown<'a> {
    link: &'a str,
    expires: u64,
    id: &'a str,
}

pub(super) async fn run(shell: &Shell, args: args::DeviceLink) -> Outcome {
    let terminal = shell.input.is_terminal() && std::io::stdout().is_terminal();
    let person = terminal && !shell.output.json;
    let (phrase, passphrase) = words(shell, &args.words)?;
    let params = DeviceLink {
        ask: args.ask || person,
        expires_seconds: args.expires,
        phrase,
        passphrase,
    };
    shell
        .with(Need::Network, async |caller| {
            let (_, events) = caller.subscribe().await?;
            let linked = caller.call(params).await?;
            show(shell, &linked, args.qr || person)?;
            // Where this process has the home open, nobody else can let the device in.
            match person || caller.is_here() {
                true => wait(shell, caller, events, &linked, person).await,
                false => Ok(()),
            }
        })
        .await
}

pub(super) async fn confirm(shell: &Shell, args: &args::DeviceConfirm) -> Outcome {
    let same = !args.no;
    let done = shell
        .with(Need::Running, async |caller| {
            caller.call(DeviceConfirm { same }).await
        })
        .await?;
    shell.output.object(&done, || match same {
        true => "the device is yours now".to_owned(),
        false => "the device was not let in".to_owned(),
    })
}

fn show(shell: &Shell, linked: &DeviceLinked, picture: bool) -> Outcome {
    let shown = Shown {
        link: &linked.link,
        expires: linked.expires,
        id: &linked.id,
    };
    shell.output.object(&shown, || linked.link.clone())?;
    if picture {
        invite::picture(shell, &linked.link)?;
        let left = time::span(linked.expires.saturating_sub(time::now()));
        note(&format!(
            "On the other device: tenet device join LINK. Show it, do not send it; good for {left}"
        ));
    }
    Ok(())
}

/// Waits for the device, asks whether both show the same, and until it has its card.
async fn wait(
    shell: &Shell,
    caller: &Caller,
    mut events: Events,
    linked: &DeviceLinked,
    person: bool,
) -> Outcome {
    let left = linked.expires.saturating_sub(time::now());
    // The link ends by itself at its time; nothing tells of it.
    let over = tokio::time::sleep(Duration::from_millis(left));
    tokio::pin!(over);
    loop {
        let occurrence = tokio::select! {
            occurrence = events.next() => occurrence,
            () = &mut over => {
                return Err(Error::failure("no device came; the link is not good any more").into());
            }
        };
        let Some(occurrence) = occurrence else {
            return Err(Error::failure("the node is gone or locked").into());
        };
        let Occurrence::Event(notice) = occurrence else {
            continue;
        };
        let Event::Device(news) = notice.event else {
            continue;
        };
        match news.change {
            DeviceChange::Asks => asks(shell, caller, &news, person).await?,
            DeviceChange::Added if !news.waits => {
                note("the device is yours now; it is brought everything while both are on");
                return shell.settle(caller).await;
            }
            _ => {}
        }
    }
}

async fn asks(shell: &Shell, caller: &Caller, news: &DeviceNews, person: bool) -> Outcome {
    let name = shown_short(news.name.as_deref().unwrap_or_default());
    let digits = news.digits.as_deref().unwrap_or_default();
    note(&format!(
        "\"{name}\" asks to be let in. Its screen must show\n\n    {}\n    {digits}\n",
        news.emoji.join("  ")
    ));
    if !(news.waits && person) {
        return Ok(());
    }
    let same = shell.input.yes("Does it show the same? [y/N] ")?;
    caller.call(DeviceConfirm { same }).await?;
    match same {
        true => Ok(()),
        false => Err(Error::refused(
            "it was not let in, and the link is not good any more: somebody else may have seen it",
        )
        .into()),
    }
}
