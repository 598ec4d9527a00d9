//! Congestion control: Cubic (RFC 9438), but for losses that sending less does not lessen (`NET-601`).
//!
//! Cubic takes every lost packet for a queue that ran over and sends less. On a link that loses
//! every tenth packet whatever is sent that ends in a standstill: 0.05 MB/s at a round trip of 100 ms.
//! So what follows each time that Cubic sends less is taken as an experiment ([`judge`]): if as much
//! is lost as before, the losses were not of its making, its window is given back, and for a while
//! such losses do not shrink it.

mod judge;

use std::{any::Any, sync::Arc, time::Instant};

use iroh::endpoint::{Controller, ControllerFactory, ControllerMetrics, RttEstimator};
use judge::{Judge, Verdict};
use noq_proto::congestion::{Cubic, CubicConfig};

/// A window of fewer packets than this is so small that chance may have made it so, before there was
/// enough to judge by; when it shows that the losses are not ours, it doubles each round trip again.
const SMALL: u64 = 64;

/// Makes the controller of each path.
#[derive(Debug, Default)]
pub(crate) struct Factory(Arc<CubicConfig>);

impl ControllerFactory for Factory {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(Patient {
            cubic: Cubic::new(Arc::clone(&self.0), now, mtu),
            mtu,
            before: None,
            judge: Judge::default(),
        })
    }
}

/// Cubic, and what it was before it last sent less, while that is on trial.
#[derive(Clone, Debug)]
struct Patient {
    cubic: Cubic,
    mtu: u16,
    before: Option<Cubic>,
    judge: Judge,
}

impl Patient {
    fn heed(&mut self, now: Instant, verdict: Option<Verdict>) {
        let Some(verdict) = verdict else { return };
        let before = self.before.take();
        if let (Verdict::NotOurs, Some(before)) = (verdict, before) {
            self.cubic = before;
            if self.cubic.window() < SMALL * u64::from(self.mtu) {
                self.start_anew(now);
            }
        }
    }

    /// The same window, in slow start.
    fn start_anew(&mut self, now: Instant) {
        let mut config = CubicConfig::default();
        config.initial_window(self.cubic.window());
        self.cubic = Cubic::new(Arc::new(config), now, self.mtu);
    }
}

impl Controller for Patient {
    fn on_packet_sent(&mut self, now: Instant, bytes: u16, number: u64) {
        self.cubic.on_packet_sent(now, bytes, number);
        self.judge.sent(number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        number: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.cubic
            .on_ack(now, sent, bytes, number, app_limited, rtt);
        let took = now.saturating_duration_since(sent);
        let verdict = self.judge.acked(now, number, took);
        self.heed(now, verdict);
    }

    fn on_packet_lost(&mut self, bytes: u16, number: u64, now: Instant) {
        self.cubic.on_packet_lost(bytes, number, now);
        let verdict = self.judge.lost(now, number);
        self.heed(now, verdict);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        persistent: bool,
        ecn: bool,
        bytes: u64,
        number: u64,
    ) {
        // A path that says that it is full, or carries nothing, is believed.
        let certain = persistent || ecn;
        if !certain && self.judge.forgives() {
            return;
        }
        let before = self.cubic.clone();
        self.cubic
            .on_congestion_event(now, sent, persistent, ecn, bytes, number);
        if certain {
            self.judge.drop_case();
            self.before = None;
        } else if self.cubic.window() < before.window() {
            self.judge.try_less();
            self.before = Some(before);
        }
    }

    fn on_spurious_congestion_event(&mut self) {
        self.cubic.on_spurious_congestion_event();
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.mtu = mtu;
        for cubic in [Some(&mut self.cubic), self.before.as_mut()] {
            cubic.into_iter().for_each(|cubic| cubic.on_mtu_update(mtu));
        }
    }

    fn window(&self) -> u64 {
        self.cubic.window()
    }

    fn metrics(&self) -> ControllerMetrics {
        self.cubic.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
