//! `tenet accept`: take a link that another person gave.

use serde::Serialize;
use tenet_rpc::api::{self, AcceptState, Accepted, Call, Error, Request};

use super::Shell;
use crate::args::{Accept, GroupJoin};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::{note, shown_short};

#[derive(Serialize)]
struct Shown {
    did: String,
    name: String,
    session: Option<String>,
    state: AcceptState,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

pub(super) async fn run(shell: &Shell, args: Accept) -> Outcome {
    let link = shell.input.text(&args.link)?.trim().to_owned();
    let params = api::Accept {
        link,
        name: args.name,
        remark: args.remark,
        timeout_ms: Some(shell.timeout_ms()),
    };
    ask(shell, params).await
}

/// `tenet group join`: the same of an invitation into a group.
pub(super) async fn join(shell: &Shell, args: GroupJoin) -> Outcome {
    let link = shell.input.text(&args.id)?.trim().to_owned();
    let params = api::Accept {
        link,
        name: None,
        remark: args.remark,
        timeout_ms: Some(shell.timeout_ms()),
    };
    ask(shell, params).await
}

/// Asks somebody, by a link or at their door, and says how far it came.
pub(super) async fn ask(
    shell: &Shell,
    params: impl Call<Answer = Accepted> + Into<Request>,
) -> Outcome {
    let accepted = shell
        .with(Need::Network, async |caller| {
            let accepted = caller.call(params).await?;
            if accepted.state == AcceptState::Connected {
                shell.settle(caller).await?;
            }
            Ok(accepted)
        })
        .await?;
    if matches!(accepted.state, AcceptState::Refused | AcceptState::Rejected) {
        let why = accepted.reason.filter(|_| accepted.group.is_some());
        let why = why.map(|why| shown_short(&why));
        let why = why.as_deref();
        let why = why.unwrap_or("the other side refused this link; ask for a new one");
        return Err(Error::refused(why).into());
    }
    let shown = Shown {
        did: accepted.did,
        name: accepted.name,
        session: accepted.session,
        state: accepted.state,
        group: accepted.group,
    };
    shell.output.object(&shown, || words(&shown))?;
    if shown.state != AcceptState::Connected {
        note("kept and tried again while tenet up runs");
    }
    Ok(())
}

fn words(shown: &Shown) -> String {
    let name = shown_short(&shown.name);
    if let Some(group) = &shown.group {
        let group = shown_short(group);
        return match shown.state {
            AcceptState::Connected => format!("you are in {group} now"),
            AcceptState::Requested => {
                format!("{group} was reached; somebody there is asked about you")
            }
            _ => format!("nobody in {group} was reached yet"),
        };
    }
    match shown.state {
        AcceptState::Connected => {
            format!("{name} is a contact now; compare: tenet contact verify '{name}'")
        }
        AcceptState::Requested => format!("{name} was reached and is asked about you"),
        _ => format!("{name} was not reached yet"),
    }
}
