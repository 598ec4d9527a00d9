//! `tenet history`: the messages with somebody.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};

use tenet_rpc::api::{self, Event, Message, Page};
use tenet_rpc::client::Occurrence;

use super::{Shell, message, typing};
use crate::args::History;
use crate::caller::{Caller, Events, Need};
use crate::failure::{Failure, Outcome};
use crate::output::note;
use crate::signals::Signals;

/// The most that a node answers at once.
const PAGE: u64 = 1000;

pub(super) async fn run(shell: &Shell, args: History) -> Outcome {
    let need = if args.follow { Need::Stay } else { Need::Home };
    shell
        .with(need, async |caller| {
            if !args.follow {
                return print(shell, &args, &pages(caller, &args).await?);
            }
            let mut signals = Signals::new()?;
            // Subscribed before looking: nothing falls between.
            let (_, events) = caller.subscribe().await?;
            let page = pages(caller, &args).await?;
            print(shell, &args, &page)?;
            tokio::select! {
                outcome = follow(shell, &args, page, events) => outcome,
                () = signals.stop() => Ok(()),
            }
        })
        .await
}

/// As many messages as were asked for, put together from pages.
async fn pages(caller: &Caller, args: &History) -> Outcome<Page> {
    let mut all = Page::default();
    let mut before = args.before.clone();
    loop {
        let left = args.limit.saturating_sub(all.messages.len() as u64);
        let limit = u32::try_from(left.min(PAGE)).unwrap_or(u32::MAX);
        let who = args.who.clone();
        let page = caller
            .call(api::History {
                who,
                limit: Some(limit),
                before,
                ..api::History::default()
            })
            .await?;
        before = page.messages.first().map(|message| message.id.clone());
        let ended = !page.more || before.is_none() || page.messages.len() as u64 >= left;
        let mut messages = page.messages;
        messages.append(&mut all.messages);
        all = Page { messages, ..page };
        if ended {
            return Ok(all);
        }
    }
}

/// Prints what comes in these sessions, until the node is gone.
async fn follow(shell: &Shell, args: &History, page: Page, mut events: Events) -> Outcome {
    let seen: BTreeSet<String> = page
        .messages
        .into_iter()
        .map(|message| message.id)
        .collect();
    while let Some(occurrence) = events.next().await {
        let Occurrence::Event(notice) = occurrence else {
            note("some messages were missed; see tenet history");
            continue;
        };
        let message = match notice.event {
            Event::Message(message) if !seen.contains(&message.id) => message,
            Event::Changed(message) => message,
            Event::Typing(typist) if page.sessions.contains(&typist.session) => {
                // For whoever looks on, not for what is kept of it.
                if typist.typing && !shell.output.json && io::stderr().is_terminal() {
                    note(&typing::words(&typist));
                }
                continue;
            }
            _ => continue,
        };
        if page.sessions.contains(&message.session) {
            print_one(shell, args, &message)?;
        }
    }
    note("tenet: the node is gone or locked");
    Err(Failure::Said)
}

fn print(shell: &Shell, args: &History, page: &Page) -> Outcome {
    page.messages
        .iter()
        .try_for_each(|message| print_one(shell, args, message))
}

fn print_one(shell: &Shell, args: &History, message: &Message) -> Outcome {
    shell
        .output
        .object(message, || message::words(message, args.ids))
}
