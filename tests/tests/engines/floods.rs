//! Somebody who is known sends more than anybody could want: what it costs, and who is told.

use std::time::{Duration, Instant};

use tenet_apps::{
    chat::{
        Action,
        edit::Edit,
        file::File,
        react::{Emoji, React},
    },
    contacts::endpoint::{self, Endpoint},
};
use tenet_delivery::fetch::{FetchState, Fetches};
use tenet_identity::keys::EndpointId;
use tenet_log::{
    clock::Hlc,
    event::Event,
    ids::{BlobId, EventId},
    register::Register,
    store::LogStore,
    sync::{HeadEntry, Message, Objection},
};
use tenet_node::{
    command::{Command, Reply},
    engine::Allowance,
    frame::Frame,
    input::{Input, Notice, Output},
};
use tenet_sim::rogue::{Bench, Done, Line, Rogue};

/// A contact who has an engine to itself.
struct Flood {
    bench: Bench,
    rogue: Rogue,
    line: Line,
}

impl Flood {
    fn new(allowance: Allowance) -> Self {
        let (mut bench, mut rogue) = (Bench::new(0), Rogue::new(1));
        bench.engine.allow(allowance);
        let link = bench.link(false);
        let line = rogue.befriend(&mut bench, &link);
        Self { bench, rogue, line }
    }

    fn usual() -> Self {
        Self::new(Allowance::default())
    }

    fn send(&mut self, events: &[Event]) -> Done {
        let events: Vec<_> = events.iter().collect();
        let frame = self.rogue.events(self.line, &events);
        self.bench.frame(self.line, &frame)
    }

    /// Writes so many texts and sends them, a hundred at a time.
    fn write(&mut self, many: usize) -> Vec<Done> {
        let now = self.bench.now;
        let mut done = Vec::new();
        for _ in 0..many / 100 {
            let events: Vec<_> = (0..100).map(|_| self.rogue.write(now, "hi")).collect();
            done.push(self.send(&events));
        }
        done
    }

    fn is_told(&self, done: &[Done]) -> usize {
        let who = self.rogue.own.identity();
        let told = done.iter().flat_map(|done| &done.told);
        told.filter(|notice| matches!(notice, Notice::TooMuch { identity, .. } if *identity == who))
            .count()
    }

    fn stored(&self) -> usize {
        self.bench.stored().1
    }
}

fn is_refused(done: &Done) -> bool {
    let refused =
        |frame: &Frame| matches!(frame, Frame::Sync(_, Message::Object(_, Objection::NoRoom)));
    done.said.iter().any(refused)
}

/// Little, so that a flood is over soon.
pub(super) const SMALL: Allowance = Allowance {
    log: 400 << 10,
    files: 4 << 20,
};

/// NODE-301.
#[test]
fn what_floods_is_kept_up_to_a_limit_and_a_person_is_told_once() {
    let mut flood = Flood::new(SMALL);
    let done = flood.write(2_000);
    let kept = flood.stored();
    assert!((100..1_000).contains(&kept), "{kept}");
    assert_eq!(flood.is_told(&done), 1);
    assert!(is_refused(done.last().unwrap()));
    assert!(
        done.iter().all(|done| done.closed.is_empty()),
        "back-pressure, not an end"
    );
    // Also what comes after that over another connection.
    flood.write(200);
    assert_eq!(flood.stored(), kept);
}

/// NODE-301: a hundred thousand messages are no flood, but what a friend wrote in a year.
#[test]
fn what_a_friend_wrote_in_a_long_absence_fits() {
    let per_message = 512 + 400;
    assert!(Allowance::default().log > 2 * 100_000 * per_message);
    let mut flood = Flood::usual();
    let done = flood.write(1_000);
    assert_eq!(flood.is_told(&done), 0);
    assert!(flood.stored() > 1_000);
}

/// NODE-304.
#[test]
fn whoever_writes_or_reads_hears_the_rest() {
    for looks in [false, true] {
        let mut flood = Flood::new(SMALL);
        flood.write(1_000);
        let before = flood.stored();
        let who = flood.rogue.own.name.clone();
        let done = if looks {
            flood.bench.ask(Command::Read { who })
        } else {
            flood.bench.ask(Command::Send {
                who,
                text: "stop it".into(),
                reply: None,
                files: Vec::new(),
            })
        };
        assert!(matches!(done, Ok(Reply::Read { .. } | Reply::Sent { .. })));
        // All is compared anew at once.
        assert_eq!(flood.bench.engine.deadline(), Some(flood.bench.now));
        let done = flood.bench.tell(Input::Tick);
        let compares = |frame: &Frame| matches!(frame, Frame::Sync(_, Message::Digest(_)));
        assert!(done.said.iter().any(compares));
        // What it had sent in vain it sends again, and what it has to say beyond.
        let session = flood.rogue.session.as_ref().unwrap().id();
        let all = flood.rogue.disk.since(session, Default::default(), 2_000);
        let lacking: Vec<_> = all
            .unwrap()
            .into_iter()
            .map(|stored| stored.event)
            .collect();
        let from = before.saturating_sub(4);
        flood.send(&lacking[from..from + 100]);
        assert!(flood.stored() > before);
    }
}

