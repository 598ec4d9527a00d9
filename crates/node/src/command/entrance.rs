//! Links into groups: opening and closing them, taking them, and deciding about who asks by them.

use tenet_apps::{
    contacts::{Knocking, knocking::State, name::folded},
    groups::{Ask, Kept},
    own,
};
use tenet_identity::{
    did,
    keys::IdentityId,
    meeting::{
        door::Place,
        group,
        invite::Secret,
        knock,
        link::{self, Ext, Group, Link, MAX_PLACE_ADDRESSES, MAX_PLACES},
    },
    name,
};
use tenet_log::{
    clock::Hlc,
    ids::{EventId, SessionId},
    roster::{Addition, Op, Opening, Refusal, Role},
};

use super::{CommandError, Reply, line, member::unclear};
use crate::{engine::Engine, groups::LinkInto, storage::Storage};

/// The least number of digits by which a link or who asks may be named.
const LEAST_DIGITS: usize = 4;

/// Something about links into groups that is asked for.
#[derive(Clone, Debug)]
pub enum Entrance {
    /// Make a link.
    Open {
        /// Into which group.
        group: String,
        /// As what it lets in.
        role: Role,
        /// Whether one only asks by it.
        consent: bool,
        /// What is asked of who comes.
        question: Option<String>,
        /// For how long it is good, in milliseconds.
        lasts_ms: u64,
        /// To whom it is sent, with which words: a contact, who is then invited.
        to: Option<(String, String)>,
    },
    /// Say which links are open.
    List {
        /// Into which group.
        group: String,
    },
    /// Let nobody more in by a link.
    Close {
        /// Into which group.
        group: String,
        /// Its id, or a beginning of it.
        id: String,
    },
    /// See what group a link leads into.
    Look {
        /// The link.
        link: Box<Link>,
    },
    /// Take the invitation that a message is.
    Take {
        /// Which message.
        message: EventId,
        /// What to say where somebody decides.
        remark: Option<String>,
    },
    /// Say who asks to come in.
    Asks {
        /// Into which group.
        group: String,
    },
    /// Let somebody in who asks.
    Admit {
        /// Into which group.
        group: String,
        /// Who: what they call themselves, their DID, or a beginning of their identity's digits.
        who: String,
    },
    /// Let somebody not in who asks.
    Refuse {
        /// Into which group.
        group: String,
        /// As for [`Self::Admit`].
        who: String,
        /// What they are told.
        remark: Option<String>,
    },
}

impl<S: Storage> Engine<S> {
    pub(super) fn enter_by(&mut self, now: u64, what: Entrance) -> Result<Reply, CommandError> {
        match what {
            Entrance::Open {
                group,
                role,
                consent,
                question,
                lasts_ms,
                to,
            } => {
                let secret = Secret::generate(&mut self.rng);
                let opening = Opening {
                    until: Some(Hlc::from_millis(now.saturating_add(lasts_ms))),
                    question: line(question)?,
                    ..Opening::new(group::key(&secret).public(), role)
                };
                let opening = match consent {
                    true => opening.asking(),
                    false => opening,
                };
                match to {
                    None => self.open_link(now, &group, secret, opening),
                    Some((who, text)) => {
                        self.invite_into(now, &group, (secret, opening), &who, text)
                    }
                }
            }
            Entrance::List { group } => {
                let session = self.known_group(&group)?;
                let links = self.links_into(session)?;
                Ok(Reply::LinksInto { session, links })
            }
            Entrance::Close { group, id } => self.close_link(now, &group, &id),
            Entrance::Take { message, remark } => self.take_invitation(now, message, remark),
            Entrance::Look { link } => self.look(now, *link),
            Entrance::Asks { group } => {
                let session = self.known_group(&group)?;
                let asks = self.who_asks(now, session)?;
                Ok(Reply::Asks { session, asks })
            }
            Entrance::Admit { group, who } => self.admit(now, &group, &who),
            Entrance::Refuse { group, who, remark } => self.refuse_ask(now, &group, &who, remark),
        }
    }

    /// GROUP-2: opens a link, and keeps its secret among the own devices.
    pub(super) fn open_link(
        &mut self,
        now: u64,
        group: &str,
        secret: Secret,
        opening: Opening,
    ) -> Result<Reply, CommandError> {
        if opening.question.is_some() && !opening.asks() {
            return Err(CommandError::Usage(
                "only who asks to come in is asked something: --consent".into(),
            ));
        }
        let session = self.known_group(group)?;
        let opening = Opening {
            floor: self.floor(session)?,
            ..opening
        };
        let op = Op::OpenLink(opening);
        let Reply::Operated { event, .. } = self.operate(now, session, &op)? else {
            return Err(CommandError::Refused("nothing was opened".into()));
        };
        let kept = Kept { session, secret };
        self.must_last();
        self.tell_own(&own::key(own::LINK, event.as_bytes()), kept.encode())?;
        let mut links = self.links_into(session)?.into_iter();
        let made = links.find(|one| one.id == event);
        let link = made.ok_or_else(|| CommandError::Refused("the link is not there".into()))?;
        Ok(Reply::LinkInto {
            session,
            link: Box::new(link),
            message: None,
        })
    }

