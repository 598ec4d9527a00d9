//! Asking the other end for what comes from there.

use tenet_identity::keys::DeviceId;
use tenet_net::{Answer, AskError};
use tenet_node::{
    ask::{Ask, Pipe},
    input::ConnId,
};
use tenet_rpc::api;

use super::{super::shared::Shared, end::End};

/// How many bytes are taken from the network at once.
const CHUNK: usize = 64 << 10;

/// How one request ended.
enum Turn {
    /// There is more to ask for.
    More,
    /// There was no more.
    End,
    /// No pipe is open there, or not to this end.
    Refused,
    /// The connection broke.
    Broken,
}

/// Asks until all has come, and then goes on without end; or says why no more can come.
pub(super) async fn take(shared: &Shared, end: &End) -> api::Error {
    let mut changes = end.changes();
    loop {
        changes.mark_unchanged();
        match ask_around(shared, end).await {
            Turn::More => continue,
            Turn::End => {
                end.came_all();
                return std::future::pending().await;
            }
            Turn::Refused if end.other().is_some() => {
                return api::Error::failure("the other end was closed before it had said all");
            }
            Turn::Refused | Turn::Broken => {}
        }
        // The sender of changes lives as long as the end.
        let _ = changes.changed().await;
    }
}

/// Asks the other end, or while it is not known every device that may have it.
async fn ask_around(shared: &Shared, end: &End) -> Turn {
    let mut last = Turn::Broken;
    for (_, conn) in candidates(shared, end) {
        last = ask(shared, end, conn).await;
        if matches!(last, Turn::More | Turn::End) {
            break;
        }
    }
    last
}

fn candidates(shared: &Shared, end: &End) -> Vec<(DeviceId, ConnId)> {
    let other = end.other().map(|other| other.device);
    let online = shared.live.online().into_iter();
    let may = |device: DeviceId| other.is_none_or(|other| other == device);
    online
        .filter(|(device, online)| online.identity == end.identity && may(*device))
        .map(|(device, online)| (device, online.conn))
        .collect()
}

async fn ask(shared: &Shared, end: &End, conn: ConnId) -> Turn {
    let Some(network) = &shared.network else {
        return Turn::Broken;
    };
    let request = Ask::Pipe(Pipe {
        session: end.session,
        end: end.number.into(),
        offset: end.offset(),
    });
    match network.ask(conn, &request.encode()).await {
        Ok(answer) => read(end, answer).await,
        Err(_) => Turn::Broken,
    }
}

async fn read(end: &End, mut answer: Answer) -> Turn {
    let mut came = false;
    loop {
        match answer.chunk(CHUNK).await {
            Ok(Some(bytes)) => {
                came = true;
                end.came(&bytes).await;
            }
            Ok(None) if came => return Turn::More,
            Ok(None) => return Turn::End,
            Err(AskError::Refused) => return Turn::Refused,
            Err(_) => return Turn::Broken,
        }
    }
}