/// NODE-304: what I said long ago, and somebody gives again, is no sign that I look.
#[test]
fn my_words_that_somebody_gives_again_are_no_look() {
    let mut flood = Flood::new(SMALL);
    let who = flood.rogue.own.name.clone();
    for text in ["long ago", "later"] {
        let (who, text) = (who.clone(), text.into());
        let (reply, files) = (None, Vec::new());
        let said = Command::Send {
            who,
            text,
            reply,
            files,
        };
        assert!(flood.bench.ask(said).is_ok());
    }
    let session = flood.rogue.session.as_ref().unwrap().id();
    let stored = flood.bench.engine.store();
    let stored = stored.since(session, Default::default(), 1_000).unwrap();
    let me = flood.bench.engine.own().device();
    let mut mine = stored
        .into_iter()
        .map(|stored| stored.event)
        .filter(|event| event.author().device == me && !event.header().kind.is_roster());
    let old = mine.next().unwrap();
    assert!(mine.next().is_some(), "it is not the last");
    let now = flood.bench.now;
    let before = flood.stored();
    for _ in 0..20 {
        let theirs = (0..100).map(|_| flood.rogue.write(now, "hi"));
        let events: Vec<Event> = std::iter::once(old.clone()).chain(theirs).collect();
        flood.send(&events);
    }
    let kept = flood.stored() - before;
    assert!((100..1_000).contains(&kept), "{kept}");
}

/// NODE-301: what waits for its time takes room once, however often somebody brings it.
#[test]
fn what_waits_for_its_time_is_counted_once() {
    let mut flood = Flood::new(SMALL);
    let now = flood.bench.now;
    let before = flood.rogue.session.clone();
    let early = flood.rogue.write(now + 3_600_000, "from the future");
    let done: Vec<Done> = (0..2_000)
        .map(|_| flood.send(std::slice::from_ref(&early)))
        .collect();
    assert_eq!(flood.is_told(&done), 0);
    flood.rogue.session = before;
    let said = flood.rogue.write(now, "on time");
    assert!(!is_refused(&flood.send(&[said])));
}

/// NODE-302.
#[test]
fn registers_count_as_well() {
    let mut flood = Flood::new(SMALL);
    let session = flood.rogue.session.as_ref().unwrap().id();
    let now = flood.bench.now;
    let mut done = Vec::new();
    let mut bytes = 0;
    for number in 0..200_u64 {
        let time = Hlc::from_millis(now).raw() + number;
        let value = vec![0; 4_000];
        bytes += value.len();
        let register = Register::sign(
            &flood.rogue.own.key,
            session,
            "mood",
            Hlc::from_raw(time),
            value,
        );
        let register = register.unwrap().encode().into();
        let frame = flood
            .rogue
            .sync(flood.line, Message::Registers(vec![register]));
        done.push(flood.bench.frame(flood.line, &frame));
    }
    assert!(bytes as u64 > SMALL.log);
    assert_eq!(flood.is_told(&done), 1);
    assert!(is_refused(&flood.write(100)[0]));
}

/// NODE-303.
#[test]
fn small_files_are_fetched_unasked_up_to_a_limit() {
    let mut flood = Flood::new(SMALL);
    let now = flood.bench.now;
    for number in 0..10_u8 {
        let blob = BlobId::from([number; 32]);
        let file = File::new("a".into(), 1 << 20, blob, [1; 32]).unwrap();
        let event = flood.rogue.write_with(now, "", vec![file]);
        flood.send(&[event]);
    }
    let store = flood.bench.engine.store();
    assert_eq!(store.fetches(FetchState::Wanted).unwrap().len(), 4);
    assert_eq!(store.fetches(FetchState::Offered).unwrap().len(), 6);
}

/// However often a content is named, naming it once more costs the same.
#[test]
fn a_content_may_be_named_again_and_again() {
    let mut flood = Flood::usual();
    let now = flood.bench.now;
    let blob = BlobId::from([7; 32]);
    let file = File::new("a".into(), 9, blob, [1; 32]).unwrap();
    let mut took = Vec::new();
    for _ in 0..20 {
        let events: Vec<_> = (0..100)
            .map(|_| flood.rogue.write_with(now, "", vec![file.clone(); 8]))
            .collect();
        let before = flood.bench.engine.store().reads();
        flood.send(&events);
        took.push(flood.bench.engine.store().reads() - before);
    }
    assert!(took[19] <= took[1] * 2, "{took:?}");
}

