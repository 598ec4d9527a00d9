//! `tenet send`: write a message, with files or without.

use serde::Serialize;
use tenet_apps::chat::file::MAX_FILES;
use tenet_rpc::api::{self, GroupShow, Sent, State};

use super::Shell;
use crate::args::Send;
use crate::caller::Need;
use crate::failure::{Failure, Outcome};
use crate::input::absolute;
use crate::output::{note, shown_short};

#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    session: &'a str,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

pub(super) async fn run(shell: &Shell, args: Send) -> Outcome {
    // Nobody has to be reached for a note to oneself.
    let mut alone = matches!(args.who.as_str(), "self" | "me");
    let text = match &args.text {
        None if args.has_more() => String::new(),
        text => shell.input.text(text.as_deref().unwrap_or("-"))?,
    };
    let files = args.files.iter().chain(&args.voice);
    let files = files.map(|path| absolute(path));
    let mut files = files.collect::<Outcome<Vec<_>>>()?;
    let sent = shell
        .with(Need::Network, async |caller| {
            let group = GroupShow {
                group: args.who.clone(),
            };
            // Most often it is no group: then the sending itself says what is wrong, if anything.
            if !alone && let Ok(group) = caller.call(group).await {
                alone = group.members == 1 && group.role.is_some();
                if alone {
                    note("nobody else is in this group: it is kept here");
                }
            }
            // A running node goes on by itself; this process has to stay until it is delivered.
            let wait = args
                .wait
                .or((caller.is_here() && !alone).then_some(State::Delivered));
            let mut params = api::Send {
                who: args.who,
                text,
                files: first_files(&mut files),
                keep_metadata: args.keep_metadata,
                voice: args.voice.is_some(),
                contact: args.contact,
                reply: args.reply,
                wait,
                timeout_ms: wait.map(|_| shell.timeout_ms()),
            };
            let mut sent = Vec::new();
            loop {
                let next = api::Send {
                    text: String::new(),
                    files: first_files(&mut files),
                    reply: None,
                    ..params.clone()
                };
                sent.push(print(shell, caller.call(params).await?)?);
                if next.files.is_empty() {
                    return Ok(sent);
                }
                params = next;
            }
        })
        .await?;
    sent.iter()
        .try_for_each(|sent| judge(sent, args.wait, alone))
}

/// As many of the files as one message takes; what is left goes with messages of its own.
fn first_files(files: &mut Vec<String>) -> Vec<String> {
    let rest = files.split_off(files.len().min(MAX_FILES));
    std::mem::replace(files, rest)
}

fn print(shell: &Shell, sent: Sent) -> Outcome<Sent> {
    let shown = Shown {
        id: &sent.id,
        session: &sent.session,
        state: sent.state,
        reason: sent.reason.as_deref(),
    };
    shell
        .output
        .object(&shown, || format!("{} {}", sent.id, sent.state))?;
    Ok(sent)
}

/// Says what is kept, and whether what was waited for is reached (`CLI-8`).
fn judge(sent: &Sent, wait: Option<State>, alone: bool) -> Outcome {
    if sent.state == State::Failed {
        note(&format!(
            "tenet: {}",
            shown_short(sent.reason.as_deref().unwrap_or("it failed"))
        ));
        return Err(Failure::Said);
    }
    if sent.state < State::Stored && !alone {
        note("kept; it is sent as soon as others can be reached, while tenet up runs");
    }
    match wait {
        Some(wait) if !sent.state.reaches(wait) => Err(Failure::Said),
        _ => Ok(()),
    }
}
