#![allow(clippy::unwrap_used)]

use super::*;

const NOW: u64 = 1_800_000_000_000;
const DAY: u64 = 24 * 60 * 60 * 1_000;

/// NODE-21: of a clock that was a day ahead nothing is left to wait for.
#[test]
fn a_clock_that_was_ahead_puts_nothing_off() {
    let device = |number: u8| DeviceId::from([number; 32]);
    let ahead = NOW + DAY;
    let mut crowd = Crowd::new(SessionId::from([7; 32]), device(0), ahead);
    crowd.refit((0..60).map(|it| (device(it), it == 0)), [device(1)], ahead);
    crowd.not_heard([EventId::from([1; 32])]);
    crowd.connected(device(2), ahead);
    crowd.told(ahead);
    crowd.stirred(ahead);
    assert!(
        crowd.compares(ahead + QUIET_MS),
        "and not again for a minute"
    );
    crowd.stirred(ahead + QUIET_MS);
    crowd.came(EventId::from([2; 32]), ahead);
    assert!(crowd.deadline().unwrap() > NOW + DAY);
    crowd.set_back(NOW);
    assert!(crowd.tell_at <= NOW && crowd.neighbours.due_at() <= NOW);
    assert!(crowd.say_at.unwrap() <= NOW && crowd.rest_until <= NOW);
    assert!(crowd.compares(NOW + QUIET_MS));
    assert!(!crowd.is_news(EventId::from([2; 32]), NOW));
}

/// Where more is on its way than is remembered, what is done goes first.
#[test]
fn what_is_done_is_forgotten_first() {
    let device = |number: u8| DeviceId::from([number; 32]);
    let mut crowd = Crowd::new(SessionId::from([7; 32]), device(0), NOW);
    crowd.refit(
        (0..60).map(|it| (device(it), it == 0)),
        (1..60).map(device),
        NOW,
    );
    let event = |number: usize| {
        let mut id = [0; 32];
        id.iter_mut()
            .zip(number.to_be_bytes())
            .for_each(|(to, byte)| *to = byte);
        EventId::from(id)
    };
    let working = event(MAX_SPREADS + 10);
    crowd.handle(working, Input::Said(Turn::of(NOW)), NOW);
    for number in 0..MAX_SPREADS + 5 {
        crowd.handle(event(number), Input::Held(Turn::of(NOW)), NOW);
    }
    assert!(crowd.knows(working) && !crowd.knows(event(0)));
    assert_eq!(crowd.spreads.len(), MAX_SPREADS);
}
