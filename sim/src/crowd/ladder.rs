//! The five steps, and storms.

use std::{collections::BTreeSet, ops::Range};

use anyhow::{Result, anyhow, ensure};
use tenet_log::roster::Policy;

use super::{Crowd, Deed, Fault, Plan, chance::MOST_IN_AN_HOUR};
use crate::{errors, weather::Weather};

pub(super) const MINUTE: u64 = 60_000;

/// The step that is nothing but storms over one session of 5 to 60.
pub(super) const STORMS: u8 = 6;

const HOUR: u64 = 60 * MINUTE;

/// The same where clocks were up to three days ahead, or a device took another key: a link that it gave is dialled for a day.
const FAR_FUTURE: u64 = 100 * HOUR;

/// How long, in virtual time, it may take until all is quiet: the longest wait of a redial is five minutes.
const PATIENCE: u64 = 6 * HOUR;

/// How much was in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Nodes.
    pub nodes: usize,
    /// Sessions.
    pub sessions: usize,
    /// Messages that were answered as kept.
    pub messages: usize,
    /// How long it took in virtual milliseconds.
    pub took: u64,
    /// A hash over all that left any node.
    pub trace: u64,
}

/// Runs a plan; gives the world as it ended, and what is wrong with it.
pub fn run(plan: &Plan) -> (Crowd, Result<Done>) {
    run_with(plan, false, 0..0)
}

/// As [`run`]; where `watch` is set every frame is noted, and what happens in a span of virtual milliseconds is put into
/// words.
pub fn run_with(plan: &Plan, watch: bool, span: Range<u64>) -> (Crowd, Result<Done>) {
    let ((crowd, result), logged) = errors::during(|| {
        let mut crowd = begin(plan);
        crowd.world.watches = watch;
        let begun = crowd.world.now;
        crowd.world.traces = begun + span.start..begun + span.end;
        let result = crowd.play(plan).and_then(|()| crowd.check());
        let done = result.map(|()| crowd.done(begun));
        (crowd, done)
    });
    // A disk that is full is told of, and so is one that fails.
    let known = crowd.faults.contains(&Fault::Full);
    let distinct: BTreeSet<_> = logged.into_iter().collect();
    let result = match result {
        Ok(_) if !known && !distinct.is_empty() => Err(anyhow!("logged as errors: {distinct:?}")),
        Err(error) if !distinct.is_empty() => {
            Err(anyhow!("logged as errors: {distinct:?}; {error:#}"))
        }
        other => other,
    };
    (crowd, result)
}

fn begin(plan: &Plan) -> Crowd {
    match plan.step {
        1 => Crowd::new(plan.seed, 4),
        2 => Crowd::new(plan.seed, 100.min(plan.nodes)),
        3 => Crowd::new(plan.seed, 120.min(plan.nodes)),
        4 => Crowd::new(plan.seed, 1000.min(plan.nodes)),
        STORMS => Crowd::club(plan),
        _ => Crowd::company(plan),
    }
}

/// The most deeds that a step has.
pub(super) fn most_deeds(step: u8) -> usize {
    match step {
        1 => 1,
        2 => 100,
        3 => 10_000,
        4 => 270_000,
        _ => MOST_IN_AN_HOUR,
    }
}

impl Crowd {
    fn play(&mut self, plan: &Plan) -> Result<()> {
        let deeds = most_deeds(plan.step).min(plan.deeds);
        match plan.step {
            1 | 2 => self.everybody(deeds),
            3 => self.churn(deeds),
            4 => self.flood(deeds),
            _ => self.hour(plan),
        }
        let late = [Fault::Future, Fault::Restore];
        let patience = match late.iter().any(|fault| self.faults.contains(fault)) {
            true => FAR_FUTURE,
            false => PATIENCE,
        };
        self.world.in_vain.clear();
        ensure!(
            self.rest_revoking(patience),
            "it does not come to rest: {}",
            self.unrest()
        );
        Ok(())
    }

    /// All in one session.
    fn everybody(&mut self, messages: usize) {
        let all: Vec<usize> = (0..self.world.nodes.len()).collect();
        self.prepare(&all, Policy::default());
        self.speak(messages, 10 * MINUTE, |_| {});
    }

    /// Sessions of 2 to 14 on bad networks; every node goes off and comes back all the time.
    fn churn(&mut self, messages: usize) {
        self.faults
            .extend([Fault::Churn, Fault::Weather, Fault::Cut]);
        self.in_eights();
        self.world.weather = Weather {
            delay: 400,
            loss: 50,
            cuts: 200,
            bandwidth: 100,
        };
        let all = self.world.nodes.len() as u64;
        let mut at = self.world.now;
        self.speak(messages, 2 * HOUR, move |crowd| {
            // Off for 30 s of every 150 s, and no two at the same moment.
            while at < crowd.world.now {
                let turn = (at / 1000) % 150;
                for node in 0..all {
                    let node_turn = (turn + node * 150 / all) % 150;
                    let place = usize::try_from(node).unwrap();
                    let runs = crowd.world.nodes[place].engine().is_some();
                    let off = crowd.world.nodes[place].is_off;
                    if node_turn < 30 && runs {
                        crowd.world.switch_off(place);
                    } else if node_turn >= 30 && off {
                        crowd.world.switch_on(place);
                    }
                }
                at += 1000;
            }
        });
        self.heal();
    }

    fn flood(&mut self, messages: usize) {
        self.in_eights();
        self.speak(messages, HOUR, |_| {});
    }

    /// Sessions of 2 to 14, half as many as nodes.
    fn in_eights(&mut self) {
        let nodes = self.world.nodes.len();
        for session in 0..nodes / 2 {
            let size = 2 + session % 13;
            let mut some: Vec<usize> = Vec::new();
            while some.len() < size.min(nodes) {
                let node = self.choose(nodes);
                if !some.contains(&node) {
                    some.push(node);
                }
            }
            self.prepare(&some, Policy::default());
        }
    }

    /// So many messages, anywhere and at any time, after all have met.
    fn speak(&mut self, messages: usize, lasts: u64, mut meanwhile: impl FnMut(&mut Self)) {
        self.run_until(self.world.now + MINUTE);
        let rooms = self.model.rooms.iter();
        let rooms: Vec<_> = rooms
            .map(|(session, room)| {
                let nodes: Vec<usize> = room.fates.keys().copied().collect();
                (*session, nodes)
            })
            .collect();
        for number in 0..messages {
            meanwhile(self);
            let (session, nodes) = &rooms[self.choose(rooms.len())];
            let (session, mut node) = (*session, nodes[self.choose(nodes.len())]);
            if self.world.nodes[node].engine().is_none() {
                let on = nodes
                    .iter()
                    .find(|node| self.world.nodes[**node].engine().is_some());
                node = on.copied().unwrap_or(node);
            }
            let text = format!("message {number}");
            self.ask(node, Deed::Say { session, text });
            let pause = self.choose((2 * lasts as usize / messages).max(1)) as u64;
            self.run_until(self.world.now + pause);
        }
    }

    fn done(&self, begun: u64) -> Done {
        Done {
            nodes: self.world.nodes.len(),
            sessions: self.model.rooms.len(),
            messages: self.model.rooms.values().map(|room| room.said.len()).sum(),
            took: self.world.now - begun,
            trace: self.world.trace,
        }
    }
}
