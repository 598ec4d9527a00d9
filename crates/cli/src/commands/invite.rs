//! `tenet invite`: a link to give to one other person.

use serde::Serialize;
use tenet_rpc::api::{self, InviteRevoke};

use std::io::IsTerminal;

use super::Shell;
use super::invites::words;
use crate::args::{Invite, InviteCommand};
use crate::caller::Need;
use crate::failure::{Failure, Outcome};
use crate::output::note;
use crate::{qr, time};

#[derive(Serialize)]
struct Shown<'a> {
    link: &'a str,
    expires: u64,
    id: &'a str,
}

pub(super) async fn run(shell: &Shell, args: Invite) -> Outcome {
    match args.command {
        Some(InviteCommand::Revoke { id }) => revoke(shell, id).await,
        None => make(shell, args).await,
    }
}

async fn make(shell: &Shell, args: Invite) -> Outcome {
    if args.expires == Some(0) {
        return Err(Failure::usage("a link that expires at once is of no use"));
    }
    let params = api::Invite {
        name: args.name,
        reusable: args.reusable,
        expires_seconds: args.expires,
        question: args.question,
    };
    // The network, although nobody is called: the link says where this node listens.
    let invited = shell
        .with(Need::Network, async |caller| caller.call(params).await)
        .await?;
    let shown = Shown {
        link: &invited.link,
        expires: invited.expires,
        id: &invited.id,
    };
    shell.output.object(&shown, || invited.link.clone())?;
    let terminal = std::io::stdout().is_terminal() && !shell.output.json;
    if args.qr || terminal {
        picture(shell, &invited.link)?;
    }
    if terminal {
        let left = time::span(invited.expires.saturating_sub(time::now()));
        note(&if invited.reusable {
            format!("You are asked about everybody who takes it: tenet requests. Good for {left}")
        } else {
            format!("Give it to one person, over a way you trust. Good for {left}; tenet up")
        });
    }
    Ok(())
}

/// The QR code beside the link: on stdout for people, on stderr where stdout is for a script.
pub(super) fn picture(shell: &Shell, link: &str) -> Outcome {
    match qr::picture(link, qr::columns()) {
        Some(picture) if shell.output.json => note(&picture),
        Some(picture) => shell.output.words(&picture)?,
        None => note("the terminal is too narrow for the QR code; use the link"),
    }
    Ok(())
}

async fn revoke(shell: &Shell, id: String) -> Outcome {
    let invite = shell
        .with(Need::Home, async |caller| {
            caller.call(InviteRevoke { id }).await
        })
        .await?;
    shell.output.object(&invite, || words(&invite))
}
