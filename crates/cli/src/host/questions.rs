//! Questions of the local API, answered from the reader's connection.

use tenet_apps::{
    contacts::{contact::Contact, knocking::Knocking, store::ContactStore},
    settings::{self, SettingStore},
};
use tenet_delivery::outbox::Outbox;
use tenet_identity::{
    did,
    meeting::{door::Place, link::MAX_ADDRESSES, short},
};
use tenet_log::ids::EventId;
use tenet_node::query;
use tenet_rpc::api;
use tenet_store::Store;

use super::{
    engine, naming, present,
    shared::{Shared, Whom, failed},
};

/// How many messages a page has if nothing else is asked for.
const PAGE: u32 = 50;
/// The most messages of a page.
const MAX_PAGE: u32 = 1000;

pub(super) fn shown(shared: &Shared, store: &Store, id: EventId) -> Result<api::Sent, api::Error> {
    let shown = query::message(store, shared.own.identity, id).map_err(failed)?;
    let shown = shown.ok_or_else(|| api::Error::not_found(format!("there is no message {id}")))?;
    Ok(api::Sent {
        id: id.to_string(),
        session: shown.message.session.to_string(),
        state: present::state(shown.state),
        reason: shown.state.failure().map(|failure| failure.to_string()),
    })
}

pub(super) fn status(shared: &Shared, store: &Store) -> Result<api::NodeStatus, api::Error> {
    let accepting = store.knockings().map_err(failed)?;
    let accepting = accepting.iter().filter(|link| link.is_open()).count();
    let addresses = shared
        .network
        .as_ref()
        .map(|network| network.addresses())
        .unwrap_or_default();
    Ok(api::NodeStatus {
        mode: api::Mode::Running,
        version: env!("CARGO_PKG_VERSION").into(),
        did: Some(did::encode(&shared.own.identity)),
        name: Some(shared.own.name()),
        device: Some(shared.own.device.to_string()),
        pin: false,
        started: 0,
        addrs: addresses.iter().map(ToString::to_string).collect(),
        ui: None,
        contacts: store.contacts().map_err(failed)?.len() as u64,
        connected: shared.live.online().len() as u64,
        bringing: shared.live.coming().map(present::bringing),
        pending: store.pending_events().map_err(failed)?,
        accepting: accepting as u64,
    })
}

pub(super) fn net(shared: &Shared, store: &Store) -> Result<api::Connections, api::Error> {
    let contacts = store.contacts().map_err(failed)?;
    let paths = shared
        .network
        .as_ref()
        .map(|network| network.paths())
        .unwrap_or_default();
    let peers = shared.live.online().into_iter().map(|(device, online)| {
        let path = online.path(&paths);
        api::Peer {
            device: device.to_string(),
            did: did::encode(&online.identity),
            name: present::name_of(online.identity, &shared.own, &contacts),
            path: match path.map(|path| path.kind) {
                Some(tenet_net::PathKind::Direct) => api::Path::Direct,
                Some(tenet_net::PathKind::Relay) => api::Path::Relay,
                None => api::Path::None,
            },
            rtt_ms: path.map(|path| path.rtt as f64 / 1000.0),
            addr: path
                .and_then(|path| path.remote)
                .map(|addr| addr.to_string()),
        }
    });
    Ok(api::Connections {
        peers: peers.collect(),
    })
}

pub(super) fn identity(shared: &Shared) -> api::IdentityInfo {
    api::IdentityInfo {
        did: did::encode(&shared.own.identity),
        name: shared.own.name(),
        device: shared.own.device.to_string(),
        phrase: shared.own.phrase,
    }
}

pub(super) fn phrase(store: &Store) -> Result<api::PhraseShown, api::Error> {
    let secrets = store.secrets().map_err(failed)?;
    let none = || api::Error::not_found("the phrase is not kept on this device");
    let secrets = secrets.ok_or_else(none)?;
    let held = secrets.phrase.as_ref().ok_or_else(none)?;
    Ok(api::PhraseShown {
        phrase: api::Secret::from(held.phrase.text().to_string()),
        passphrase: held.seed.is_some(),
        index: secrets.index,
    })
}

pub(super) fn settings_get(
    store: &Store,
    name: Option<String>,
) -> Result<api::SettingList, api::Error> {
    let settings = store.settings().map_err(failed)?;
    if let Some(name) = &name {
        settings
            .get(name)
            .map_err(|error| api::Error::not_found(error.to_string()))?;
    }
    let wanted = settings::ALL
        .iter()
        .filter(|setting| name.as_ref().is_none_or(|n| n.trim() == setting.name));
    let list = wanted.map(|setting| api::Setting {
        name: setting.name.to_owned(),
        value: settings.get(setting.name).unwrap_or_default(),
        default: setting.default_value(),
        help: setting.help.to_owned(),
    });
    Ok(api::SettingList {
        settings: list.collect(),
    })
}

pub(super) fn invites(store: &Store) -> Result<api::InviteList, api::Error> {
    let now = engine::now();
    let mut invites = store.invites().map_err(failed)?;
    invites.retain(|invite| !invite.door);
    invites.sort_by_key(|invite| invite.created);
    let invites = invites.iter().map(|invite| present::invite(invite, now));
    Ok(api::InviteList {
        invites: invites.collect(),
    })
}

