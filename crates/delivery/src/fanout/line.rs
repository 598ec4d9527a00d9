//! Who is in a session, in the order of their points, and how likely each is met.

use super::{
    marks::Marks,
    point::{Point, Span},
};

/// How likely a device is met now; the later the likelier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hope {
    /// Nothing says that it is online.
    Away,
    /// It was, a short while ago, or somebody says so.
    Likely,
    /// A connection with it stands.
    Here,
}

/// A device as one forwarder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where it stands.
    pub point: Point,
    /// How likely it is met.
    pub hope: Hope,
}

/// The devices of a session as one forwarder sees them, ascending by point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Member>);

impl Line {
    /// Of several at one point the one stays that is likeliest met.
    pub fn new(members: impl IntoIterator<Item = Member>) -> Self {
        let mut members: Vec<Member> = members.into_iter().collect();
        members.sort_by_key(|member| (member.point, std::cmp::Reverse(member.hope)));
        members.dedup_by_key(|member| member.point);
        Self(members)
    }

    /// The members in a span, ascending.
    pub fn within(&self, span: Span) -> &[Member] {
        let from = self.0.partition_point(|member| member.point < span.first);
        let to = self.0.partition_point(|member| member.point <= span.last);
        self.0.get(from..to).unwrap_or_default()
    }

    /// Somebody is met more or less likely than before; who is not in the session stays out of it.
    pub fn set(&mut self, point: Point, hope: Hope) {
        let at = self.0.binary_search_by_key(&point, |member| member.point);
        if let Some(member) = at.ok().and_then(|at| self.0.get_mut(at)) {
            member.hope = hope;
        }
    }

    /// How likely somebody is met, if they are in the session.
    pub fn hope(&self, point: Point) -> Option<Hope> {
        let at = self.0.binary_search_by_key(&point, |member| member.point);
        at.ok().and_then(|at| self.0.get(at)).map(|it| it.hope)
    }

    /// Of those in a span the ones that are marked; nothing where the marks are of other members.
    pub fn marked<'a>(
        &'a self,
        span: Span,
        marks: &'a Marks,
    ) -> Option<impl Iterator<Item = Point> + 'a> {
        let members = self.within(span);
        let is_theirs = marks.is_over(members.iter().map(|member| member.point));
        is_theirs.then(|| {
            let points = members.iter().map(|member| member.point);
            points
                .zip(marks.bits())
                .filter_map(|(point, set)| set.then_some(point))
        })
    }

    /// Marks those in a span of whom something is true.
    pub fn mark(&self, span: Span, is: impl Fn(Point) -> bool) -> Marks {
        Marks::new(self.within(span).iter().map(|it| (it.point, is(it.point))))
    }
}

impl Hope {
    /// Whether it is worth while to rely on it.
    pub fn is_online(self) -> bool {
        self >= Self::Likely
    }
}
