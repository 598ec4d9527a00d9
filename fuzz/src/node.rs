//! Frames, requests, and an engine that is told anything by somebody that it knows.

use std::cell::RefCell;

use tenet_identity::hello::Role;
use tenet_log::{
    event::Event,
    sync::{HeadEntry, Message, RangeEntry, Tag},
};
use tenet_node::{
    ask::{Ask, Span},
    frame::Frame,
    input::{AskId, FetchEnd, Input},
};
use tenet_sim::rogue::{Bench, Line, Rogue};

use crate::{Target, joined, parts};

/// The targets of this module.
pub const TARGETS: &[Target] = &[
    Target {
        name: "frame",
        what: "a frame, with the message about a session in it",
        run: frame,
        seeds: frame_seeds,
        max_len: 4096,
    },
    Target {
        name: "ask",
        what: "a request for parts of a file",
        run: ask,
        seeds: || vec![asking()],
        max_len: 2048,
    },
    Target {
        name: "engine",
        what: "an engine that hears frames and requests from a stranger, or from a contact",
        run: engine,
        seeds: engine_seeds,
        max_len: 4096,
    },
];

fn frame(data: &[u8]) {
    if let Ok(frame) = Frame::decode(data) {
        let bytes = frame.encode();
        let again = Frame::decode(&bytes).unwrap();
        assert_eq!(again.encode(), bytes);
    }
}

fn ask(data: &[u8]) {
    if let Ok(ask) = Ask::decode(data) {
        assert_eq!(Ask::decode(&ask.encode()).unwrap(), ask);
    }
}

fn asking() -> Vec<u8> {
    let spans = vec![Span { start: 0, end: 9 }, Span { start: 9, end: 20 }];
    Ask::Blob([4; 32].into(), spans).encode()
}

/// An engine, a contact of it who says anything, and what that one could say in good faith.
struct Told {
    bench: Bench,
    friend: Rogue,
    stranger: Rogue,
    tag: Tag,
    events: Vec<Event>,
}

/// The bytes of the connection's keys: the same in every run, so that tags are too.
const EXPORTER: [u8; 32] = [3; 32];

impl Told {
    fn new() -> Self {
        let (mut bench, mut friend) = (Bench::new(0), Rogue::new(1));
        let link = bench.link(false);
        friend.befriend(&mut bench, &link);
        let events = ["one", "two", "three"].map(|text| friend.write(bench.now, text));
        let line = Line {
            conn: tenet_node::input::ConnId(0),
            exporter: EXPORTER,
            role: Role::Dialled,
        };
        Self {
            tag: friend.tag(line),
            stranger: Rogue::new(2),
            bench,
            friend,
            events: events.to_vec(),
        }
    }
}

/// The first byte says who speaks; then come frames, and requests after a byte that is no frame's.
fn engine(data: &[u8]) {
    thread_local! {
        static TOLD: RefCell<Told> = RefCell::new(Told::new());
    }
    let Some((who, data)) = data.split_first() else {
        return;
    };
    TOLD.with_borrow_mut(|told| {
        let rogue = if who & 1 == 0 {
            &told.friend
        } else {
            &told.stranger
        };
        let (line, _) = told.bench.connect_over(rogue, Role::Dialled, EXPORTER);
        if who & 2 == 0 {
            told.bench.frame(line, &rogue.hello(&told.bench, line));
        }
        if who & 6 == 0 && who & 1 == 0 {
            told.bench.frame(line, &Frame::Meet(vec![told.tag]));
        }
        for (number, part) in (0..).zip(parts(data).take(32)) {
            let conn = line.conn;
            let done = told.bench.tell(match part.split_first() {
                Some((0xff, bytes)) => Input::Asked {
                    conn,
                    ask: AskId(number),
                    bytes: bytes.to_vec(),
                },
                _ => Input::Frame {
                    conn,
                    bytes: part.to_vec(),
                },
            });
            assert!(done.said.len() <= 64, "a bounded answer to each frame");
            for output in done.moved {
                if let tenet_node::input::Output::Fetch { conn, blob, .. } = output {
                    let end = FetchEnd::Refused;
                    told.bench.tell(Input::Fetched { conn, blob, end });
                }
            }
        }
        told.bench.tell(Input::Closed { conn: line.conn });
    });
}

fn messages() -> Vec<Message> {
    let told = Told::new();
    let heads = |event: &Event| HeadEntry {
        author: event.author(),
        seq: event.header().seq,
        id: event.id(),
    };
    let last = told.events.last().unwrap();
    vec![
        Message::Digest([1; 32]),
        Message::Frontier(vec![heads(last)], Vec::new(), Some(vec![0, 255].into())),
        Message::Frontier(Vec::new(), Vec::new(), None),
        Message::Ranges(vec![RangeEntry {
            range: 7,
            digest: [1; 32],
        }]),
        Message::Events(
            told.events
                .iter()
                .map(|event| event.to_wire().into())
                .collect(),
        ),
        Message::Have(vec![heads(last)]),
        Message::Have(Vec::new()),
        Message::Object(
            last.id(),
            tenet_log::sync::Objection::TooEarly(1_720_000_000_000),
        ),
    ]
}

fn frames() -> Vec<Frame> {
    let tag = Told::new().tag;
    let mut frames = vec![Frame::Meet(vec![tag])];
    frames.extend(
        messages()
            .into_iter()
            .map(|message| Frame::Sync(tag, message)),
    );
    frames
}

fn frame_seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = frames().iter().map(Frame::encode).collect();
    for hello in (crate::target("hello").unwrap().seeds)() {
        seeds.push(Frame::Hello(hello.into()).encode());
    }
    for knock in (crate::target("knock").unwrap().seeds)() {
        seeds.push(Frame::Knock(knock.into()).encode());
    }
    seeds
}

fn engine_seeds() -> Vec<Vec<u8>> {
    let said: Vec<_> = frames().iter().map(Frame::encode).collect();
    let asked = [vec![0xff], asking()].concat();
    let mut seeds = Vec::new();
    for who in 0..4 {
        for frame in said.iter().chain([&asked]) {
            seeds.push([vec![who], joined(std::slice::from_ref(frame))].concat());
        }
        seeds.push([vec![who], joined(&said)].concat());
    }
    seeds
}
