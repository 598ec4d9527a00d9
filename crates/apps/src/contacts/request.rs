//! A request: somebody came by a link that several may use, and I am asked about them.

use std::fmt;

use minicbor::{Decode, Encode};
use tenet_identity::{
    byte_id,
    keys::{DeviceId, IdentityId},
    meeting::invite::InviteId,
};

use super::{
    Endpoint,
    invite::Word,
    record::{self, RecordError, VERSION},
};

/// The most requests that are kept for one link (`CON-102`).
///
/// A guess: more than anybody answers in a day, and at most 200 KiB on the disk.
pub const MAX_PER_LINK: usize = 256;

/// How long a request is kept after its last knock, in milliseconds: 30 days (`CON-102`).
pub const LASTS_MS: u64 = 30 * 24 * 60 * 60 * 1000;

byte_id! {
    /// The name of a request, random: it is typed by people.
    pub struct RequestId(8);
}

/// Somebody who knocked where I decide.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub id: RequestId,
    /// Where they knocked.
    pub invite: InviteId,
    /// Who.
    pub identity: IdentityId,
    /// With which device, last.
    pub device: DeviceId,
    /// Where that device is met, as it says, so that it can be told of a yes.
    pub place: Endpoint,
    /// What they call themselves; may be empty.
    pub name: String,
    /// What they say.
    pub remark: Option<String>,
    /// When they first knocked, in Unix milliseconds.
    pub first: u64,
    /// When they last knocked, in Unix milliseconds.
    pub last: u64,
    /// What I said.
    pub decision: Decision,
}

/// What I said to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet.
    Waiting,
    /// Yes; they have not been here since.
    Accepted,
    /// No.
    Rejected {
        /// What they are told with it.
        remark: Option<String>,
    },
}

impl Request {
    /// What is known of who asks.
    pub fn word(&self) -> Word {
        match self.decision {
            Decision::Waiting => Word::Waiting,
            Decision::Accepted => Word::Yes,
            Decision::Rejected { .. } => Word::No,
        }
    }

    /// Whether it was kept long enough.
    pub fn is_over(&self, now: u64) -> bool {
        now.saturating_sub(self.last) >= LASTS_MS
    }

    /// The bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        let (decision, answer) = match &self.decision {
            Decision::Waiting => (0, None),
            Decision::Accepted => (1, None),
            Decision::Rejected { remark } => (2, remark.clone()),
        };
        record::encode(&Form {
            version: VERSION,
            id: *self.id.as_bytes(),
            invite: self.invite,
            identity: self.identity,
            device: self.device,
            place: self.place.encode(),
            name: self.name.clone(),
            remark: self.remark.clone(),
            first: self.first,
            last: self.last,
            decision,
            answer,
        })
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let form: Form = record::decode(bytes)?;
        let decision = match (form.decision, form.answer) {
            (0, None) => Decision::Waiting,
            (1, None) => Decision::Accepted,
            (2, remark) => Decision::Rejected { remark },
            _ => return Err(RecordError::Unknown("decision")),
        };
        Ok(Self {
            id: RequestId::from(form.id),
            invite: form.invite,
            identity: form.identity,
            device: form.device,
            place: Endpoint::decode(&form.place).map_err(|_| RecordError::Unknown("place"))?,
            name: form.name,
            remark: form.remark,
            first: form.first,
            last: form.last,
            decision,
        })
    }
}

