//! Conversations: the list, how each stands, and whether a new message is announced.

use std::cmp::Reverse;

use tenet_apps::{
    chat::timer,
    contacts::{Contact, store::ContactStore},
    conversations::{ConversationStore, Matter},
};
use tenet_identity::did;
use tenet_log::ids::SessionId;
use tenet_node::{
    command::{Command, Reply},
    query,
};
use tenet_rpc::{api, server::Pending};
use tenet_store::Store;

use super::{
    handler::{NodeHandler, not_ours},
    present,
    shared::{Shared, failed},
};

/// What is asked about conversations.
pub(super) fn asked(handler: &NodeHandler, request: api::Request) -> Pending {
    use api::Request as R;
    match request {
        R::Conversations(wanted) => handler.ask(move |shared, store| list(shared, store, &wanted)),
        R::Draft(wanted) => handler.ask(move |shared, store| draft(shared, store, &wanted.who)),
        R::Timer(wanted) => handler.ask(move |shared, store| timer(shared, store, &wanted.who)),
        request => Pending::ready(Err(not_ours(&request))),
    }
}

fn list(
    shared: &Shared,
    store: &Store,
    wanted: &api::Conversations,
) -> Result<api::ConversationList, api::Error> {
    let contacts = store.contacts().map_err(failed)?;
    let own = shared.own.sessions().first().map(|_| With::Own);
    let groups = shared.groups.all().into_iter();
    let groups = groups.map(|group| With::Group(group.session, group.name));
    let mut all = Vec::new();
    let contacted = contacts.iter().map(With::Contact);
    for with in own.into_iter().chain(contacted).chain(groups) {
        let conversation = one(shared, store, &with, &contacts)?;
        // Notes to oneself that nobody took are no conversation.
        let is_there = !matches!(with, With::Own) || conversation.last.is_some();
        if is_there && (wanted.all || !conversation.archived) {
            all.push(conversation);
        }
    }
    all.sort_by_key(|conversation| {
        let last = conversation.last.as_ref().map(|message| message.time);
        (
            Reverse(conversation.pinned),
            Reverse(last),
            conversation.name.to_lowercase(),
        )
    });
    Ok(api::ConversationList { conversations: all })
}

/// The conversation to which a session belongs.
pub(super) fn of_session(
    shared: &Shared,
    store: &Store,
    session: SessionId,
) -> Result<api::Conversation, api::Error> {
    let contacts = store.contacts().map_err(failed)?;
    let mut known = contacts.iter();
    let known = known.find(|contact| contact.sessions.contains(&session));
    let group = || Some(With::Group(session, shared.groups.name(session)?));
    let with = known.map(With::Contact).or_else(group).unwrap_or(With::Own);
    one(shared, store, &with, &contacts)
}

/// Whether a person is to be told of a new message: not of their own, in a conversation that is muted
/// only of one that mentions them, and of what is done to a group only where it is done to them.
pub(super) fn notify(
    shared: &Shared,
    store: &Store,
    message: &api::Message,
    contacts: &[Contact],
) -> bool {
    if message.mine {
        return false;
    }
    let me = did::encode(&shared.own.identity);
    if let Some(change) = &message.change {
        return change.whom.iter().any(|whom| whom.did == me);
    }
    if message.mentions.contains(&me) {
        return true;
    }
    let with = contacts.iter().find(|contact| {
        let mut sessions = contact.sessions.iter();
        sessions.any(|session| session.to_string() == message.session)
    });
    let sessions = with
        .into_iter()
        .flat_map(|contact| contact.sessions.clone());
    let group = message.session.parse::<SessionId>().ok();
    let mut sessions = sessions.chain(group);
    let muted = sessions.any(|session| {
        let standing = store.standing(session);
        standing.is_ok_and(|standing| standing.is(Matter::Muted))
    });
    !muted
}

fn draft(shared: &Shared, store: &Store, who: &str) -> Result<api::DraftKept, api::Error> {
    kept(store, session_of(shared, store, who)?)
}

/// The session of a conversation in which I write.
fn session_of(shared: &Shared, store: &Store, who: &str) -> Result<SessionId, api::Error> {
    let sessions = shared.sessions_of(store, who)?;
    let session = sessions.first().copied();
    session.ok_or_else(|| api::Error::not_found("there is no such conversation"))
}

