#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::chat::{
    edit::Edit,
    testing::{MemoryChat, Writer},
    text::Text,
    told::Told,
    unsend::Unsend,
    view::{self, Message},
};
use proptest::prelude::*;
use tenet_log::{
    event::Kind,
    roster::{Op, Removal, Withdrawal},
    session::{Draft, DraftContent},
};

/// A store whose log has what it folds.
#[derive(Default)]
struct Bench(MemoryChat);

impl Bench {
    fn take(&mut self, entry: &Entry<'_>) -> Vec<Change> {
        let entry = self.logged(entry);
        fold(&mut self.0, &entry).unwrap()
    }

    fn restand(&mut self, entry: &Entry<'_>) -> Vec<Change> {
        let entry = self.logged(entry);
        let (mut changes, target) = restand(&mut self.0, &entry).unwrap();
        if let Some(target) = target {
            let session = entry.event.session();
            changes.extend(rebuild(&mut self.0, session, target).unwrap());
        }
        changes
    }

    fn logged<'a>(&mut self, entry: &Entry<'a>) -> Entry<'a> {
        let position = self.0.log(entry.event, entry.counts);
        Entry { position, ..*entry }
    }

    fn view(&self) -> Vec<Message> {
        let sessions = [SessionId::from([1; 32]), SessionId::from([2; 32])];
        let rows = self.0.history(&sessions, None, usize::MAX).unwrap();
        let me = IdentityId::from([1; 32]);
        rows.iter()
            .map(|row| view::load(&self.0, row, me, &[]).unwrap())
            .collect()
    }

    fn only(&self) -> Message {
        let [message] = <[Message; 1]>::try_from(self.view()).unwrap();
        message
    }
}

fn edit(target: EventId, text: &str) -> Action {
    Action::Edit(Edit::new(target, text.into()).unwrap())
}

#[test]
fn a_text_costs_one_insert_and_no_read() {
    let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
    let event = anna.text("hi");
    let changes = bench.take(&anna.entry(&event));
    let (session, message) = (event.session(), event.id());
    assert_eq!(
        changes,
        [Change::Added {
            session,
            message,
            files: false
        }]
    );
    assert_eq!(bench.0.calls.get(), 1);
    assert_eq!(bench.take(&anna.entry(&event)), [], "the same event again");
    assert_eq!(bench.only().text.as_deref(), Some("hi"));
}

#[test]
fn an_answer_names_what_it_answers() {
    let (mut bench, mut anna, mut bert) = (Bench::default(), Writer::new(1, 1), Writer::new(2, 1));
    let question = anna.text("lunch?");
    bert.time += 10;
    let reply = Text::new("yes".into(), Some(question.id())).unwrap();
    let answer = bert.act(&Action::Text(reply));
    bench.take(&bert.entry(&answer));
    bench.take(&anna.entry(&question));
    let view = bench.view();
    assert_eq!(
        (view[0].id, view[1].reply),
        (question.id(), Some(question.id()))
    );
}

/// CHAT-1301, CHAT-1302.
#[test]
fn what_was_done_to_a_session_stands_among_its_messages() {
    let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
    let carol = IdentityId::from([3; 32]);
    let removal = Op::Remove(Removal {
        identity: carol,
        shut_out: true,
    });
    let event = anna.write(Draft {
        kind: Kind::new(removal.kind()).unwrap(),
        content: DraftContent::Payload(removal.payload()),
        expires: None,
    });
    let (session, message) = (event.session(), event.id());
    let entry = anna.entry(&event);
    assert_eq!(bench.take(&entry), [Change::Told { session, message }]);
    let unsend = anna.act(&Action::Unsend(Unsend::new(message)));
    assert_eq!(bench.take(&anna.entry(&unsend)), []);
    let line = bench.only();
    assert_eq!((line.kind, line.text, line.unsent), ("group", None, false));
    assert_eq!(line.told, Some(Told::Removed(carol, true)));
    let chain = bench.0.chain_back(session, event.author(), u64::MAX, 9);
    assert_eq!(chain.unwrap(), []);
    let void = Entry {
        counts: false,
        ..entry
    };
    assert_eq!(bench.restand(&void), [Change::Removed { session, message }]);
    assert_eq!(bench.view(), []);
}

