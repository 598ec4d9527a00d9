//! HyParView and Plumtree by the protocol core of `iroh-gossip`, on our network.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use iroh_gossip::proto::{
    Command, Config, Event, InEvent, Message, OutEvent, PeerData, Scope, State, Timer, TopicId,
    state::MessageKind,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_sim::fanout::{
    Crowd, Network, Outcome,
    network::{Actions, Input, Moment, PACKET, Speaker},
};
use tokio::time::Instant;

/// As long as an endpoint's id.
type Id = [u8; 32];

/// What stands in `PACKET` for a session's tag: the core names its topic itself.
const TAG: usize = 22;

/// One device.
pub(crate) struct Epidemic {
    state: State<Id, ChaCha20Rng>,
    began: Instant,
    event: Vec<u8>,
    /// How many events were said; the last one counts.
    round: u8,
    /// Whom it joins when it is told to say something for the first time.
    contact: Option<usize>,
    joined: bool,
    has: bool,
    timers: BTreeMap<(u64, u64), Timer<Id>>,
    number: u64,
}

fn topic() -> TopicId {
    TopicId::from_bytes([9; 32])
}

fn id(device: usize) -> Id {
    let mut id = [0x5a; 32];
    id[..8].copy_from_slice(&(device as u64).to_be_bytes());
    id
}

fn device(id: &Id) -> usize {
    let (first, _) = id.split_first_chunk::<8>().unwrap();
    u64::from_be_bytes(*first) as usize
}

/// The core's own values, but for two: its graft timers are guesses for ways of 10 ms, and ours take up to 100 ms, so
/// they would ask for what is on its way; and it shuffles once an hour, so that what is measured is the broadcast alone.
fn config() -> Config {
    let mut config = Config::default();
    config.broadcast.graft_timeout_1 = Duration::from_millis(400);
    config.broadcast.graft_timeout_2 = Duration::from_millis(200);
    config.membership.shuffle_interval = Duration::from_secs(3_600);
    config
}

/// All who are online, joined one after the other through somebody who was there before, and trees grown by five
/// events that device 0 said; and what came of the last of them.
pub(crate) fn grown<'a>(crowd: &'a Crowd, event: &[u8]) -> (Network<'a, Epidemic>, Outcome) {
    let mut rng = ChaCha20Rng::seed_from_u64(crowd.setting().seed ^ 5);
    let began = Instant::now();
    let mut there: Vec<usize> = Vec::new();
    let mut devices = Vec::new();
    for me in 0..crowd.points.len() {
        let contact = (!there.is_empty()).then(|| there[rng.next_u64() as usize % there.len()]);
        let seed = rng.next_u64();
        devices.push(Epidemic {
            state: State::new(
                id(me),
                PeerData::default(),
                config(),
                ChaCha20Rng::seed_from_u64(seed),
            ),
            began,
            event: event.to_vec(),
            round: 0,
            contact,
            joined: false,
            has: false,
            timers: BTreeMap::new(),
            number: 0,
        });
        if crowd.online[me] {
            there.push(me);
        }
    }
    let mut network = Network::new(crowd, devices);
    for me in there {
        network.happen(me, Input::Say, false);
        network.run(network.now + 20_000, 0);
    }
    network.run(network.now + 10_000_000, 0);
    let mut last = Outcome::default();
    for _ in 0..5 {
        last = network.say(0, 10);
        for device in &mut network.speakers {
            device.has = false;
        }
    }
    (network, last)
}

impl Epidemic {
    fn events(&mut self, input: Input<Message<Id>>, now: u64) -> Vec<InEvent<Id>> {
        match input {
            Input::Say if !self.joined => {
                self.joined = true;
                let contacts = self.contact.map(id).into_iter().collect();
                vec![InEvent::Command(topic(), Command::Join(contacts))]
            }
            Input::Say => {
                self.has = true;
                self.round += 1;
                let mut event = self.event.clone();
                event[0] = self.round;
                let said = Command::Broadcast(Bytes::from(event), Scope::Swarm);
                vec![InEvent::Command(topic(), said)]
            }
            Input::Heard(from, message) => vec![InEvent::RecvMessage(id(from), message)],
            Input::Lost(who) => vec![InEvent::PeerDisconnected(id(who))],
            Input::Wake => {
                let later = self.timers.split_off(&(now + 1, 0));
                let due = std::mem::replace(&mut self.timers, later);
                due.into_values().map(InEvent::TimerExpired).collect()
            }
        }
    }
}

impl Speaker for Epidemic {
    type Message = Message<Id>;

    fn handle(&mut self, input: Input<Message<Id>>, moment: Moment<'_>) -> Actions<Message<Id>> {
        let mut send = Vec::new();
        let at = self.began + Duration::from_micros(moment.now);
        for event in self.events(input, moment.now) {
            for out in self.state.handle(event, at, None) {
                match out {
                    OutEvent::SendMessage(to, message) => {
                        let bytes = message.size().unwrap().saturating_sub(TAG.min(PACKET));
                        let copy = matches!(message.kind(), MessageKind::Data);
                        send.push((device(&to), message, bytes, copy));
                    }
                    OutEvent::EmitEvent(_, Event::Received(_)) => self.has = true,
                    OutEvent::ScheduleTimer(after, timer) => {
                        self.number += 1;
                        let due = moment.now + after.as_micros() as u64;
                        self.timers.insert((due, self.number), timer);
                    }
                    _ => {}
                }
            }
        }
        Actions {
            send,
            wake: self.timers.keys().next().map(|(at, _)| *at),
            has: self.has,
        }
    }
}
