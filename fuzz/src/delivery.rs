//! A device of a plan that is told anything by members.

use tenet_delivery::fanout::{
    line::{Hope, Line, Member},
    marks::Marks,
    message::{Message, Report},
    plan::Task,
    point::{Point, Span, Turn},
    presence::{Presence, Word},
    shape::MAX_COPIES,
    spread::{Input, ROUNDS, Spread},
};
use tenet_sim::machine::BEGINNING;

use crate::{Target, joined, parts};

/// The targets of this module.
pub const TARGETS: &[Target] = &[Target {
    name: "spread",
    what: "one event at one device, which hears one message after another: a byte for who says it, the message",
    run: spread,
    seeds,
    max_len: 4096,
}];

/// How many are in the session: enough for parts of parts.
const DEVICES: u64 = 300;

fn point(at: u64) -> Point {
    Point((at % DEVICES) << 48)
}

fn line() -> Line {
    Line::new((0..DEVICES).map(|at| Member {
        point: point(at),
        hope: match at % 5 {
            0 => Hope::Away,
            1 => Hope::Here,
            _ => Hope::Likely,
        },
    }))
}

fn spread(data: &[u8]) {
    let (line, mut now) = (line(), BEGINNING);
    let mut spread = Spread::new(point(7), ROUNDS);
    let mut presence = Presence::new();
    let mut said = 0;
    for part in parts(data) {
        let Some((from, bytes)) = part.split_first() else {
            continue;
        };
        let Ok(message) = Message::decode(bytes) else {
            continue;
        };
        assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        said += 1;
        now += u64::from(*from) * 10;
        if let Message::Present(word) = &message {
            presence.take(word, &line, now);
        }
        if let Some(input) = input(point(u64::from(*from)), message) {
            spread.handle(input, &line, now);
        }
    }
    // It comes to rest, has not sent too much, and says a bounded number of words for each that it heard.
    for _ in 0..1_000 {
        let Some(deadline) = spread.deadline() else {
            break;
        };
        now = now.max(deadline);
        spread.handle(Input::Tick, &line, now);
    }
    assert_eq!(spread.deadline(), None);
    assert!(spread.copies() <= MAX_COPIES);
    let answers = std::iter::from_fn(|| spread.poll()).count();
    assert!(answers <= 20 * said + 4 * 2_000, "{answers} to {said}");
    let _ = (spread.debts(&line), spread.reached());
}

fn input(from: Point, message: Message) -> Option<Input> {
    let turn = Turn::of(BEGINNING);
    Some(match message {
        Message::Give(_, task) => Input::Given { from, task, turn },
        Message::Offer(_, task) => Input::Offered { from, task },
        Message::Want(_) => Input::Wanted(from),
        Message::Have(_) => Input::Had(from),
        Message::Report(_, report) => Input::Reported { from, report },
        Message::Present(_) => return None,
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let (line, id) = (line(), [7; 32].into());
    let task = |heads: &[u64], last| Task {
        span: Span {
            first: Point(0),
            last,
        },
        heads: heads.iter().map(|at| point(*at)).collect(),
        known: vec![point(1)],
    };
    let (all, half) = (Span::ALL.last, point(150));
    let report = |done| {
        let span = Span::ALL;
        let has = line.mark(span, |point| point.0 % 3 == 0);
        let away: Option<Marks> = Some(line.mark(span, |point| point.0 % 7 == 0));
        Message::Report(
            id,
            Report {
                span,
                done,
                has,
                away,
            },
        )
    };
    let word = Word {
        period: BEGINNING / 600_000,
        heard: line.mark(Span::ALL, |point| point.0 % 2 == 0),
    };
    let give = |task| Message::Give(vec![1, 2, 3].into(), task);
    let stories = [
        vec![
            (1, give(Some(task(&[7, 2, 3], all)))),
            (2, Message::Have(vec![id])),
            (2, report(true)),
        ],
        vec![
            (1, Message::Offer(id, Some(task(&[2, 7], half)))),
            (1, give(None)),
            (2, report(false)),
            (2, report(true)),
        ],
        vec![
            (1, give(None)),
            (9, Message::Want(id)),
            (3, Message::Offer(id, Some(task(&[3, 4, 7], all)))),
        ],
        vec![(4, Message::Present(word))],
    ];
    let bytes = |story: &Vec<(u8, Message)>| {
        let parts = story.iter().map(|(from, message)| {
            let mut part = vec![*from];
            part.extend(message.encode());
            part
        });
        joined(&parts.collect::<Vec<_>>())
    };
    stories.iter().map(bytes).collect()
}
