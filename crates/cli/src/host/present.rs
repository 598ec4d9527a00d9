//! From what the cores know to what the local API says.

use data_encoding::BASE64;
use tenet_apps::{
    chat::{file::File, told::Told},
    contacts::{
        Contact, Invite, Profile, Request,
        contact::Warning,
        knocking::{Knocking, State as Knocked},
        request::Decision,
    },
};
use tenet_delivery::{fetch::FetchState, state::State};
use tenet_identity::{
    did,
    keys::IdentityId,
    meeting::{knock::Reason, link::Link},
};
use tenet_log::{ids::SessionId, store::StoreError};
use tenet_node::{command::CommandError, engine::Progress, query::Shown};
use tenet_rpc::api;
use tenet_store::{OpenError, Store};

use super::{
    groups,
    shared::{Own, Shared},
};

/// How far a device is that is brought what it lacks.
pub(super) fn bringing((session, progress): (SessionId, Progress)) -> api::Bringing {
    api::Bringing {
        session: session.to_string(),
        done: progress.done,
        total: progress.total,
    }
}

/// A message.
pub(super) fn message(
    shown: &Shown,
    shared: &Shared,
    store: &Store,
    contacts: &[Contact],
) -> api::Message {
    let (message, own) = (&shown.message, &shared.own);
    let name = |identity| called(shared, store, message.session, identity, contacts);
    let mine = message.identity == own.identity;
    let files = message.files.iter().zip(&shown.files);
    let files = files.map(|(file, state)| self::file(shared, file, *state));
    let reactions = message.reactions.iter().map(|(emoji, people)| {
        (
            emoji.as_str().to_owned(),
            people.iter().map(did::encode).collect(),
        )
    });
    api::Message {
        id: message.id.to_string(),
        session: message.session.to_string(),
        author: did::encode(&message.identity),
        name: name(message.identity),
        mine,
        device: message.device.to_string(),
        time: message.time,
        kind: message.kind.to_owned(),
        text: message.text.clone(),
        files: files.collect(),
        mentions: message.mentions.iter().map(did::encode).collect(),
        contact: message.card.as_ref().map(|card| api::MessageContact {
            did: did::encode(&card.identity()),
            name: card.name().to_owned(),
        }),
        invitation: message.invitation.as_deref().and_then(invitation),
        reply: message.reply.map(|id| id.to_string()),
        forwarded: message.forwarded,
        edited: message.edited,
        unsent: message.unsent,
        withdrawn: message
            .withdrawn
            .as_ref()
            .map(|withdrawn| api::MessageWithdrawn {
                did: did::encode(&withdrawn.by),
                name: name(withdrawn.by),
                reason: withdrawn.reason.clone(),
            }),
        missing: message.missing,
        expires: message.expires,
        timer: message.timer,
        change: message
            .told
            .as_ref()
            .map(|told| Box::new(change(told, name))),
        reactions: reactions.collect(),
        state: state(shown.state),
        reach: shown.reach.map(|reach| api::MessageReach {
            devices: reach.devices,
            of: reach.of,
        }),
        reason: shown.state.failure().map(|failure| failure.to_string()),
        notify: None,
    }
}

/// A file and how its content stands here.
pub(super) fn file(shared: &Shared, file: &File, state: FetchState) -> api::MessageFile {
    let shows = file.shows();
    let preview = shows.preview.as_deref().and_then(|jpeg| picture(jpeg));
    api::MessageFile {
        name: file.name().to_owned(),
        size: file.size(),
        hash: file.content().to_string(),
        state: state.name().to_owned(),
        have: shared.transfers.verified(file.content()),
        width: shows.width,
        height: shows.height,
        preview,
        duration_ms: shows.duration_ms,
    }
}

