//! Either process is killed at random while messages flow both ways, and nothing is lost.
//!
//! ```text
//! requests, 16 at a time ──▶ node ══════ node ◀── requests, 16 at a time
//!                             └── answers ──┴──▶ one loop: counts, kills, starts again
//! ```
//!
//! Every second request waits until its message is delivered, so most kills hit messages on their
//! way. Of a request that a killed node did not answer nobody knows whether it was done: its
//! message may be there, once, or not at all; another is asked in its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Asker, Lines, Node, PATIENCE, Person, World};

/// How many acknowledged messages each side writes.
const EACH: usize = 1_000;
/// How often one of the two processes is killed.
const KILLS: usize = 200;
/// How many requests of a side are open at a time.
const WINDOW: usize = 16;

#[test]
fn nothing_is_lost_or_doubled_when_processes_are_killed_while_messages_flow() {
    let world = World::new();
    let mut flow = Flow::new(world.friends(), [7; 32]);
    flow.run();
    for side in &flow.sides {
        side.await_delivery();
    }
    let [here, there] = [&flow.sides[0], &flow.sides[1]].map(Side::messages);
    assert_eq!(here, there, "both have the same messages in the same order");
    for side in &flow.sides {
        side.check(&here);
    }
}

/// The two sides, and when who is killed.
struct Flow {
    sides: [Side; 2],
    heard: Receiver<Heard>,
    acknowledged: usize,
    /// After how many acknowledgements which side is killed.
    kills: BTreeMap<usize, usize>,
}

/// One person, their node, and what was asked of it.
struct Side {
    number: usize,
    person: Person,
    other: String,
    /// `None` only while it is being started again.
    node: Option<Node>,
    asker: Asker,
    tell: Sender<Heard>,
    /// How often the node was started.
    run: usize,
    /// Requests without answer, by run and number of the request.
    open: BTreeMap<(usize, u64), String>,
    asked: usize,
    /// The texts of acknowledged messages, by their id.
    acknowledged: BTreeMap<String, String>,
}

/// A line of one run of one side's node; `None` is its end.
struct Heard {
    side: usize,
    run: usize,
    line: Option<Value>,
}

impl Flow {
    fn new([alice, bob]: [(Person, Node); 2], seed: [u8; 32]) -> Self {
        let (tell, heard) = channel();
        let names = [bob.0.did.clone(), alice.0.did.clone()];
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut kills = BTreeMap::new();
        while kills.len() < KILLS {
            let after = rng.next_u64() as usize % (2 * EACH - 1) + 1;
            kills.insert(after, rng.next_u64() as usize % 2);
        }
        let mut number = 0;
        let sides = [alice, bob].map(|(person, node)| {
            let (asker, lines) = node.api().split();
            let side = Side {
                number,
                person,
                other: names[number].clone(),
                node: Some(node),
                asker,
                tell: tell.clone(),
                run: 0,
                open: BTreeMap::new(),
                asked: 0,
                acknowledged: BTreeMap::new(),
            };
            side.listen(lines);
            number += 1;
            side
        });
        Self {
            sides,
            heard,
            acknowledged: 0,
            kills,
        }
    }

    /// Until all is acknowledged and all kills are done.
    fn run(&mut self) {
        self.sides.iter_mut().for_each(Side::ask);
        while self.acknowledged < 2 * EACH {
            let Ok(heard) = self.heard.recv_timeout(PATIENCE) else {
                panic!("it stands still: {}", self.state());
            };
            let side = &mut self.sides[heard.side];
            if side.take(heard.run, heard.line) {
                side.ask();
                self.acknowledged += 1;
                if let Some(victim) = self.kills.remove(&self.acknowledged) {
                    self.sides[victim].kill();
                }
            }
        }
        assert!(self.kills.is_empty());
    }

    fn state(&self) -> String {
        let side = |side: &Side| {
            let (name, done) = (&side.person.name, side.acknowledged.len());
            format!(
                "{name}: run {}, {done} acknowledged\n{}",
                side.run,
                side.person.log()
            )
        };
        format!("{}\n{}", side(&self.sides[0]), side(&self.sides[1]))
    }
}

impl Side {
    /// Fills the window.
    fn ask(&mut self) {
        let open = self.open.keys().filter(|(run, _)| *run == self.run).count();
        let lacking = EACH.saturating_sub(self.acknowledged.len() + open);
        for _ in 0..lacking.min(WINDOW - open.min(WINDOW)) {
            self.asked += 1;
            let text = format!("{} {}", self.person.name, self.asked);
            let wait = ["queued", "delivered"][self.asked % 2];
            let params = json!({"who": self.other, "text": text, "wait": wait});
            let id = self.asker.ask("send", params);
            self.open.insert((self.run, id), text);
        }
    }

    /// Takes a line; whether it acknowledges a message.
    fn take(&mut self, run: usize, line: Option<Value>) -> bool {
        let Some(line) = line else { return false };
        let Some(text) = self.open.remove(&(run, line["id"].as_u64().unwrap())) else {
            panic!("nobody asked: {line}");
        };
        let id = line["result"]["id"].as_str();
        let id = id
            .unwrap_or_else(|| panic!("{} not taken: {line}", text))
            .to_owned();
        assert_eq!(self.acknowledged.insert(id, text), None);
        true
    }

    /// Kills the node and starts it again.
    fn kill(&mut self) {
        self.node.take().unwrap().kill();
        let node = self.person.up_with(&["-vv"]);
        let (asker, lines) = node.api().split();
        (self.node, self.asker) = (Some(node), asker);
        self.run += 1;
        self.listen(lines);
        self.ask();
    }

    /// Tells the loop what this run of the node says.
    fn listen(&self, mut lines: Lines) {
        let (side, run, tell) = (self.number, self.run, self.tell.clone());
        thread::spawn(move || {
            loop {
                let line = lines.next();
                let end = line.is_none();
                if tell.send(Heard { side, run, line }).is_err() || end {
                    return;
                }
            }
        });
    }

    /// Every message that was acknowledged here comes to the other.
    fn await_delivery(&self) {
        let mut api = self.node.as_ref().unwrap().api();
        for id in self.acknowledged.keys() {
            let sent = api.call("wait", json!({"id": id, "state": "delivered"}));
            assert_eq!(sent["state"], "delivered");
        }
    }

    /// Ids, authors and texts of all messages, in order.
    fn messages(&self) -> Vec<[String; 3]> {
        let history = self.node.as_ref().unwrap().api().history(&self.other, 300);
        let fields = |message: &Value| {
            ["id", "author", "text"].map(|field| message[field].as_str().unwrap().to_owned())
        };
        history.iter().map(fields).collect()
    }

    /// Every acknowledged message is there once, and nothing that was not asked for.
    fn check(&self, messages: &[[String; 3]]) {
        let mut found = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for [id, author, text] in messages {
            if *author == self.person.did {
                assert_eq!(found.insert(id, text), None, "{id} is there twice");
                assert!(texts.insert(text), "{text:?} is there twice");
                let asked = text.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
                assert!((1..=self.asked).contains(&asked), "{text:?}");
            }
        }
        for (id, text) in &self.acknowledged {
            assert_eq!(found.get(id), Some(&text), "{id} is lost");
        }
    }
}
