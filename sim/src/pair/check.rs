//! What holds when all is quiet.

use std::collections::{BTreeMap, BTreeSet};

use tenet_apps::{
    chat::{
        edit,
        search::{Filter, Query, SearchStore},
        store::ChatStore,
        view::Message,
    },
    contacts::store::ContactStore,
};
use tenet_delivery::{fetch::FetchState, outbox::Outbox, state::State};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    ids::{EventId, SessionId},
    session::Session,
    store::{LogStore, Position},
};
use tenet_node::query::{self, Search, Shown};

use super::{model::Expected, script::Script};
use crate::{machine::World, node::Node, outlet::is_bad};

/// How many moments something may happen at; a day of two takes a few hundred.
const MAX_STEPS: usize = 20_000;

impl World {
    /// Plays a script to its end, and on until nothing happens any more.
    ///
    /// # Panics
    /// Where that takes for ever.
    pub fn play(&mut self, script: &mut Script) {
        let end = self.now + self.patience;
        for _ in 0..MAX_STEPS {
            let done = script.go_on(self);
            if !self.step() {
                let left = script.left();
                assert!(
                    done && self.is_whole(),
                    "stuck before {left:?}: {}",
                    self.state()
                );
                return;
            }
            assert!(
                self.now < end,
                "the world does not come to rest: {}",
                self.state()
            );
        }
        panic!("too much happens: {}", self.state());
    }

    /// Goes on until nothing happens any more.
    ///
    /// # Panics
    /// Where that takes for ever.
    pub fn rest(&mut self) {
        self.play(&mut Script::new(&[]));
    }

    /// Goes on until something holds; gives how long that took, in virtual milliseconds.
    ///
    /// # Panics
    /// Where it never does.
    pub fn until(&mut self, holds: impl Fn(&Self) -> bool) -> u64 {
        let begin = self.now;
        while !holds(self) {
            let in_time = self.step() && self.now < begin + self.patience;
            assert!(in_time, "it never comes: {}", self.state());
        }
        self.now - begin
    }

    /// Checks what holds between two nodes that have become contacts.
    ///
    /// # Panics
    /// Where something does not hold.
    pub fn check_pair(&self, one: usize, other: usize) {
        let (a, b) = (&self.nodes[one], &self.nodes[other]);
        for session in same_contact(a, b) {
            same_set(a, b, session);
        }
        self.same_history(one, other);
        same_timers(a, b);
        for (node, with) in [(one, other), (other, one)] {
            self.all_as_done(node, with);
            self.all_found(node, with);
            self.all_erased(node, with);
        }
    }

    /// Checks that nothing happened that is nobody's doing.
    ///
    /// # Panics
    /// Where something did.
    pub fn check_peace(&self) {
        assert!(self.refused.is_empty(), "refused: {:?}", self.refused);
        for node in &self.nodes {
            let bad = node.notices.iter().find(|notice| is_bad(notice));
            assert!(bad.is_none(), "{} was told: {bad:?}", node.name);
        }
    }

    /// Checks that these nodes hold the same of a session.
    ///
    /// # Panics
    /// Where they do not.
    pub fn check_same(&self, nodes: &[usize], session: SessionId) {
        for pair in nodes.windows(2) {
            same_set(&self.nodes[pair[0]], &self.nodes[pair[1]], session);
        }
    }

    fn same_history(&self, one: usize, other: usize) {
        let names = self.names();
        let read = |node: usize, with: usize| -> Vec<_> {
            let history = self.nodes[node].history(self.nodes[with].identity());
            let line = |shown: &Shown| {
                let expected = seen(shown, &names, &self.model.messages);
                let Message {
                    id,
                    time,
                    mentions,
                    forwarded,
                    ..
                } = shown.message.clone();
                ((id, expected), (time, mentions, forwarded))
            };
            let said = history.iter().filter(|shown| shown.message.timer.is_none());
            said.map(line).collect()
        };
        let (here, there) = (read(one, other), read(other, one));
        assert_eq!(here, there, "the two histories differ");
        let between = |message: &Expected| {
            BTreeSet::from([message.author, message.to]) == BTreeSet::from([one, other])
        };
        let expected = self.model.messages.iter().filter(|(id, message)| {
            // What was taken back by a clock days ahead is not said again by one that is right.
            let disk = self.nodes[message.author].disk();
            let void = |id| disk.message(id).unwrap().is_none_or(|row| row.hidden);
            let gone = message.expires.is_some() || (message.unsent && void(**id));
            between(message) && !gone
        });
        let expected: BTreeMap<EventId, Option<Expected>> = expected
            .map(|(id, message)| (*id, Some(plain(message))))
            .collect();
        let seen: BTreeMap<_, _> = here
            .iter()
            .map(|((id, seen), _)| (*id, seen.clone()))
            .collect();
        assert_eq!(seen.len(), here.len(), "a message is shown twice");
        assert_eq!(seen, expected, "what is shown is not what was done");
    }

