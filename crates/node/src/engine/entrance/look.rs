//! Looking at a group by its link, without coming in.

use std::collections::BTreeMap;

use tenet_apps::contacts::knocking;
use tenet_identity::{
    keys::EndpointId,
    meeting::{
        invite::InviteId,
        knock::{Asker, Plea, Preview, Reason, Refusal},
        link::Link,
    },
};

use tenet_log::ids::SessionId;

use crate::{
    connection::Knocked,
    engine::Engine,
    input::{ConnId, Notice},
    storage::Storage,
};

/// For how long members are dialled to see what group it is, in milliseconds: longer than a person waits.
const LOOKS_MS: u64 = 60_000;

/// Links of which a person wants to know where they lead. They are forgotten with the process.
#[derive(Default)]
pub(crate) struct Looks(BTreeMap<InviteId, Look>);

struct Look {
    link: Link,
    until: u64,
}

impl Looks {
    /// Ends one, and gives the session into which it leads.
    fn end(&mut self, link: InviteId) -> Option<SessionId> {
        let look = self.0.remove(&link)?;
        let group = look.link.ext().group.as_ref()?;
        Some(SessionId::from(group.session))
    }

    /// Whether one of them leads to an endpoint, or did.
    pub(in crate::engine) fn lead_to(&self, peer: EndpointId) -> bool {
        let mut looks = self.0.values();
        looks.any(|look| look.link.places().any(|(place, _)| place == peer))
    }
}

impl<S: Storage> Engine<S> {
    /// Wants to know what group a link leads into.
    pub(crate) fn look_at(&mut self, now: u64, link: Link) {
        let until = now.saturating_add(LOOKS_MS);
        self.looks.0.retain(|_, look| now < look.until);
        let invite = link.invite().id();
        self.looks.0.insert(invite, Look { link, until });
        self.knock_at_once(invite);
    }

    /// The links that are looked at.
    pub(in crate::engine) fn looked_at(&self, now: u64) -> impl Iterator<Item = &Link> {
        let looks = self.looks.0.values();
        looks
            .filter(move |look| now < look.until)
            .map(|look| &look.link)
    }

    /// The link that is looked at, if a knock was made for that.
    pub(in crate::engine) fn looked_at_by(&self, invite: InviteId) -> Option<&Link> {
        let look = self.looks.0.get(&invite);
        look.filter(|look| self.clock < look.until)
            .map(|look| &look.link)
    }

    /// Says no more of ourselves than every knock does.
    pub(in crate::engine) fn say_look(&mut self, now: u64, conn: ConnId, link: &Link) {
        let asker = Asker {
            card: self.own.card.clone(),
            name: self.profile().name,
            asked: now,
            plea: Plea::default(),
            looks: true,
        };
        self.say_group_knock(conn, link, asker);
    }

    /// A member's device shows the group; whether that was all that was wanted.
    pub(super) fn has_looked_at(
        &mut self,
        conn: ConnId,
        knocked: Knocked,
        preview: &Preview,
    ) -> bool {
        if knocked.looks {
            self.stop_knocking(conn);
            self.tell_looked(knocked.link, Ok(Box::new(preview.clone())));
        }
        knocked.looks
    }

    /// A member's device does not show it; whether somebody wanted to look. Another may know what this one does not.
    pub(in crate::engine) fn has_looked_in_vain(
        &mut self,
        conn: ConnId,
        knocked: Knocked,
        refusal: &Refusal,
    ) -> bool {
        match refusal.reason {
            _ if !knocked.looks => {}
            Reason::Unknown => self.wait_there(conn, knocked.link),
            reason => {
                self.stop_knocking(conn);
                self.tell_looked(
                    knocked.link,
                    Err(knocking::explain_group(reason).to_owned()),
                );
            }
        }
        knocked.looks
    }

    /// Unless another device has answered before.
    fn tell_looked(&mut self, invite: InviteId, found: Result<Box<Preview>, String>) {
        if let Some(session) = self.looks.end(invite) {
            self.notify(Notice::Looked {
                invite,
                session,
                found,
            });
        }
    }
}
