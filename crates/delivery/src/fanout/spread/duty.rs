//! One span that a device sees to for one event.

use std::collections::BTreeSet;

use super::{PATIENCE_MS, SOON_MS, Sent};
use crate::fanout::{
    line::{Hope, Line},
    message::Report,
    plan::{Plan, Task, heads},
    point::{Point, Span, Turn},
    shape::{PLANNED_COPIES, first_width},
};

/// How often a head waits [`PATIENCE_MS`] for each level below before it takes a part for lost: the second and the
/// third head begin after one and two, and the answers take one more.
const PER_LEVEL: u64 = 4;

/// A span, those who see to it, and how far it is.
#[derive(Clone, Debug)]
pub(super) struct Duty {
    task: Task,
    /// The how-manieth head we are.
    place: usize,
    /// Who asked for it, and hears how it went.
    askers: BTreeSet<Point>,
    /// Whether the event itself is sent unasked: not where others may have sent it already.
    eager: bool,
    /// How many copies may be planned.
    width: usize,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Those before us are to do it; if nothing is heard until then, we do.
    Waiting { until: u64 },
    /// We forward.
    Working(Work),
    /// One of those before us has done it.
    Relieved,
}

#[derive(Clone, Debug)]
struct Work {
    depth: u32,
    parts: Vec<Part>,
    /// To whom we send ourselves, and whom we owe.
    last: Vec<Point>,
    owed: Vec<Point>,
    /// When it is told how it went, whatever is lacking.
    until: u64,
    told: Told,
}

/// What the askers and the other heads were told of how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    /// As far as it went.
    Some,
    /// That nothing is lacking of what is to be heard.
    All,
}

/// A part of the span that others see to.
#[derive(Clone, Debug)]
struct Part {
    task: Task,
    /// Who was asked to see to it, now or before.
    tried: BTreeSet<Point>,
    /// Whether one of them has told how it went.
    settled: bool,
    /// How many have it there, where they could not be read one by one.
    unread: usize,
    /// When it is looked at next.
    until: u64,
    /// Whether one of the heads has it: then it is waited for how it goes.
    begun: bool,
    /// How often other heads were picked.
    rounds: usize,
}

impl Duty {
    /// The author's: the whole line of so many devices.
    pub(super) fn first(task: Task, devices: usize, now: u64) -> Self {
        Self {
            task,
            place: 0,
            askers: BTreeSet::new(),
            eager: true,
            width: first_width(devices),
            stage: Stage::Waiting { until: now },
        }
    }

    /// What a head was asked to see to: `eager` if the event came with it.
    pub(super) fn new(task: Task, place: usize, from: Point, eager: bool) -> Self {
        Self {
            task,
            place,
            askers: BTreeSet::from([from]),
            eager,
            width: PLANNED_COPIES,
            stage: Stage::Waiting { until: u64::MAX },
        }
    }

    pub(super) fn covers(&self, span: Span) -> bool {
        self.task.span.covers(span)
    }

    /// Both the event and the task are here, and they were not before.
    pub(super) fn wait_from(&mut self, now: u64, line: &Line) {
        let turn_comes = self.turn_comes(now, line);
        if let Stage::Waiting { until } = &mut self.stage {
            *until = turn_comes;
        }
    }

    /// FAN-9: the second head begins when the first was silent, the third when both were. Whoever has a connection with
    /// one of them hears sooner that it forwards.
    fn turn_comes(&self, now: u64, line: &Line) -> u64 {
        let before = self.task.heads.iter().take(self.place);
        let waits = before.map(|head| match line.hope(*head) {
            Some(Hope::Here) => SOON_MS,
            _ => PATIENCE_MS,
        });
        now.saturating_add(waits.sum())
    }

    /// Somebody else asks for what we see to already.
    pub(super) fn also_tell(
        &mut self,
        asker: Point,
        (task, place): (&Task, usize),
        sent: &mut Sent,
        line: &Line,
        now: u64,
    ) {
        self.askers.insert(asker);
        // Whom the one counts on as a head the other may never have given it.
        let heads = self.task.heads.iter().copied();
        let forgotten: Vec<Point> = heads.filter(|it| !task.heads.contains(it)).collect();
        for head in sent.lacking(&forgotten) {
            sent.send(head, None, false);
        }
        let told = match &self.stage {
            Stage::Waiting { .. } => {
                if place < self.place {
                    self.place = place;
                    self.wait_from(now, line);
                }
                false
            }
            Stage::Working(work) => work.told > Told::Nothing,
            Stage::Relieved => true,
        };
        if told {
            sent.report([asker], (self.task.span, true), &[], line);
        }
    }