/// What was done to a group.
fn change(told: &Told, name: impl Fn(IdentityId) -> String) -> api::MessageChange {
    let whom = told.whom().iter().map(|who| api::MessageContact {
        did: did::encode(who),
        name: name(*who),
    });
    let plain = api::MessageChange {
        what: told.name().to_owned(),
        whom: whom.collect(),
        ..api::MessageChange::default()
    };
    match told {
        Told::Joined(device)
        | Told::JoinedByLink(device)
        | Told::DeviceRemoved(device)
        | Told::DeviceRevoked(device, _) => api::MessageChange {
            device: Some(device.to_string()),
            ..plain
        },
        Told::Added(_, role) | Told::Promoted(_, role) | Told::Demoted(_, role) => {
            api::MessageChange {
                role: Some(groups::role(*role)),
                ..plain
            }
        }
        Told::LinkOpened(role, consent) => api::MessageChange {
            role: Some(groups::role(*role)),
            consent: *consent,
            ..plain
        },
        Told::Refused(_, remark) => api::MessageChange {
            text: remark.clone(),
            ..plain
        },
        Told::Removed(_, blocked) => api::MessageChange {
            blocked: *blocked,
            ..plain
        },
        Told::Muted(_, until) => api::MessageChange {
            until: *until,
            ..plain
        },
        Told::Policy(policy) => api::MessageChange {
            policy: Some(groups::policy(policy)),
            history: Some(groups::newcomers(policy.history)),
            ..plain
        },
        Told::Pinned(message) => api::MessageChange {
            message: Some(message.to_string()),
            ..plain
        },
        Told::Withdrew(_, message, reason) => api::MessageChange {
            message: Some(message.to_string()),
            text: Some(reason.clone()),
            ..plain
        },
        Told::Named(text) | Told::Described(text) => api::MessageChange {
            text: Some(text.clone()),
            ..plain
        },
        _ => plain,
    }
}

/// What somebody is called in a session: as I call them, or as they call themselves there.
pub(super) fn called(
    shared: &Shared,
    store: &Store,
    session: SessionId,
    identity: IdentityId,
    contacts: &[Contact],
) -> String {
    let known = known(identity, &shared.own, contacts);
    let known = known.or_else(|| shared.groups.name_in(store, session, identity));
    known.unwrap_or_else(|| did::short(&identity))
}

/// Into which group a message invites. The link itself is a secret: whoever wants to take it names the message.
fn invitation(link: &Link) -> Option<api::MessageInvitation> {
    let ext = link.ext();
    let group = ext.group.as_ref()?;
    Some(api::MessageInvitation {
        session: SessionId::from(group.session).to_string(),
        group: group.name.clone(),
        consent: group.consent,
        expires: Some(ext.expires_ms).filter(|expires| *expires != u64::MAX),
    })
}

/// What I call somebody.
pub(super) fn name_of(identity: IdentityId, own: &Own, contacts: &[Contact]) -> String {
    known(identity, own, contacts).unwrap_or_else(|| did::short(&identity))
}

fn known(identity: IdentityId, own: &Own, contacts: &[Contact]) -> Option<String> {
    if identity == own.identity {
        return Some(own.name());
    }
    let contact = contacts.iter().find(|contact| contact.identity == identity);
    contact.map(|contact| contact.name.clone())
}

/// How far a message is.
pub(super) fn state(state: State) -> api::State {
    match state {
        State::Stored => api::State::Stored,
        State::Delivered => api::State::Delivered,
        State::Read => api::State::Read,
        State::Failed(_) => api::State::Failed,
        _ => api::State::Queued,
    }
}

/// A contact.
pub(super) fn contact(contact: &Contact, presence: api::Presence) -> api::Contact {
    let session = contact.session().or_else(|| contact.shown().last());
    let silent = contact.blocked || contact.is_over();
    api::Contact {
        did: did::encode(&contact.identity),
        name: contact.name.clone(),
        nickname: contact.nickname.clone(),
        status: contact.status.clone(),
        avatar: contact.picture.as_deref().and_then(picture),
        session: session.map(|id| id.to_string()).unwrap_or_default(),
        verified: contact.verified.is_some(),
        presence: if silent {
            api::Presence::Unknown
        } else {
            presence
        },
        added: contact.added,
        warning: warning(contact).map(str::to_owned),
        blocked: contact.blocked,
    }
}

/// What this person says of themselves.
pub(super) fn profile(own: &Own, profile: &Profile) -> api::ProfileInfo {
    api::ProfileInfo {
        did: did::encode(&own.identity),
        name: profile.name.clone(),
        status: profile.status.clone(),
        avatar: profile.picture.as_deref().and_then(picture),
    }
}

