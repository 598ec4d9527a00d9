//! A message as a person sees it: made from its row, its events, its overlay and read positions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use tenet_identity::{
    keys::{DeviceId, IdentityId},
    meeting::link::Link,
};
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    store::StoreError,
};

use super::{
    Action,
    file::File,
    overlay::Overlay,
    react::Emoji,
    read::{self, Reader},
    store::{ChatStore, MessageRow},
    text::{Card, Text},
    timer,
    told::Told,
};

/// A message with everything that was done to it applied.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: EventId,
    /// Its session.
    pub session: SessionId,
    /// Who wrote it.
    pub identity: IdentityId,
    /// The device that wrote it.
    pub device: DeviceId,
    /// When, by its author's clock, in Unix milliseconds.
    pub time: u64,
    /// What it is: `text`; `voice`, a spoken one; `contact`, somebody whom one is told of; `invitation`, into a
    /// group; `timer`, that messages disappear from now on, or no more; `group`, what was done to the session.
    pub kind: &'static str,
    /// What it says now; `None` when it was taken back, is missing or a timer.
    pub text: Option<String>,
    /// Its files; none when it was taken back.
    pub files: Vec<File>,
    /// Whom it is addressed to among those who read it.
    pub mentions: Vec<IdentityId>,
    /// Of whom it tells.
    pub card: Option<Card>,
    /// The link into a group to which it invites.
    pub invitation: Option<Box<Link>>,
    /// The message that it answers.
    pub reply: Option<EventId>,
    /// Whether it was said elsewhere before.
    pub forwarded: bool,
    /// Whether its author changed it.
    pub edited: bool,
    /// Whether its author took it back.
    pub unsent: bool,
    /// Who withdrew it, and why, where somebody else did.
    pub withdrawn: Option<Withdrawn>,
    /// Whether what it says is not here yet.
    pub missing: bool,
    /// When it disappears, in Unix milliseconds.
    pub expires: Option<u64>,
    /// Of a timer: after how many seconds messages disappear; 0 for never.
    pub timer: Option<u64>,
    /// What was done to the session, where it is no message but tells that.
    pub told: Option<Told>,
    /// Per emoji who put it there.
    pub reactions: BTreeMap<Emoji, BTreeSet<IdentityId>>,
    /// An own message: whether anybody else has read it. Another's: whether I have.
    ///
    /// How far an own message is otherwise is for delivery to say.
    pub read: bool,
}

/// That a message was withdrawn (`CHAT-1303`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Who withdrew it.
    pub by: IdentityId,
    /// Why; empty where that is not said.
    pub reason: String,
}

/// What a message is made from.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Its row.
    pub row: &'a MessageRow,
    /// Its event.
    pub event: &'a Event,
    /// What was done to it.
    pub overlay: &'a Overlay,
    /// The event that [`Overlay::edit`] names for the message's author.
    pub edit: Option<&'a Event>,
    /// The event that [`Overlay::withdrawal`] names for the message's author.
    pub withdrawal: Option<&'a Event>,
    /// The identity that looks.
    pub me: IdentityId,
    /// How far the devices of the session have read, my own included.
    pub readers: &'a [Reader],
}

/// Makes a message from its parts.
pub fn message(parts: &Parts<'_>) -> Message {
    let Parts {
        row,
        event,
        overlay,
        edit,
        withdrawal,
        me,
        readers,
    } = *parts;
    let timer = timer::set_by(event).map(|timer| timer.seconds());
    let told = row.told.then(|| Told::of(event)).flatten();
    let is_message = timer.is_none() && !row.told;
    let unsent = is_message && overlay.is_unsent(row.identity);
    let withdrawn = withdrawn_by(overlay, withdrawal, row).filter(|_| is_message && !unsent);
    let gone = unsent || withdrawn.is_some();
    let edited = text_of_edit(edit, row).filter(|_| is_message && !gone);
    let said = content_of(event).filter(|_| !gone);
    let said = said.as_ref();
    let files = said.map_or(&[][..], Text::files);
    Message {
        id: row.id,
        session: row.session,
        identity: row.identity,
        device: row.order.author.device,
        time: row.order.time.millis(),
        kind: match timer {
            Some(_) => "timer",
            None if row.told => "group",
            None => said.map_or("text", kind_of),
        },
        missing: event.is_bare() && edited.is_none() && !gone,
        expires: event.header().expires,
        timer,
        told,
        edited: edited.is_some(),
        text: edited.or_else(|| said.map(|said| said.text().to_owned())),
        files: files.to_vec(),
        mentions: said.map_or(&[][..], Text::mentions).to_vec(),
        card: said.and_then(Text::card).cloned(),
        invitation: said.and_then(Text::invitation).map(Box::new),
        reply: said.and_then(Text::reply),
        forwarded: said.is_some_and(Text::is_forwarded),
        unsent,
        withdrawn,
        reactions: if gone {
            BTreeMap::new()
        } else {
            overlay.reactions()
        },
        read: is_read(row, me, readers),
    }
}

