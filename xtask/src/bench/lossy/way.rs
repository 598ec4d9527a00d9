//! A bad way between two networks that have no other: it delays and drops packets, and can be cut.
//!
//! ```text
//!  namespace of Alice                                              namespace of Bob
//!  Alice ◀──▶ socket with Bob's address ══ delay, loss, cut ══ socket with Alice's ◀──▶ Bob
//! ```
//!
//! Each end sees the other at its true address, so nothing that the two find out about each other
//! leads past it. It needs no netem, which not every kernel has.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::net::sockopt::set_socket_recv_buffer_size_force;

use super::namespace::Namespace;

/// Where the two ends listen.
pub(super) const ADDRESSES: [&str; 2] = ["127.0.0.1:4001", "127.0.0.2:4002"];

/// What a kernel may hold of packets that came in a burst, in bytes.
const BUFFER: usize = 8 << 20;
/// The longest datagram that QUIC sends, and more.
const DATAGRAM: usize = 65_536;
/// How often a thread looks whether the way is gone.
const GLANCE: Duration = Duration::from_millis(200);

/// What befalls a packet.
#[derive(Clone, Copy)]
pub(super) struct Conditions {
    /// Which part of the packets is lost, in each direction.
    pub(super) loss: f64,
    /// How long a packet takes: half a round trip.
    pub(super) delay: Duration,
}

/// The way, and the two networks at its ends.
pub(super) struct Way {
    pub(super) ends: [Namespace; 2],
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cut: AtomicBool,
    gone: AtomicBool,
    /// Bytes that came out at each end.
    arrived: [AtomicU64; 2],
}

impl Way {
    pub(super) fn new(conditions: Conditions) -> Result<Self> {
        let ends = [Namespace::new()?, Namespace::new()?];
        let state = Arc::<State>::default();
        let [alice, bob] = ADDRESSES;
        let near = ends[0].inside(|| socket(bob))?;
        let far = ends[1].inside(|| socket(alice))?;
        for (end, from, to, address) in [(1, &near, &far, bob), (0, &far, &near, alice)] {
            let (from, to) = (from.try_clone()?, to.try_clone()?);
            let (sender, receiver) = channel();
            let chance = Chance(end as u64 + 1);
            let (taking, giving) = (Arc::clone(&state), Arc::clone(&state));
            thread::spawn(move || take(&from, &sender, conditions, chance, &taking));
            thread::spawn(move || give(&to, address, &receiver, giving.arrived.get(end)));
        }
        Ok(Self { ends, state })
    }

    /// From now on nothing arrives, or again what is not lost.
    pub(super) fn cut(&self, cut: bool) {
        self.state.cut.store(cut, Ordering::Relaxed);
    }

    /// Bytes of UDP that arrived so far at this end: 0 is Alice's, 1 Bob's.
    pub(super) fn arrived(&self, end: usize) -> u64 {
        let arrived = self.state.arrived.get(end);
        arrived.map_or(0, |arrived| arrived.load(Ordering::Relaxed))
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.state.gone.store(true, Ordering::Relaxed);
    }
}

/// A socket that stands for the end that is far away.
fn socket(own: &str) -> Result<UdpSocket> {
    let socket = UdpSocket::bind(own)?;
    socket.set_read_timeout(Some(GLANCE))?;
    // Else bursts would be lost here, too.
    set_socket_recv_buffer_size_force(&socket, BUFFER)?;
    Ok(socket)
}

/// Takes what one end sends and decides what becomes of it.
fn take(
    from: &UdpSocket,
    sender: &Sender<(Instant, Vec<u8>)>,
    conditions: Conditions,
    mut chance: Chance,
    state: &State,
) {
    let mut buffer = vec![0; DATAGRAM];
    while !state.gone.load(Ordering::Relaxed) {
        // An error is the end of patience, or the answer to a packet for an end that is down.
        let Ok(length) = from.recv(&mut buffer) else {
            continue;
        };
        let lost = chance.next() < conditions.loss || state.cut.load(Ordering::Relaxed);
        if let (false, Some(packet)) = (lost, buffer.get(..length)) {
            // Nobody takes it when the way is gone.
            let _ = sender.send((Instant::now() + conditions.delay, packet.to_vec()));
        }
    }
}

/// Gives each packet to the other end when it is due; the delay of all is the same, so they keep
/// their order.
fn give(
    to: &UdpSocket,
    address: &str,
    receiver: &Receiver<(Instant, Vec<u8>)>,
    arrived: Option<&AtomicU64>,
) {
    while let Ok((due, packet)) = receiver.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if let (Ok(_), Some(arrived)) = (to.send_to(&packet, address), arrived) {
            arrived.fetch_add(packet.len() as u64, Ordering::Relaxed);
        }
    }
}

/// Numbers that look random and are the same in every run (Marsaglia: "Xorshift RNGs", 2003).
struct Chance(u64);

impl Chance {
    /// From 0 up to and without 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_lost_as_is_said() {
        let mut chance = Chance(1);
        let lost = (0..100_000).filter(|_| chance.next() < 0.1).count();
        assert!((9_500..10_500).contains(&lost), "{lost}");
    }
}