    pub(super) fn deadline(&self, sent: &Sent) -> Option<u64> {
        match &self.stage {
            Stage::Waiting { until } => Some(*until),
            Stage::Working(work) => {
                let own = (work.told == Told::Nothing).then_some(work.until);
                let open = work.parts.iter().filter(|part| part.is_open(sent));
                open.map(|part| part.until).chain(own).min()
            }
            Stage::Relieved => None,
        }
    }

    /// How many more have it than are known one by one.
    pub(super) fn unread(&self, sent: &Sent) -> usize {
        let Stage::Working(work) = &self.stage else {
            return 0;
        };
        let unread = work.parts.iter().filter(|part| part.unread > 0);
        let beyond = unread.map(|part| {
            let Span { first, last } = part.task.span;
            let known = sent.has.range(first..=last).count();
            part.unread.saturating_sub(known)
        });
        beyond.sum()
    }

    /// Another head of ours, or one of a part, tells how it went.
    pub(super) fn hear(
        &mut self,
        (from, report, unread): (Point, &Report, Option<usize>),
        sent: &mut Sent,
        (line, turn): (&Line, Turn),
        now: u64,
    ) {
        let ours = self.task.place(from);
        if ours.is_some_and(|it| it < self.place) && report.span.covers(self.task.span) {
            self.hear_fellow(report, sent, (line, turn), now);
        }
        let Stage::Working(work) = &mut self.stage else {
            return;
        };
        for part in &mut work.parts {
            let theirs = part.tried.contains(&from) && report.span.covers(part.task.span);
            if theirs && report.done {
                part.settled = true;
                part.unread = unread.unwrap_or_default();
            }
        }
    }

    /// FAN-9: who hears that a head before it forwards waits for how that went; who hears how, is relieved.
    fn hear_fellow(
        &mut self,
        report: &Report,
        sent: &mut Sent,
        (line, turn): (&Line, Turn),
        now: u64,
    ) {
        let turn_comes = self.turn_comes(now, line);
        let Stage::Waiting { until } = &mut self.stage else {
            return;
        };
        if !report.done {
            let plan = Plan::new(line, &self.task, turn, self.width);
            let wait = patience(PER_LEVEL * u64::from(plan.depth));
            *until = turn_comes.saturating_add(wait);
            return;
        }
        self.stage = Stage::Relieved;
        // Whom the other took for away we may know to be online.
        let away = report.away.as_ref();
        let away = away.and_then(|away| line.marked(report.span, away));
        let online = |point: &Point| line.hope(*point).is_some_and(Hope::is_online);
        let online: Vec<Point> = away.into_iter().flatten().filter(online).collect();
        for point in sent.lacking(&online) {
            sent.send(point, None, false);
        }
    }

    /// Whatever is due.
    pub(super) fn proceed(&mut self, sent: &mut Sent, line: &Line, turn: Turn, now: u64) {
        if matches!(self.stage, Stage::Waiting { until } if until <= now) {
            let work = self.begin(sent, line, turn, now);
            self.stage = Stage::Working(work);
        }
        let Stage::Working(work) = &mut self.stage else {
            return;
        };
        work.pick_again(sent, line, turn, now);
        let news = work.news(sent, now);
        if news > work.told {
            work.told = news;
            let to: BTreeSet<Point> = self
                .askers
                .iter()
                .chain(&self.task.heads)
                .copied()
                .collect();
            sent.report(to, (self.task.span, true), &work.owed, line);
        }
    }

    /// Sends what the plan says, and tells the other heads that it is on its way (FAN-9).
    fn begin(&self, sent: &mut Sent, line: &Line, turn: Turn, now: u64) -> Work {
        // Where we are not the first, a part may have been sent.
        let eager = self.eager && self.place == 0;
        let plan = Plan::new(line, &self.task, turn, self.width);
        for task in &plan.tasks {
            for head in &task.heads {
                sent.send(*head, Some(task.clone()), eager);
            }
        }
        for point in sent.lacking(&plan.last) {
            sent.send(point, None, eager);
        }
        let fellows = self.task.heads.iter().copied();
        sent.report(fellows, (self.task.span, false), &[], line);
        let below = u64::from(plan.depth.saturating_sub(1));
        let parts = plan.tasks.into_iter();
        Work {
            depth: plan.depth,
            parts: parts.map(|task| Part::new(task, now)).collect(),
            last: plan.last,
            owed: plan.owed,
            until: now.saturating_add(patience((PER_LEVEL * below).max(1))),
            told: Told::Nothing,
        }
    }