    /// The links into a group that are open; those that were made by this person can be shown again.
    fn links_into(&self, session: SessionId) -> Result<Vec<LinkInto>, CommandError> {
        let Some(state) = self.sessions.get(&session) else {
            return Ok(Vec::new());
        };
        let mut links = Vec::new();
        for id in state.roster().links.keys() {
            let Some((opening, _)) = state.opening(&self.store, *id)? else {
                continue;
            };
            let known = self.latest_own(&own::key(own::LINK, id.as_bytes()))?;
            let kept = known.and_then(|known| Kept::decode(known.value()));
            let link = match kept.filter(|kept| kept.session == session) {
                Some(kept) => Some(self.link_into(session, *id, opening, kept.secret)?),
                None => None,
            };
            links.push(LinkInto {
                id: *id,
                role: opening.role,
                consent: opening.asks(),
                question: opening.question.clone(),
                expires: opening.until.map(Hlc::millis),
                by: state.written_by(&self.store, *id)?,
                link,
            });
        }
        Ok(links)
    }

    /// GLINK-1: the link, with the places where the group is met now.
    fn link_into(
        &self,
        session: SessionId,
        id: EventId,
        opening: &Opening,
        secret: Secret,
    ) -> Result<Link, CommandError> {
        let called = self
            .group(session)
            .map(|group| group.name)
            .unwrap_or_default();
        let fits = name::check(&called).is_ok();
        let group = Group {
            session: *session.as_bytes(),
            opening: *id.as_bytes(),
            name: if fits { called } else { String::new() },
            places: self.places_of(session)?,
            consent: opening.asks(),
        };
        let key = group::invite(&secret).map_err(unusable)?;
        let expires = opening.until.map_or(u64::MAX, Hlc::millis);
        let ext = Ext {
            reusable: true,
            group: Some(group),
            ..self.link_to_here(secret, expires)
        };
        Link::new(key.public(), None, ext).map_err(|error: link::LimitError| unusable(error))
    }

    /// Where further devices of a group are met: those of others first, for mine are often off together.
    fn places_of(&self, session: SessionId) -> Result<Vec<Place>, CommandError> {
        let me = self.own.identity();
        let mut met: Vec<(bool, Place)> = Vec::new();
        for (device, endpoint) in self.met_in(session)? {
            if !self.is_heard(session, device) || endpoint.addresses.is_empty() {
                continue;
            }
            let whose = self.devices.get(&device).and_then(|known| known.identity);
            let addresses = endpoint.addresses.into_iter();
            let place = Place {
                endpoint: endpoint.id,
                addresses: addresses.take(MAX_PLACE_ADDRESSES).collect(),
            };
            met.push((whose == Some(me), place));
        }
        met.sort_by_key(|(mine, place)| (*mine, place.endpoint));
        let places = met.into_iter().map(|(_, place)| place);
        Ok(places.take(MAX_PLACES).collect())
    }

    fn close_link(&mut self, now: u64, group: &str, id: &str) -> Result<Reply, CommandError> {
        let session = self.known_group(group)?;
        let id = id.trim().to_ascii_lowercase();
        enough_digits(&id)?;
        let mut links = self.links_into(session)?;
        links.retain(|link| link.id.to_string().starts_with(&id));
        match (links.pop(), links.is_empty()) {
            (Some(link), true) => {
                self.operate(now, session, &Op::CloseLink(link.id))?;
                self.tell_own(&own::key(own::LINK, link.id.as_bytes()), Vec::new())?;
                Ok(Reply::LinkInto {
                    session,
                    link: Box::new(LinkInto { link: None, ..link }),
                    message: None,
                })
            }
            (Some(_), false) => Err(CommandError::Usage(format!(
                "several links begin with {id}; give more of the id"
            ))),
            (None, _) => Err(CommandError::NotFound(format!(
                "no open link has the id {id}; `tenet group invites` lists them"
            ))),
        }
    }

    /// Whoever has a link may see what group it is before they take it.
    fn look(&mut self, now: u64, link: Link) -> Result<Reply, CommandError> {
        let invite = link.invite().id();
        into_group(&link)?;
        if link.expired_at(now) {
            return Err(expired());
        }
        self.look_at(now, link.clone());
        self.come_to_places(now, &link);
        Ok(Reply::Looking { invite })
    }

