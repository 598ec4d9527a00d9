//! What every store of words does, told as a story.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use tenet_identity::keys::IdentityId;
use tenet_log::{event::Event, ids::SessionId, store::Position};

use super::Writer;
use crate::chat::{
    Action,
    edit::Edit,
    file::File,
    fold::{Entry, fold, rebuild, restand},
    search::{Filter, Query, SearchStore, index},
    text::Text,
    unsend::Unsend,
};

/// A store, and how to put events into the log that is under it.
struct Bench<'a, S> {
    store: S,
    log: &'a mut dyn FnMut(&mut S, &Event, bool) -> Position,
}

/// Runs the suite, each story on a store of its own; `log` is as for [`super::conformance`].
///
/// # Panics
/// Where the store does something else.
pub fn search_conformance<S: SearchStore>(
    mut make: impl FnMut() -> S,
    mut log: impl FnMut(&mut S, &Event, bool) -> Position,
) {
    let stories: [fn(Bench<'_, S>); 4] = [
        what_was_said_is_found_by_its_words,
        filters_leave_out_the_rest,
        the_index_follows_what_is_shown,
        pages_go_back_from_the_last,
    ];
    for story in stories {
        story(Bench {
            store: make(),
            log: &mut log,
        });
    }
}

fn what_was_said_is_found_by_its_words<S: SearchStore>(mut bench: Bench<'_, S>) {
    let mut anna = Writer::new(1, 1);
    let one = bench.says(&mut anna, "Shall we MEET at five?");
    let two = bench.says(&mut anna, "five at the café, 東京へ行く 👍");
    assert_eq!(bench.find("five"), [], "not before it was indexed");
    bench.index();
    for (typed, expected) in [
        ("five", &[two, one] as &[Position]),
        ("five meet", &[one]),
        ("mee", &[one]),
        ("\"mee\"", &[]),
        ("\"at five\"", &[one]),
        ("\"five at\"", &[two]),
        ("CAFE", &[two]),
        ("京へ", &[two]),
        ("東へ", &[]),
        ("👍", &[two]),
        ("NEAR(five at)", &[]),
        ("five OR nothing", &[]),
        ("five AND -meet", &[]),
        ("sessions:*", &[]),
    ] {
        assert_eq!(bench.find(typed), expected, "{typed}");
    }
}

fn filters_leave_out_the_rest<S: SearchStore>(mut bench: Bench<'_, S>) {
    const DAY: u64 = 86_400_000;
    let (mut anna, mut bert, mut else_where) =
        (Writer::new(1, 1), Writer::new(2, 1), Writer::new(1, 2));
    let file = File::new("Plan of the Garden.pdf".into(), 3, [1; 32].into(), [2; 32]).unwrap();
    let begin = anna.time / DAY * DAY;
    (anna.time, bert.time, else_where.time) = (begin, begin + 400 * DAY, begin + 20 * DAY);
    let one = bench.says(&mut anna, "a word");
    let text = Text::with_files("another word".into(), None, vec![file]).unwrap();
    let two = bert.act(&Action::Text(text));
    let two = bench.takes(&bert, &two, true);
    let three = bench.says(&mut else_where, "the last word");
    bench.index();
    let all = Filter::default();
    let wide = |since: Option<u64>, until: Option<u64>| Filter {
        since,
        until,
        ..Filter::default()
    };
    let session = |n| Filter {
        sessions: vec![SessionId::from([n; 32])],
        ..Filter::default()
    };
    let by = |n| Filter {
        identity: Some(IdentityId::from([n; 32])),
        ..Filter::default()
    };
    let files = Filter {
        files: true,
        ..Filter::default()
    };
    for (typed, filter, expected) in [
        ("word", &all, &[three, two, one] as &[Position]),
        ("word", &session(1), &[two, one]),
        ("word", &session(2), &[three]),
        ("word", &session(3), &[]),
        ("word", &by(1), &[three, one]),
        ("word last", &by(2), &[]),
        ("word", &files, &[two]),
        ("", &files, &[two]),
        ("garden pdf", &all, &[two]),
        ("word", &wide(Some(begin + DAY), None), &[three, two]),
        ("word", &wide(None, Some(begin + DAY)), &[one]),
        (
            "word",
            &wide(Some(begin + DAY), Some(begin + 399 * DAY)),
            &[three],
        ),
        (
            "",
            &wide(Some(begin + 400 * DAY), Some(begin + 401 * DAY)),
            &[two],
        ),
    ] {
        assert_eq!(
            bench.find_in(typed, filter, None, 9),
            expected,
            "{typed} {filter:?}"
        );
    }
}

/// CHAT-203.
fn the_index_follows_what_is_shown<S: SearchStore>(mut bench: Bench<'_, S>) {
    let (mut anna, mut bert) = (Writer::new(1, 1), Writer::new(2, 1));
    let text = anna.text("helo wrold");
    let early = bench.takes(&anna, &text, true);
    bench.index();
    let edit = |target, text: &str| Action::Edit(Edit::new(target, text.into()).unwrap());
    let fixed = anna.act(&edit(text.id(), "hello world"));
    let foreign = bert.act(&edit(text.id(), "nonsense"));
    bench.takes(&anna, &fixed, true);
    bench.takes(&bert, &foreign, true);
    // A message whose edit is here before the index has come to either.
    let late = anna.text("helo agian");
    let other = bench.takes(&anna, &late, true);
    let again = anna.act(&edit(late.id(), "hello again"));
    bench.takes(&anna, &again, true);
    bench.index();
    assert_eq!(bench.find("hello"), [other, early]);
    assert_eq!(bench.find("helo"), []);
    assert_eq!(bench.find("nonsense"), []);
    // It counts no more, then again.
    bench.stands(&anna, &text, false);
    assert_eq!(bench.find("hello"), [other]);
    bench.stands(&anna, &text, true);
    assert_eq!(bench.find("hello"), [other, early]);
    bench.stands(&anna, &fixed, false);
    assert_eq!(bench.find("helo"), [early]);
    let unsend = anna.act(&Action::Unsend(Unsend::new(late.id())));
    bench.takes(&anna, &unsend, true);
    bench.index();
    assert_eq!(bench.find("hello"), []);
    assert!(
        !bench
            .store
            .has_after(bench.store.indexed_to().unwrap())
            .unwrap()
    );
}

fn pages_go_back_from_the_last<S: SearchStore>(mut bench: Bench<'_, S>) {
    let mut anna = Writer::new(1, 1);
    let all: Vec<_> = (0..7)
        .map(|n| bench.says(&mut anna, &format!("word {n}")))
        .collect();
    assert!(index::follow(&mut bench.store, 3).unwrap());
    assert_eq!(bench.find("word"), [all[2], all[1], all[0]]);
    bench.index();
    let none = Filter::default();
    let first = bench.find_in("word", &none, None, 3);
    assert_eq!(first, [all[6], all[5], all[4]]);
    assert_eq!(
        bench.find_in("word", &none, Some(first[2]), 3),
        [all[3], all[2], all[1]]
    );
    assert_eq!(bench.find_in("word", &none, Some(all[0]), 3), []);
}

impl<S: SearchStore> Bench<'_, S> {
    fn says(&mut self, writer: &mut Writer, text: &str) -> Position {
        let event = writer.text(text);
        self.takes(writer, &event, true)
    }

    fn takes(&mut self, writer: &Writer, event: &Event, counts: bool) -> Position {
        let position = (self.log)(&mut self.store, event, counts);
        let entry = Entry {
            position,
            counts,
            ..writer.entry(event)
        };
        fold(&mut self.store, &entry).unwrap();
        position
    }

    fn stands(&mut self, writer: &Writer, event: &Event, counts: bool) {
        let position = (self.log)(&mut self.store, event, counts);
        let entry = Entry {
            position,
            counts,
            ..writer.entry(event)
        };
        let (mut changes, target) = restand(&mut self.store, &entry).unwrap();
        if let Some(target) = target {
            changes.extend(rebuild(&mut self.store, event.session(), target).unwrap());
        }
        for change in changes {
            index::refresh(&mut self.store, change.message()).unwrap();
        }
    }

    fn index(&mut self) {
        while index::follow(&mut self.store, 2).unwrap() {}
    }

    fn find(&self, typed: &str) -> Vec<Position> {
        self.find_in(typed, &Filter::default(), None, 9)
    }

    fn find_in(
        &self,
        typed: &str,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
    ) -> Vec<Position> {
        let query = Query::new(typed, filter).unwrap();
        self.store.find(&query, filter, before, limit).unwrap()
    }
}