    /// FAN-10: for a head that cannot be reached another one is picked.
    pub(super) fn replace(&mut self, lost: Point, sent: &mut Sent, line: &Line, turn: Turn) {
        let eager = self.eager && self.place == 0;
        let Stage::Working(work) = &mut self.stage else {
            return;
        };
        for part in &mut work.parts {
            let Some(at) = part.task.place(lost).filter(|_| !part.settled) else {
                continue;
            };
            let Some(other) = part.others(line, turn, 1).pop() else {
                continue;
            };
            if let Some(head) = part.task.heads.get_mut(at) {
                *head = other;
            }
            part.tried.insert(other);
            sent.send(other, Some(part.task.clone()), eager);
        }
    }

    /// Adds whom we owe the event.
    pub(super) fn owe(&self, sent: &Sent, line: &Line, turn: Turn, debts: &mut BTreeSet<Point>) {
        let plan;
        let (last, owed) = match &self.stage {
            Stage::Waiting { .. } => return,
            Stage::Working(work) => (&work.last, &work.owed),
            Stage::Relieved => {
                plan = Plan::new(line, &self.task, turn, self.width);
                (&plan.last, &plan.owed)
            }
        };
        debts.extend(sent.lacking(last));
        debts.extend(sent.lacking(owed));
        let Stage::Working(work) = &self.stage else {
            return;
        };
        for part in &work.parts {
            debts.extend(part.tried.iter().filter(|head| !sent.has.contains(head)));
            if !part.settled && !part.is_open(sent) {
                let members = line.within(part.task.span).iter().map(|it| it.point);
                debts
                    .extend(members.filter(|point| *point != sent.me && !sent.has.contains(point)));
            }
        }
    }
}

impl Work {
    /// How much of what is to be heard was heard by now.
    fn news(&self, sent: &Sent, now: u64) -> Told {
        let all = self.parts.iter().all(|part| part.settled)
            && self.last.iter().all(|point| sent.has.contains(point));
        match all {
            true => Told::All,
            false if self.until <= now => Told::Some,
            false => Told::Nothing,
        }
    }

    /// FAN-10: of a part whose heads are all silent, or of which nothing was told in time, other heads are picked.
    fn pick_again(&mut self, sent: &mut Sent, line: &Line, turn: Turn, now: u64) {
        let wait = patience(PER_LEVEL * u64::from(self.depth.saturating_sub(1)));
        for part in &mut self.parts {
            if part.until > now || !part.is_open(sent) {
                continue;
            }
            let silent = part.task.heads.iter().all(|head| !sent.has.contains(head));
            if !silent && !part.begun {
                part.begun = true;
                part.until = now.saturating_add(wait);
                continue;
            }
            part.rounds += 1;
            let heads = part.others(line, turn, part.task.heads.len());
            if heads.is_empty() {
                part.rounds = sent.rounds;
                continue;
            }
            part.begun = false;
            part.until = now.saturating_add(PATIENCE_MS);
            part.tried.extend(&heads);
            part.task.heads = heads;
            for head in &part.task.heads {
                sent.send(*head, Some(part.task.clone()), silent);
            }
        }
    }
}

impl Part {
    fn new(task: Task, now: u64) -> Self {
        Self {
            tried: task.heads.iter().copied().collect(),
            task,
            settled: false,
            unread: 0,
            until: now.saturating_add(PATIENCE_MS),
            begun: false,
            rounds: 0,
        }
    }

    /// Whether other heads may still be picked for it.
    fn is_open(&self, sent: &Sent) -> bool {
        !self.settled && self.rounds < sent.rounds
    }

    /// Members who were not asked yet.
    fn others(&self, line: &Line, turn: Turn, number: usize) -> Vec<Point> {
        let members = line.within(self.task.span).iter();
        let open = |point| !self.tried.contains(&point) && !self.task.known.contains(&point);
        heads(members.filter(|it| open(it.point)), turn, number)
    }
}

fn patience(times: u64) -> u64 {
    PATIENCE_MS.saturating_mul(times)
}