/// A small picture, if it may be shown (MEDIA-32).
pub(super) fn picture(jpeg: &[u8]) -> Option<String> {
    tenet_media::harmless(jpeg).map(|_| BASE64.encode(jpeg))
}

fn warning(contact: &Contact) -> Option<&'static str> {
    match contact.warning {
        Some(Warning::LinkReused { .. }) => Some(
            "somebody else tried the one-time link by which you met; compare the emoji of \
             `tenet contact verify`",
        ),
        Some(_) => Some("something about how you met is unusual; compare the emoji"),
        None if contact.is_over() => {
            Some("they have ended the contact; a new link makes you contacts again")
        }
        None => None,
    }
}

/// A link that was given.
pub(super) fn invite(invite: &Invite, now: u64) -> api::InviteInfo {
    api::InviteInfo {
        id: invite.id().to_string(),
        name: invite.name.clone(),
        expires: invite.expires,
        uses: invite.uses.len() as u64,
        reusable: invite.reusable,
        open: invite.is_open(now),
        reuse_attempts: invite.attempt_count.into(),
        question: invite.question.clone(),
    }
}

/// Somebody who asks to become a contact.
pub(super) fn request(request: &Request) -> api::RequestInfo {
    api::RequestInfo {
        id: request.id.to_string(),
        did: did::encode(&request.identity),
        name: request.name.clone(),
        remark: request.remark.clone(),
        invite: request.invite.to_string(),
        state: match request.decision {
            Decision::Waiting => api::RequestState::Waiting,
            Decision::Accepted => api::RequestState::Accepted,
            Decision::Rejected { .. } => api::RequestState::Rejected,
        },
        first: request.first,
        last: request.last,
    }
}

/// A link that was taken.
pub(super) fn taken(knocking: &Knocking, contact: Option<&Contact>) -> api::AcceptInfo {
    let accepted = accepted(knocking, contact);
    api::AcceptInfo {
        id: knocking.id().to_string(),
        did: accepted.did,
        name: accepted.name,
        group: accepted.group,
        state: accepted.state,
        reason: knocking.refusal(),
        remark: knocking.remark.clone(),
        started: knocking.started,
    }
}

/// How far a link that was taken is.
pub(super) fn accepted(knocking: &Knocking, contact: Option<&Contact>) -> api::Accepted {
    let ext = knocking.link.ext();
    let named = contact.map(|contact| contact.name.clone());
    let wished = knocking.name.clone().or_else(|| ext.name.clone());
    let (state, session) = match knocking.state {
        Knocked::Connected { session } => (api::AcceptState::Connected, Some(session)),
        Knocked::Refused(Reason::Rejected) => (api::AcceptState::Rejected, None),
        Knocked::Refused(_) => (api::AcceptState::Refused, None),
        Knocked::Requested => (api::AcceptState::Requested, None),
        Knocked::Pending => (api::AcceptState::Pending, None),
    };
    api::Accepted {
        did: did::encode(&ext.identity),
        name: named.or(wished).unwrap_or_default(),
        session: session.map(|id| match &ext.group {
            Some(_) => id.to_string(),
            None => contact.and_then(Contact::session).unwrap_or(id).to_string(),
        }),
        state,
        group: ext.group.as_ref().map(|group| group.name.clone()),
        reason: knocking.refusal(),
    }
}

/// A refused command.
pub(super) fn command_error(error: &CommandError) -> api::Error {
    let message = error.to_string();
    match error {
        CommandError::NotFound(_) => api::Error::not_found(message),
        CommandError::Usage(_) => api::Error::usage(message),
        CommandError::Refused(_) => api::Error::refused(message),
        _ => api::Error::failure(message),
    }
}

/// A query that failed.
pub(super) fn store_error(error: &StoreError) -> api::Error {
    api::Error::failure(error.to_string())
}

/// A store that does not open: damage is the same failure here as when it shows later (`CLI-2`).
pub(super) fn open_error(error: &OpenError) -> api::Error {
    match error {
        OpenError::Newer { .. } => api::Error::refused(error.to_string()),
        OpenError::Missing(_) => api::Error::failure(format!(
            "{error}, and nothing was made in its place; put it back, or see `tenet doctor`"
        )),
        error => api::Error::failure(error.to_string()),
    }
}
