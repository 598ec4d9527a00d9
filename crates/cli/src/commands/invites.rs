//! `tenet invites`: the links that are open.

use tenet_rpc::api::{self, InviteInfo};

use super::Shell;
use crate::args::Invites;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;
use crate::time;

pub(super) async fn run(shell: &Shell, args: &Invites) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(api::Invites {}).await
        })
        .await?;
    for invite in list.invites.iter().filter(|invite| invite.open || args.all) {
        shell.output.object(invite, || words(invite))?;
    }
    Ok(())
}

pub(super) fn words(invite: &InviteInfo) -> String {
    let name = invite
        .name
        .as_deref()
        .map_or_else(String::new, |name| format!("  for {}", shown_short(name)));
    let kind = if invite.reusable { "reusable" } else { "once" };
    let state = if invite.open {
        "until"
    } else {
        "closed, was good until"
    };
    let mut words = format!(
        "{}  {kind}, used {}, {state} {}{name}",
        invite.id,
        times(invite.uses),
        time::short(invite.expires)
    );
    if invite.reuse_attempts > 0 {
        words += &format!(
            "\n    tried {} after it was used: others may have seen this link",
            times(invite.reuse_attempts)
        );
    }
    words
}

fn times(count: u64) -> String {
    if count == 1 {
        "once".into()
    } else {
        format!("{count} times")
    }
}
