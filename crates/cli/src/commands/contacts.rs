//! `tenet contacts`: everybody who was accepted.

use tenet_rpc::api::{self, Contact, Presence};

use super::Shell;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::{shown, shown_short};

pub(super) async fn run(shell: &Shell) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(api::Contacts {}).await
        })
        .await?;
    for contact in &list.contacts {
        shell.output.object(contact, || words(contact))?;
    }
    Ok(())
}

pub(super) fn words(contact: &Contact) -> String {
    let presence = match contact.presence {
        _ if contact.blocked => "blocked",
        Presence::Online => "online",
        Presence::Offline => "offline",
        _ => "",
    };
    let verified = if contact.verified {
        "verified"
    } else {
        "not verified"
    };
    let mut words = format!(
        "{:20} {verified:12} {presence:7} {}",
        shown_short(&contact.name),
        contact.did
    );
    if !contact.status.is_empty() {
        words += &format!("\n    “{}”", shown_short(&contact.status));
    }
    if let Some(warning) = &contact.warning {
        words += &format!("\n    {}", shown(warning));
    }
    words
}
