//! Who gets what of that which is asked for outside of the log.

use tenet_log::ids::{BlobId, SessionId};

use super::{Engine, Fault};
use crate::{
    ask::{Ask, Span},
    input::{AskId, ConnId, Output},
    storage::Storage,
};

impl<S: Storage> Engine<S> {
    /// NODE-25: what is no request ends the connection.
    pub(super) fn on_asked(&mut self, conn: ConnId, ask: AskId, bytes: &[u8]) -> Result<(), Fault> {
        let asked = Ask::decode(bytes).map_err(|error| Fault::Peer(error.to_string()))?;
        let output = match asked {
            Ask::Blob(blob, spans) => self.asked_for_content(conn, ask, blob, spans)?,
            Ask::Pipe(pipe) => match self.device_on(conn) {
                // NODE-27
                Some(device) if self.sessions_with(conn).any(|one| one == pipe.session) => {
                    Output::Pipe { ask, device, pipe }
                }
                _ => Output::Refuse { ask },
            },
        };
        self.output(output);
        Ok(())
    }

    /// NODE-24: parts of a content go to devices of sessions in which an event names it that is for them
    /// (SYNC-804), and to nobody else; whoever else asks learns not even whether it is here.
    fn asked_for_content(
        &self,
        conn: ConnId,
        ask: AskId,
        blob: BlobId,
        spans: Vec<Span>,
    ) -> Result<Output, Fault> {
        let sessions: Vec<SessionId> = self.sessions_with(conn).collect();
        let namings = self.store.namings(blob)?;
        let mut named = false;
        let theirs = namings.iter().filter(|(one, _)| sessions.contains(one));
        for (_, position) in theirs {
            let event = self.store.logged_at(*position)?;
            if let Some(event) = event {
                named |= self.is_for(conn, &event)?;
            }
        }
        Ok(match named {
            true => Output::Answer { ask, blob, spans },
            false => Output::Refuse { ask },
        })
    }

    /// The sessions that the device at the other end of a connection is in.
    fn sessions_with(&self, conn: ConnId) -> impl Iterator<Item = SessionId> {
        let device = self.device_on(conn);
        let known = device.and_then(|device| Some((device, self.devices.get(&device)?)));
        known.into_iter().flat_map(move |(device, known)| {
            let sessions = known.sessions.iter().copied();
            sessions.filter(move |session| !self.is_out(device, *session))
        })
    }
}