/// CHAT-1303: whichever comes first, and only of whom it names.
#[test]
fn what_was_withdrawn_is_not_shown_but_by_whom_and_why() {
    let (mut anna, mut bert) = (Writer::new(1, 1), Writer::new(2, 1));
    let text = anna.text("buy this");
    let withdrawal = |identity| {
        Action::Withdraw(Withdrawal {
            identity,
            event: text.id(),
            reason: "spam".into(),
        })
    };
    let mistaken = bert.act(&withdrawal(bert.identity));
    let meant = bert.act(&withdrawal(anna.identity));
    for late in [false, true] {
        let mut bench = Bench::default();
        let mut all = vec![anna.entry(&text), bert.entry(&mistaken), bert.entry(&meant)];
        if late {
            all.reverse();
        }
        for entry in &all {
            bench.take(entry);
        }
        let view = bench.view();
        let message = view.iter().find(|one| one.id == text.id()).unwrap();
        let withdrawn = message.withdrawn.as_ref().unwrap();
        assert_eq!((withdrawn.by, &*withdrawn.reason), (bert.identity, "spam"));
        assert_eq!((&message.text, message.unsent), (&None, false));
        // Both stand as lines. Where the withdrawal counts no more, the words are back.
        assert_eq!(view.len(), 3);
        let entry = bert.entry(&meant);
        bench.restand(&Entry {
            counts: false,
            ..entry
        });
        let view = bench.view();
        let message = view.iter().find(|one| one.id == text.id()).unwrap();
        assert_eq!(message.text.as_deref(), Some("buy this"));
    }
}

/// CHAT-6.
#[test]
fn what_refers_to_a_message_waits_for_it() {
    let (mut bench, mut anna, mut bert) = (Bench::default(), Writer::new(1, 1), Writer::new(2, 1));
    let text = anna.text("helo");
    let fixed = anna.act(&edit(text.id(), "hello"));
    let liked = bert.react(text.id(), "👍", true);
    assert_eq!(bench.take(&anna.entry(&fixed)), []);
    assert_eq!(bench.take(&bert.entry(&liked)), []);
    assert_eq!(bench.view(), []);
    bench.take(&anna.entry(&text));
    let message = bench.only();
    assert_eq!(
        (message.text.as_deref(), message.edited),
        (Some("hello"), true)
    );
    assert_eq!(
        message
            .reactions
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["👍"]
    );
}

/// CHAT-7, CHAT-8.
#[test]
fn only_the_author_changes_a_message_whichever_comes_first() {
    for early in [true, false] {
        let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
        let mut eve = Writer::new(3, 1);
        let text = anna.text("I owe you 5");
        let forged = [
            eve.act(&edit(text.id(), "I owe you 500")),
            eve.act(&Action::Unsend(Unsend::new(text.id()))),
        ];
        if !early {
            bench.take(&anna.entry(&text));
        }
        for event in &forged {
            assert_eq!(bench.take(&eve.entry(event)), []);
        }
        bench.take(&anna.entry(&text));
        let message = bench.only();
        assert_eq!(message.text.as_deref(), Some("I owe you 5"));
        assert!(!message.edited && !message.unsent);
    }
}

/// CHAT-7: another device of the author is the author too.
#[test]
fn the_author_edits_from_another_device() {
    let (mut bench, mut phone, mut laptop) =
        (Bench::default(), Writer::new(1, 1), Writer::new(9, 1));
    laptop.identity = phone.identity;
    laptop.time += 5;
    let text = phone.text("helo");
    let fixed = laptop.act(&edit(text.id(), "hello"));
    bench.take(&phone.entry(&text));
    let changes = bench.take(&laptop.entry(&fixed));
    assert_eq!(
        changes,
        [Change::Changed {
            session: text.session(),
            message: text.id()
        }]
    );
    assert_eq!(bench.only().text.as_deref(), Some("hello"));
}

/// CHAT-8.
#[test]
fn what_was_taken_back_shows_nothing_and_stays_taken_back() {
    let (mut bench, mut anna, mut bert) = (Bench::default(), Writer::new(1, 1), Writer::new(2, 1));
    let text = anna.text("oh no");
    let liked = bert.react(text.id(), "👍", true);
    let gone = anna.act(&Action::Unsend(Unsend::new(text.id())));
    let fixed = anna.act(&edit(text.id(), "hello"));
    for event in [&text, &gone, &fixed] {
        bench.take(&anna.entry(event));
    }
    bench.take(&bert.entry(&liked));
    let message = bench.only();
    assert_eq!(
        (message.text, message.unsent, message.edited),
        (None, true, false)
    );
    assert!(message.reactions.is_empty());
}