/// A message to which nothing was done, as its author sees it before anybody has read it.
pub fn plain(row: &MessageRow, event: &Event) -> Message {
    message(&Parts {
        row,
        event,
        overlay: &Overlay::default(),
        edit: None,
        withdrawal: None,
        me: row.identity,
        readers: &[],
    })
}

/// Loads what a message is made from, and makes it.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Damaged`] where the message's event is not in the log.
pub fn load<S: ChatStore + ?Sized>(
    store: &S,
    row: &MessageRow,
    me: IdentityId,
    readers: &[Reader],
) -> Result<Message, StoreError> {
    const MISSING: StoreError = StoreError::Damaged("the event of a message is missing");
    let event = store.logged_at(row.position)?.ok_or(MISSING)?;
    let overlay = store.overlay(row.session, row.id)?.unwrap_or_default();
    let edit = match overlay.edit(row.identity) {
        Some(id) => store.logged(id)?.map(|(event, _)| event),
        None => None,
    };
    let withdrawal = match overlay.withdrawal(row.identity) {
        Some((_, id)) => store.logged(id)?.map(|(event, _)| event),
        None => None,
    };
    let (edit, withdrawal) = (edit.as_ref(), withdrawal.as_ref());
    Ok(message(&Parts {
        row,
        event: &event,
        overlay: &overlay,
        edit,
        withdrawal,
        me,
        readers,
    }))
}

fn content_of(event: &Event) -> Option<Text> {
    match Action::decode(event) {
        Ok(Some(Action::Text(text))) => Some(text),
        _ => None,
    }
}

fn kind_of(text: &Text) -> &'static str {
    let spoken = |file: &File| file.shows().voice == Some(true);
    match text.card() {
        Some(_) => "contact",
        None if text.invitation().is_some() => "invitation",
        None if text.files().iter().any(spoken) => "voice",
        None => "text",
    }
}

fn text_of_edit(edit: Option<&Event>, row: &MessageRow) -> Option<String> {
    match Action::decode(edit?) {
        Ok(Some(Action::Edit(edit))) if edit.target() == row.id => Some(edit.into_text()),
        _ => None,
    }
}

fn withdrawn_by(
    overlay: &Overlay,
    withdrawal: Option<&Event>,
    row: &MessageRow,
) -> Option<Withdrawn> {
    let (by, _) = overlay.withdrawal(row.identity)?;
    let reason = match Action::decode(withdrawal?) {
        Ok(Some(Action::Withdraw(withdrawal))) => withdrawal.reason,
        _ => return None,
    };
    Some(Withdrawn { by, reason })
}

/// CHAT-14: I have read what a device of mine covers; mine is read when another's does.
fn is_read(row: &MessageRow, me: IdentityId, readers: &[Reader]) -> bool {
    let mine = row.identity == me;
    let those = readers
        .iter()
        .filter(|reader| (reader.identity == me) != mine);
    read::is_read(&row.order, those.map(|reader| &reader.position))
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.text.as_ref().map(String::len);
        write!(
            f,
            "Message({:?} of {:?}, {length:?} bytes, redacted)",
            self.id, self.identity
        )
    }
}

#[cfg(test)]
mod tests;