pub(super) fn door(shared: &Shared, store: &Store) -> Result<api::DoorInfo, api::Error> {
    let mut invites = store.invites().map_err(failed)?;
    invites.retain(|invite| invite.door && invite.is_open(engine::now()));
    let addresses = shared.network.as_ref().map(|network| network.addresses());
    let addresses = addresses.filter(|addresses| !addresses.is_empty());
    let address = addresses.map(|mut addresses| {
        addresses.truncate(MAX_ADDRESSES);
        let endpoint = shared.own.endpoint;
        Place {
            endpoint,
            addresses,
        }
        .to_string()
    });
    let open = invites.pop();
    Ok(api::DoorInfo {
        open: open.is_some(),
        question: open.and_then(|door| door.question),
        did: did::encode(&shared.own.identity),
        address,
    })
}

pub(super) fn requests(store: &Store) -> Result<api::RequestList, api::Error> {
    let now = engine::now();
    let mut requests = store.requests().map_err(failed)?;
    requests.retain(|request| !request.is_over(now));
    requests.sort_by_key(|request| request.first);
    Ok(api::RequestList {
        requests: requests.iter().map(present::request).collect(),
    })
}

/// The links that were taken here.
pub(super) fn accepts(store: &Store) -> Result<api::AcceptList, api::Error> {
    let mut links: Vec<Knocking> = store.knockings().map_err(failed)?;
    links.sort_by_key(|link| link.started);
    let mut accepts = Vec::with_capacity(links.len());
    for link in links {
        let contact = store.contact(link.link.ext().identity).map_err(failed)?;
        accepts.push(present::taken(&link, contact.as_ref()));
    }
    Ok(api::AcceptList { accepts })
}

pub(super) fn contacts(shared: &Shared, store: &Store) -> Result<api::ContactList, api::Error> {
    let mut contacts: Vec<Contact> = store.contacts().map_err(failed)?;
    contacts.sort_by_key(|contact| contact.name.to_lowercase());
    let contacts = contacts
        .iter()
        .map(|contact| present::contact(contact, shared.presence(contact.identity)));
    Ok(api::ContactList {
        contacts: contacts.collect(),
    })
}

pub(super) fn verification(
    shared: &Shared,
    store: &Store,
    who: &str,
) -> Result<api::Verification, api::Error> {
    let Whom::Contact(contact) = shared.who(store, who)? else {
        return Err(api::Error::usage("that is you"));
    };
    let short = contact.short(shared.own.identity);
    let emoji = short.map(|short| short.emoji());
    let all = |of: fn(&short::Emoji) -> String| emoji.iter().flatten().map(of).collect();
    Ok(api::Verification {
        did: did::encode(&contact.identity),
        name: contact.name.clone(),
        emoji: all(|emoji| emoji.symbol.to_string()),
        words: all(|emoji| emoji.name.to_owned()),
        digits: short.map(|short| short.digits()),
        number: short::number(&shared.own.identity, &contact.identity),
        verified: contact.verified.is_some(),
    })
}

pub(super) fn history(
    shared: &Shared,
    store: &Store,
    wanted: &api::History,
) -> Result<api::Page, api::Error> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE) as usize;
    let beside = match wanted.forwards {
        true => &wanted.after,
        false => &wanted.before,
    };
    let beside = beside.as_deref().map(naming::read).transpose()?;
    let beside = beside.map(|name| name.find(store)).transpose()?;
    let sessions = shared.sessions_of(store, &wanted.who)?;
    if let Some(beside) = beside {
        shown(shared, store, beside)?;
    }
    let me = shared.own.identity;
    let page = match wanted.forwards {
        true => query::following(store, me, &sessions, beside, limit + 1),
        false => query::history(store, me, &sessions, beside, limit + 1),
    };
    let mut shown = page.map_err(failed)?;
    let more = shown.len() > limit;
    if more && wanted.forwards {
        shown.pop();
    } else if more {
        shown.remove(0);
    }
    let contacts = store.contacts().map_err(failed)?;
    let mut messages: Vec<api::Message> = shown
        .iter()
        .map(|shown| present::message(shown, shared, store, &contacts))
        .collect();
    let cut = cut_to_size(&mut messages, wanted.forwards);
    let sessions = sessions.iter().map(ToString::to_string).collect();
    Ok(api::Page {
        messages,
        sessions,
        more: more || cut,
    })
}

/// Leaves out the messages of a page that would be over about 1 MiB of text: the earliest, or of a
/// page that goes forwards the latest.
fn cut_to_size(messages: &mut Vec<api::Message>, forwards: bool) -> bool {
    const MAX_TEXT: usize = 1 << 20;
    let mut size = 0;
    let mut fits = |message: &&api::Message| {
        size += message.text.as_ref().map_or(0, String::len);
        size <= MAX_TEXT
    };
    let keep = match forwards {
        true => messages.iter().take_while(&mut fits).count(),
        false => messages.iter().rev().take_while(&mut fits).count(),
    };
    let keep = keep.max(1);
    let drop = messages.len().saturating_sub(keep);
    if forwards {
        messages.truncate(keep);
    } else {
        messages.drain(..drop);
    }
    drop > 0
}