/// CHAT-6: a session's members have no say in another session.
#[test]
fn nothing_crosses_from_session_to_session() {
    for early in [true, false] {
        let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
        let (mut elsewhere, mut eve) = (Writer::new(1, 2), Writer::new(3, 2));
        let text = anna.text("hi");
        let edited = elsewhere.act(&edit(text.id(), "ho"));
        let liked = eve.react(text.id(), "👎", true);
        if !early {
            bench.take(&anna.entry(&text));
        }
        assert_eq!(bench.take(&elsewhere.entry(&edited)), []);
        assert_eq!(bench.take(&eve.entry(&liked)), []);
        bench.take(&anna.entry(&text));
        let message = bench.only();
        assert_eq!(
            (message.text.as_deref(), message.edited),
            (Some("hi"), false)
        );
        assert!(message.reactions.is_empty());
    }
}

/// CHAT-3.
#[test]
fn malformed_and_foreign_events_do_nothing() {
    let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
    for kind in ["chat.text", "chat.edit", "chat.poll"] {
        let kind = tenet_log::event::Kind::new(kind).unwrap();
        let draft = Draft {
            kind,
            content: DraftContent::Body(vec![0xa0]),
            expires: None,
        };
        let event = anna.write(draft);
        assert_eq!(bench.take(&anna.entry(&event)), []);
        assert_eq!(bench.restand(&anna.entry(&event)), []);
    }
    assert_eq!(bench.view(), []);
}

/// CHAT-11.
#[test]
fn a_message_that_counts_no_more_is_hidden_and_comes_back() {
    let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
    let text = anna.text("hi");
    let (session, message) = (text.session(), text.id());
    let entry = anna.entry(&text);
    bench.take(&entry);
    let void = Entry {
        counts: false,
        ..entry
    };
    assert_eq!(bench.restand(&void), [Change::Removed { session, message }]);
    assert_eq!(bench.restand(&void), []);
    assert_eq!(bench.view(), []);
    assert_eq!(
        bench.restand(&entry),
        [Change::Added {
            session,
            message,
            files: false
        }]
    );
    assert_eq!(bench.only().text.as_deref(), Some("hi"));
}

/// CHAT-11.
#[test]
fn an_edit_that_counts_no_more_gives_way_to_the_one_before() {
    let (mut bench, mut anna) = (Bench::default(), Writer::new(1, 1));
    let text = anna.text("one");
    let edits = [
        anna.act(&edit(text.id(), "two")),
        anna.act(&edit(text.id(), "three")),
    ];
    for event in [&text, &edits[0], &edits[1]] {
        bench.take(&anna.entry(event));
    }
    let shown = |bench: &Bench| bench.only().text.unwrap();
    assert_eq!(shown(&bench), "three");
    bench.restand(&Entry {
        counts: false,
        ..anna.entry(&edits[1])
    });
    assert_eq!(shown(&bench), "two");
    bench.restand(&Entry {
        counts: false,
        ..anna.entry(&edits[0])
    });
    assert_eq!(shown(&bench), "one");
    let changes = bench.restand(&anna.entry(&edits[1]));
    assert_eq!(
        changes,
        [Change::Changed {
            session: text.session(),
            message: text.id()
        }]
    );
    assert_eq!(shown(&bench), "three");
}

/// A message, what it says, and its reactions, each with the first byte of whose it is.
type Shown = (EventId, Option<String>, Vec<(String, u8)>);

