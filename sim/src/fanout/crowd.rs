//! Who is in a session, who of them is online, who dies, and who believes what of whom.

use std::collections::BTreeSet;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tenet_delivery::fanout::{
    line::{Hope, Line, Member},
    point::{Point, Span},
};

/// How it is to be.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Devices of the session.
    pub devices: usize,
    /// Of a hundred, who are offline.
    pub offline: u64,
    /// Of a hundred that are online, who die while they forward.
    pub dying: u64,
    /// Of a hundred that are offline, whom somebody else believes to be online: who went a minute ago.
    pub stale: u64,
    /// Of a hundred that are online, whom somebody else believes to be offline: who just came.
    pub missed: u64,
    /// All else.
    pub seed: u64,
}

/// The devices of a session by number; 0 says what is measured and is online to the end.
#[derive(Clone, Debug)]
pub struct Crowd {
    setting: Setting,
    /// Where each stands.
    pub points: Vec<Point>,
    /// The devices in the order of their points.
    order: Vec<usize>,
    /// Who is online when it begins.
    pub online: Vec<bool>,
    /// Who is to die.
    pub dying: Vec<bool>,
}

impl Setting {
    /// A fifth offline and a fifth of the others dying, as seen by others who are a little behind.
    pub fn hard(devices: usize, seed: u64) -> Self {
        Self {
            devices,
            offline: 20,
            dying: 20,
            stale: 5,
            missed: 1,
            seed,
        }
    }
}

impl Crowd {
    /// As the setting has it: exactly so many offline and dying, chosen at random.
    pub fn new(setting: Setting) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(setting.seed);
        let devices = setting.devices;
        let share = |of: usize, percent: u64| of * percent as usize / 100;
        let mut others: Vec<usize> = (1..devices).collect();
        shuffle(&mut others, &mut rng);
        let away = share(devices, setting.offline);
        let dead = share(devices - away, setting.dying);
        let mut crowd = Self {
            setting,
            points: (0..devices).map(|_| Point(rng.next_u64())).collect(),
            order: (0..devices).collect(),
            online: vec![true; devices],
            dying: vec![false; devices],
        };
        for number in &others[..away] {
            crowd.online[*number] = false;
        }
        for number in &others[away..away + dead] {
            crowd.dying[*number] = true;
        }
        crowd.order.sort_by_key(|number| crowd.points[*number]);
        crowd
    }

    /// How it was to be.
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// The device at a point.
    pub fn at(&self, point: Point) -> usize {
        let found = self
            .order
            .binary_search_by_key(&point, |it| self.points[*it]);
        self.order[found.expect("a point of the session")]
    }

    /// Who is online and stays so.
    pub fn living(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.points.len()).filter(|number| self.online[*number] && !self.dying[*number])
    }

    /// A span of the line as somebody sees it, who has a connection with some, and could not reach others.
    pub fn seen_by(
        &self,
        viewer: usize,
        span: Span,
        here: &BTreeSet<usize>,
        lost: &BTreeSet<usize>,
    ) -> Line {
        let from = self
            .order
            .partition_point(|it| self.points[*it] < span.first);
        let to = self
            .order
            .partition_point(|it| self.points[*it] <= span.last);
        let members = self.order[from..to].iter().map(|number| Member {
            point: self.points[*number],
            hope: match self.believed_online(viewer, *number) {
                _ if lost.contains(number) => Hope::Away,
                _ if here.contains(number) => Hope::Here,
                true => Hope::Likely,
                false => Hope::Away,
            },
        });
        Line::new(members)
    }

    /// Each errs for itself, and always in the same way.
    fn believed_online(&self, viewer: usize, of: usize) -> bool {
        let mixed = mix(self.setting.seed ^ mix(viewer as u64) ^ mix(of as u64).rotate_left(17));
        let percent = mixed % 100;
        match self.online[of] {
            true => percent >= self.setting.missed || viewer == of,
            false => percent < self.setting.stale,
        }
    }
}

/// The end of splitmix64: numbers that look random and follow from what is given.
pub(super) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn shuffle(numbers: &mut [usize], rng: &mut ChaCha20Rng) {
    for at in (1..numbers.len()).rev() {
        let other = rng.next_u64() % (at as u64 + 1);
        numbers.swap(at, other as usize);
    }
}
