#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

const NOW: u64 = 1_800_000_000_000;

struct Bench {
    redial: Redial,
    rng: ChaCha20Rng,
}

impl Bench {
    fn new() -> Self {
        Self {
            redial: Redial::new(),
            rng: ChaCha20Rng::from_seed([1; 32]),
        }
    }

    /// Peers dialled by an input.
    fn after(&mut self, input: Input, now: u64) -> Vec<EndpointId> {
        self.redial.handle(input, now, &mut self.rng);
        std::iter::from_fn(|| self.redial.poll())
            .map(|Output::Dial(peer)| peer)
            .collect()
    }

    /// The wait that a failure at `now` leads to.
    fn wait(&mut self, id: EndpointId, now: u64) -> u64 {
        assert_eq!(self.after(Input::DialFailed(id), now), []);
        self.redial.deadline().unwrap() - now
    }
}

fn peer(n: u8) -> EndpointId {
    EndpointId::from([n; 32])
}

/// DEL-8.
#[test]
fn a_wanted_peer_is_dialled_at_once_and_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.after(Input::Want(peer(1)), NOW), [peer(1)]);
    assert_eq!(bench.after(Input::Want(peer(1)), NOW), []);
    assert_eq!(bench.after(Input::Connected(peer(1)), NOW + 5), []);
    assert_eq!(bench.redial.deadline(), None);
    assert_eq!(bench.after(Input::NetworkChanged, NOW + 9), []);
}

/// DEL-8: who called becomes a contact; and one of whom there is no more reason to dial becomes one again.
#[test]
fn whoever_is_connected_when_wanted_is_not_dialled_before_that_is_lost() {
    let mut bench = Bench::new();
    assert_eq!(bench.after(Input::Connected(peer(1)), NOW), []);
    for news in [
        Input::Want(peer(1)),
        Input::News(peer(1)),
        Input::NetworkChanged,
    ] {
        assert_eq!(bench.after(news, NOW + 5), []);
    }
    assert_eq!(bench.after(Input::Forget(peer(1)), NOW + 10), []);
    assert_eq!(bench.after(Input::Want(peer(1)), NOW + 15), []);
    let lost = NOW + LASTING_MS;
    assert_eq!(bench.after(Input::Lost(peer(1)), lost), [peer(1)]);

    for (n, end) in [(2, Input::Lost(peer(2))), (3, Input::Unmet(peer(3)))] {
        bench.after(Input::Connected(peer(n)), lost);
        assert_eq!(bench.after(end, lost + LASTING_MS), [], "nobody wants it");
        assert_eq!(
            bench.after(Input::Want(peer(n)), lost + LASTING_MS),
            [peer(n)]
        );
    }
}

/// DEL-9.
#[test]
fn waits_double_up_to_five_minutes_less_a_random_part() {
    let mut bench = Bench::new();
    let mut now = NOW;
    assert_eq!(bench.after(Input::Want(peer(1)), now), [peer(1)]);
    for step in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map(|s| s * 1_000) {
        now += 10_000;
        let wait = bench.wait(peer(1), now);
        assert!((step / 2..=step).contains(&wait), "{wait} of {step}");
        now += wait;
        assert_eq!(bench.after(Input::Tick, now - 1), []);
        assert_eq!(bench.after(Input::Tick, now), [peer(1)]);
    }
}

/// DEL-10.
#[test]
fn news_end_the_wait_and_begin_it_anew() {
    for news in [Input::NetworkChanged, Input::News(peer(1))] {
        let mut bench = Bench::new();
        let mut now = NOW;
        bench.after(Input::Want(peer(1)), now);
        for _ in 0..6 {
            now += 1_000;
            now += bench.wait(peer(1), now);
            assert_eq!(bench.after(Input::Tick, now), [peer(1)]);
        }
        now += 10_000;
        assert!(bench.wait(peer(1), now) > 10_000);
        assert_eq!(bench.after(news, now + 1), [peer(1)]);
        now += 2_000;
        assert!(bench.wait(peer(1), now) <= 1_000);
    }
}

/// DEL-10.
#[test]
fn news_during_a_dial_are_not_lost() {
    let mut bench = Bench::new();
    bench.after(Input::Want(peer(1)), NOW);
    assert_eq!(bench.after(Input::NetworkChanged, NOW + 2_000), []);
    assert_eq!(bench.redial.deadline(), None);
    assert_eq!(
        bench.after(Input::DialFailed(peer(1)), NOW + 5_000),
        [peer(1)]
    );
}

