//! One event to many of whom a fifth is offline and a fifth of the others dies: our plans, an epidemic broadcast and a
//! perfect tree, on the same network with the same deaths.
//!
//! ```text
//! fanout DEVICES SEEDS [STALE MISSED]    prints one line of JSON for each way of doing it
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench may fail"
)]

mod epidemic;

use std::rc::Rc;

use tenet_sim::fanout::{
    Crowd, Network, Outcome, Setting, ideal,
    network::Speaker,
    planned::{Planned, World},
    sync,
};

/// How long an event is watched, in seconds: longer than any plan takes, and than silence is noticed.
const WATCHED: u64 = 60;

/// What is measured of one way, summed over the seeds.
#[derive(Default)]
struct Sum {
    name: &'static str,
    seeds: usize,
    outcomes: Vec<Outcome>,
    rounds: usize,
    sync_bytes: usize,
    closed: bool,
}

fn main() {
    let mut given = std::env::args().skip(1);
    let mut number = || given.next().and_then(|it| it.parse().ok());
    let (devices, seeds) = (number().unwrap_or(2_500), number().unwrap_or(3));
    let (stale, missed) = (number(), number());
    let mut sums = [
        "perfect",
        "plan",
        "round",
        "calm",
        "warm",
        "epidemic_calm",
        "epidemic",
    ]
    .map(|name| Sum {
        name,
        closed: true,
        ..Sum::default()
    });
    for seed in 0..seeds as u64 {
        let mut setting = Setting::hard(devices, seed);
        setting.stale = stale.map_or(setting.stale, |it| it as u64);
        setting.missed = missed.map_or(setting.missed, |it| it as u64);
        let crowd = Crowd::new(setting);
        let world = World::new(&crowd);
        let event = world.event.len();
        let [perfect, plan, round, calm, warm, other_calm, other] = &mut sums;
        let tree = ideal::devices(&crowd, 52, event);
        let mut network = Network::new(&crowd, tree);
        network.say(0, WATCHED);
        for device in &mut network.speakers {
            device.forget();
        }
        perfect.add(&network.say(0, WATCHED));
        for (sum, rounds) in [(plan, 0), (round, 1)] {
            let mut network = Network::new(&crowd, world.devices(rounds));
            network.deadly = true;
            let mut outcome = network.say(0, WATCHED);
            sum.add(&outcome);
            sum.close(&network, &mut outcome, event);
        }
        let mut network = warmed(&world, &crowd);
        calm.add(&network.say(0, WATCHED));
        forget(&mut network);
        network.deadly = true;
        let mut outcome = network.say(0, WATCHED);
        warm.add(&outcome);
        warm.close(&network, &mut outcome, event);
        let (mut network, outcome) = epidemic::grown(&crowd, &world.event);
        other_calm.add(&outcome);
        network.deadly = true;
        let mut outcome = network.say(0, WATCHED);
        other.add(&outcome);
        other.close(&network, &mut outcome, event);
    }
    for sum in sums {
        println!("{}", sum.json());
    }
}

/// Our plans, where somebody else said something before in that hour.
fn warmed<'a>(world: &Rc<World>, crowd: &'a Crowd) -> Network<'a, Planned> {
    let mut network = Network::new(crowd, world.devices(1));
    let other = crowd.living().nth(1).unwrap();
    network.say(other, WATCHED);
    forget(&mut network);
    network
}

/// So that another event may come.
fn forget(network: &mut Network<'_, Planned>) {
    for device in &mut network.speakers {
        device.forget(1);
    }
}

impl Sum {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.outcomes.push(outcome.clone());
    }

    fn close<S: Speaker>(&mut self, network: &Network<'_, S>, outcome: &mut Outcome, event: usize) {
        let (rounds, bytes) = sync::close(network, outcome, event);
        self.rounds = self.rounds.max(rounds);
        self.sync_bytes += bytes;
        self.closed &= outcome.reached == outcome.living;
    }

    fn mean(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        self.outcomes.iter().map(of).sum::<f64>() / self.seeds as f64
    }

    fn json(&self) -> String {
        let least = self.outcomes.iter().map(Outcome::share).fold(1.0, f64::min);
        let most = self
            .outcomes
            .iter()
            .map(|it| it.most_copies)
            .max()
            .unwrap_or(0);
        let figures = [
            ("share", self.mean(Outcome::share)),
            ("least_share", least),
            ("living", self.mean(|it| it.living as f64)),
            ("half_rtt", self.mean(|it| it.round_trips(50))),
            ("most_rtt", self.mean(|it| it.round_trips(99))),
            ("last_rtt", self.mean(|it| it.round_trips(100))),
            ("bytes", self.mean(|it| it.bytes as f64)),
            ("connecting", self.mean(|it| it.connecting as f64)),
            ("connections", self.mean(|it| it.connections as f64)),
            ("messages", self.mean(|it| it.messages as f64)),
            ("copies", self.mean(|it| it.copies as f64)),
            ("duplicates", self.mean(|it| it.duplicates as f64)),
            ("most_copies", most as f64),
            ("author_messages", self.mean(|it| it.author_heard.0 as f64)),
            ("author_bytes", self.mean(|it| it.author_heard.1 as f64)),
            ("sync_rounds", self.rounds as f64),
            ("sync_bytes", self.sync_bytes as f64 / self.seeds as f64),
            ("closed", f64::from(u8::from(self.closed))),
        ];
        let figures = figures.map(|(name, figure)| format!("\"{name}\":{figure}"));
        format!("{{\"way\":\"{}\",{}}}", self.name, figures.join(","))
    }
}
