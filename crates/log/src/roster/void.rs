//! What an operation rests on, and who takes that away (ROS-6, ROS-509, ROS-510).

use super::{
    Op,
    ledger::{Entry, Number},
    right::{View, any, asks_policy, both, changes_role, not},
};

/// One thing on which an operation rests, with all that it had not seen and that take it away.
pub(super) struct Ground<'a> {
    pub(super) takers: Vec<Taker<'a>>,
    /// Whether the operation is one of those that take it.
    pub(super) takes_itself: bool,
}

/// An operation that takes a ground away, if it counts.
pub(super) struct Taker<'a> {
    pub(super) entry: &'a Entry,
    /// Whether it prevails over what it had not seen.
    pub(super) prevails: Option<bool>,
}

impl<'a> View<'a, '_> {
    /// Whether all that an operation rests on was left to it, and nothing of higher rank stands
    /// against it.
    pub(super) fn is_spared(&self, entry: &Entry) -> Option<bool> {
        let mut spared = not(any(self
            .outranking(entry)
            .map(|(one, above)| both(above, || self.counts(one)))));
        for ground in self.grounds(entry) {
            spared = both(spared, || self.is_left(entry, &ground));
        }
        spared
    }

    /// Whether a ground is left to an operation: nothing counted that takes it had not seen the
    /// operation, or one of the first that take it had. Whatever takes the ground itself comes
    /// before all that had seen it: none of these saves it.
    fn is_left(&self, entry: &Entry, ground: &Ground<'_>) -> Option<bool> {
        let saw = |taker: &&Taker<'_>| taker.entry.operation.saw(&entry.operation);
        let blind = ground.takers.iter().filter(|taker| !saw(taker));
        let voided = any(blind.map(|taker| both(taker.prevails, || self.counts(taker.entry))));
        if voided == Some(false) {
            return Some(true);
        }
        let saved = match ground.takes_itself {
            true => Some(false),
            false => any(ground
                .takers
                .iter()
                .filter(saw)
                .map(|taker| both(self.counts(taker.entry), || self.is_first(taker, ground)))),
        };
        match (voided, saved) {
            (_, Some(true)) => Some(true),
            (Some(true), Some(false)) => Some(false),
            _ => None,
        }
    }

    /// Whether a taker had seen no other counted one.
    fn is_first(&self, taker: &Taker<'_>, ground: &Ground<'_>) -> Option<bool> {
        let earlier = ground.takers.iter().filter(|other| {
            let differs = other.entry.number != taker.entry.number;
            differs && taker.entry.operation.saw(&other.entry.operation)
        });
        not(any(earlier.map(|other| self.counts(other.entry))))
    }

    /// What an operation rests on, where somebody takes it away unseen.
    pub(super) fn grounds(&self, entry: &'a Entry) -> Vec<Ground<'a>> {
        let mut grounds = Vec::new();
        let mut add = |takers: Vec<Taker<'a>>, takes_itself| {
            if !takers.is_empty() {
                grounds.push(Ground {
                    takers,
                    takes_itself,
                });
            }
        };
        let begins_own = entry.operation.begins() == Some(entry.operation.order.author);
        let beginning = match begins_own {
            true => Some(entry),
            false => entry.begun_by.and_then(|number| self.ledger.get(number)),
        };
        if let Some(beginning) = beginning {
            let mut takers = self.unseen(entry, self.ledger.enders(beginning));
            takers.extend(self.demotions(entry));
            let mut itself = self.ledger.enders(beginning).map(|ender| ender.number);
            let itself = !takers.is_empty() && itself.any(|number| number == entry.number);
            add(takers, itself);
        }
        if !begins_own && entry.operation.op.card().is_some() {
            add(self.unseen(entry, self.ledger.enders(entry)), false);
        }
        if let Op::JoinLink(joining) = &entry.operation.op {
            let closings = self.ledger.closings(joining.opening);
            add(self.unseen(entry, closings), false);
        }
        add(self.counterparts(entry), false);
        grounds
    }

    /// Those that an operation had not seen, and which prevail if they count.
    fn unseen(&self, entry: &Entry, takers: impl Iterator<Item = &'a Entry>) -> Vec<Taker<'a>> {
        takers
            .filter(|taker| taker.number != entry.number && !entry.operation.saw(&taker.operation))
            .map(|entry| Taker {
                entry,
                prevails: Some(true),
            })
            .collect()
    }

    /// Demotions of the author after which the operation would not have been its right (ROS-509).
    fn demotions(&self, entry: &'a Entry) -> Vec<Taker<'a>> {
        if !entry.operation.op.is_for_many() {
            return Vec::new();
        }
        let about = self.ledger.about_author(entry);
        let demotions = about.filter(|one| matches!(one.operation.op, Op::Demote(_)));
        let taking = self
            .unseen(entry, demotions)
            .into_iter()
            .filter_map(|taker| {
                let Op::Demote(member) = &taker.entry.operation.op else {
                    return None;
                };
                let prevails = not(self.allows(member.role, entry));
                (prevails != Some(false)).then_some(Taker { prevails, ..taker })
            });
        taking.collect()
    }

    /// Takings from the identity to which an operation gives a role, apart from it (ROS-510).
    fn counterparts(&self, entry: &'a Entry) -> Vec<Taker<'a>> {
        let (true, Some(subject)) = (
            gives_role(&entry.operation.op),
            entry.operation.op.subject(),
        ) else {
            return Vec::new();
        };
        let taking = self.ledger.about_subject(entry).filter(|taker| {
            let op = &taker.operation.op;
            matches!(op, Op::Remove(_) | Op::Leave | Op::Demote(_))
        });
        self.unseen(entry, taking)
            .into_iter()
            .map(|taker| Taker {
                prevails: match taker.entry.by == Some(subject) {
                    true => Some(true),
                    false => not(self.is_above(entry, taker.entry)),
                },
                ..taker
            })
            .collect()
    }

    /// Additions and promotions apart from a removal or demotion of the same identity, with whether
    /// their authors had the higher role (ROS-510).
    pub(super) fn outranking(
        &self,
        entry: &'a Entry,
    ) -> impl Iterator<Item = (&'a Entry, Option<bool>)> {
        let op = &entry.operation.op;
        let subject = op.subject().filter(|subject| {
            matches!(op, Op::Remove(_) | Op::Demote(_)) && entry.by != Some(*subject)
        });
        let view = *self;
        let about = subject
            .into_iter()
            .flat_map(move |subject| view.ledger.about(subject));
        let apart = about.filter(|other| {
            gives_role(&other.operation.op)
                && !other.operation.saw(&entry.operation)
                && !entry.operation.saw(&other.operation)
        });
        apart.map(move |other| (other, view.is_above(other, entry)))
    }

    /// Whether one author had a higher role than another, each in what it had seen.
    fn is_above(&self, one: &Entry, other: &Entry) -> Option<bool> {
        let (one, other) = (self.rank(one)?, self.rank(other)?);
        Some(match (one, other) {
            (Some(one), Some(other)) => one.is_above(other),
            (one, _) => one.is_some(),
        })
    }

    /// All on which an operation's verdict hangs: what ROS-505 to ROS-510 ask of others to judge it, by
    /// what had seen what alone.
    pub(super) fn hangs_on(&self, entry: &'a Entry) -> Vec<Number> {
        let (apart, rivals) = (self.apart(entry), self.rivals(entry));
        let apart = apart.iter().chain(&rivals).map(|one| one.number);
        let ranked = rivals.iter().flat_map(|one| self.ranked_by(one));
        let enders = entry.begun_by.and_then(|number| self.ledger.get(number));
        let enders = enders.into_iter().chain([entry]);
        let enders = enders.flat_map(|beginning| self.ledger.enders(beginning));
        let closings = match &entry.operation.op {
            Op::JoinLink(joining) => Some(self.ledger.closings(joining.opening)),
            _ => None,
        };
        let others = self.asked(entry).into_iter().chain(enders);
        let others = others.chain(closings.into_iter().flatten()).chain(ranked);
        let numbers = others.map(|other| other.number).chain(apart);
        numbers.filter(|number| *number != entry.number).collect()
    }

    /// What an operation had seen that makes its author's right to it.
    pub(super) fn asked(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        let op = &entry.operation.op;
        let subject = op.subject().is_some();
        let of_subject = subject.then(|| self.ledger.about_subject(entry));
        let about = of_subject.into_iter().flatten();
        let about = about.filter(|one| changes_role(&one.operation.op));
        let policies = asks_policy(entry).then(|| self.ledger.policies());
        let opening = match op {
            Op::JoinLink(joining) => self.ledger.find(joining.opening),
            _ => None,
        };
        // ROS-1402
        let joins = matches!(op, Op::JoinLink(_)).then(|| self.ledger.about_author(entry));
        let unblockings = joins.into_iter().flatten();
        let unblockings = unblockings.filter(|one| matches!(one.operation.op, Op::Unblock(_)));
        let beginning = entry.begun_by.and_then(|number| self.ledger.get(number));
        let all = self.ranked_by(entry).into_iter().chain(about);
        let all = all.chain(unblockings);
        let all = all.chain(policies.into_iter().flatten()).chain(opening);
        all.chain(beginning)
            .filter(|one| entry.operation.saw(&one.operation))
            .collect()
    }

    /// What an operation had seen that makes its author's role.
    fn ranked_by(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        let about = self.ledger.about_author(entry);
        let about = about.filter(|one| changes_role(&one.operation.op));
        about
            .chain(self.ledger.dissolutions())
            .filter(|one| entry.operation.saw(&one.operation))
            .collect()
    }

    /// Demotions that may take an author's right to an operation (ROS-509).
    fn apart(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        if !entry.operation.op.is_for_many() {
            return Vec::new();
        }
        let about = self.ledger.about_author(entry);
        let demotions = about.filter(|one| matches!(one.operation.op, Op::Demote(_)));
        demotions
            .filter(|one| !entry.operation.saw(&one.operation))
            .collect()
    }

    /// What the ranks of both authors decide about (ROS-510).
    fn rivals(&self, entry: &'a Entry) -> Vec<&'a Entry> {
        let op = &entry.operation.op;
        let (gives, takes) = (gives_role(op), takes_role(op));
        let about = self.ledger.about_subject(entry);
        about
            .filter(|one| !entry.operation.saw(&one.operation))
            .filter(|one| {
                let other = &one.operation.op;
                gives && (takes_role(other) || matches!(other, Op::Leave))
                    || takes && gives_role(other) && !one.operation.saw(&entry.operation)
            })
            .collect()
    }
}

/// Whether an operation gives an identity a role that another gives it.
fn gives_role(op: &Op) -> bool {
    matches!(op, Op::Add(_) | Op::Promote(_))
}

/// Whether an operation takes a role from another.
fn takes_role(op: &Op) -> bool {
    matches!(op, Op::Remove(_) | Op::Demote(_))
}
