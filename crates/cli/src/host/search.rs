//! `search`: from what was asked to what is looked for, and back.

use std::{collections::BTreeMap, sync::Arc};

use tenet_apps::{
    chat::search::{Filter, Query, SearchStore},
    contacts::{Contact, store::ContactStore},
};
use tenet_identity::{did, keys::IdentityId};
use tenet_log::ids::SessionId;
use tenet_node::{
    command::Command,
    query::{self, Found, Search, Shown},
};
use tenet_rpc::{
    api,
    server::{Pending, answer},
};
use tenet_store::Store;

use super::{
    engine, naming, present,
    shared::{Shared, Whom, failed},
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// How many messages if nothing else is asked for.
const PAGE: u32 = 20;
/// The most messages of an answer.
const MAX_PAGE: u32 = 1000;
/// The most messages before and after each.
const MAX_CONTEXT: u32 = 20;

/// A question before which the engine keeps the last words, if it has not yet.
pub(super) fn when_kept(shared: &Arc<Shared>, wanted: api::Search) -> Pending {
    let (answerer, pending) = Pending::channel();
    let again = Arc::clone(shared);
    shared.reader.read(move |store| {
        if is_complete(store).unwrap_or(true) {
            return answerer.answer(answer(search(&again, store, &wanted)));
        }
        let engine = again.engine.clone();
        let look = move |_| {
            let reader = again.reader.clone();
            reader.read(move |store| answerer.answer(answer(search(&again, store, &wanted))));
        };
        engine.command(Command::KeepWords, Box::new(look));
    });
    pending
}

/// Whether the words of all that was said are kept.
fn is_complete(store: &Store) -> Result<bool, api::Error> {
    let to = store.indexed_to().map_err(failed)?;
    Ok(!store.has_after(to).map_err(failed)?)
}

fn search(
    shared: &Shared,
    store: &Store,
    wanted: &api::Search,
) -> Result<api::FoundList, api::Error> {
    let contacts = store.contacts().map_err(failed)?;
    let search = read(shared, store, wanted)?;
    let conversation = |session| match with(&contacts, session) {
        Some(contact) => contact.sessions.iter().copied().collect(),
        None => vec![session],
    };
    let page = query::search(store, shared.own.identity, &search, conversation).map_err(failed)?;
    let message = |shown: &Shown| present::message(shown, shared, store, &contacts);
    let found = |found: &Found| api::Found {
        message: message(&found.shown),
        conversation: called(shared, &contacts, found.shown.message.session),
        hits: found.hits.iter().map(|hit| (hit.start, hit.end)).collect(),
        before: found.before.iter().map(message).collect(),
        after: found.after.iter().map(message).collect(),
    };
    Ok(api::FoundList {
        found: page.found.iter().map(found).collect(),
        first: page.first.map(|id| id.to_string()),
        more: page.more,
        complete: is_complete(store)?,
    })
}

/// The name of the conversation in which something stands.
fn called(shared: &Shared, contacts: &[Contact], session: SessionId) -> String {
    let contact = with(contacts, session).map(|contact| contact.name.clone());
    let called = contact.or_else(|| shared.groups.name(session));
    called.unwrap_or_else(|| "self".to_owned())
}

fn read(shared: &Shared, store: &Store, wanted: &api::Search) -> Result<Search, api::Error> {
    let before = wanted.before.as_deref().map(naming::read).transpose()?;
    let before = before.map(|name| name.find(store)).transpose()?;
    if let Some(before) = before {
        super::questions::shown(shared, store, before)?;
    }
    let sessions = match &wanted.who {
        Some(who) => shared.sessions_of(store, who)?,
        None => Vec::new(),
    };
    let from = wanted.from.as_deref();
    let from = from.map(|from| author(shared, store, from, &sessions));
    let filter = Filter {
        identity: from.transpose()?,
        sessions,
        files: wanted.files,
        since: wanted.since,
        // Nothing is written later than that, and a time without an end is long to look through.
        until: wanted
            .until
            .or_else(|| wanted.since.map(|_| engine::now().saturating_add(DAY_MS))),
    };
    let query =
        Query::new(&wanted.words, &filter).map_err(|error| api::Error::usage(error.to_string()))?;
    Ok(Search {
        query,
        filter,
        before,
        limit: wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE) as usize,
        context: wanted.context.min(MAX_CONTEXT) as usize,
    })
}

/// Whose messages are looked for: my contact, who calls themselves so in one of these groups, or anybody by their DID.
fn author(
    shared: &Shared,
    store: &Store,
    who: &str,
    sessions: &[SessionId],
) -> Result<IdentityId, api::Error> {
    let nobody = match shared.who(store, who) {
        Ok(Whom::Own) => return Ok(shared.own.identity),
        Ok(Whom::Contact(contact)) => return Ok(contact.identity),
        Ok(Whom::Group(_)) => api::Error::usage("a group writes nothing; name a person"),
        Err(error) => error,
    };
    if let Ok(identity) = did::parse(who) {
        return Ok(identity);
    }
    let groups = shared.groups.all().into_iter().map(|group| group.session);
    let groups = groups.filter(|session| sessions.is_empty() || sessions.contains(session));
    let called = groups.flat_map(|session| shared.groups.called_so(store, session, who));
    let called: BTreeMap<IdentityId, String> = called.collect();
    let mut identities = called.keys();
    match (identities.next(), identities.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => Err(nobody),
        _ => Err(several(who, &called)),
    }
}

fn several(who: &str, called: &BTreeMap<IdentityId, String>) -> api::Error {
    let each = called.iter();
    let each = each.map(|(identity, name)| format!("{name} ({})", did::encode(identity)));
    let each = each.collect::<Vec<_>>().join(", ");
    api::Error::usage(format!("\"{who}\" could be several: {each}; give the DID"))
}

fn with(contacts: &[Contact], session: SessionId) -> Option<&Contact> {
    let mut contacts = contacts.iter();
    contacts.find(|contact| contact.sessions.contains(&session))
}
