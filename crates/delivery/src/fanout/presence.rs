//! Who is online, well enough to plan with: what a device sees itself, and what its neighbours tell.
//!
//! ```text
//! connections, what came from somebody ──▶ Presence ── Word: a bit for each, of one period ──▶ neighbours
//!              Words of neighbours ────────▶   └──▶ Hope, for the Line
//! ```
//!
//! A bit says that somebody was heard of within a period of ten minutes, so words are only ever joined, and nothing is
//! passed on for longer than two periods: whoever went is away by then, however often it is told. Plans bear with what is
//! wrong meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::{
    line::{Hope, Line},
    marks::Marks,
    point::{Point, Span},
};

/// A period, in milliseconds: ten minutes.
///
/// Whoever went silently is believed to be here for ten to twenty. If people stay two hours, that is an eighth of all; a
/// plan bears with a fifth.
pub const PERIOD_MS: u64 = 10 * 60 * 1_000;

/// How often a device tells neighbours, in milliseconds: three times a period. Six rounds over two periods reach 4,000
/// from each by four neighbours.
pub const TELL_MS: u64 = PERIOD_MS / 3;

/// How many neighbours are told each time.
pub const TOLD: usize = 4;

/// What part of those who were known is so much news that it does not wait.
const NEWS: usize = 8;

/// Who was heard of within a period (`FAN-15`).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Word {
    /// The period: Unix time in tens of minutes.
    #[n(0)]
    pub period: u64,
    /// Who, over the whole line.
    #[n(1)]
    pub heard: Marks,
}

/// Who is online in one session, by what this device knows (`FAN-14`).
#[derive(Clone, Debug, Default)]
pub struct Presence {
    here: BTreeSet<Point>,
    /// Who was heard of, in this period and the one before it.
    heard: BTreeMap<u64, BTreeSet<Point>>,
    /// How many were online when it was last told, and of how many it was learnt since.
    told: usize,
    news: usize,
    /// In which period the connection with somebody was lost: what is told of that period and before is older news.
    lost: BTreeMap<Point, u64>,
}

impl Presence {
    /// Knows nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection with somebody stands.
    pub fn connected(&mut self, who: Point, now: u64) {
        self.here.insert(who);
        self.heard_of(who, now);
    }

    /// The last connection with somebody has ended, or none came about.
    pub fn lost(&mut self, who: Point, now: u64) {
        self.here.remove(&who);
        self.lost.insert(who, period(now));
        for heard in self.heard.values_mut() {
            heard.remove(&who);
        }
    }

    /// Forgets whoever is in the session no more: it comes as one that nothing is known of.
    pub fn retain(&mut self, is_in: impl Fn(Point) -> bool) {
        self.here.retain(|who| is_in(*who));
        self.lost.retain(|who, _| is_in(*who));
        for heard in self.heard.values_mut() {
            heard.retain(|who| is_in(*who));
        }
    }

    /// The clock was set back: what was noted at times to come was noted now at the latest.
    pub fn set_back(&mut self, now: u64) {
        let this = period(now);
        self.heard.retain(|period, _| *period <= this);
        for at in self.lost.values_mut() {
            *at = this.min(*at);
        }
    }

    /// Something came from somebody, or was told that only they can have said lately: that they have an event.
    pub fn heard_of(&mut self, who: Point, now: u64) {
        self.forget(now);
        self.lost.remove(&who);
        self.learn(who, period(now));
    }

    fn learn(&mut self, who: Point, period: u64) {
        let known = self.heard.values().any(|heard| heard.contains(&who));
        self.news += usize::from(!known);
        self.heard.entry(period).or_default().insert(who);
    }

    /// How likely somebody is met.
    pub fn hope(&self, who: Point, now: u64) -> Hope {
        let lately = |period: u64| self.heard.get(&period).is_some_and(|it| it.contains(&who));
        let this = period(now);
        match self.here.contains(&who) {
            true => Hope::Here,
            false if lately(this) || lately(this.saturating_sub(1)) => Hope::Likely,
            false => Hope::Away,
        }
    }

    /// What is to be told to a neighbour now: of this period, and in the first third of it of the last.
    pub fn words(&mut self, line: &Line, now: u64) -> Vec<Word> {
        let this = period(now);
        for who in self.here.clone() {
            self.heard_of(who, now);
        }
        let early = now % PERIOD_MS < TELL_MS;
        let before = early.then(|| this.saturating_sub(1));
        let periods = before.into_iter().chain([this]);
        let words = periods.filter_map(|period| {
            let heard = self.heard.get(&period)?;
            let heard = line.mark(Span::ALL, |point| heard.contains(&point));
            (heard.count() > 0).then_some(Word { period, heard })
        });
        words.collect()
    }

