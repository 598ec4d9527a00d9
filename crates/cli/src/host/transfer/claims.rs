//! Which source of a content gives which parts of it.
//!
//! ```text
//! the first takes all ─▶ another takes the back half of what the slowest has left ─▶ … ─▶ the last pieces are raced for
//! ```
//!
//! A claim shrinks at its end while it is being given, so whoever is faster comes back for more sooner and gives
//! more, and nobody waits for a round trip between pieces. A source that fails gives its parts back.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tenet_blob::Ranges;
use tenet_node::ask::MAX_SPANS;

/// Bytes of a group of a blob, the least that can be asked for (`BLOB-6`).
const GROUP: u64 = 64 << 10;

/// Of less than this the half is not worth a request: who has nothing left to do asks for the same, and the first
/// that has it gives it. A guess: what a line of 10 MB/s carries in a round trip.
const LEAST: u64 = 8 * GROUP;

/// What the sources of one content are giving.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    claims: BTreeMap<u64, Ranges>,
}

/// What one source is asked for; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Arc<Claims>,
    number: u64,
    /// What to ask for; others may take some of it meanwhile.
    pub(super) asked: Ranges,
}

impl Claims {
    /// What another source is to give of what is missing now; `None` where nothing is.
    pub(super) fn take(self: &Arc<Self>, missing: &Ranges) -> Option<Claim> {
        let mut state = self.lock();
        let asked = state.choose(missing);
        if asked.is_empty() {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.claims.insert(number, asked.clone());
        drop(state);
        Some(Claim {
            claims: Arc::clone(self),
            number,
            asked,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn choose(&mut self, missing: &Ranges) -> Ranges {
        let mut free = missing.clone();
        for claimed in self.claims.values() {
            free = free.without(claimed);
        }
        if !free.is_empty() {
            return some(&free);
        }
        let left = self.claims.iter_mut();
        let left = left.map(|(_, claimed)| (bytes(&claimed.common(missing)), claimed));
        let Some((most, claimed)) = left.max_by_key(|(most, _)| *most) else {
            return Ranges::none();
        };
        let rest = claimed.common(missing);
        if most < 2 * LEAST {
            return some(&rest);
        }
        let front = rest.first(most / GROUP / 2);
        let back = some(&rest.without(&front));
        *claimed = rest.without(&back);
        back
    }
}

impl Claim {
    /// Whether all that is still this source's to give came, from it or others.
    pub(super) fn is_done(&self, missing: &Ranges) -> bool {
        let state = self.claims.lock();
        let mine = state.claims.get(&self.number);
        mine.is_none_or(|mine| mine.common(missing).is_empty())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().claims.remove(&self.number);
    }
}

/// As many parts as go into one request.
fn some(ranges: &Ranges) -> Ranges {
    ranges.iter().take(MAX_SPANS).collect()
}

/// In whole groups: the last may be shorter.
fn bytes(ranges: &Ranges) -> u64 {
    ranges.bytes(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

    use super::*;

    /// What a source does.
    #[derive(Clone, Copy)]
    struct Source {
        /// Milliseconds for a group.
        slow: u64,
        /// Milliseconds from a request to its first group.
        far: u64,
        /// When it fails, in milliseconds.
        fails: u64,
    }

    const ALWAYS: u64 = u64::MAX;

    /// A source at work: its claim, and when the next group of it comes.
    struct Work {
        claim: Claim,
        next: u64,
    }

    /// Until when so many groups have come from these sources, in virtual milliseconds, and how many each gave.
    fn fetch(groups: u64, sources: &[Source]) -> (u64, Vec<u64>) {
        let claims = Arc::new(Claims::default());
        let mut missing = Ranges::whole(groups * GROUP);
        let mut works: Vec<Option<Work>> = sources.iter().map(|_| None).collect();
        let mut given = vec![0; sources.len()];
        for now in 0..10_000_000 {
            for (at, source) in sources.iter().enumerate() {
                if now >= source.fails {
                    works[at] = None;
                    continue;
                }
                let work = match &mut works[at] {
                    Some(work) if !work.claim.is_done(&missing) => work,
                    _ => {
                        works[at] = None;
                        let Some(claim) = claims.take(&missing) else {
                            continue;
                        };
                        let next = now + source.far + source.slow;
                        works[at].insert(Work { claim, next })
                    }
                };
                if now < work.next {
                    continue;
                }
                work.next = now + source.slow;
                // It goes through what was asked for, in order; what others brought meanwhile comes again.
                let group = work.claim.asked.first(1);
                work.claim.asked = work.claim.asked.without(&group);
                missing = missing.without(&group);
                given[at] += 1;
            }
            if missing.is_empty() {
                return (now, given);
            }
        }
        (u64::MAX, given)
    }

    fn source(slow: u64, far: u64) -> Source {
        let fails = ALWAYS;
        Source { slow, far, fails }
    }

    /// NODE-903: 64 MiB from lines of 10 MB/s that are 40 ms long.
    #[test]
    fn two_sources_give_nearly_twice_as_much_as_one() {
        let line = source(6, 40);
        let (one, _) = fetch(1024, &[line]);
        let (two, given) = fetch(1024, &[line, line]);
        let ratio = one as f64 / two as f64;
        println!("two holders give {ratio:.2} times as much as one (1.7 asked), {given:?} groups");
        assert!(ratio >= 1.7, "{ratio}");
        let again: u64 = given.iter().sum::<u64>() - 1024;
        assert!(again <= 32, "{again} groups came twice");
    }

    /// NODE-903
    #[test]
    fn who_is_faster_gives_more() {
        let (_, given) = fetch(2000, &[source(3, 40), source(12, 40)]);
        let ratio = given[0] as f64 / given[1] as f64;
        assert!((3.5..=4.5).contains(&ratio), "{given:?}");
    }

    /// NODE-903: and what a source that never answers was asked for comes from others.
    #[test]
    fn what_a_source_does_not_give_others_do() {
        let cut = Source {
            fails: 500,
            ..source(6, 40)
        };
        let mute = source(u64::MAX / 4, 40);
        let (alone, _) = fetch(1024, &[source(6, 40)]);
        for bad in [cut, mute] {
            let (time, given) = fetch(1024, &[bad, source(6, 40)]);
            assert!(time < alone + 1000, "{time} against {alone}, {given:?}");
        }
    }

    #[test]
    fn the_first_is_asked_for_everything_and_what_is_given_back_is_asked_for_again() {
        let claims = Arc::new(Claims::default());
        let whole = Ranges::whole(100 * GROUP);
        let first = claims.take(&whole).unwrap();
        assert_eq!(first.asked, whole);
        let second = claims.take(&whole).unwrap();
        assert_eq!(second.asked, Ranges::of(50 * GROUP..100 * GROUP));
        assert!(first.is_done(&second.asked) && !second.is_done(&second.asked));
        drop(second);
        let third = claims.take(&whole).unwrap();
        assert_eq!(third.asked, Ranges::of(50 * GROUP..100 * GROUP));
        assert!(claims.take(&Ranges::none()).is_none());
    }
}
