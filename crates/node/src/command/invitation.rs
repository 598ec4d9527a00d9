//! Inviting a contact into a group, by a message in the conversation with them.
//!
//! A link that nobody else gets: who is invited takes it, or does not, and it can be closed as any other.

use tenet_apps::chat::{Action, text::Text, view};
use tenet_identity::meeting::invite::Secret;
use tenet_log::{ids::EventId, roster::Opening};

use super::{CommandError, Reply};
use crate::{engine::Engine, storage::Storage};

impl<S: Storage> Engine<S> {
    /// CHAT-1402: opens a link, and sends it.
    pub(super) fn invite_into(
        &mut self,
        now: u64,
        group: &str,
        (secret, opening): (Secret, Opening),
        who: &str,
        text: String,
    ) -> Result<Reply, CommandError> {
        if !text.is_empty() {
            // Before a link is opened that nobody would get.
            Text::new(text.clone(), None)?;
        }
        let into = self.known_group(group)?;
        let contact = self.contact_of(who)?;
        let conversation = self.session_of(who)?;
        let refused = |why: &str| Err(CommandError::Refused(format!("{why}; nothing was sent")));
        if conversation == into || contact.session() != Some(conversation) {
            return refused("somebody is invited in the conversation with them alone");
        }
        if let Some(state) = self.sessions.get(&into) {
            if state.roster().members.contains_key(&contact.identity) {
                return refused(&format!("{who} is in this group"));
            }
            if state.is_shut_out(&self.store, contact.identity)? {
                return refused(&format!(
                    "{who} was blocked from this group, so no link lets them in: tenet group unblock"
                ));
            }
        }
        let made = self.open_link(now, group, secret, opening)?;
        let Reply::LinkInto { session, link, .. } = made else {
            return Ok(made);
        };
        let Some(sent) = &link.link else {
            return refused("the link is not there");
        };
        let said = Action::Text(Text::inviting(text, sent)?);
        let message = Some(self.act(now, conversation, &said)?);
        Ok(Reply::LinkInto {
            session,
            link,
            message,
        })
    }

    /// CHAT-1402: takes the link that a message is.
    pub(super) fn take_invitation(
        &mut self,
        now: u64,
        message: EventId,
        remark: Option<String>,
    ) -> Result<Reply, CommandError> {
        let row = self.message(message)?;
        let shown = view::load(&self.store, &row, self.own.identity(), &[])?;
        let why = match shown.invitation {
            Some(link) => return self.accept(now, *link, None, remark),
            None if shown.unsent => "it was taken back",
            None if shown.missing => "what it says has not come yet",
            None => "this message is no invitation into a group",
        };
        Err(CommandError::Refused(format!("{why}; nothing was done")))
    }
}
