//! `tenet send`: write a message, with files or without.

use serde::Serialize;
use tenet_rpc::api::{self, Sent, State};

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
    let alone = matches!(args.who.as_str(), "self" | "me");
    let text = match &args.text {
        None if !args.files.is_empty() => String::new(),
        text => shell.input.text(text.as_deref().unwrap_or("-"))?,
    };
    let files = args.files.iter().map(|path| absolute(path));
    let files = files.collect::<Outcome<Vec<_>>>()?;
    let sent = shell
        .with(Need::Network, async |caller| {
            // A running node goes on by itself; this process has to stay until it is delivered.
            let wait = args
                .wait
                .or((caller.is_here() && !alone).then_some(State::Delivered));
            let params = api::Send {
                who: args.who,
                text,
                files,
                reply: args.reply,
                wait,
                timeout_ms: wait.map(|_| shell.timeout_ms()),
            };
            caller.call(params).await
        })
        .await?;
    let shown = Shown {
        id: &sent.id,
        session: &sent.session,
        state: sent.state,
        reason: sent.reason.as_deref(),
    };
    shell
        .output
        .object(&shown, || format!("{} {}", sent.id, sent.state))?;
    judge(&sent, args.wait, alone)
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
        note("kept; it is sent as soon as the other can be reached, while tenet up runs");
    }
    match wait {
        Some(wait) if !sent.state.reaches(wait) => Err(Failure::Said),
        _ => Ok(()),
    }
}
