//! The reader's thread: queries on a connection of their own, which never wait for the writer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

use tenet_store::Store;

enum Message {
    Read(Box<dyn FnOnce(&Store) + Send>),
    Stop,
}

/// How many queries may wait that only tell of what comes: somebody who sends faster than the reader
/// reads costs this much memory, and whoever listens hears of a gap.
const MOST_WAITING: usize = 4096;

/// The way to the reader.
#[derive(Clone)]
pub(super) struct Reader {
    sender: Sender<Message>,
    waiting: Arc<AtomicUsize>,
}

impl Reader {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, where it gives no thread.
    pub(super) fn start(store: Store) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let done = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                for message in receiver {
                    match message {
                        Message::Read(job) => {
                            job(&store);
                            done.fetch_sub(1, Ordering::Relaxed);
                        }
                        Message::Stop => return,
                    }
                }
            })?;
        Ok((Self { sender, waiting }, thread))
    }

    /// Runs a query; in the order of calls.
    pub(super) fn read(&self, job: impl FnOnce(&Store) + Send + 'static) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // A closed reader answers nobody; whoever waits is told by the dropped answerer.
        let _ = self.sender.send(Message::Read(Box::new(job)));
    }

    /// Whether a query that can be left out may be asked now.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < MOST_WAITING
    }

    /// Ends the thread after what was asked until now.
    pub(super) fn stop(&self) {
        // It may have ended already.
        let _ = self.sender.send(Message::Stop);
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn what_only_tells_has_room_while_little_waits() {
        let (reader, thread) = Reader::start(Store::in_memory().unwrap()).unwrap();
        let (go, wait) = channel::<()>();
        reader.read(move |_| wait.recv().unwrap());
        while reader.has_room() {
            reader.read(|_| {});
        }
        assert_eq!(reader.waiting.load(Ordering::Relaxed), MOST_WAITING);
        go.send(()).unwrap();
        reader.stop();
        thread.join().unwrap();
        assert!(reader.has_room());
    }
}