    /// What a neighbour tells, and of whom that is new; nothing is taken of periods that are over, or to come, nor from who
    /// sees another roster.
    pub fn take(&mut self, word: &Word, line: &Line, now: u64) -> Vec<Point> {
        self.forget(now);
        let this = period(now);
        if word.period > this || word.period.saturating_add(1) < this {
            return Vec::new();
        }
        let Some(marked) = line.marked(Span::ALL, &word.heard) else {
            return Vec::new();
        };
        let heard = self.heard.get(&word.period);
        let known = |point: &Point| heard.is_some_and(|heard| heard.contains(point));
        let lost = |point: &Point| self.lost.get(point).is_some_and(|at| *at >= word.period);
        let news: Vec<Point> = marked.filter(|it| !known(it) && !lost(it)).collect();
        for who in &news {
            self.learn(*who, word.period);
        }
        news
    }

    /// Neighbours were told.
    pub fn told(&mut self) {
        let heard: BTreeSet<&Point> = self.heard.values().flatten().collect();
        self.told = heard.len();
        self.news = 0;
    }

    /// Whether so much was learnt since neighbours were told that they are to be told soon: so whoever is there first
    /// hears of all others within seconds, and who comes and goes one by one waits for its time.
    pub fn has_news(&self) -> bool {
        self.news > self.told / NEWS
    }

    /// What is older than the last period.
    fn forget(&mut self, now: u64) {
        let last = period(now).saturating_sub(1);
        self.heard.retain(|period, _| *period >= last);
        self.lost.retain(|_, at| *at >= last);
    }
}

