//! One event on its way through one device.
//!
//! ```text
//! Said ─────────────────────────────────────▶ Duty over the whole line
//! Given, task ─ Have ─▶ Duty, at once or after those before us ── Give ─▶ heads of parts, or everybody
//! Offered ─ Have or Want ─▶ Given …                                          │
//!                     askers and fellows ◀─ Report ── has ◀── Have, Report ──┘
//! ```
//!
//! What is not heard of in time is planned again, offered by the next head, or owed. A device that forwards nothing
//! keeps nothing but who gave it the event.

mod duty;

use std::collections::{BTreeSet, VecDeque};

use duty::Duty;

use super::{
    line::Line,
    message::Report,
    plan::Task,
    point::{Point, Span, Turn},
    shape::MAX_COPIES,
};

/// How long an answer may take before somebody else is asked, in milliseconds.
///
/// What a new connection and a message on it take over a long way (three times 200 ms), and a little. Who is asked too
/// early is offered what is coming already, which costs a short message.
pub const PATIENCE_MS: u64 = 750;

/// The same where a connection with whoever is to be heard of stands, and the words come at the same time.
pub const SOON_MS: u64 = 400;

/// How often the heads of one part are picked anew.
pub const ROUNDS: usize = 10;

/// The most spans that a device sees to for one event: one of a plan, and others where plans were made by different
/// views. What is asked beyond that is left to the others who were asked.
const MAX_DUTIES: usize = 4;

/// The most devices remembered as having given or offered what is lacking.
const MAX_ASKERS: usize = 16;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// This device said the event, in this turn.
    Said(Turn),
    /// The event came, is durable now, and is of this turn.
    Given {
        /// Who sent it.
        from: Point,
        /// What we are to see to.
        task: Option<Task>,
        /// The turn of its time.
        turn: Turn,
    },
    /// The event is here already, or came another way than by a plan.
    Held(
        /// The turn of its time.
        Turn,
    ),
    /// The event was offered.
    Offered {
        /// Who has it.
        from: Point,
        /// What we are to see to.
        task: Option<Task>,
    },
    /// Somebody lacks what we offered.
    Wanted(Point),
    /// Somebody has it.
    Had(Point),
    /// A head tells of its span.
    Reported {
        /// Which.
        from: Point,
        /// What it says.
        report: Report,
    },
    /// No connection with somebody came about, or it is lost.
    Unreachable(Point),
    /// Somebody who was away is here.
    Appeared(Point),
    /// The deadline has passed.
    Tick,
}

/// What is to be sent, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The event.
    Give(Point, Option<Task>),
    /// Its name.
    Offer(Point, Option<Task>),
    /// That we lack it.
    Want(Point),
    /// That we have it.
    Have(Point),
    /// Who of a span has it.
    Report(Point, Report),
}

impl Output {
    /// To whom it goes.
    pub fn to(&self) -> Point {
        match self {
            Self::Give(to, _) | Self::Offer(to, _) | Self::Report(to, _) => *to,
            Self::Want(to) | Self::Have(to) => *to,
        }
    }
}

/// One event at one device: who has it, and what this device is to see to.
///
/// After every [`handle`](Self::handle) the caller takes [`poll`](Self::poll) until it gives `None`, and calls
/// `handle` with [`Input::Tick`] when [`deadline`](Self::deadline) has passed. `line` is who is in the session as this
/// device sees it now; it is looked at only where this device forwards. Times are Unix milliseconds.
#[derive(Clone, Debug)]
pub struct Spread {
    sent: Sent,
    /// Known once the event is here.
    turn: Option<Turn>,
    /// Who offered what is lacking; the first is asked for it.
    askers: VecDeque<Point>,
    /// Who of them was asked already, to be told when it comes.
    asked: Vec<Point>,
    /// When the next of them is asked.
    ask_at: Option<u64>,
    duties: Vec<Duty>,
}

/// What was sent, and what is known of who has it.
#[derive(Clone, Debug)]
struct Sent {
    me: Point,
    rounds: usize,
    copies: usize,
    has: BTreeSet<Point>,
    /// Who asked for it and got it.
    answered: BTreeSet<Point>,
    outputs: VecDeque<Output>,
}

