//! One forwarder's step of a plan: into which parts it divides its span, and who heads them.
//!
//! ```text
//! author ── all of the line ──▶ parts, each with 3 to 5 heads ── the copy and the part ──▶ each head
//!                                                 first head ── its part ──▶ smaller parts, and their heads … or
//!                                                                            everybody in it, the last level
//! ```
//!
//! Nobody needs to know more of the whole than its own span: parts are named by points, which mean the same to
//! everybody, and each forwarder plans its own by what it sees itself.

use std::{cmp::Reverse, collections::BTreeSet};

use minicbor::{Decode, Encode};

use super::{
    line::{Line, Member},
    point::{Point, Span, Turn},
    shape::{MOST_PARENTS, Shape},
};

/// What a head is to see to: that everybody in its span gets the event (`FAN-6`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Task {
    /// The span.
    #[n(0)]
    pub span: Span,
    /// All its heads, the receiver among them. The first forwards, each of the others if those before it do not.
    #[n(1)]
    pub heads: Vec<Point>,
    /// Who else in the span has it already, or sees to more than this span.
    #[n(2)]
    pub known: Vec<Point>,
}

/// The most that a task names as known: the author and five heads of each level above.
const MAX_KNOWN: usize = 32;

/// What one forwarder does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Levels below the forwarder, the last one included.
    pub depth: u32,
    /// Parts for others to see to.
    pub tasks: Vec<Task>,
    /// The last level: to whom the forwarder sends itself.
    pub last: Vec<Point>,
    /// Who is not online and gets it when they appear (`FAN-7`).
    pub owed: Vec<Point>,
}

impl Task {
    /// Whether it is one: a span that is not empty, and from one to five heads in it.
    pub fn is_sound(&self) -> bool {
        let mut named = self.heads.iter().chain(&self.known);
        self.span.first <= self.span.last
            && (1..=MOST_PARENTS).contains(&self.heads.len())
            && self.known.len() <= MAX_KNOWN
            && named.all(|point| self.span.contains(*point))
    }

    /// The author's: everybody.
    pub fn all(author: Point) -> Self {
        Self {
            span: Span::ALL,
            heads: vec![author],
            known: Vec::new(),
        }
    }

    /// Who in the span needs nothing of its heads.
    fn without(&self) -> BTreeSet<Point> {
        self.heads.iter().chain(&self.known).copied().collect()
    }

    /// The how-manieth head somebody is; the first is 0.
    pub fn place(&self, who: Point) -> Option<usize> {
        self.heads.iter().position(|head| *head == who)
    }
}

impl Plan {
    /// Of everybody in a task's span but its heads and those who are known to have the event; by one of the heads,
    /// who sends at most `width` copies.
    pub fn new(line: &Line, task: &Task, turn: Turn, width: usize) -> Self {
        let (span, without) = (task.span, task.without());
        let members = line.within(span);
        let online = members.iter().filter(|member| member.hope.is_online());
        let below = online.clone().filter(|it| !task.heads.contains(&it.point));
        // Shape and cuts hardly depend on who is online, and not on who said the event: so connections stay.
        let shape = Shape::of(members.len(), online.count(), below.count(), width);
        if shape.depth == 1 {
            let lacking = |online| lacking(members, online, &without);
            return Self {
                depth: 1,
                tasks: Vec::new(),
                last: lacking(true),
                owed: lacking(false),
            };
        }
        let mut plan = Self {
            depth: shape.depth,
            ..Self::default()
        };
        for span in divide(members, span, shape.parts) {
            let members = line.within(span);
            let free = members.iter().filter(|it| !without.contains(&it.point));
            let heads = heads(free, turn, shape.parents);
            let known = inside(&without, span);
            match heads.is_empty() {
                true => plan.owed.extend(lacking(members, false, &without)),
                false => plan.tasks.push(Task { span, heads, known }),
            }
        }
        plan
    }
}

/// The heads of some: the likeliest met, and of those the ones whose turn it is (`FAN-6`).
///
/// Whoever has a connection is preferred: it costs nothing to open, and who is on it is there.
pub(super) fn heads<'a>(
    members: impl IntoIterator<Item = &'a Member>,
    turn: Turn,
    number: usize,
) -> Vec<Point> {
    let online = members.into_iter().filter(|it| it.hope.is_online());
    let mut ranked: Vec<_> = online
        .map(|it| (Reverse(it.hope), turn.rank(it.point), it.point))
        .collect();
    ranked.sort_unstable();
    ranked.truncate(number);
    ranked.into_iter().map(|(_, _, point)| point).collect()
}

/// Of some those who are online, or are not, and are to be told.
fn lacking(members: &[Member], online: bool, without: &BTreeSet<Point>) -> Vec<Point> {
    let members = members.iter();
    let lacking =
        members.filter(|it| it.hope.is_online() == online && !without.contains(&it.point));
    lacking.map(|member| member.point).collect()
}

/// Those of a set who lie in a span.
fn inside(set: &BTreeSet<Point>, span: Span) -> Vec<Point> {
    let points = set.iter().filter(|point| span.contains(**point));
    points.take(MAX_KNOWN).copied().collect()
}

/// Parts of a span with equally many devices in each, or one more; together they are the span.
fn divide(members: &[Member], span: Span, parts: usize) -> Vec<Span> {
    let starts = (1..parts).map(|part| part * members.len() / parts);
    let starts = starts.filter_map(|at| members.get(at).map(|member| member.point));
    let mut spans = Vec::with_capacity(parts);
    let mut first = span.first;
    for start in starts {
        let Some(last) = start.before().filter(|last| *last >= first) else {
            continue;
        };
        spans.push(Span { first, last });
        first = start;
    }
    spans.push(Span {
        first,
        last: span.last,
    });
    spans
}

#[cfg(test)]
mod tests;
