//! `tenet pipe`: stdin here to stdout of the other's `tenet pipe`, and back.

use std::io::{self, Read};

use data_encoding::BASE64;
use tenet_rpc::api::{self, Error};
use tokio::sync::{
    Notify,
    mpsc::{self, Receiver},
};

use super::Shell;
use crate::args::Who;
use crate::caller::{Caller, Need};
use crate::failure::Outcome;
use crate::output::{self, note};
use crate::signals::Signals;

/// How many bytes are read from stdin at once.
const CHUNK: usize = 48 << 10;

pub(super) async fn run(shell: &Shell, args: Who) -> Outcome {
    shell
        .with(Need::Stay, async |caller| {
            let mut signals = Signals::new()?;
            let who = args.who;
            let api::PipeOpened { pipe } = caller.call(api::PipeOpen { who }).await?;
            let stdin = stdin()?;
            tokio::select! {
                outcome = both(shell, caller, &pipe, stdin) => outcome,
                () = signals.stop() => Ok(()),
            }
        })
        .await
}

/// Both directions, until both have ended or one has failed.
async fn both(shell: &Shell, caller: &Caller, pipe: &str, stdin: Receiver<Chunk>) -> Outcome {
    let over = Notify::new();
    let out = async {
        come(caller, pipe).await?;
        // A person who types sees that the other has said all; a file or a program says its own end.
        if shell.input.is_terminal() {
            over.notify_one();
        }
        Ok(())
    };
    let ended = async {
        let pipe = pipe.to_owned();
        caller.call(api::PipeWait { pipe }).await
    };
    tokio::select! {
        outcome = async { tokio::try_join!(ended, out) } => outcome.map(drop),
        outcome = go(caller, pipe, stdin, &over) => outcome,
    }
}

/// From stdin into the pipe; comes back only where that fails.
async fn go(caller: &Caller, pipe: &str, mut stdin: Receiver<Chunk>, over: &Notify) -> Outcome {
    loop {
        let chunk = tokio::select! {
            chunk = stdin.recv() => chunk.transpose()?,
            () = over.notified() => None,
        };
        let end = chunk.is_none();
        let data = BASE64.encode(&chunk.unwrap_or_default());
        let pipe = pipe.to_owned();
        caller.call(api::PipeWrite { pipe, data, end }).await?;
        if end {
            return std::future::pending().await;
        }
    }
}

/// Out of the pipe to stdout, to the end.
async fn come(caller: &Caller, pipe: &str) -> Outcome {
    loop {
        let pipe = pipe.to_owned();
        let api::PipeData { data, end } = caller.call(api::PipeRead { pipe }).await?;
        let bytes = BASE64
            .decode(data.as_bytes())
            .map_err(|error| Error::internal(error.to_string()))?;
        output::print(&bytes)?;
        if end {
            return Ok(());
        }
    }
}

type Chunk = io::Result<Vec<u8>>;

/// What comes on stdin, read by a thread that nobody waits for: it may never come back.
fn stdin() -> Outcome<Receiver<Chunk>> {
    let (chunks, receiver) = mpsc::channel(4);
    std::thread::Builder::new()
        .name("stdin".into())
        .spawn(move || {
            let mut buffer = vec![0; CHUNK];
            loop {
                let chunk = match io::stdin().read(&mut buffer) {
                    Ok(0) => return,
                    Ok(length) => Ok(buffer.get(..length).unwrap_or_default().to_vec()),
                    Err(error) => Err(error),
                };
                let failed = chunk.is_err();
                if chunks.blocking_send(chunk).is_err() || failed {
                    return;
                }
            }
        })?;
    note("tenet: the pipe is open; it begins when the other one's is, too");
    Ok(receiver)
}
