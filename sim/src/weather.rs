//! What the network does to frames on their way: frames travel on QUIC, so that what is lost comes later, and
//! what is lost too often ends the connection. Nothing overtakes anything on one connection; between
//! connections everything may.

use std::collections::BTreeMap;

use crate::machine::{GRAIN, World};

/// How long it takes to notice that something was lost, beside the way there and back, in milliseconds.
const NOTICED_AFTER: u64 = 30;

/// After how many losses in a row a connection is given up.
const MOST_LOSSES: u64 = 12;

/// What the network is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// The longest time of one way, in milliseconds.
    pub delay: u64,
    /// Of a thousand frames, how many are lost and sent again.
    pub loss: u64,
    /// Of a hundred thousand frames, how many end their connection.
    pub cuts: u64,
    /// How many bytes a node sends in a millisecond; 0 for any.
    pub bandwidth: u64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay: 60,
            loss: 0,
            cuts: 0,
            bandwidth: 0,
        }
    }
}

/// Until when each node's line is busy with what it sends.
#[derive(Default)]
pub(crate) struct Lines(BTreeMap<usize, u64>);

impl World {
    /// How long a frame of so many bytes takes from a node; `None` where its connection ends with it.
    pub(crate) fn travel(&mut self, from: usize, bytes: usize) -> Option<u64> {
        let weather = self.weather;
        let mut delay = self.draw_delay();
        if let Some(takes) = (bytes as u64).checked_div(weather.bandwidth) {
            let busy = self.lines.0.entry(from).or_default();
            *busy = (*busy).max(self.now) + takes;
            // Inputs still fall into one batch now and then.
            delay += (*busy - self.now).next_multiple_of(GRAIN);
        }
        let mut losses = 0;
        while weather.loss > 0 && self.draw(1000) < weather.loss {
            losses += 1;
            delay += NOTICED_AFTER + ((2 * weather.delay) << losses.min(4));
            if losses > MOST_LOSSES {
                return None;
            }
        }
        let cut = weather.cuts > 0 && self.draw(100_000) < weather.cuts;
        (!cut).then_some(delay)
    }
}
