//! Knocking at a group: proving its link to whichever member's device is there.
//!
//! ```text
//! knocker: GroupKnock ──▶ check against the opening's public key ── Asker
//! knocker: ◀── Preview, and what follows; or Refusal             :any member's device
//! ```
//!
//! The proof is a signature, no MAC: the session's opening names the public key, so whoever is in the session can
//! check it and nobody but who has the link can make it. It covers the exporter of this connection, so it is
//! worthless in any other.

use std::{fmt, net::SocketAddr};

use minicbor::{Decode, Encode, bytes::ByteVec};

use super::{Error, Plea};
use crate::{
    card::{DeviceCard, UnverifiedCard},
    domain::{GROUP_KNOCK, GROUP_KNOCK_ID, derive_framed},
    encoding,
    keys::{InviteId, InviteKey, verify},
    meeting::{address::Address, link::MAX_ADDRESSES},
    name,
};

/// The longest description and the largest picture in a preview, in bytes: what a session's settings may be.
const MAX_SHOWN_BYTES: usize = 4096;
/// The longest question in a preview, in bytes: what an opening may ask.
const MAX_QUESTION_BYTES: usize = 512;
/// The lowest role: 0 owner, 1 moderator, 2 member, 3 observer.
const LOWEST_ROLE: u8 = 3;

/// What both sides of a knock at a group know before it: the connection that they are in, and the link's opening.
#[derive(Clone, Copy, Debug)]
pub struct GroupBond {
    /// 32 bytes from the TLS exporter of the connection, the same at both ends.
    pub exporter: [u8; 32],
    /// The event that opened the link.
    pub opening: [u8; 32],
}

/// Who knocks at a group: what a [`GroupKnock`] says, believed once it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The card of the device that knocks.
    pub card: DeviceCard,
    /// What the person is called by themself.
    pub name: String,
    /// When the person took the link, in Unix milliseconds by their clock: tells what they ask anew from what was
    /// answered.
    pub asked: u64,
    /// What those are told who decide, where somebody does.
    pub plea: Plea,
    /// Whether the person only wants to see what group it is.
    pub looks: bool,
}

/// The first message of a knock at a group.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GroupKnock {
    #[cbor(n(0), with = "minicbor::bytes")]
    opening: [u8; 32],
    #[n(1)]
    card: UnverifiedCard,
    #[n(2)]
    name: String,
    #[n(3)]
    asked: u64,
    #[cbor(n(4), with = "minicbor::bytes")]
    proof: [u8; 64],
    #[n(5)]
    remark: Option<String>,
    #[n(6)]
    addresses: Option<Vec<Address>>,
    #[n(7)]
    looks: Option<bool>,
}

/// What a member's device shows of a group to who has a link into it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Preview {
    /// What it is called.
    #[n(0)]
    pub name: String,
    /// What it is about; at most 4 KiB.
    #[n(1)]
    pub description: Option<String>,
    /// Its picture, at most 4 KiB; whoever shows it looks first whether it is one.
    #[n(2)]
    pub avatar: Option<ByteVec>,
    /// How many people are in it.
    #[n(3)]
    pub members: u64,
    /// As what one comes in: 0 owner, 1 moderator, 2 member, 3 observer.
    #[n(4)]
    pub role: u8,
    /// Whether somebody there is asked first.
    #[n(5)]
    pub consent: bool,
    /// What is asked of who comes; at most 512 bytes.
    #[n(6)]
    pub question: Option<String>,
    /// Whether the session follows now.
    #[n(7)]
    pub follows: bool,
}

impl GroupKnock {
    /// The knock of `asker` with the key of a link.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Addresses`].
    pub fn new(bond: &GroupBond, key: &InviteKey, asker: &Asker) -> Result<Self, Error> {
        asker.check()?;
        let addresses = asker.plea.addresses.iter().copied().map(Address);
        let addresses: Vec<Address> = addresses.collect();
        let mut knock = Self {
            opening: bond.opening,
            card: asker.card.to_unverified(),
            name: asker.name.clone(),
            asked: asker.asked,
            proof: [0; 64],
            remark: asker.plea.remark.clone(),
            addresses: Some(addresses).filter(|addresses| !addresses.is_empty()),
            looks: asker.looks.then_some(true),
        };
        knock.proof = *key.sign(GROUP_KNOCK, &knock.signed(bond)).as_bytes();
        Ok(knock)
    }

