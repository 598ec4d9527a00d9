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

use std::collections::BTreeSet;

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

    /// Who in the span needs nothing of its heads.
    pub(super) fn without(&self) -> BTreeSet<Point> {
        self.heads.iter().chain(&self.known).copied().collect()
    }

    /// The how-manieth head somebody is; the first is 0.
    pub fn place(&self, who: Point) -> Option<usize> {
        self.heads.iter().position(|head| *head == who)
    }
}

impl Plan {
    /// Of everybody in a span but those who have the event or see to as much of it.
    ///
    /// `width` is how many copies may be sent.
    pub fn new(
        line: &Line,
        span: Span,
        turn: Turn,
        width: usize,
        without: &BTreeSet<Point>,
    ) -> Self {
        let members = line.within(span).iter();
        let members = members.filter(|member| !without.contains(&member.point));
        let (online, away): (Vec<Member>, Vec<Member>) =
            members.partition(|member| member.hope.is_online());
        let points = |members: &[Member]| members.iter().map(|member| member.point).collect();
        let shape = Shape::of(online.len(), width);
        if shape.depth == 1 {
            return Self {
                depth: 1,
                tasks: Vec::new(),
                last: points(&online),
                owed: points(&away),
            };
        }
        let spans = divide(&online, span, shape.parts);
        let tasks = spans.into_iter().map(|span| Task {
            span,
            heads: heads(&online, span, turn, shape.parents),
            known: inside(without, span),
        });
        Self {
            depth: shape.depth,
            tasks: tasks.collect(),
            last: Vec::new(),
            owed: Vec::new(),
        }
    }
}

/// The heads of a span: the likeliest met, and of those the ones whose turn it is (`FAN-6`).
///
/// Whoever has a connection is preferred: it costs nothing to open, and who is on it is there.
pub(super) fn heads(members: &[Member], span: Span, turn: Turn, number: usize) -> Vec<Point> {
    let inside = members.iter().filter(|it| span.contains(it.point));
    let online = inside.filter(|member| member.hope.is_online());
    let mut ranked: Vec<_> = online
        .map(|it| (std::cmp::Reverse(it.hope), turn.rank(it.point), it.point))
        .collect();
    ranked.sort_unstable();
    ranked.truncate(number);
    ranked.into_iter().map(|(_, _, point)| point).collect()
}

/// Those of a set who lie in a span.
fn inside(set: &BTreeSet<Point>, span: Span) -> Vec<Point> {
    let points = set.iter().filter(|point| span.contains(**point));
    points.take(MAX_KNOWN).copied().collect()
}

/// Parts of a span with equally many online in each, or one more; together they are the span.
fn divide(online: &[Member], span: Span, parts: usize) -> Vec<Span> {
    let starts = (1..parts).map(|part| part * online.len() / parts);
    let starts = starts.filter_map(|at| online.get(at).map(|member| member.point));
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
