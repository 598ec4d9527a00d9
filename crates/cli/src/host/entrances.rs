//! Links into groups: making and showing them, who asks by them, and looking at a group without coming in.

use std::{sync::Arc, time::Duration};

use tenet_apps::contacts::store::ContactStore;
use tenet_identity::{
    did,
    meeting::{invite::InviteId, knock::Preview, link::Link},
};
use tenet_log::{
    ids::{EventId, SessionId},
    roster::Role,
};
use tenet_node::{
    command::{Command, Reply, entrance::Entrance},
    groups::{GroupRequest, LinkInto},
};
use tenet_rpc::{
    api,
    server::{Pending, answer},
};
use tenet_store::Store;

use super::{
    groups,
    handler::{NodeHandler, not_expected, not_ours},
    outlet::Outlet,
    people::{lasting, usage},
    present,
    shared::Shared,
};

/// For how long a member is tried to be reached to see what group it is, if nothing else is asked for.
const LOOKS_MS: u64 = 30_000;

/// What is asked about links into groups.
pub(super) fn asked(handler: &NodeHandler, request: api::Request) -> Result<Pending, api::Error> {
    use api::Request as R;
    Ok(match request {
        R::GroupInvite(wanted) => invite(handler, wanted)?,
        R::GroupInvites(wanted) => {
            let what = Entrance::List {
                group: wanted.group,
            };
            handler.then_read(Command::Entrance(what), |shared, store, reply| {
                let Reply::LinksInto { session, links } = reply else {
                    return Ok(None);
                };
                let links = links.into_iter();
                let links = links.map(|link| shown(shared, store, session, link, None));
                Ok(Some(api::GroupLinkList {
                    links: links.collect(),
                }))
            })
        }
        R::GroupUninvite(api::GroupUninvite { group, id }) => {
            let what = Entrance::Close { group, id };
            handler.then_read(Command::Entrance(what), link)
        }
        R::GroupPreview(wanted) => look(handler, &wanted)?,
        R::GroupRequests(wanted) => {
            let what = Entrance::Asks {
                group: wanted.group,
            };
            handler.then_read(Command::Entrance(what), |_, _, reply| match reply {
                Reply::Asks { session, asks } => Ok(Some(api::GroupRequestList {
                    requests: asks
                        .into_iter()
                        .map(|request| request_of(session, request))
                        .collect(),
                })),
                _ => Ok(None),
            })
        }
        R::GroupAccept(api::GroupAccept { group, who }) => {
            let what = Entrance::Admit { group, who };
            handler.then_read(Command::Entrance(what), groups::said)
        }
        R::GroupReject(api::GroupReject { group, who, remark }) => {
            let what = Entrance::Refuse { group, who, remark };
            handler.then_read(Command::Entrance(what), groups::said)
        }
        request => return Err(not_ours(&request)),
    })
}

fn invite(handler: &NodeHandler, wanted: api::GroupInvite) -> Result<Pending, api::Error> {
    let what = Entrance::Open {
        group: wanted.group,
        role: wanted.role.map_or(Role::Member, groups::as_role),
        consent: wanted.consent,
        question: wanted.question,
        lasts_ms: lasting(wanted.expires_seconds)?,
        to: wanted.to.map(|who| (who, wanted.text.unwrap_or_default())),
    };
    Ok(handler.then_read(Command::Entrance(what), link))
}

fn link(
    shared: &Shared,
    store: &Store,
    reply: Reply,
) -> Result<Option<api::GroupLink>, api::Error> {
    Ok(match reply {
        Reply::LinkInto {
            session,
            link,
            message,
        } => Some(shown(shared, store, session, *link, message)),
        _ => None,
    })
}

fn shown(
    shared: &Shared,
    store: &Store,
    session: SessionId,
    link: LinkInto,
    message: Option<EventId>,
) -> api::GroupLink {
    let contacts = store.contacts().unwrap_or_default();
    let by = link.by;
    api::GroupLink {
        id: link.id.to_string(),
        session: session.to_string(),
        link: link.link.map(|link| link.text().to_string()),
        role: groups::role(link.role),
        consent: link.consent,
        question: link.question,
        expires: link.expires,
        did: by.as_ref().map(did::encode),
        message: message.map(|id| id.to_string()),
        name: by.map(|by| present::called(shared, store, session, by, &contacts)),
    }
}

fn request_of(session: SessionId, request: GroupRequest) -> api::GroupRequest {
    let ask = request.ask;
    api::GroupRequest {
        session: session.to_string(),
        did: did::encode(&ask.identity),
        name: ask.name,
        remark: ask.remark,
        link: ask.opening.to_string(),
        role: groups::role(request.role),
        asked: ask.asked,
        last: ask.last,
    }
}

/// Asks a member's device what group it is, and waits for as long as somebody wants to.
fn look(handler: &NodeHandler, wanted: &api::GroupPreview) -> Result<Pending, api::Error> {
    let link = Link::parse(wanted.link.trim()).map_err(usage)?;
    let patience = Duration::from_millis(wanted.timeout_ms.unwrap_or(LOOKS_MS));
    let command = Command::Entrance(Entrance::Look {
        link: Box::new(link),
    });
    let (answerer, pending) = Pending::channel();
    let shared = Arc::clone(&handler.0);
    handler.0.engine.command(
        command,
        Box::new(move |result| match result {
            Ok(Reply::Looking { invite }) => {
                shared.waiters.for_look(invite, answerer);
                give_up_look_after(&shared, invite, patience);
            }
            result => answerer.answer(not_expected(result)),
        }),
    );
    Ok(pending)
}

fn give_up_look_after(shared: &Arc<Shared>, invite: InviteId, patience: Duration) {
    let shared = Arc::clone(shared);
    shared.runtime.clone().spawn(async move {
        tokio::time::sleep(patience).await;
        for answerer in shared.waiters.take_looks(invite) {
            let error = api::Error::failure(
                "no member was reached who knows this link; try again when one of them is online",
            );
            answerer.answer(Err(error));
        }
    });
}

impl Outlet {
    /// A member's device said what group it is, or why not.
    pub(super) fn looked(
        &self,
        invite: InviteId,
        session: SessionId,
        found: Result<Box<Preview>, String>,
    ) {
        let found = found.map(|preview| preview_of(session, *preview));
        for answerer in self.0.waiters.take_looks(invite) {
            answerer.answer(answer(found.clone().map_err(api::Error::refused)));
        }
    }

    /// Somebody asks to come into a group.
    pub(super) fn asks(&self, session: SessionId, identity: tenet_identity::keys::IdentityId) {
        self.0.feed.publish(&api::Event::GroupRequest {
            session: session.to_string(),
            did: did::encode(&identity),
            group: self.0.groups.name(session).unwrap_or_default(),
        });
    }
}

fn preview_of(session: SessionId, preview: Preview) -> api::GroupShown {
    let avatar = preview.avatar.as_ref();
    api::GroupShown {
        session: session.to_string(),
        avatar: avatar.and_then(|jpeg| present::picture(jpeg)),
        name: preview.name,
        description: preview.description,
        members: preview.members,
        role: match preview.role {
            0 => api::Role::Owner,
            1 => api::Role::Moderator,
            2 => api::Role::Member,
            _ => api::Role::Observer,
        },
        consent: preview.consent,
        question: preview.question,
    }
}