const fn period(now: u64) -> u64 {
    now / PERIOD_MS
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;
    use crate::fanout::line::Member;

    /// The beginning of a period.
    const NOW: u64 = 1_800_000_000_000;

    fn line(devices: u64) -> Line {
        Line::new((0..devices).map(|at| Member {
            point: Point(at),
            hope: Hope::Away,
        }))
    }

    /// FAN-14: what one sees goes before what others tell, and what is told ends with its time.
    #[test]
    fn what_is_told_ends_with_its_time() {
        let (line, who) = (line(9), Point(3));
        let mut teller = Presence::new();
        teller.connected(who, NOW);
        let word = teller.words(&line, NOW).pop().unwrap();
        let mut here = Presence::new();
        here.take(&word, &line, NOW + 1);
        assert_eq!(here.hope(who, NOW + 1), Hope::Likely);
        assert_eq!(here.hope(who, NOW + 2 * PERIOD_MS - 1), Hope::Likely);
        assert_eq!(here.hope(who, NOW + 2 * PERIOD_MS), Hope::Away);
        // The same word comes again, late, and from the future: nobody is here by it.
        here.take(&word, &line, NOW + 2 * PERIOD_MS);
        here.take(&word, &line, NOW - PERIOD_MS);
        assert_eq!(here.hope(who, NOW + 2 * PERIOD_MS), Hope::Away);
        assert_eq!(here.hope(who, NOW - PERIOD_MS), Hope::Away);
        // A connection that was lost is better news than what was told of that period.
        here.connected(who, NOW + 5);
        assert_eq!(here.hope(who, NOW + 6), Hope::Here);
        here.lost(who, NOW + 7);
        here.take(&word, &line, NOW + 8);
        assert_eq!(here.hope(who, NOW + 9), Hope::Away);
        here.heard_of(who, NOW + 10);
        assert_eq!(here.hope(who, NOW + 11), Hope::Likely);
    }

    /// FAN-14: whoever came back into a session is nobody from before.
    #[test]
    fn who_is_out_is_forgotten() {
        let (line, out, stays) = (line(9), Point(3), Point(4));
        let mut here = Presence::new();
        here.connected(out, NOW);
        here.connected(stays, NOW);
        here.retain(|who| who != out);
        assert_eq!(here.hope(out, NOW), Hope::Away);
        assert_eq!(here.hope(stays, NOW), Hope::Here);
        let word = here.words(&line, NOW).pop().unwrap();
        assert_eq!(word.heard.count(), 1, "nor is it told of");
    }

    /// FAN-14: what was noted by a clock that was ahead holds no longer than what is noted now.
    #[test]
    fn a_clock_that_was_ahead_leaves_nothing() {
        let (line, who) = (line(9), Point(3));
        let ahead = NOW + 100 * PERIOD_MS;
        let mut here = Presence::new();
        here.heard_of(Point(5), ahead);
        here.connected(who, ahead);
        here.lost(who, ahead);
        here.set_back(NOW);
        assert_eq!(here.hope(Point(5), ahead), Hope::Away);
        let mut teller = Presence::new();
        let later = NOW + PERIOD_MS;
        teller.connected(who, later);
        let word = teller.words(&line, later).pop().unwrap();
        assert_eq!(here.take(&word, &line, later), [who]);
        assert_eq!(here.hope(who, later), Hope::Likely);
    }

    /// FAN-15: in 500 devices, 400 of them online, each with four neighbours, everybody knows nearly all after two periods, and
    /// those who went are away two periods later.
    #[test]
    fn everybody_knows_nearly_all() {
        let (devices, online) = (500_u64, 400_u64);
        let line = line(devices);
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut all: Vec<Presence> = (0..online).map(|_| Presence::new()).collect();
        for one in 0..online {
            for _ in 0..TOLD / 2 {
                let other = rng.next_u64() % online;
                all[one as usize].connected(Point(other), NOW);
                all[other as usize].connected(Point(one), NOW);
            }
        }
        let (mut bytes, mut told) = (0, 0);
        let mut tell = |all: &mut Vec<Presence>, now: u64, there: u64| {
            for one in 0..there as usize {
                let words = all[one].words(&line, now);
                for other in all[one].here.clone().into_iter().take(TOLD) {
                    for word in words.iter().filter(|_| other.0 < there) {
                        bytes += tenet_identity::encoding::encode(word).len();
                        told += 1;
                        all[other.0 as usize].take(word, &line, now);
                    }
                }
            }
        };
        let known = |all: &[Presence], now: u64, of: std::ops::Range<u64>| {
            let likely = |it: &Presence| {
                of.clone()
                    .filter(|at| it.hope(Point(*at), now).is_online())
                    .count()
            };
            all.iter().take(200).map(likely).sum::<usize>() as f64
                / 200.0
                / (of.end - of.start) as f64
        };
        for round in 0..6 {
            tell(&mut all, NOW + round * TELL_MS, online);
        }
        let end = NOW + 6 * TELL_MS - 1;
        assert!(
            known(&all, end, 0..online) > 0.98,
            "{}",
            known(&all, end, 0..online)
        );
        assert_eq!(known(&all, end, online..devices), 0.0);
        // A hundred go.
        for one in &mut all[..300] {
            for gone in 300..400 {
                one.lost(Point(gone), end);
            }
        }
        for round in 6..12 {
            tell(&mut all, NOW + round * TELL_MS, 300);
        }
        let end = NOW + 12 * TELL_MS;
        assert_eq!(known(&all, end, 300..400), 0.0);
        assert!(bytes / told < 80, "{} bytes for 500 devices", bytes / told);
    }

    /// FAN-15: where all come at once they hear of each other at once; later news is told when it is time.
    #[test]
    fn much_news_is_told_soon() {
        let line = line(200);
        let mut all: Vec<Presence> = (0..200).map(|_| Presence::new()).collect();
        for (one, it) in all.iter_mut().enumerate() {
            for other in [one + 1, one + 199, one + 14, one + 186] {
                it.connected(Point(other as u64 % 200), NOW);
            }
        }
        let mut rounds = 0;
        while all.iter().any(Presence::has_news) {
            rounds += 1;
            assert!(rounds < 30, "they are told for ever");
            for one in 0..all.len() {
                if !all[one].has_news() {
                    continue;
                }
                let words = all[one].words(&line, NOW);
                all[one].told();
                for other in all[one].here.clone() {
                    for word in &words {
                        all[other.0 as usize].take(word, &line, NOW);
                    }
                }
            }
        }
        let knows = |it: &Presence| {
            (0..200)
                .filter(|at| it.hope(Point(*at), NOW).is_online())
                .count()
        };
        assert!(all.iter().all(|it| knows(it) > 170));
        let one = &mut all[0];
        one.told();
        for come in 0..20 {
            one.lost(Point(come), NOW);
            one.heard_of(Point(come), NOW);
        }
        assert!(!one.has_news(), "few come and go");
    }

    proptest! {
        /// FAN-14: words may come in any order, and more than once.
        #[test]
        fn words_are_joined(
            words in prop::collection::vec((0_u64..3, prop::collection::btree_set(0_u64..40, 0..40)), 0..6),
            again in any::<prop::sample::Index>(),
        ) {
            let line = line(40);
            let word = |(ago, who): &(u64, BTreeSet<u64>)| Word {
                period: period(NOW) - ago,
                heard: line.mark(Span::ALL, |point| who.contains(&point.0)),
            };
            let words: Vec<Word> = words.iter().map(word).collect();
            let (mut one, mut other) = (Presence::new(), Presence::new());
            for (word, last) in words.iter().zip(words.iter().rev()) {
                one.take(word, &line, NOW);
                other.take(last, &line, NOW);
            }
            if !words.is_empty() {
                other.take(again.get(&words), &line, NOW);
            }
            for at in 0..40 {
                prop_assert_eq!(one.hope(Point(at), NOW), other.hope(Point(at), NOW));
            }
        }
    }
}
