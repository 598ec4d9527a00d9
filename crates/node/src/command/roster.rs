//! Who is in a session, and as what.

use tenet_log::{ids::SessionId, roster::Op};

use super::{CommandError, Reply};
use crate::{
    engine::{Engine, Ours},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    /// NODE-501: writes a change of the roster, if it is ours to make by all that we know.
    pub(super) fn operate(
        &mut self,
        now: u64,
        id: SessionId,
        op: &Op,
    ) -> Result<Reply, CommandError> {
        let me = self.own.identity();
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(CommandError::NotFound("there is no such session".into()));
        };
        if !session.roster().allows(me, op) {
            let refusal = "your role in this session does not allow that; nothing was changed";
            return Err(CommandError::Refused(refusal.into()));
        }
        let (event, admitted) = session.operate(&mut self.store, &self.own.key, op, now)?;
        self.admitted(now, id, &event, admitted, Some(Ours))?;
        Ok(Reply::Operated {
            session: id,
            event: event.id(),
        })
    }
}