    /// The event that opened the link: it says with which key to check the knock.
    pub fn opening(&self) -> [u8; 32] {
        self.opening
    }

    /// Checks everything but the dates of the card; the proof first (GKNOCK-1).
    ///
    /// # Errors
    /// [`Error`].
    pub fn check(self, bond: &GroupBond, key: InviteId) -> Result<Asker, Error> {
        let signed = self.signed(bond);
        let proof = self.proof.into();
        verify(key.as_bytes(), GROUP_KNOCK, &signed, &proof).map_err(|_| Error::Proof)?;
        let addresses = self.addresses.unwrap_or_default();
        let asker = Asker {
            card: self.card.verify()?,
            name: self.name,
            asked: self.asked,
            plea: Plea {
                remark: self.remark,
                addresses: addresses.into_iter().map(|Address(at)| at).collect(),
            },
            looks: self.looks == Some(true),
        };
        asker.check()?;
        Ok(asker)
    }

    /// What the link's key signs: all that is said, in this connection.
    fn signed(&self, bond: &GroupBond) -> [u8; 32] {
        let said = encoding::encode(&(
            &self.name,
            self.asked,
            &self.remark,
            &self.addresses,
            self.looks,
        ));
        let card = self.card.to_bytes();
        derive_framed(
            GROUP_KNOCK_ID,
            &[&bond.exporter, &bond.opening, &card, &said],
        )
    }
}

impl Asker {
    /// KNOCK-5, KNOCK-101
    fn check(&self) -> Result<(), Error> {
        let got = self.plea.addresses.len();
        if got > MAX_ADDRESSES {
            return Err(Error::Addresses { got });
        }
        name::check_line(self.plea.remark.as_deref().unwrap_or_default())?;
        Ok(name::check(&self.name)?)
    }

    /// Where their endpoint is met, as they say.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.plea.addresses
    }
}

