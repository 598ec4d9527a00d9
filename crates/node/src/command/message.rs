//! Messages: writing, changing, reading.

use tenet_apps::chat::{
    Action, ActionError,
    edit::Edit,
    file::File,
    mention,
    react::{Emoji, React},
    read,
    store::MessageRow,
    text::{Card, Text},
    timer::{self, Timer},
    unsend::Unsend,
    view,
};
use tenet_delivery::fetch::{Fetch, FetchState};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    session::Draft,
};

use super::{CommandError, Reply, roster::muted_at};
use crate::{
    engine::{Engine, Ours},
    input::Notice,
    query,
    storage::Storage,
};

/// CHAT-1304: in sessions of more people nobody tells how far they have read. A guess: of more nobody looks who
/// has read what, and each would tell all others with every look.
const MOST_READERS: usize = 64;

impl From<ActionError> for CommandError {
    fn from(error: ActionError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl<S: Storage> Engine<S> {
    pub(super) fn send_message(
        &mut self,
        now: u64,
        who: &str,
        text: String,
        reply: Option<EventId>,
        files: Vec<File>,
    ) -> Result<Reply, CommandError> {
        let session = self.session_of(who)?;
        if let Some(reply) = reply {
            self.message(reply)?;
        }
        self.check_room(files.iter().map(File::size))?;
        for file in &files {
            self.put_fetch(&Fetch {
                blob: file.content(),
                size: file.size(),
                state: FetchState::Whole,
            })?;
        }
        let mentions = self.mentioned(session, &text)?;
        let text = Text::with_files(text, reply, files)?.mentioning(mentions);
        let id = self.act(now, session, &Action::Text(text))?;
        Ok(Reply::Sent { id, session })
    }

    /// Whom of a session a text mentions: by what I call them or what they call themselves.
    fn mentioned(&self, session: SessionId, text: &str) -> Result<Vec<IdentityId>, CommandError> {
        let Some(state) = self.sessions.get(&session).filter(|_| text.contains('@')) else {
            return Ok(Vec::new());
        };
        let me = self.own.identity();
        let mut names = vec![(me, self.profile().name)];
        for member in state
            .roster()
            .members
            .keys()
            .filter(|member| **member != me)
        {
            if let Some(contact) = self.store.contact(*member)? {
                names.extend([(*member, contact.name), (*member, contact.nickname)]);
            }
        }
        if !state.roster().kind.is_closed() {
            names.extend(query::names_in(&self.store, state)?);
        }
        let names = names.iter().map(|(who, name)| (*who, name.as_str()));
        Ok(mention::find(text, names))
    }

    /// CHAT-18: tells of a contact by the name that they give themselves; mine for them is my own.
    pub(super) fn introduce(
        &mut self,
        now: u64,
        who: &str,
        contact: &str,
        text: String,
        reply: Option<EventId>,
    ) -> Result<Reply, CommandError> {
        let session = self.session_of(who)?;
        if let Some(reply) = reply {
            self.message(reply)?;
        }
        let contact = self.contact_of(contact)?;
        let card = Card::new(contact.identity, contact.nickname)?;
        let action = Action::Text(Text::with_card(text, reply, card)?);
        let id = self.act(now, session, &action)?;
        Ok(Reply::Sent { id, session })
    }

    /// Says elsewhere what a message says now (`CHAT-205`). Its files go along by their names: who
    /// gets them fetches them from here, so they must be here.
    pub(super) fn forward(
        &mut self,
        now: u64,
        id: EventId,
        who: &str,
    ) -> Result<Reply, CommandError> {
        let row = self.message(id)?;
        let session = self.session_of(who)?;
        let message = view::load(&self.store, &row, row.identity, &[])?;
        let Some(text) = message.text else {
            let why = match message.timer {
                Some(_) => "it is no message but a change of the timer",
                None if message.told.is_some() => "it is no message: it tells what was done",
                None if message.withdrawn.is_some() => "it was withdrawn",
                None if message.missing => "what it says has not come yet",
                None => "it was taken back",
            };
            return Err(CommandError::Refused(format!("{why}; nothing was sent")));
        };
        if message.invitation.is_some() {
            return Err(CommandError::Refused(
                "an invitation is for whom it was sent to; make another: tenet group invite GROUP --to WHO".into(),
            ));
        }
        let fetches = self.fetches_of(id)?;
        if fetches.iter().any(|fetch| fetch.state != FetchState::Whole) {
            return Err(CommandError::Refused(
                "not all of its files are here yet: tenet transfer resume; nothing was sent".into(),
            ));
        }
        let text = match message.card {
            Some(card) => Text::with_card(text, None, card)?,
            None => Text::with_files(text, None, message.files)?,
        };
        let id = self.act(now, session, &Action::Text(text.forwarded()))?;
        Ok(Reply::Sent { id, session })
    }

    pub(super) fn edit(
        &mut self,
        now: u64,
        id: EventId,
        text: String,
    ) -> Result<Reply, CommandError> {
        let message = self.own_message(id, "change")?;
        let overlay = self.store.overlay(message.session, id)?;
        if overlay.is_some_and(|overlay| overlay.is_unsent(message.identity)) {
            return Err(CommandError::Refused(
                "it was taken back; nothing was changed".into(),
            ));
        }
        self.change(now, &message, &Action::Edit(Edit::new(id, text)?))
    }

    pub(super) fn unsend(&mut self, now: u64, id: EventId) -> Result<Reply, CommandError> {
        let message = self.own_message(id, "take back")?;
        let edits = self.edits_of(&message)?;
        let edits = edits.iter().map(Event::id).collect();
        let unsend = Unsend::new(id).with_edits(edits);
        self.change(now, &message, &Action::Unsend(unsend))
    }

    pub(super) fn react(
        &mut self,
        now: u64,
        id: EventId,
        emoji: &str,
        remove: bool,
    ) -> Result<Reply, CommandError> {
        let message = self.message(id)?;
        let action = Action::React(React::new(id, Emoji::new(emoji)?, !remove));
        self.change(now, &message, &action)
    }

    /// Everything shown of a conversation is read. Told to the other side unless the setting
    /// `read_positions` is off; then only our own unread counts know.
    pub(super) fn mark_read(&mut self, now: u64, who: &str) -> Result<Reply, CommandError> {
        let (session, sessions) = self.sessions_of(who)?;
        let last = self.store.history(&sessions, None, 1)?.pop();
        let Some(last) = last else {
            return Ok(Reply::Read { session, id: None });
        };
        for session in &sessions {
            self.has_looked(now, *session);
        }
        let told = self.settings()?.read_positions;
        for session in sessions {
            let last = self.store.history(&[session], None, 1)?.pop();
            let state = self.sessions.get(&session);
            let Some((last, state)) = last.zip(state) else {
                continue;
            };
            let position = read::Position::new(last.order, state.frontier());
            // CHAT-1304
            let few = state.roster().members.len() <= MOST_READERS;
            self.must_last();
            if told && few {
                self.write_register(now, session, read::KEY, position.encode())?;
            } else {
                self.store.put_read_here(session, &position)?;
            }
        }
        self.notify(Notice::Conversation { session });
        Ok(Reply::Read {
            session,
            id: Some(last.id),
        })
    }

    fn change(
        &mut self,
        now: u64,
        message: &MessageRow,
        action: &Action,
    ) -> Result<Reply, CommandError> {
        let event = self.act(now, message.session, action)?;
        Ok(Reply::Changed {
            id: message.id,
            event,
            session: message.session,
        })
    }

    /// Says something in a session: signs, keeps, folds, owes it to everybody.
    pub(super) fn act(
        &mut self,
        now: u64,
        session: SessionId,
        action: &Action,
    ) -> Result<EventId, CommandError> {
        let draft = action
            .draft()
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        let expires = self.expiry_of(now, session, action)?;
        self.write(now, session, Draft { expires, ..draft })
    }

    /// CHAT-21: when what is said or done shall disappear, in Unix milliseconds.
    fn expiry_of(
        &self,
        now: u64,
        session: SessionId,
        action: &Action,
    ) -> Result<Option<u64>, CommandError> {
        Ok(match action {
            Action::Text(_) => timer::of(&self.store, session)?
                .filter(|set| set.seconds > 0)
                .map(|set| now.saturating_add(set.seconds.saturating_mul(1000))),
            Action::Edit(_) | Action::React(_) => {
                let about = action
                    .target()
                    .map(|id| self.store.logged(id))
                    .transpose()?;
                let about = about.flatten();
                about.and_then(|(event, _)| event.header().expires)
            }
            _ => None,
        })
    }

    /// What is said from now on disappears after so long, or no more.
    pub(super) fn set_timer(
        &mut self,
        now: u64,
        who: &str,
        seconds: u64,
    ) -> Result<Reply, CommandError> {
        let session = self.session_of(who)?;
        let set = timer::of(&self.store, session)?;
        if set.map_or(0, |set| set.seconds) != seconds {
            self.act(now, session, &Action::Timer(Timer::new(seconds)?))?;
            self.notify(Notice::Conversation { session });
        }
        Ok(Reply::Conversation { session })
    }

    /// As [`Self::act`], whatever it is.
    pub(super) fn write(
        &mut self,
        now: u64,
        session: SessionId,
        draft: Draft,
    ) -> Result<EventId, CommandError> {
        self.check_in(session, "nothing was sent")?;
        let Some(state) = self.sessions.get_mut(&session) else {
            return Err(CommandError::NotFound(
                "there is no such conversation".into(),
            ));
        };
        if state.roster().is_silenced(self.own.device(), now) {
            let why = match muted_at(now, state.roster(), self.own.identity()) {
                Some(_) => "you are muted: tenet group members shows until when",
                None => "you may only read: tenet group policy shows who may write",
            };
            return Err(CommandError::Refused(format!(
                "your words would not count here: {why}; nothing was sent"
            )));
        }
        let (event, admitted) =
            state.append(&mut self.store, &self.own.key, draft, now, &mut self.rng)?;
        self.admitted(now, session, &event, admitted, Some(Ours))?;
        Ok(event.id())
    }

    pub(super) fn message(&self, id: EventId) -> Result<MessageRow, CommandError> {
        self.store
            .message(id)?
            .filter(|message| !message.hidden)
            .ok_or_else(|| CommandError::NotFound(format!("there is no message {id}")))
    }

    /// A message of mine that says something of its own.
    fn own_message(&self, id: EventId, what: &str) -> Result<MessageRow, CommandError> {
        let message = self.message(id)?;
        if message.identity != self.own.identity() {
            let group = self.group(message.session);
            let or = group.map_or(
                "",
                |_| "; whoever may remove its author withdraws it: tenet group withdraw",
            );
            return Err(CommandError::Refused(format!(
                "only its author can {what} a message{or}"
            )));
        }
        if message.told {
            let why = "that is no message: it tells what was done, and stays";
            return Err(CommandError::Refused(why.into()));
        }
        let said = self.store.logged_at(message.position)?;
        if said.is_some_and(|event| timer::set_by(&event).is_some()) {
            return Err(CommandError::Refused(
                "that is no message but a change of the timer; set it anew: tenet timer".into(),
            ));
        }
        Ok(message)
    }
}
