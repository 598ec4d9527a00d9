//! Whom a word means in a session of many, where people know each other who are no contacts.
//!
//! ```text
//! what I call somebody ──▶ a contact: meant, if in question
//! what they say there  ──▶ one of those in question: meant; several: none, the person says which
//! ```
//!
//! Anybody may call themselves as a contact of mine is called. So my own names go first, and where such a contact is
//! not in question but somebody of that name is, nobody is meant.

use std::collections::BTreeMap;

use tenet_apps::contacts::resolve::Who;
use tenet_identity::{did, keys::IdentityId};
use tenet_log::{ids::SessionId, roster::Role};

use super::{CommandError, Reply};
use crate::{engine::Engine, groups, query, storage::Storage};

/// Whom a word may mean.
enum Meant {
    /// Nobody else.
    One(IdentityId),
    /// My contact or I, but that one is not in question, and nobody else of that name is.
    NotInQuestion,
    /// Nobody known here.
    Nobody,
}

impl<S: Storage> Engine<S> {
    /// NODE-1304: somebody who is in a session of many, and as what.
    pub(super) fn member_of(
        &self,
        id: SessionId,
        who: &str,
    ) -> Result<(IdentityId, Role), CommandError> {
        let members = |identity: IdentityId| {
            let session = self.sessions.get(&id);
            session.and_then(|session| session.roster().members.get(&identity).copied())
        };
        let found = self.meant(id, who, |identity| Ok(members(identity).is_some()))?;
        let member = match found {
            Meant::One(identity) => members(identity).map(|role| (identity, role)),
            Meant::NotInQuestion | Meant::Nobody => None,
        };
        member.ok_or_else(|| {
            CommandError::NotFound(format!(
                "{who} is not in this group; tenet group members shows who is"
            ))
        })
    }

    /// ROS-1402, NODE-1304: somebody whom no link lets into a session of many.
    pub(super) fn shut_out_of(&self, id: SessionId, who: &str) -> Result<IdentityId, CommandError> {
        let session = self.sessions.get(&id);
        let is_shut_out = |identity| {
            session
                .map_or(Ok(false), |it| it.is_shut_out(&self.store, identity))
                .map_err(CommandError::from)
        };
        match self.meant(id, who, is_shut_out)? {
            Meant::One(identity) => Ok(identity),
            Meant::NotInQuestion => Err(CommandError::Refused(format!(
                "links do not keep {who} out of this group; nothing was changed"
            ))),
            Meant::Nobody => Err(CommandError::NotFound(format!(
                "nobody called {who} was in this group, as far as is known here; their DID will do"
            ))),
        }
    }

    /// ROS-1402: all whom no link lets into a session of many.
    pub(super) fn blocked_in(&self, who: &str) -> Result<Reply, CommandError> {
        let id = self.known_group(who)?;
        let (mut shut_out, mut names) = (Vec::new(), BTreeMap::new());
        if let Some(session) = self.sessions.get(&id) {
            shut_out = session.shut_out(&self.store)?;
            names = query::names_in(&self.store, session)?;
        }
        let blocked = shut_out.into_iter().map(|identity| {
            let name = names.remove(&identity);
            (identity, name.unwrap_or_default())
        });
        Ok(Reply::Blocked {
            session: id,
            blocked: blocked.collect(),
        })
    }

    /// Whom of those `in_question` a word means in a session.
    fn meant(
        &self,
        id: SessionId,
        who: &str,
        in_question: impl Fn(IdentityId) -> Result<bool, CommandError>,
    ) -> Result<Meant, CommandError> {
        let who = who.trim();
        let mine = match (self.resolve(who), did::parse(who)) {
            (_, Ok(identity)) | (Ok(Who::Contact(identity)), _) => Some(identity),
            (Ok(Who::Own), _) => Some(self.own.identity()),
            (Err(_), Err(_)) => None,
        };
        if let Some(identity) = mine
            && in_question(identity)?
        {
            return Ok(Meant::One(identity));
        }
        let called = self.called_so(id, who)?;
        let known = mine.is_some() || !called.is_empty();
        let mut found = Vec::new();
        for (identity, name) in called {
            if Some(identity) != mine && in_question(identity)? {
                found.push((identity, name));
            }
        }
        match (mine, found.as_slice()) {
            (None, [(one, _)]) => Ok(Meant::One(*one)),
            (_, []) if known => Ok(Meant::NotInQuestion),
            (_, []) => Ok(Meant::Nobody),
            (mine, several) => Err(unclear(who, mine, several)),
        }
    }

    /// Who calls themselves so in a session, now or when they were in.
    fn called_so(
        &self,
        id: SessionId,
        who: &str,
    ) -> Result<BTreeMap<IdentityId, String>, CommandError> {
        let names = match self.sessions.get(&id) {
            Some(session) => query::names_in(&self.store, session)?,
            None => BTreeMap::new(),
        };
        Ok(groups::called_so(&names, who))
    }

    /// What somebody is called in a session: as I call them, or as they call themselves there.
    pub(super) fn called_in(&self, id: SessionId, who: IdentityId) -> String {
        let contact = self.store.contact(who).ok().flatten();
        let session = self.sessions.get(&id);
        let names = session.and_then(|session| query::names_in(&self.store, session).ok());
        let said = || names.unwrap_or_default().remove(&who);
        let called = contact.map(|contact| contact.name).or_else(said);
        called.unwrap_or_else(|| did::short(&who))
    }
}

/// Several could be meant: who they are, so that one can be named.
pub(super) fn unclear(
    who: &str,
    mine: Option<IdentityId>,
    several: &[(IdentityId, String)],
) -> CommandError {
    let mine = mine.map(|identity| format!("your contact {who} ({})", did::encode(&identity)));
    let others = several
        .iter()
        .map(|(identity, name)| format!("{name} ({})", did::encode(identity)));
    let all: Vec<String> = mine.into_iter().chain(others).collect();
    CommandError::Usage(format!(
        "\"{who}\" could be several: {}; give the DID; nothing was changed",
        all.join(", ")
    ))
}