/// A story of three devices of two people and a stranger: who does what to which of the texts.
fn story() -> impl Strategy<Value = Vec<(Event, IdentityId)>> {
    let deed = (0..4usize, 0..6u8, 0..3usize, 0..4u8, 0..40u64);
    prop::collection::vec(deed, 0..40).prop_map(|deeds| {
        let mut writers: Vec<_> = (1..=4).map(|n| Writer::new(n, 1)).collect();
        writers[1].identity = writers[0].identity;
        let mut events = Vec::new();
        // The texts come first here, so that their ids are known; they are shuffled afterwards.
        let mut targets = Vec::new();
        for (n, writer) in writers.iter_mut().enumerate().take(3) {
            let event = writer.text(&format!("text {n}"));
            targets.push(event.id());
            events.push((event, writer.identity));
        }
        for (by, what, target, emoji, pause) in deeds {
            let writer = &mut writers[by];
            writer.time += pause;
            let (target, emoji) = (targets[target], ["👍", "🎉", "❤️", "+1"][emoji as usize]);
            let event = match what {
                0 => writer.text("another"),
                1 => writer.act(&edit(target, &format!("edit at {}", writer.time))),
                2 => writer.act(&Action::Unsend(Unsend::new(target))),
                3 => writer.react(target, emoji, false),
                _ => writer.react(target, emoji, true),
            };
            events.push((event, writer.identity));
        }
        events
    })
}

fn entry((event, identity): &(Event, IdentityId), counts: bool) -> Entry<'_> {
    Entry {
        event,
        position: Position(0),
        identity: *identity,
        counts,
    }
}

/// What the spec says, done the slow way: everything at once, in the total order.
fn expected(story: &[(Event, IdentityId)]) -> Vec<Shown> {
    let mut ordered: Vec<_> = story.iter().collect();
    ordered.sort_by_key(|(event, _)| event.order());
    let action = |event: &Event| Action::decode(event).unwrap().unwrap();
    let mut messages = Vec::new();
    for (event, author) in &ordered {
        let Action::Text(text) = action(event) else {
            continue;
        };
        let (mut says, mut reactions) = (Some(text.into_text()), Vec::new());
        let mut unsent = false;
        for (other, by) in &ordered {
            match action(other) {
                Action::Edit(edit) if edit.target() == event.id() && by == author => {
                    says = Some(edit.into_text());
                }
                Action::Unsend(u) if u.target() == event.id() && by == author => unsent = true,
                Action::React(react) if react.target() == event.id() => {
                    let key = (react.emoji().to_string(), by.as_bytes()[0]);
                    reactions.retain(|known| *known != key);
                    if react.on() {
                        reactions.push(key);
                    }
                }
                _ => {}
            }
        }
        reactions.sort();
        messages.push(match unsent {
            true => (event.id(), None, Vec::new()),
            false => (event.id(), says, reactions),
        });
    }
    messages
}

fn seen(bench: &Bench) -> Vec<Shown> {
    let one = |message: Message| {
        let reactions = message.reactions.into_iter().flat_map(|(emoji, by)| {
            by.into_iter()
                .map(move |identity| (emoji.to_string(), identity.as_bytes()[0]))
        });
        (message.id, message.text, reactions.collect())
    };
    bench.view().into_iter().map(one).collect()
}

proptest! {
    /// CHAT-6: any order, any repetition, the same view; and it is the one that the spec names.
    #[test]
    fn every_way_of_arriving_shows_the_same(
        (story, arrivals) in story().prop_flat_map(|story| {
            let twice: Vec<_> = story.iter().chain(story.iter().step_by(2)).cloned().collect();
            (Just(story), Just(twice).prop_shuffle())
        })
    ) {
        let mut bench = Bench::default();
        for arrival in &arrivals {
            bench.take(&entry(arrival, true));
        }
        prop_assert_eq!(seen(&bench), expected(&story));
    }

    /// CHAT-11: whatever counted and did not on the way, what counts in the end is shown.
    #[test]
    fn every_way_of_standing_ends_the_same(
        (story, arrivals) in story().prop_flat_map(|story| (Just(story.clone()), Just(story).prop_shuffle())),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..40),
        first in any::<u64>(),
    ) {
        let mut bench = Bench::default();
        let mut counts = std::collections::BTreeMap::new();
        let mut flips = flips.into_iter();
        for (n, arrival) in arrivals.iter().enumerate() {
            let standing = first >> (n % 64) & 1 == 0;
            counts.insert(arrival.0.id(), standing);
            bench.take(&entry(arrival, standing));
            if let Some((which, standing)) = flips.next() {
                let changed = &arrivals[which.index(n + 1)];
                counts.insert(changed.0.id(), standing);
                bench.restand(&entry(changed, standing));
            }
        }
        let counted: Vec<_> = story.into_iter().filter(|(event, _)| counts[&event.id()]).collect();
        prop_assert_eq!(seen(&bench), expected(&counted));
    }
}