fn kept(store: &Store, session: SessionId) -> Result<api::DraftKept, api::Error> {
    Ok(api::DraftKept {
        session: session.to_string(),
        draft: store.draft(session).map_err(failed)?,
    })
}

pub(super) fn set(handler: &NodeHandler, set: api::ConversationSet) -> Pending {
    let changes = [
        (Matter::Muted, set.muted),
        (Matter::Pinned, set.pinned),
        (Matter::Archived, set.archived),
    ];
    let changes = changes.into_iter();
    let command = Command::Conversation {
        who: set.who,
        changes: changes
            .filter_map(|(matter, on)| Some((matter, on?)))
            .collect(),
    };
    handler.then_read(command, |shared, store, reply| match reply {
        Reply::Conversation { session } => of_session(shared, store, session).map(Some),
        _ => Ok(None),
    })
}

pub(super) fn set_draft(handler: &NodeHandler, set: api::DraftSet) -> Pending {
    let (who, text) = (set.who, set.text);
    handler.then_read(
        Command::Draft { who, text },
        |_, store, reply| match reply {
            Reply::Conversation { session } => kept(store, session).map(Some),
            _ => Ok(None),
        },
    )
}

fn timer(shared: &Shared, store: &Store, who: &str) -> Result<api::TimerInfo, api::Error> {
    timer_of(shared, store, session_of(shared, store, who)?)
}

fn timer_of(
    shared: &Shared,
    store: &Store,
    session: SessionId,
) -> Result<api::TimerInfo, api::Error> {
    let set = timer::of(store, session).map_err(failed)?;
    let contacts = store.contacts().map_err(failed)?;
    Ok(api::TimerInfo {
        session: session.to_string(),
        seconds: set.map(|set| set.seconds).filter(|seconds| *seconds > 0),
        did: set.map(|set| did::encode(&set.identity)),
        name: set.map(|set| present::called(shared, store, session, set.identity, &contacts)),
        time: set.map(|set| set.order.time.millis()),
    })
}

pub(super) fn set_timer(handler: &NodeHandler, set: api::TimerSet) -> Pending {
    let (who, seconds) = (set.who, set.seconds);
    handler.then_read(
        Command::Timer { who, seconds },
        |shared, store, reply| match reply {
            Reply::Conversation { session } => timer_of(shared, store, session).map(Some),
            _ => Ok(None),
        },
    )
}

/// Tells whoever is there that something is being written to them, or no more.
pub(super) fn typing(handler: &NodeHandler, typing: api::Typing) -> Pending {
    let (who, on) = (typing.who, typing.typing);
    handler.simple(Command::Typing { who, on }, |reply| match reply {
        Reply::Typing { session, told } => Some(api::TypingSaid {
            session: session.to_string(),
            told,
        }),
        _ => None,
    })
}

/// With whom a conversation is.
enum With<'a> {
    /// With oneself.
    Own,
    Contact(&'a Contact),
    /// With many: the session, and what it is called.
    Group(SessionId, String),
}

fn one(
    shared: &Shared,
    store: &Store,
    with: &With<'_>,
    contacts: &[Contact],
) -> Result<api::Conversation, api::Error> {
    let (sessions, did, name): (Vec<SessionId>, _, _) = match with {
        With::Own => (shared.own.sessions(), None, "self".to_owned()),
        With::Contact(contact) => (
            contact.sessions.iter().copied().collect(),
            Some(did::encode(&contact.identity)),
            contact.name.clone(),
        ),
        With::Group(session, name) => (vec![*session], None, name.clone()),
    };
    let me = shared.own.identity;
    let found = query::conversation(store, me, &sessions).map_err(failed)?;
    Ok(api::Conversation {
        did,
        name,
        session: sessions
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        unread: found.unread as u64,
        muted: found.muted,
        pinned: found.pinned,
        archived: found.archived,
        typing: shared.live.is_typed_in(&sessions),
        draft: found.draft,
        timer: found.timer,
        last: found
            .last
            .map(|last| present::message(&last, shared, store, contacts)),
    })
}