/// What refers to one message is folded once when all of it stands otherwise.
#[test]
fn a_flood_of_reactions_that_counts_no_more_is_folded_once() {
    let emoji = Emoji::new("👍").unwrap();
    is_folded_once(|said, number| Action::React(React::new(said, emoji.clone(), number % 2 == 0)));
}

/// Nor is each looked for among all others, as something that was perhaps taken back in vain.
#[test]
fn a_flood_of_edits_that_counts_no_more_is_folded_once() {
    is_folded_once(|said, number| {
        Action::Edit(Edit::new(said, format!("no, at that: {number}")).unwrap())
    });
}

fn is_folded_once(about: impl Fn(EventId, usize) -> Action) {
    let mut flood = Flood::usual();
    let now = flood.bench.now;
    let said = flood.rogue.write(now, "look at this");
    // Another history of its device, from before the reactions.
    let other = flood.rogue.session.clone().unwrap();
    flood.send(std::slice::from_ref(&said));
    for _ in 0..30 {
        let events: Vec<_> = (0..100)
            .map(|number| flood.rogue.act(now, &about(said.id(), number)))
            .collect();
        flood.send(&events);
    }
    flood.rogue.session = Some(other);
    let fork = flood.rogue.write(now + 1, "I never said that");
    let begun = Instant::now();
    let before = flood.bench.engine.store().reads();
    let done = flood.send(&[fork]);
    let reads = flood.bench.engine.store().reads() - before;
    let forked = |notice: &&Notice| matches!(notice, Notice::Forked { .. });
    assert!(done.told.iter().any(|notice| forked(&notice)));
    // Each reaction some few times, not each for each.
    assert!(reads < 3_000 * 20, "{reads}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

/// A device is met at one endpoint: the others that it named are forgotten.
#[test]
fn a_device_that_moves_all_the_time_is_dialled_at_one_place() {
    let mut flood = Flood::usual();
    let session = flood.rogue.session.as_ref().unwrap().id();
    let now = flood.bench.now;
    let mut inputs = Vec::new();
    for number in 0..200_u64 {
        let mut id = [9; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        let at = ["192.0.2.1:9".parse().unwrap()];
        let value = Endpoint::new(EndpointId::from(id), &at, 9).encode();
        let time = Hlc::from_raw(Hlc::from_millis(now).raw() + number);
        let register = Register::sign(&flood.rogue.own.key, session, endpoint::KEY, time, value);
        let register = register.unwrap().encode().into();
        let frame = flood
            .rogue
            .sync(flood.line, Message::Registers(vec![register]));
        inputs.push(Input::Frame {
            conn: flood.line.conn,
            bytes: frame.encode(),
        });
    }
    inputs.push(Input::Closed {
        conn: flood.line.conn,
    });
    for input in inputs {
        dialled(&mut flood.bench, input);
    }
    // An hour later.
    flood.bench.now += 3_600_000;
    let peers = dialled(&mut flood.bench, Input::Tick);
    assert!((1..=2).contains(&peers), "{peers} endpoints are dialled");
}

/// How many endpoints are dialled; nobody is there.
fn dialled(bench: &mut Bench, input: Input) -> usize {
    let mut peers = std::collections::BTreeSet::new();
    let mut inputs = vec![input];
    while let Some(input) = inputs.pop() {
        for output in bench.outputs(input) {
            if let Output::Dial { peer, .. } = output {
                peers.insert(peer);
                inputs.push(Input::DialFailed { peer });
            }
        }
    }
    peers.len()
}

/// One acknowledgement names a chain as often as it likes: it is looked up once.
#[test]
fn an_acknowledgement_that_says_the_same_a_thousand_times_costs_one() {
    let mut flood = Flood::usual();
    let who = flood.rogue.own.name.clone();
    let sent = flood.bench.ask(Command::Send {
        who,
        text: "hello".into(),
        reply: None,
        files: Vec::new(),
    });
    let Ok(Reply::Sent { id, .. }) = sent else {
        panic!("{sent:?}")
    };
    let event = flood.bench.engine.store().event(id).unwrap().unwrap().event;
    let head = HeadEntry {
        author: event.author(),
        seq: event.header().seq,
        id,
    };
    let mut beyond = head;
    beyond.seq += 1;
    let mut heads = vec![head; 1_000];
    heads.push(beyond);
    let before = flood.bench.engine.store().writes();
    let frame = flood.rogue.sync(flood.line, Message::Have(heads));
    let done = flood.bench.frame(flood.line, &frame);
    let writes = flood.bench.engine.store().writes() - before;
    assert!(writes < 10, "{writes}");
    let delivered = |notice: &Notice| matches!(notice, Notice::Progress { .. });
    assert!(done.told.iter().any(delivered));
}