impl Preview {
    /// GKNOCK-2
    pub(super) fn check(&self) -> Result<(), Error> {
        let longest = [
            (self.name.len(), MAX_SHOWN_BYTES),
            (
                self.description.as_deref().map_or(0, str::len),
                MAX_SHOWN_BYTES,
            ),
            (
                self.avatar.as_ref().map_or(0, |it| it.len()),
                MAX_SHOWN_BYTES,
            ),
            (
                self.question.as_deref().map_or(0, str::len),
                MAX_QUESTION_BYTES,
            ),
        ];
        match longest.into_iter().find(|(got, most)| got > most) {
            Some((got, _)) => Err(Error::TooLarge { got }),
            None if self.role > LOWEST_ROLE => Err(Error::Role),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preview({} members, redacted)", self.members)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::{
        card,
        keys::{DeviceKey, IdentityKey},
        meeting::{group, invite::Secret, knock::Message},
    };
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    const NOW: u64 = 1_800_000_000_000;

    fn bond() -> GroupBond {
        GroupBond {
            exporter: [3; 32],
            opening: [9; 32],
        }
    }

    fn key() -> InviteKey {
        group::key(&Secret::from([7; 16]))
    }

    fn asker() -> Asker {
        let device = DeviceKey::from_seed([2; 32]).public();
        let identity = IdentityKey::from_seed([1; 32]);
        Asker {
            card: card::issue(&identity, device, "laptop", NOW).unwrap(),
            name: "Ben".into(),
            asked: NOW,
            plea: Plea {
                remark: Some("hi".into()),
                addresses: vec!["127.0.0.1:80".parse().unwrap()],
            },
            looks: false,
        }
    }

    fn knock() -> GroupKnock {
        GroupKnock::new(&bond(), &key(), &asker()).unwrap()
    }

    fn preview() -> Preview {
        Preview {
            name: "Choir".into(),
            description: Some("we sing".into()),
            avatar: Some(vec![1, 2].into()),
            members: 7,
            role: 2,
            consent: true,
            question: Some("which voice?".into()),
            follows: false,
        }
    }

    /// GKNOCK-1, GKNOCK-2: the bytes that travel.
    #[test]
    fn group_knock_snapshot() {
        let bytes = Message::Group(knock()).to_bytes();
        let hex = HEXLOWER.encode(&bytes);
        assert!(hex.starts_with("8205a7005820090909"), "{hex}");
        assert!(hex.ends_with("026342656e031b000001a3185c50000458404f9ddde2b292405942b87c49fe10609f043839f55d1e5d90cc46\
                 8c8fa6282ca8bb3550816a06204c85c964390bfa377a9454ad8bb6bcb3f5acc66774442cff05056268690681467f00\
                 00010050"), "{hex}");
        assert_eq!(
            Message::from_bytes(&bytes).unwrap(),
            Message::Group(knock())
        );
        let arrived = Message::Arrived([5; 32]);
        let expected = format!("8207a1005820{}", "05".repeat(32));
        assert_eq!(HEXLOWER.encode(&arrived.to_bytes()), expected);
        assert_eq!(Message::from_bytes(&arrived.to_bytes()).unwrap(), arrived);
        let bytes = Message::Preview(preview()).to_bytes();
        assert_eq!(
            HEXLOWER.encode(&bytes),
            "8206a800654 3686f6972 0167 77652073696e67 02420102 0307 0402 05f5 066c 776869636820766f6963653f 07f4"
                .replace(' ', "")
        );
        assert_eq!(
            Message::from_bytes(&bytes).unwrap(),
            Message::Preview(preview())
        );
    }

    /// GKNOCK-1: nobody without the link makes it, nobody passes it on, and nothing of it can be changed.
    #[test]
    fn a_knock_at_a_group_proves_its_link_here_and_now() {
        let public = key().public();
        assert_eq!(knock().check(&bond(), public).unwrap(), asker());
        let elsewhere = GroupBond {
            exporter: [4; 32],
            ..bond()
        };
        assert!(matches!(
            knock().check(&elsewhere, public),
            Err(Error::Proof)
        ));
        let other = group::key(&Secret::from([8; 16]));
        assert!(matches!(
            knock().check(&bond(), other.public()),
            Err(Error::Proof)
        ));
        let changes: [fn(&mut GroupKnock); 5] = [
            |knock| knock.name = "Bob".into(),
            |knock| knock.asked += 1,
            |knock| knock.remark = None,
            |knock| knock.addresses = None,
            |knock| knock.looks = Some(true),
        ];
        for change in changes {
            let mut changed = knock();
            change(&mut changed);
            assert!(matches!(changed.check(&bond(), public), Err(Error::Proof)));
        }
    }

    /// GKNOCK-2
    #[test]
    fn a_preview_keeps_its_limits() {
        let changes: [fn(&mut Preview); 4] = [
            |preview| preview.role = 4,
            |preview| preview.description = Some("x".repeat(4097)),
            |preview| preview.avatar = Some(vec![0; 4097].into()),
            |preview| preview.question = Some("x".repeat(513)),
        ];
        for change in changes {
            let mut changed = preview();
            change(&mut changed);
            assert!(Message::from_bytes(&Message::Preview(changed).to_bytes()).is_err());
        }
        assert!(!format!("{:?}", preview()).contains("Choir"));
    }

    proptest! {
        #[test]
        fn never_panics(at in any::<prop::sample::Index>(), to: u8, shows: bool) {
            let message = if shows { Message::Preview(preview()) } else { Message::Group(knock()) };
            let mut bytes = message.to_bytes();
            let at = at.index(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            if let Ok(Message::Group(knock)) = Message::from_bytes(&bytes) {
                let _ = knock.check(&bond(), key().public());
            }
        }
    }
}
