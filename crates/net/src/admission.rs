//! Who may knock: limits for those that nobody has recognised yet, by the address they come from.
//!
//! Asked only about addresses that QUIC has validated by a retry (RFC 9000 §8.1.2), so nobody can
//! use up another's share by writing a false sender on a packet.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use crate::config::{Limits, Rate};

/// How many addresses are remembered (`NET-13`). Each costs some 100 bytes.
const REMEMBERED: usize = 4096;

/// Why a handshake is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("too many strangers from this address")]
    StrangersFromThere,
    #[error("too many strangers")]
    Strangers,
    #[error("too many handshakes from this address")]
    HandshakesFromThere,
    #[error("too many handshakes")]
    Handshakes,
    #[error("too many addresses")]
    Addresses,
}

/// A stranger's place; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    door: Door,
    origin: Origin,
}

/// The door that all incoming handshakes go through.
#[derive(Clone, Debug)]
pub(crate) struct Door(Arc<Mutex<Admission>>);

/// Whom one counts together: whoever has one address has these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// This machine.
    Loopback,
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address: what a household gets.
    V6(u64),
}

#[derive(Debug)]
struct Admission {
    limits: Limits,
    origins: BTreeMap<Origin, Record>,
    strangers: u32,
    handshakes: Bucket,
}

#[derive(Debug)]
struct Record {
    strangers: u32,
    handshakes: Bucket,
}

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Instant,
}

impl Door {
    pub(crate) fn new(limits: Limits, now: Instant) -> Self {
        Self(Arc::new(Mutex::new(Admission::new(limits, now))))
    }

    /// Gives a place to a stranger from a validated address.
    ///
    /// # Errors
    ///
    /// Which limit is reached ([`Refusal`]).
    pub(crate) fn admit(&self, from: IpAddr, now: Instant) -> Result<Place, Refusal> {
        let origin = Origin::of(from);
        let mut admission = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        admission.admit(origin, now)?;
        Ok(Place {
            door: self.clone(),
            origin,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut admission = self.door.0.lock().unwrap_or_else(PoisonError::into_inner);
        admission.release(self.origin);
    }
}

impl Origin {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            address if address.is_loopback() => Self::Loopback,
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6((u128::from(address) >> 64) as u64),
        }
    }
}

impl Admission {
    fn new(limits: Limits, now: Instant) -> Self {
        let handshakes = Bucket::new(limits.handshakes_in_all, now);
        Self {
            limits,
            origins: BTreeMap::new(),
            strangers: 0,
            handshakes,
        }
    }

    fn admit(&mut self, origin: Origin, now: Instant) -> Result<(), Refusal> {
        if self.strangers >= self.limits.strangers {
            return Err(Refusal::Strangers);
        }
        if !self.origins.contains_key(&origin) {
            self.make_room(now)?;
        }
        let local = origin == Origin::Loopback;
        let (rate, strangers) = if local {
            (
                self.limits.handshakes_on_loopback,
                self.limits.strangers_on_loopback,
            )
        } else {
            (self.limits.handshakes, self.limits.strangers_per_address)
        };
        let record = self.origins.entry(origin).or_insert_with(|| Record {
            strangers: 0,
            handshakes: Bucket::new(rate, now),
        });
        if record.strangers >= strangers {
            return Err(Refusal::StrangersFromThere);
        }
        if !record.handshakes.take(now) {
            return Err(Refusal::HandshakesFromThere);
        }
        if !local && !self.handshakes.take(now) {
            return Err(Refusal::Handshakes);
        }
        record.strangers += 1;
        self.strangers += 1;
        Ok(())
    }

    fn release(&mut self, origin: Origin) {
        self.strangers = self.strangers.saturating_sub(1);
        if let Some(record) = self.origins.get_mut(&origin) {
            record.strangers = record.strangers.saturating_sub(1);
        }
    }

    /// Forgets those about whom there is nothing to remember, if the table is full.
    fn make_room(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.origins.len() < REMEMBERED {
            return Ok(());
        }
        self.origins
            .retain(|_, record| record.strangers > 0 || !record.handshakes.is_full(now));
        if self.origins.len() < REMEMBERED {
            Ok(())
        } else {
            Err(Refusal::Addresses)
        }
    }
}

