//! What follows where whoever was knocked at does not let us in.

use tenet_apps::contacts::{Knocking, knocking::State};
use tenet_identity::{
    keys::IdentityId,
    meeting::{
        invite::InviteId,
        knock::{Reason, Refusal},
    },
};

use crate::{
    engine::{Engine, Fault},
    input::{CloseReason, ConnId, Notice},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    pub(super) fn on_refused(
        &mut self,
        now: u64,
        conn: ConnId,
        refusal: &Refusal,
    ) -> Result<(), Fault> {
        let Some(connection) = self.connections.0.get(&conn) else {
            return Ok(());
        };
        let other_purpose = connection.ready().is_some() || connection.answered.is_some();
        if connection.ready().is_none() && !connection.in_knock() {
            return Err(Fault::Peer("it refused where nobody knocked".into()));
        }
        // Among those who know each other it may be for a knock that was given up meanwhile.
        if let Some(knocked) = connection.knocked
            && !self.has_looked_in_vain(conn, knocked, refusal)
        {
            self.take_refusal(now, conn, knocked.link, refusal)?;
        }
        match other_purpose {
            true => Ok(()),
            false => Err(Fault::Close(CloseReason::NotWelcome)),
        }
    }

    fn take_refusal(
        &mut self,
        now: u64,
        conn: ConnId,
        invite: InviteId,
        refusal: &Refusal,
    ) -> Result<(), Fault> {
        self.is_turned_away(conn)?;
        let knocking = self.store.knocking(invite)?;
        let Some(mut knocking) = knocking.filter(Knocking::is_open) else {
            self.stop_knocking(conn);
            return Ok(());
        };
        let before = knocking.state;
        let last = knocking.refused(refusal);
        let identity = knocking.link.ext().identity;
        if knocking.state != before {
            self.store.put_knocking(&knocking)?;
            self.tell_refusal(&knocking, identity);
        }
        if last {
            self.stop_knocking(conn);
            self.forget_places(now, &knocking)?;
        } else {
            self.wait_there(conn, invite);
        }
        Ok(())
    }

    fn tell_refusal(&mut self, knocking: &Knocking, identity: IdentityId) {
        let invite = knocking.id();
        let refused = knocking.refusal();
        if knocking.state == State::Refused(Reason::Used) {
            self.notify(Notice::LinkReused {
                invite: None,
                identity: Some(identity),
            });
        }
        self.notify(match refused {
            None => Notice::Requested { invite, identity },
            refused => Notice::Knocked {
                invite,
                identity,
                refused,
            },
        });
    }
}
