//! Between tasks, which must not block, and threads, which do: chunks through a short queue.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How large chunks are made, in bytes: a group of a blob.
pub(super) const CHUNK: usize = 64 << 10;

/// How many chunks wait at most: 1 MiB, so that neither end waits for the other's turn.
const DEPTH: usize = 16;

/// Chunks from a thread to a task.
pub(super) fn to_task() -> (ChunkWriter, Receiver<Bytes>) {
    let (chunks, receiver) = channel(DEPTH);
    let buffer = Vec::with_capacity(CHUNK);
    (ChunkWriter { chunks, buffer }, receiver)
}

/// Chunks from a task to a thread.
pub(super) fn to_thread() -> (Sender<Bytes>, ChunkReader) {
    let (sender, chunks) = channel(DEPTH);
    let current = Bytes::new();
    (sender, ChunkReader { chunks, current })
}

/// What is written becomes chunks; to be flushed at the end.
pub(super) struct ChunkWriter {
    chunks: Sender<Bytes>,
    buffer: Vec<u8>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + (CHUNK >> 4)));
        self.chunks
            .blocking_send(full.into())
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Chunks as one stream; ends where the sender is dropped.
pub(super) struct ChunkReader {
    chunks: Receiver<Bytes>,
    current: Bytes,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        if let Some(buffer) = buffer.get_mut(..length) {
            self.current.copy_to_slice(buffer);
        }
        Ok(length)
    }
}