    /// Own messages are delivered, debts paid, what was confirmed is, what was read shows as read.
    fn all_as_done(&self, node: usize, with: usize) {
        let (this, other) = (&self.nodes[node], &self.nodes[with]);
        for shown in this.history(other.identity()) {
            let state = shown.state;
            assert!(
                state.reaches(State::Delivered),
                "{}: {:?}",
                this.name,
                shown
            );
            assert!(
                shown.files.iter().all(|state| *state == FetchState::Whole),
                "{} lacks a file of {shown:?}",
                this.name,
            );
            assert!(
                self.holds(node, &shown.message.files),
                "a file that is not there"
            );
        }
        assert_eq!(
            this.disk().waiting().unwrap(),
            [],
            "{} owes something",
            this.name
        );
        let contact = this.disk().contact(other.identity()).unwrap().unwrap();
        let confirmed = self.model.confirmed.contains(&(node, with));
        assert_eq!(contact.verified.is_some(), confirmed, "{}", this.name);
        for shown in this.history(other.identity()) {
            let id = shown.message.id;
            let mine = shown.message.identity == this.identity();
            if mine && self.model.read.contains(&(with, id)) {
                assert_eq!(
                    shown.state,
                    State::Read,
                    "{} does not know it read",
                    this.name
                );
            }
        }
    }

    /// CHAT-203: every text is found by its words, and nothing that was taken back or changed.
    fn all_found(&self, node: usize, with: usize) {
        let this = &self.nodes[node];
        let disk = this.disk();
        assert!(
            !disk.has_after(disk.indexed_to().unwrap()).unwrap(),
            "{} has not kept all words",
            this.name
        );
        let sessions = this.sessions_with(self.nodes[with].identity());
        let found = |text: &str| -> BTreeSet<EventId> {
            let filter = Filter {
                sessions: sessions.clone(),
                ..Filter::default()
            };
            let query = Query::new(&format!("\"{text}\""), &filter).unwrap();
            let search = Search {
                query,
                filter,
                before: None,
                limit: 1000,
                context: 0,
            };
            let page = query::search(disk, this.identity(), &search, |session| vec![session]);
            let found = page.unwrap().found.into_iter();
            found.map(|found| found.shown.message.id).collect()
        };
        let gone = self.model.messages.iter();
        for (id, message) in gone.filter(|(_, message)| message.expires.is_some()) {
            // What was said again elsewhere is found there.
            for text in [&message.label, &message.text] {
                assert!(!found(text).contains(id), "{text} is found");
            }
        }
        let shown = this.history(self.nodes[with].identity());
        for shown in shown.iter().filter(|shown| shown.message.timer.is_none()) {
            let Expected { label, text, .. } = &self.model.messages[&shown.message.id];
            let standing = shown.message.text.as_ref();
            let is_found = |text: &String| found(text).contains(&shown.message.id);
            assert_eq!(standing.is_some(), is_found(text), "{text}");
            // The old text may be a part of the new.
            if standing.is_none_or(|text| !text.contains(label.as_str())) {
                assert!(!is_found(label), "{label} was changed");
            }
        }
    }

    /// NODE-29, NODE-30: of what was taken back or has expired no body is left, and none is awaited.
    fn all_erased(&self, node: usize, with: usize) {
        let disk = self.nodes[node].disk();
        assert_eq!(
            disk.lacking_sessions().unwrap(),
            [],
            "{} lacks",
            self.nodes[node].name
        );
        let shown = self.nodes[node].history(self.nodes[with].identity());
        for session in self.nodes[node].sessions_with(self.nodes[with].identity()) {
            let events = disk.since(session, Position::default(), 1_000_000).unwrap();
            let unsent = |id: &EventId| self.model.messages.get(id).is_some_and(|m| m.unsent);
            let edits: BTreeSet<EventId> = events
                .iter()
                .filter(|stored| unsent(&stored.event.id()))
                .map(|stored| stored.event.id())
                // Whoever got an edit without its body does not know what it was about.
                .flat_map(|id| [node, with].map(|node| (self.nodes[node].disk(), id)))
                .flat_map(|(disk, id)| disk.references(session, id).unwrap())
                .map(|reference| reference.event)
                .collect();
            for event in events.iter().map(|stored| &stored.event) {
                let edit =
                    event.header().kind.as_str() == edit::KIND && edits.contains(&event.id());
                let expired = event.header().expires.is_some();
                let erased = unsent(&event.id()) || edit || expired;
                assert_eq!(event.is_bare(), erased, "{event:?}");
                let is_shown = shown.iter().any(|shown| shown.message.id == event.id());
                assert!(!(expired && is_shown), "{event:?} did not disappear");
            }
        }
    }