    /// NODE-1403: takes a link into a group.
    pub(super) fn accept_into(
        &mut self,
        now: u64,
        link: Link,
        remark: Option<String>,
    ) -> Result<Reply, CommandError> {
        let (invite, identity) = (link.invite().id(), link.ext().identity);
        let session = SessionId::from(into_group(&link)?.session);
        let accepting = |connected| {
            Ok(Reply::Accepting {
                invite,
                identity,
                connected,
            })
        };
        let known = self.store.knocking(invite)?;
        if self.is_in(session) {
            // However they came in: the link has led there.
            let mut knocking = known.unwrap_or_else(|| Knocking::new(link, None, [0; 32], now));
            knocking.state = State::Connected { session };
            self.store.put_knocking(&knocking)?;
            return accepting(true);
        }
        if self.blocked.contains(&identity) {
            return Err(CommandError::Refused(
                "you have blocked the person whose link this is; unblock them first".into(),
            ));
        }
        if link.expired_at(now) && !known.as_ref().is_some_and(Knocking::is_open) {
            return Err(expired());
        }
        let nonce = knock::nonce(&mut self.rng);
        let mut knocking = Knocking::new(link.clone(), None, nonce, now);
        if let Some(known) = known.filter(Knocking::is_open) {
            // The same asking, unless they say something else now.
            if remark.is_none() || remark == known.remark {
                knocking.started = known.started.min(now);
            }
            knocking.remark.clone_from(&known.remark);
        }
        knocking.remark = remark.or(knocking.remark);
        self.must_last();
        self.store.put_knocking(&knocking)?;
        self.knock_at_once(link.invite().id());
        self.come_to_places(now, &link);
        accepting(false)
    }

    /// Dials all places to which a link leads at once.
    fn come_to_places(&mut self, now: u64, link: &Link) {
        for (place, addresses) in link.places() {
            if place == self.own.endpoint {
                continue;
            }
            self.also_met_at(place, addresses);
            self.come_to(now, place);
        }
    }

    /// ROS-507: lets in who asks, as the link says by which they did.
    fn admit(&mut self, now: u64, group: &str, who: &str) -> Result<Reply, CommandError> {
        let session = self.known_group(group)?;
        let ask = self.ask_of(now, session, who)?;
        let state = self.sessions.get(&session);
        let opening = match state {
            Some(state) => state.opening(&self.store, ask.opening)?,
            None => None,
        };
        let (role, floor) = opening.map_or((Role::Member, None), |(it, _)| (it.role, it.floor));
        let op = Op::Add(Addition {
            identity: ask.identity,
            role,
            floor,
        });
        self.operate(now, session, &op)?;
        Ok(Reply::Conversation { session })
    }

    /// ROS-1403
    fn refuse_ask(
        &mut self,
        now: u64,
        group: &str,
        who: &str,
        remark: Option<String>,
    ) -> Result<Reply, CommandError> {
        let remark = line(remark)?;
        let session = self.known_group(group)?;
        let ask = self.ask_of(now, session, who)?;
        let op = Op::Refuse(Refusal {
            identity: ask.identity,
            asked: ask.asked,
            remark,
        });
        self.operate(now, session, &op)?;
        Ok(Reply::Conversation { session })
    }

    /// Who asks to come into a group and is meant by a word.
    fn ask_of(&self, now: u64, session: SessionId, who: &str) -> Result<Ask, CommandError> {
        let who = who.trim();
        let asks = self.who_asks(now, session)?.into_iter().map(|it| it.ask);
        let asks: Vec<Ask> = asks.collect();
        let contact = self.contact_of(who).ok().map(|contact| contact.identity);
        let digits = who.to_ascii_lowercase();
        let begins = |identity: &IdentityId| {
            let said = did::encode(identity);
            who.len() >= LEAST_DIGITS
                && (identity.to_string().starts_with(&digits) || said.starts_with(who))
        };
        let exact = |ask: &&Ask| Some(ask.identity) == contact || did::encode(&ask.identity) == who;
        let named = |ask: &&Ask| ask.name == who || begins(&ask.identity);
        let nearly = |ask: &&Ask| folded(&ask.name) == folded(who);
        let fits: [&dyn Fn(&&Ask) -> bool; 3] = [&exact, &named, &nearly];
        let mut found = fits.iter().map(|fits| asks.iter().filter(fits).collect());
        let found: Vec<&Ask> = found
            .find(|found: &Vec<_>| !found.is_empty())
            .unwrap_or_default();
        match found.as_slice() {
            [ask] => Ok((*ask).clone()),
            [_, _, ..] => {
                let asks = found.iter().map(|ask| (ask.identity, ask.name.clone()));
                Err(unclear(who, None, &asks.collect::<Vec<_>>()))
            }
            [] => Err(CommandError::NotFound(format!(
                "nobody called {who} asks to come in; `tenet group requests` lists who does"
            ))),
        }
    }
}

/// Whether a link's id is given with as many digits as are needed.
fn enough_digits(id: &str) -> Result<(), CommandError> {
    if id.len() >= LEAST_DIGITS {
        return Ok(());
    }
    Err(CommandError::NotFound(format!(
        "\"{id}\" names no link: of its id at least the first {LEAST_DIGITS} digits are needed"
    )))
}

/// The group into which a link leads.
fn into_group(link: &Link) -> Result<&Group, CommandError> {
    link.ext().group.as_ref().ok_or_else(|| {
        CommandError::Usage("this link leads to a person, not into a group: tenet accept".into())
    })
}

fn expired() -> CommandError {
    CommandError::Refused("the link has expired; ask for a new one".into())
}

fn unusable(error: impl std::fmt::Display) -> CommandError {
    CommandError::Refused(error.to_string())
}
