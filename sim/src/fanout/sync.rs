//! What closes the rest: devices that are connected compare what they hold (SYNC-2).

use tenet_identity::encoding;
use tenet_log::sync::Message;

use super::network::{Network, Outcome, PACKET, Speaker};

/// Every living device compares with one that it is connected with, once a round, until all have the event or nobody
/// learns anything; gives the rounds and the bytes.
///
/// `event` is the event's length in bytes. Who is connected with nobody dials somebody living.
pub fn close<S: Speaker>(
    network: &Network<'_, S>,
    outcome: &mut Outcome,
    event: usize,
) -> (usize, usize) {
    let living: Vec<usize> = network.crowd.living().collect();
    let digest = encoding::encode(&Message::Digest([0; 32])).len() + PACKET;
    let (mut rounds, mut bytes) = (0, 0);
    while outcome.reached < outcome.living && rounds < 20 {
        rounds += 1;
        let had = outcome.had.clone();
        for (at, device) in living.iter().enumerate() {
            let there = network.connections[*device].iter().copied();
            let mut there = there.filter(|it| network.is_there(*it)).skip(rounds - 1);
            let other = there.next().unwrap_or(living[(at + rounds) % living.len()]);
            bytes += 2 * digest;
            let (one, two) = (had.contains_key(device), had.contains_key(&other));
            if one != two {
                // Both name their heads of the one chain that differs, and the event follows.
                bytes += 2 * (PACKET + 113) + PACKET + event;
                for device in [*device, other] {
                    outcome.had.entry(device).or_insert(network.now);
                }
            }
        }
        let has = living
            .iter()
            .filter(|it| **it != 0 && outcome.had.contains_key(it));
        outcome.reached = has.count();
    }
    (rounds, bytes)
}