    fn names(&self) -> BTreeMap<IdentityId, usize> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(number, node)| (node.identity(), number))
            .collect()
    }

    /// What a failure says about where everybody stands.
    pub fn state(&self) -> String {
        let mut state = format!(
            "{} ms after the beginning",
            self.now - crate::machine::BEGINNING
        );
        for node in &self.nodes {
            let deadline = node.engine().and_then(tenet_node::Engine::deadline);
            let deadline = deadline.map(|at| at.saturating_sub(self.now + node.ahead));
            let (name, asked, batches) = (&node.name, &node.asked, node.batches);
            let last = node.notices.iter().rev().take(4).collect::<Vec<_>>();
            state += &format!(
                "\n{name}: batch {batches}, due in {deadline:?} ms, asked {asked:?}, told {last:?}"
            );
        }
        state
    }
}

/// Both are each other's contacts, in the same sessions, and would read out the same short string.
fn same_contact(a: &Node, b: &Node) -> BTreeSet<SessionId> {
    let contact = |of: &Node, other: &Node| {
        let contact = of.disk().contact(other.identity()).unwrap();
        contact.unwrap_or_else(|| panic!("{} has no contact {}", of.name, other.name))
    };
    let (there, here) = (contact(a, b), contact(b, a));
    assert_eq!(there.sessions, here.sessions);
    let short = there.short(a.identity()).expect("a short string");
    assert_eq!(
        Some(short),
        here.short(b.identity()),
        "the short strings differ"
    );
    assert!(there.warning.is_none() && here.warning.is_none());
    assert!(!there.sessions.is_empty());
    there.sessions
}

/// Both hold the same events, heads and registers, and fold them to the same roster.
pub(super) fn same_set(a: &Node, b: &Node, session: SessionId) {
    let events = |node: &Node| -> BTreeSet<EventId> {
        let all = node
            .disk()
            .since(session, Position::default(), 1_000_000)
            .unwrap();
        let ids: BTreeSet<_> = all.iter().map(|stored| stored.event.id()).collect();
        assert_eq!(ids.len(), all.len());
        ids
    };
    assert_eq!(events(a), events(b), "the sets differ");
    let loaded = |node: &Node| Session::load(node.disk(), session).unwrap().unwrap();
    let heads = |session: &Session| -> BTreeSet<EventId> {
        session.frontier().heads().map(|head| head.id).collect()
    };
    let (one, other) = (loaded(a), loaded(b));
    assert_eq!(heads(&one), heads(&other));
    assert_eq!(one.roster(), other.roster());
    let registers = |node: &Node| -> BTreeSet<Vec<u8>> {
        let all = node.disk().registers(session).unwrap();
        all.iter()
            .map(tenet_log::register::Register::encode)
            .collect()
    };
    assert_eq!(registers(a), registers(b), "the registers differ");
    assert_eq!(
        a.disk().held_count(session).unwrap(),
        0,
        "{} still waits",
        a.name
    );
    assert_eq!(
        b.disk().held_count(session).unwrap(),
        0,
        "{} still waits",
        b.name
    );
}

/// Both see the same changes of the timer.
fn same_timers(a: &Node, b: &Node) {
    let timers = |node: &Node, with: &Node| -> Vec<(EventId, Option<u64>)> {
        let history = node.history(with.identity()).into_iter();
        let timers = history.filter(|shown| shown.message.timer.is_some());
        timers
            .map(|shown| (shown.message.id, shown.message.timer))
            .collect()
    };
    assert_eq!(timers(a, b), timers(b, a), "the timers differ");
}

/// A message as it is shown, in the model's words; `None` for one that nobody wrote.
fn seen(
    shown: &Shown,
    names: &BTreeMap<IdentityId, usize>,
    model: &BTreeMap<EventId, Expected>,
) -> Option<Expected> {
    let message = &shown.message;
    let known = model.get(&message.id)?;
    let emoji = known.reactions.iter().map(|(emoji, _)| *emoji);
    let emoji: BTreeMap<&str, &'static str> = emoji.map(|emoji| (emoji, emoji)).collect();
    let reactions = message.reactions.iter().flat_map(|(shown, who)| {
        let emoji = emoji.get(shown.as_str()).copied().unwrap_or("?");
        who.iter().map(move |who| (emoji, names[who]))
    });
    Some(Expected {
        author: names[&message.identity],
        to: known.to,
        label: known.label.clone(),
        text: message.text.clone().unwrap_or_default(),
        edited: message.edited,
        unsent: message.unsent,
        reply: message.reply,
        expires: message.expires,
        reactions: reactions.collect(),
    })
}

/// A message that was taken back shows nothing of what it was.
fn plain(message: &Expected) -> Expected {
    let mut message = message.clone();
    if message.unsent {
        message.text.clear();
        message.edited = false;
        message.reply = None;
        message.reactions.clear();
    }
    message
}
