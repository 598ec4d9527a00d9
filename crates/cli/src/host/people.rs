//! Requests of the local API about people: links, requests, the door, contacts.

use std::{sync::Arc, time::Duration};

use tenet_apps::contacts::store::ContactStore;
use tenet_identity::{
    did,
    meeting::{
        contact_card::ContactCard,
        door::{self, Place},
        link::Link,
    },
};
use tenet_node::command::{Command, Reply, entrance::Entrance};
use tenet_rpc::{api, server::Pending};

use super::{
    engine,
    handler::{NodeHandler, not_expected, not_ours},
    naming,
    patience::answer_link_after,
    present, questions,
    shared::failed,
};

/// For how long a link is good if nothing else is asked for: a week.
const LINK_LASTS_S: u64 = 7 * 24 * 60 * 60;
/// The longest that a link may be good: a year.
const LINK_MAX_S: u64 = 365 * 24 * 60 * 60;

impl NodeHandler {
    /// A request about people that is a command to the engine.
    pub(super) fn people(&self, request: api::Request) -> Result<Pending, api::Error> {
        use api::Request as R;
        Ok(match request {
            R::Invite(invite) => self.invite(invite)?,
            R::InviteRevoke(revoke) => self.then_read(
                Command::RevokeInvite { id: revoke.id },
                |_, store, reply| match reply {
                    Reply::Revoked { id } => store
                        .invite(id)
                        .map_err(failed)
                        .map(|invite| invite.map(|invite| present::invite(&invite, engine::now()))),
                    _ => Ok(None),
                },
            ),
            R::Accept(accept) => {
                let link = Link::parse(accept.link.trim());
                match link {
                    Ok(link) => self.accept(link, accept),
                    Err(_) if naming::read(&accept.link).is_ok() => self.take(accept),
                    Err(error) => return Err(usage(error)),
                }
            }
            R::DoorOpen(open) => self.door(Command::OpenDoor {
                question: open.question,
            }),
            R::DoorClose(_) => self.door(Command::CloseDoor),
            R::ContactCard(_) => self.simple(Command::ContactCard, |reply| match reply {
                Reply::Card(card) => Some(api::ContactCardText { card }),
                _ => None,
            }),
            R::ContactAdd(add) => self.add(add)?,
            R::RequestAccept(accept) => self.decide(Command::AcceptRequest { id: accept.id }),
            R::RequestReject(reject) => self.decide(Command::RejectRequest {
                id: reject.id,
                remark: reject.remark,
            }),
            R::ContactConfirm(confirm) => self.contact(Command::Confirm { who: confirm.who }),
            R::ContactRename(rename) => self.contact(Command::Rename {
                who: rename.who,
                name: rename.name,
            }),
            R::ContactBlock(block) => self.contact(Command::Block { who: block.who }),
            R::ContactUnblock(unblock) => self.contact(Command::Unblock { who: unblock.who }),
            R::ContactRemove(remove) => self.contact(Command::Remove { who: remove.who }),
            request => return Err(not_ours(&request)),
        })
    }

    fn contact(&self, command: Command) -> Pending {
        self.then_read(command, |shared, store, reply| match reply {
            Reply::Contact { identity } => {
                let contact = store.contact(identity).map_err(failed)?;
                Ok(contact.map(|contact| present::contact(&contact, shared.presence(identity))))
            }
            Reply::Removed(contact) => Ok(Some(present::contact(&contact, api::Presence::Unknown))),
            _ => Ok(None),
        })
    }

    fn decide(&self, command: Command) -> Pending {
        self.simple(command, |reply| match reply {
            Reply::Request(request) => Some(present::request(&request)),
            _ => None,
        })
    }

    fn invite(&self, invite: api::Invite) -> Result<Pending, api::Error> {
        let command = Command::Invite {
            name: invite.name,
            reusable: invite.reusable,
            lasts_ms: lasting(invite.expires_seconds)?,
            question: invite.question,
        };
        Ok(self.simple(command, |reply| match reply {
            Reply::Invited { id, link } => Some(api::Invited {
                id: id.to_string(),
                link: link.text().to_string(),
                expires: link.ext().expires_ms,
                reusable: link.ext().reusable,
            }),
            _ => None,
        }))
    }

    fn accept(&self, link: Link, accept: api::Accept) -> Pending {
        let command = Command::Accept {
            link: Box::new(link),
            name: accept.name,
            remark: accept.remark,
        };
        self.accepting(command, accept.timeout_ms)
    }

    /// CHAT-1402: the invitation that a message is.
    fn take(&self, accept: api::Accept) -> Pending {
        let api::Accept {
            link,
            remark,
            timeout_ms,
            ..
        } = accept;
        self.naming(&link, move |this, message| {
            let what = Entrance::Take { message, remark };
            this.accepting(Command::Entrance(what), timeout_ms)
        })
    }

    /// Waits for what comes of it for as long as somebody wants to.
    fn accepting(&self, command: Command, timeout_ms: Option<u64>) -> Pending {
        let (answerer, pending) = Pending::channel();
        let shared = Arc::clone(&self.0);
        let patience = Duration::from_millis(timeout_ms.unwrap_or(0));
        self.0.engine.command(
            command,
            Box::new(move |result| match result {
                Ok(Reply::Accepting {
                    invite, connected, ..
                }) => {
                    let number = shared.waiters.for_link(invite, answerer);
                    let wait = if connected { Duration::ZERO } else { patience };
                    answer_link_after(&shared, invite, number, wait);
                }
                result => answerer.answer(not_expected(result)),
            }),
        );
        pending
    }

    /// Somebody's door, as a link.
    fn add(&self, add: api::ContactAdd) -> Result<Pending, api::Error> {
        let link = match (add.did, add.at, add.card) {
            (Some(did), Some(at), None) => {
                let identity = did::parse(did.trim()).map_err(usage)?;
                let place: Place = at.parse().map_err(usage)?;
                door::link(identity, place).map_err(usage)?
            }
            (None, None, Some(card)) => {
                let card = ContactCard::read(&card).map_err(usage)?;
                door::link(card.card.identity(), card.place).map_err(usage)?
            }
            _ => {
                return Err(api::Error::usage(
                    "say whom to add by DID and address, or by a contact card",
                ));
            }
        };
        let accept = api::Accept {
            link: String::new(),
            name: add.name,
            remark: add.remark,
            timeout_ms: add.timeout_ms,
        };
        Ok(self.accept(link, accept))
    }

    /// A command about the door, and how it stands then.
    fn door(&self, command: Command) -> Pending {
        self.then_read(command, |shared, store, _| {
            questions::door(shared, store).map(Some)
        })
    }
}

/// For how long a link is to be good, in milliseconds.
pub(super) fn lasting(seconds: Option<u64>) -> Result<u64, api::Error> {
    let seconds = seconds.unwrap_or(LINK_LASTS_S);
    match seconds == 0 || seconds > LINK_MAX_S {
        true => Err(api::Error::usage("a link is good for 1 second to 365 days")),
        false => Ok(seconds.saturating_mul(1000)),
    }
}

pub(super) fn usage(error: impl std::fmt::Display) -> api::Error {
    api::Error::usage(error.to_string())
}