/// DEL-10: it was dialled where it is no more, and is seen on the local network.
#[test]
fn a_dial_under_way_hears_where_else_the_peer_is_met() {
    let mut bench = Bench::new();
    bench.after(Input::Want(peer(1)), NOW);
    assert_eq!(bench.after(Input::News(peer(1)), NOW + 10), []);
    assert_eq!(bench.redial.deadline(), Some(NOW + LEAST_GAP_MS));
    assert_eq!(bench.after(Input::News(peer(1)), NOW + 20), []);
    assert_eq!(bench.after(Input::Tick, NOW + 1_000), [peer(1)]);
    assert_eq!(bench.redial.deadline(), None);
    assert_eq!(bench.after(Input::News(peer(1)), NOW + 5_000), [peer(1)]);
    assert_eq!(bench.redial.under_way(), 1);
    bench.after(Input::Connected(peer(1)), NOW + 5_100);
    assert_eq!(bench.after(Input::News(peer(1)), NOW + 9_000), []);
    assert_eq!(bench.redial.deadline(), None);
}

/// DEL-10, DEL-12: it has its room already.
#[test]
fn a_dial_under_way_hears_it_also_where_no_further_dial_may_begin() {
    let mut bench = Bench::new();
    for n in 0..40 {
        bench.after(Input::Want(peer(n)), NOW);
    }
    assert_eq!(bench.after(Input::News(peer(3)), NOW + 10), []);
    assert_eq!(bench.redial.deadline(), Some(NOW + LEAST_GAP_MS));
    assert_eq!(bench.after(Input::Tick, NOW + LEAST_GAP_MS), [peer(3)]);
    assert_eq!(bench.redial.under_way(), MAX_UNDER_WAY);
}

/// DEL-10: somebody on the LAN pretends to be the peer, again and again.
#[test]
fn forged_news_cost_one_dial_a_second() {
    let mut bench = Bench::new();
    let mut dials = bench.after(Input::Want(peer(1)), NOW).len();
    for now in NOW..NOW + 10_000 {
        dials += bench.after(Input::News(peer(1)), now).len();
        dials += bench.after(Input::DialFailed(peer(1)), now).len();
    }
    assert_eq!(dials, 10);
}

/// DEL-11.
#[test]
fn a_lost_connection_is_dialled_at_once_if_it_had_lasted() {
    let mut bench = Bench::new();
    bench.after(Input::Want(peer(1)), NOW);
    bench.after(Input::Connected(peer(1)), NOW + 100);
    let lost = NOW + 100 + LASTING_MS;
    assert_eq!(bench.after(Input::Lost(peer(1)), lost), [peer(1)]);
    bench.after(Input::Connected(peer(1)), lost + 50);
    assert_eq!(
        bench.after(Input::Lost(peer(1)), lost + 60),
        [],
        "who hangs up at once waits"
    );
    assert!(bench.redial.deadline().unwrap() >= lost + 60 + FIRST_WAIT_MS / 2);
}

/// DEL-12.
#[test]
fn at_most_so_many_dials_are_under_way_and_nobody_is_passed_over() {
    let mut bench = Bench::new();
    let mut dialled = Vec::new();
    let (at_once, all) = (u8::try_from(MAX_UNDER_WAY).unwrap(), 50);
    for n in 0..all {
        dialled.extend(bench.after(Input::Want(peer(n)), NOW + u64::from(n)));
    }
    assert_eq!(dialled, (0..at_once).map(peer).collect::<Vec<_>>());
    assert_eq!(
        bench.redial.deadline(),
        None,
        "no dial may begin before one ends"
    );
    let mut dialled = Vec::new();
    for n in 0..all - at_once {
        dialled.extend(bench.after(Input::DialFailed(peer(n)), NOW + 100));
        assert_eq!(bench.redial.under_way(), MAX_UNDER_WAY);
    }
    assert_eq!(dialled, (at_once..all).map(peer).collect::<Vec<_>>());
}