impl Spread {
    /// Of an event that nothing is known of yet; the heads of a part are picked anew up to `rounds` times
    /// ([`ROUNDS`]).
    pub fn new(me: Point, rounds: usize) -> Self {
        let sent = Sent {
            me,
            rounds,
            copies: 0,
            has: BTreeSet::new(),
            answered: BTreeSet::new(),
            outputs: VecDeque::new(),
        };
        Self {
            sent,
            turn: None,
            askers: VecDeque::new(),
            asked: Vec::new(),
            ask_at: None,
            duties: Vec::new(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, line: &Line, now: u64) {
        match input {
            Input::Said(turn) => self.say(turn, line, now),
            Input::Given { from, task, turn } => self.given(from, task, turn, line, now),
            Input::Held(turn) => self.hold(turn, None, line, now),
            Input::Offered { from, task } => self.offered(from, task, line, now),
            Input::Wanted(who) if self.turn.is_some() => self.sent.answer(who),
            Input::Wanted(_) => {}
            Input::Had(who) => drop(self.sent.has.insert(who)),
            Input::Reported { from, report } => self.reported(from, &report, line, now),
            Input::Unreachable(who) => self.unreachable(who, line),
            Input::Appeared(who) => self.appeared(who, line),
            Input::Tick => self.ask_next(now),
        }
        self.proceed(line, now);
    }

    /// The next thing to send.
    pub fn poll(&mut self) -> Option<Output> {
        self.sent.outputs.pop_front()
    }

    /// When something is to be done if nothing comes, in Unix milliseconds.
    pub fn deadline(&self) -> Option<u64> {
        let holds = self.turn.is_some();
        let duties = self.duties.iter().filter(|_| holds);
        let duties = duties.filter_map(|duty| duty.deadline(&self.sent));
        duties.chain(self.ask_at).min()
    }

    /// Whether the event is here.
    pub fn is_here(&self) -> bool {
        self.turn.is_some()
    }

    /// How many others have it at least: what the author shows of how many it has reached.
    pub fn reached(&self) -> usize {
        let unread = self.duties.iter().map(|duty| duty.unread(&self.sent));
        let unread = unread.sum::<usize>();
        self.sent.has.len() + unread
    }

    /// Whether somebody is known to have it.
    pub fn has(&self, who: Point) -> bool {
        self.sent.has.contains(&who)
    }

    /// How many copies this device has sent.
    pub fn copies(&self) -> usize {
        self.sent.copies
    }

    /// Whom this device owes the event: who was away, and who did not answer (`FAN-7`).
    pub fn debts(&self, line: &Line) -> BTreeSet<Point> {
        let mut debts = BTreeSet::new();
        if let Some(turn) = self.turn {
            for duty in &self.duties {
                duty.owe(&self.sent, line, turn, &mut debts);
            }
        }
        debts
    }

    fn say(&mut self, turn: Turn, line: &Line, now: u64) {
        if self.turn.replace(turn).is_none() {
            let devices = line.within(Span::ALL).len();
            let task = Task::all(self.sent.me);
            self.duties.push(Duty::first(task, devices, now));
        }
    }

    /// FAN-8: whoever gave or offered it hears that it is here.
    fn given(&mut self, from: Point, task: Option<Task>, turn: Turn, line: &Line, now: u64) {
        self.sent.has.insert(from);
        self.sent.outputs.push_back(Output::Have(from));
        self.hold(turn, Some(from), line, now);
        self.take((from, task), true, line, now);
    }

    /// It is here from now on: all who offered it hear that, but for who gave it.
    fn hold(&mut self, turn: Turn, from: Option<Point>, line: &Line, now: u64) {
        if self.turn.replace(turn).is_some() {
            return;
        }
        self.ask_at = None;
        let asked = std::mem::take(&mut self.asked);
        let askers = std::mem::take(&mut self.askers).into_iter().chain(asked);
        for asker in askers.filter(|asker| Some(*asker) != from) {
            self.sent.outputs.push_back(Output::Have(asker));
        }
        for duty in &mut self.duties {
            duty.wait_from(now, line);
        }
    }

    fn offered(&mut self, from: Point, task: Option<Task>, line: &Line, now: u64) {
        self.sent.has.insert(from);
        if self.turn.is_some() {
            self.sent.outputs.push_back(Output::Have(from));
        } else if self.askers.len() + self.asked.len() < MAX_ASKERS
            && !self.askers.contains(&from)
            && !self.asked.contains(&from)
        {
            self.askers.push_back(from);
            if self.ask_at.is_none() {
                self.ask_next(now);
            }
        }
        self.take((from, task), false, line, now);
    }

    /// Who offered first is asked first, the next one when no event came; each once.
    fn ask_next(&mut self, now: u64) {
        if self.turn.is_some() || self.ask_at.is_some_and(|at| at > now) {
            return;
        }
        self.ask_at = self.askers.pop_front().map(|asker| {
            self.sent.outputs.push_back(Output::Want(asker));
            self.asked.push(asker);
            now.saturating_add(PATIENCE_MS)
        });
    }

    /// A span to see to; within one that is seen to already it is a further one who is told of it.
    fn take(&mut self, (from, task): (Point, Option<Task>), eager: bool, line: &Line, now: u64) {
        let Some(task) = task else {
            return;
        };
        let Some(place) = task.place(self.sent.me) else {
            return;
        };
        let mut duties = self.duties.iter_mut();
        if let Some(duty) = duties.find(|duty| duty.covers(task.span)) {
            duty.also_tell(from, (&task, place), &mut self.sent, line, now);
        } else if self.duties.len() < MAX_DUTIES {
            let mut duty = Duty::new(task, place, from, eager);
            if self.turn.is_some() {
                duty.wait_from(now, line);
            }
            self.duties.push(duty);
        }
    }

    fn reported(&mut self, from: Point, report: &Report, line: &Line, now: u64) {
        self.sent.has.insert(from);
        let marked = line.marked(report.span, &report.has);
        let read = marked.map(|marked| self.sent.has.extend(marked)).is_some();
        self.sent.has.remove(&self.sent.me);
        let unread = (!read).then(|| report.has.count());
        let Some(turn) = self.turn else {
            return;
        };
        for duty in &mut self.duties {
            duty.hear((from, report, unread), &mut self.sent, (line, turn), now);
        }
    }

    fn unreachable(&mut self, who: Point, line: &Line) {
        let Some(turn) = self.turn else {
            return;
        };
        for duty in &mut self.duties {
            duty.replace(who, &mut self.sent, line, turn);
        }
    }

    /// FAN-7: what is owed is offered as soon as there is a connection, by everybody who owes it.
    fn appeared(&mut self, who: Point, line: &Line) {
        if self.debts(line).contains(&who) {
            self.sent.outputs.push_back(Output::Offer(who, None));
        }
    }

    fn proceed(&mut self, line: &Line, now: u64) {
        let Some(turn) = self.turn else {
            return;
        };
        for duty in &mut self.duties {
            duty.proceed(&mut self.sent, line, turn, now);
        }
    }
}

impl Sent {
    /// FAN-3: the event, as long as there are copies left.
    fn give(&mut self, to: Point, task: Option<Task>) {
        if self.copies < MAX_COPIES {
            self.copies += 1;
            self.outputs.push_back(Output::Give(to, task));
        }
    }

    /// FAN-3: to whoever asks once; nobody uses up by asking what is for others.
    fn answer(&mut self, to: Point) {
        if self.answered.insert(to) {
            self.give(to, None);
        }
    }

    /// The event itself where it is surely lacking, its name otherwise.
    fn send(&mut self, to: Point, task: Option<Task>, eager: bool) {
        match eager && self.copies < MAX_COPIES && !self.has.contains(&to) {
            true => self.give(to, task),
            false => self.outputs.push_back(Output::Offer(to, task)),
        }
    }

    /// Tells some who of a span has it, as far as it is known here.
    fn report(
        &mut self,
        to: impl IntoIterator<Item = Point>,
        (span, done): (Span, bool),
        owed: &[Point],
        line: &Line,
    ) {
        let mut to = to.into_iter().filter(|to| *to != self.me).peekable();
        if to.peek().is_none() {
            return;
        }
        let has = line.mark(span, |point| point == self.me || self.has.contains(&point));
        let away = (done && !owed.is_empty()).then(|| line.mark(span, |it| owed.contains(&it)));
        for to in to {
            let report = Report {
                span,
                done,
                has: has.clone(),
                away: away.clone(),
            };
            self.outputs.push_back(Output::Report(to, report));
        }
    }

    /// Those of some who are not known to have it.
    fn lacking(&self, points: &[Point]) -> Vec<Point> {
        let lacking = points.iter().filter(|point| !self.has.contains(point));
        lacking.copied().collect()
    }
}

#[cfg(test)]
mod tests;