impl Bucket {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            tokens: f64::from(rate.burst),
            at: now,
        }
    }

    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.tokens >= f64::from(self.rate.burst)
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let tokens = self.tokens + passed * self.rate.per_second;
        self.tokens = tokens.min(f64::from(self.rate.burst));
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::time::Duration;

    use super::*;

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_has_eight_places_and_gets_them_back() {
        let now = Instant::now();
        let door = Door::new(Limits::default(), now);
        let mut places: Vec<_> = (0..8).map(|_| door.admit(v4(1), now).unwrap()).collect();
        assert_eq!(
            door.admit(v4(1), now).unwrap_err(),
            Refusal::StrangersFromThere
        );
        assert!(door.admit(v4(2), now).is_ok());
        places.pop();
        assert!(door.admit(v4(1), now).is_ok());
    }

    #[test]
    fn handshakes_of_an_address_come_back_slowly() {
        let now = Instant::now();
        let door = Door::new(Limits::default(), now);
        for _ in 0..20 {
            drop(door.admit(v4(1), now).unwrap());
        }
        assert_eq!(
            door.admit(v4(1), now).unwrap_err(),
            Refusal::HandshakesFromThere
        );
        let later = now + Duration::from_secs(1);
        drop(door.admit(v4(1), later).unwrap());
        drop(door.admit(v4(1), later).unwrap());
        assert_eq!(
            door.admit(v4(1), later).unwrap_err(),
            Refusal::HandshakesFromThere
        );
    }

    #[test]
    fn a_household_is_one_address() {
        let now = Instant::now();
        let door = Door::new(Limits::default(), now);
        let one: Vec<IpAddr> = (0..8)
            .map(|host| format!("2001:db8::{host}").parse().unwrap())
            .collect();
        let places: Vec<_> = one.iter().map(|at| door.admit(*at, now).unwrap()).collect();
        let same = "2001:db8:0:0:ffff::1".parse().unwrap();
        assert_eq!(
            door.admit(same, now).unwrap_err(),
            Refusal::StrangersFromThere
        );
        assert!(door.admit("2001:db8:0:1::1".parse().unwrap(), now).is_ok());
        drop(places);
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_the_same() {
        let now = Instant::now();
        let door = Door::new(
            Limits {
                strangers_per_address: 1,
                ..Limits::default()
            },
            now,
        );
        let _place = door.admit(v4(1), now).unwrap();
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(
            door.admit(mapped, now).unwrap_err(),
            Refusal::StrangersFromThere
        );
    }

    #[test]
    fn strangers_are_limited_in_all() {
        let now = Instant::now();
        let door = Door::new(Limits::default(), now);
        let places: Vec<_> = (0..64).map(|i| door.admit(v4(i), now).unwrap()).collect();
        assert_eq!(door.admit(v4(99), now).unwrap_err(), Refusal::Strangers);
        drop(places);
        assert!(door.admit(v4(99), now).is_ok());
    }

    #[test]
    fn handshakes_are_limited_in_all_but_not_this_machine_s() {
        let now = Instant::now();
        let door = Door::new(Limits::default(), now);
        for i in 0..200u8 {
            drop(door.admit(v4(i), now).unwrap());
        }
        assert_eq!(door.admit(v4(250), now).unwrap_err(), Refusal::Handshakes);
        assert!(door.admit(IpAddr::from([127, 0, 0, 1]), now).is_ok());
        assert!(door.admit("::1".parse().unwrap(), now).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_quiet_are_forgotten() {
        let now = Instant::now();
        let all = Rate {
            burst: u32::MAX,
            per_second: 1.0,
        };
        let limits = Limits {
            handshakes_in_all: all,
            ..Limits::default()
        };
        let door = Door::new(limits, now);
        let address = |i: usize| IpAddr::from([10, 0, (i >> 8) as u8, i as u8]);
        for i in 0..REMEMBERED {
            drop(door.admit(address(i), now).unwrap());
        }
        assert_eq!(
            door.admit(address(REMEMBERED), now).unwrap_err(),
            Refusal::Addresses
        );
        assert_eq!(door.0.lock().unwrap().origins.len(), REMEMBERED);
        let later = now + Duration::from_secs(1);
        assert!(door.admit(address(REMEMBERED), later).is_ok());
        assert_eq!(door.0.lock().unwrap().origins.len(), 1);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let now = Instant::now() + Duration::from_secs(60);
        let door = Door::new(Limits::default(), now);
        for _ in 0..20 {
            drop(door.admit(v4(1), now).unwrap());
        }
        let before = now - Duration::from_secs(30);
        assert!(door.admit(v4(1), before).is_err());
        assert!(door.admit(v4(1), now).is_err());
    }
}