/// Which requests of a link must go so that one more can be kept (`CON-102`): those whose time is
/// over, and while there are too many those that I rejected, then those that knocked longest ago.
///
/// Who still wants to come knocks again; so neither a crowd nor time can keep somebody out who
/// goes on knocking, and the list shows who is there now.
pub fn to_forget(of_link: &[Request], now: u64) -> Vec<IdentityId> {
    let (over, mut left): (Vec<_>, Vec<_>) =
        of_link.iter().partition(|request| request.is_over(now));
    let rejected = |request: &Request| matches!(request.decision, Decision::Rejected { .. });
    // Whom I accepted goes last.
    left.sort_by_key(|request| {
        let accepted = request.decision == Decision::Accepted;
        (accepted, !rejected(request), request.last, request.identity)
    });
    let many = (left.len() + 1).saturating_sub(MAX_PER_LINK);
    let gone = over.into_iter().chain(left.into_iter().take(many));
    gone.map(|request| request.identity).collect()
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} by {:?}, redacted)", self.id, self.identity)
    }
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Form {
    #[n(0)]
    version: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    id: [u8; 8],
    #[n(2)]
    invite: InviteId,
    #[n(3)]
    identity: IdentityId,
    #[n(4)]
    device: DeviceId,
    #[cbor(n(5), with = "minicbor::bytes")]
    place: Vec<u8>,
    #[n(6)]
    name: String,
    #[n(7)]
    remark: Option<String>,
    #[n(8)]
    first: u64,
    #[n(9)]
    last: u64,
    #[n(10)]
    decision: u8,
    #[n(11)]
    answer: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use tenet_identity::keys::EndpointId;

    fn request(n: u16, last: u64, decision: Decision) -> Request {
        let mut identity = [0x33; 32];
        identity[..2].copy_from_slice(&n.to_be_bytes());
        Request {
            id: RequestId::from([0x11; 8]),
            invite: InviteId::from([0x22; 16]),
            identity: IdentityId::from(identity),
            device: DeviceId::from([0x44; 32]),
            place: Endpoint::new(
                EndpointId::from([0x55; 32]),
                &["192.0.2.1:80".parse().unwrap()],
                80,
            ),
            name: "Bert".into(),
            remark: Some("hi".into()),
            first: 1_000,
            last,
            decision,
        }
    }

    /// CON-1: the bytes that are stored.
    #[test]
    fn has_these_bytes() {
        let place = format!("a3005820{}018146c00002010050021850", "55".repeat(32));
        let head = format!(
            "0001 0148{} 0250{} 0358203333{} 045820{} 055830{place} 066442657274",
            "11".repeat(8),
            "22".repeat(16),
            "33".repeat(30),
            "44".repeat(32),
        );
        let waiting = request(0x3333, 2_000, Decision::Waiting);
        let expected = format!("ab {head} 07626869 081903e8 091907d0 0a00");
        assert_eq!(
            HEXLOWER.encode(&waiting.encode()),
            expected.replace(' ', "")
        );
        let mut rejected = waiting.clone();
        rejected.remark = None;
        rejected.decision = Decision::Rejected {
            remark: Some("no".into()),
        };
        let expected = format!("ab {head} 081903e8 091907d0 0a02 0b626e6f");
        assert_eq!(
            HEXLOWER.encode(&rejected.encode()),
            expected.replace(' ', "")
        );
        assert!(!format!("{waiting:?}").contains("Bert"));
    }

    /// CON-102.
    #[test]
    fn who_knocked_longest_ago_gives_way() {
        let waiting = |n: u16| request(n, u64::from(n), Decision::Waiting);
        let mut all: Vec<_> = (0..255).map(waiting).collect();
        assert_eq!(to_forget(&all, 1_000), []);
        all.push(waiting(255));
        assert_eq!(to_forget(&all, 1_000), [all[0].identity]);
        all[9].decision = Decision::Rejected { remark: None };
        assert_eq!(to_forget(&all, 1_000), [all[9].identity]);
        for request in &mut all {
            request.decision = Decision::Accepted;
        }
        all[200].decision = Decision::Waiting;
        assert_eq!(to_forget(&all, 1_000), [all[200].identity]);
        let over = to_forget(&all, LASTS_MS + 20);
        assert_eq!(over.len(), 21, "0 to 20 are over");
    }

    proptest! {
        #[test]
        fn round_trips(
            name in ".{0,20}", remark in proptest::option::of(".{0,20}"), first: u64, last: u64,
            decision in 0..3,
        ) {
            let decision = match decision {
                0 => Decision::Waiting,
                1 => Decision::Accepted,
                _ => Decision::Rejected { remark: remark.clone() },
            };
            let request = Request { name, remark, first, ..request(1, last, decision) };
            prop_assert_eq!(Request::decode(&request.encode()).unwrap(), request);
        }

        /// However many there are, and whatever I said: one more fits afterwards.
        #[test]
        fn there_is_room_afterwards(lasts in prop::collection::vec((0..100u64, 0..3), 0..300)) {
            let all: Vec<_> = lasts.iter().enumerate().map(|(n, (last, decision))| {
                let decision = match decision {
                    0 => Decision::Waiting,
                    1 => Decision::Accepted,
                    _ => Decision::Rejected { remark: None },
                };
                request(n as u16, *last, decision)
            }).collect();
            let gone = to_forget(&all, 100);
            prop_assert!(all.len() - gone.len() < MAX_PER_LINK);
            prop_assert!(gone.is_empty() || all.len() - gone.len() == MAX_PER_LINK - 1);
        }

        #[test]
        fn never_panics(at in any::<prop::sample::Index>(), to: u8) {
            let mut bytes = request(1, 2, Decision::Waiting).encode();
            let at = at.index(bytes.len());
            bytes[at] = to;
            let _ = Request::decode(&bytes);
            let _ = Request::decode(&bytes[at..]);
        }
    }
}