/// DEL-8.
#[test]
fn a_forgotten_peer_is_not_dialled_again() {
    let mut bench = Bench::new();
    bench.after(Input::Want(peer(1)), NOW);
    bench.after(Input::Forget(peer(1)), NOW);
    assert_eq!(bench.redial.under_way(), 1, "the dial still ends by itself");
    assert_eq!(bench.after(Input::DialFailed(peer(1)), NOW + 9_000), []);
    assert_eq!(
        (bench.redial.under_way(), bench.redial.deadline()),
        (0, None)
    );
    assert_eq!(bench.after(Input::News(peer(1)), NOW + 9_000), []);

    bench.after(Input::Want(peer(2)), NOW);
    bench.after(Input::Forget(peer(2)), NOW);
    bench.after(Input::Want(peer(2)), NOW);
    assert_eq!(
        bench.after(Input::DialFailed(peer(2)), NOW + 9_000),
        [peer(2)]
    );
}

#[test]
fn a_clock_set_back_prolongs_no_wait() {
    let mut bench = Bench::new();
    bench.after(Input::Want(peer(1)), NOW);
    bench.after(Input::DialFailed(peer(1)), NOW + 1_000);
    let back = NOW - 24 * 3_600_000;
    bench.after(Input::Tick, back);
    assert!(bench.redial.deadline().unwrap() <= back + LONGEST_WAIT_MS);
    assert_eq!(bench.after(Input::News(peer(1)), back), []);
    assert_eq!(bench.after(Input::Tick, back + LEAST_GAP_MS), [peer(1)]);
}

fn inputs() -> impl Strategy<Value = Vec<(u64, usize, u8)>> {
    let step = prop_oneof![0..50u64, 0..2_000u64, 0..400_000u64];
    prop::collection::vec((step, 0..8usize, 0..12u8), 0..200)
}

proptest! {
    /// Whatever happens: never more dials than may be, no peer twice at a time but for news of
    /// where it is, no peer more often than the least gap allows, a deadline that is near, and the same again from the same
    /// seed.
    #[test]
    fn holds_its_limits(inputs in inputs(), seed in any::<[u8; 32]>()) {
        let run = || {
            let mut bench = Bench { redial: Redial::new(), rng: ChaCha20Rng::from_seed(seed) };
            let mut now = NOW;
            let mut under_way = std::collections::BTreeSet::new();
            let mut moved = std::collections::BTreeSet::new();
            let mut last = BTreeMap::new();
            let mut story = Vec::new();
            for (step, what, n) in &inputs {
                now += step;
                let id = peer(*n);
                let input = match what {
                    0 | 1 => Input::Want(id),
                    2 => Input::Forget(id),
                    3 => Input::Connected(id),
                    4 => Input::Lost(id),
                    5 => Input::News(id),
                    6 => Input::NetworkChanged,
                    _ if under_way.contains(&id) => Input::DialFailed(id),
                    _ => Input::Tick,
                };
                if matches!(input, Input::Connected(_) | Input::DialFailed(_)) {
                    under_way.remove(&id);
                    moved.remove(&id);
                }
                if matches!(input, Input::News(_)) && under_way.contains(&id) {
                    moved.insert(id);
                }
                if matches!(input, Input::Forget(_)) {
                    last.remove(&id); // It starts afresh.
                }
                for dialled in bench.after(input, now) {
                    let first = under_way.insert(dialled);
                    let again = moved.remove(&dialled);
                    prop_assert!(first || again, "dialled twice at a time for nothing");
                    story.push((now, dialled));
                    if let Some(before) = last.insert(dialled, now) {
                        prop_assert!(now - before >= LEAST_GAP_MS, "dialled too often");
                    }
                }
                prop_assert!(under_way.len() <= MAX_UNDER_WAY);
                if let Some(deadline) = bench.redial.deadline() {
                    prop_assert!(deadline > now && deadline <= now + LONGEST_WAIT_MS);
                }
            }
            Ok(story)
        };
        prop_assert_eq!(run()?, run()?);
    }

    /// A peer that is wanted and never reached is dialled again and again for ever.
    #[test]
    fn never_gives_up(rounds in 1..60usize) {
        let mut bench = Bench::new();
        let mut now = NOW;
        let mut dialled = bench.after(Input::Want(peer(1)), now);
        for _ in 0..rounds {
            prop_assert_eq!(&dialled, &[peer(1)]);
            now += 100;
            dialled = bench.after(Input::DialFailed(peer(1)), now);
            prop_assert!(dialled.is_empty());
            now = bench.redial.deadline().expect("it is wanted");
            dialled = bench.after(Input::Tick, now);
        }
    }
}
