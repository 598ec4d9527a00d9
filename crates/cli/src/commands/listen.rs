//! `tenet listen`: every new thing as it comes.

use tenet_rpc::api::{
    Contact, ContactChange, DeviceChange, DeviceNews, Event, Notice, Path, Presence,
};
use tenet_rpc::client::Occurrence;

use super::{Shell, conversations, message, requests, typing};
use crate::args::{Kind, Listen};
use crate::caller::{Events, Need};
use crate::failure::{Failure, Outcome};
use crate::output::{note, shown, shown_short};
use crate::signals::Signals;
use crate::time;

pub(super) async fn run(shell: &Shell, args: &Listen) -> Outcome {
    shell
        .with(Need::Stay, async |caller| {
            let mut signals = Signals::new()?;
            let (_, events) = caller.subscribe().await?;
            tokio::select! {
                outcome = print(shell, args, events) => outcome,
                () = signals.stop() => Ok(()),
            }
        })
        .await
}

async fn print(shell: &Shell, args: &Listen, mut events: Events) -> Outcome {
    while let Some(occurrence) = events.next().await {
        match occurrence {
            Occurrence::Event(notice) => {
                if wanted(&args.kinds, &notice.event) {
                    shell.output.object(&notice, || words(&notice, args.ids))?;
                } else if is_warning(&notice.event) {
                    // What could be a danger is said even to those who asked for messages only.
                    note(&format!("tenet: {}", words(&notice, args.ids)));
                }
            }
            Occurrence::Gap(gap) => {
                note(&format!(
                    "{} things were missed; see tenet history",
                    gap.to - gap.from + 1
                ));
            }
        }
    }
    note("tenet: the node is gone or locked");
    Err(Failure::Said)
}

fn wanted(kinds: &[Kind], event: &Event) -> bool {
    kinds
        .iter()
        .any(|kind| *kind == Kind::All || kind.name() == event.name())
}

fn is_warning(event: &Event) -> bool {
    matches!(
        event,
        Event::Warning { .. } | Event::LinkReused { .. } | Event::TooEarly { .. }
    )
}

fn words(notice: &Notice, ids: bool) -> String {
    match &notice.event {
        Event::Message(message) | Event::Changed(message) => message::words(message, ids),
        Event::State { id, state, .. } => format!("{id} is {state}"),
        Event::Gone { id, .. } => format!("{id} is not there any more"),
        Event::WrittenAgain { id, new, .. } => {
            format!("{id} was dated days ahead and stands as {new} now")
        }
        Event::Conversation(conversation) => conversations::words(conversation),
        Event::Typing(typist) => typing::words(typist),
        Event::File { hash } => format!("file {hash} is here"),
        Event::Contact { change, contact } => contact_words(*change, contact),
        Event::Accept { name, state, .. } => {
            format!(
                "the link of {}: {}",
                shown_short(name),
                format!("{state:?}").to_lowercase()
            )
        }
        Event::Request(request) => requests::words(request),
        Event::InviteUsed { id, name, .. } => {
            format!("{} took the link {id}", shown_short(name))
        }
        Event::LinkReused { message, .. } | Event::Warning { message, .. } => shown(message),
        Event::Device(news) => device_words(news),
        Event::Bringing {
            device,
            coming,
            done,
            total,
            ..
        } => match coming {
            true => format!("{done} of {total} events were brought here"),
            false => format!("{done} of {total} events were brought to {device}"),
        },
        Event::Connection(connection) => match (connection.path, &connection.addr) {
            (Path::None, _) => format!("{} is not connected any more", connection.device),
            (_, Some(addr)) => format!("{} is connected, {addr}", connection.device),
            (_, None) => format!("{} is connected", connection.device),
        },
        Event::TooEarly { theirs, ours, .. } => format!(
            "another's clock says {} and this one {}: set the one that is wrong",
            time::short(*theirs),
            time::short(*ours)
        ),
        _ => "something that this version does not know".into(),
    }
}

fn device_words(news: &DeviceNews) -> String {
    let id = news.device.get(..12).unwrap_or(&news.device);
    match news.change {
        DeviceChange::Asks => format!("a device asks to be let in: {}", news.emoji.join("  ")),
        DeviceChange::Added => format!("{} has a further device, {id}…", news.did),
        DeviceChange::Revoked => format!("{} has revoked the device {id}…", news.did),
        DeviceChange::Suspended => format!("your devices do not speak with {id}… for now"),
        DeviceChange::Resumed => format!("your devices speak with {id}… again"),
        _ => format!("something about the device {id}…"),
    }
}

fn contact_words(change: ContactChange, contact: &Contact) -> String {
    let name = shown_short(&contact.name);
    match (change, &contact.warning) {
        (ContactChange::Added, _) => format!("{name} is a contact now"),
        (ContactChange::Renamed, _) => format!("{} is called {name} now", contact.did),
        (ContactChange::Profile, _) => match contact.status.as_str() {
            "" => format!("{name} says something else of themselves"),
            status => format!("{name}: {}", shown_short(status)),
        },
        (ContactChange::Verified, _) => format!("{name} is verified"),
        (ContactChange::Presence, _) => match contact.presence {
            Presence::Online => format!("{name} is online"),
            _ => format!("{name} is offline"),
        },
        (ContactChange::Blocked, _) => format!("{name} is blocked"),
        (ContactChange::Unblocked, _) => format!("{name} is blocked no more"),
        (ContactChange::Removed, _) => format!("{name} is no contact any more"),
        (ContactChange::Left, _) => format!("{name} has ended the contact"),
        (_, Some(warning)) => format!("{name}: {}", shown(warning)),
        (_, None) => format!("{name} stands differently"),
    }
}
