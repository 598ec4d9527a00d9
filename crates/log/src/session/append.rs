//! Writing: what this device says, and how it changes the roster.

use rand_core::CryptoRng;
use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceKey, IdentityId},
};

use super::{Admitted, AppendError, Draft, DraftContent, OpenError, Refusal, Session};
use crate::{
    clock::Hlc,
    event::{
        Body, Content, Event, Header, Kind, MAX_BODY_BYTES, MAX_DEPS, MAX_PAYLOAD_BYTES,
        size_bucket,
    },
    ids::{Author, EventId},
    roster::{self, Founding, Op, OpError, Operation, Role, SessionKind},
    standing::Standing,
    store::LogStore,
};

impl Session {
    /// Founds a session: the caller's device is its first.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn found<S: LogStore, R: CryptoRng>(
        store: &mut S,
        key: &DeviceKey,
        card: &DeviceCard,
        kind: SessionKind,
        others: &[IdentityId],
        now: u64,
        rng: &mut R,
    ) -> Result<(Self, Event), AppendError> {
        let event = Self::draft_founding(key, card, kind, others, now, rng)?;
        let (session, _) = Self::open(store, &event).map_err(|error| match error {
            OpenError::Refused(Refusal::Op(error)) => AppendError::Op(error),
            OpenError::Refused(_) => AppendError::NotOnRoster,
            OpenError::Store(error) => AppendError::Store(error),
        })?;
        Ok((session, event))
    }

    /// The founding event alone, for a session that begins only once somebody answers it.
    ///
    /// # Errors
    /// [`AppendError::Header`] never happens for the kinds of this crate.
    pub fn draft_founding<R: CryptoRng>(
        key: &DeviceKey,
        card: &DeviceCard,
        kind: SessionKind,
        others: &[IdentityId],
        now: u64,
        rng: &mut R,
    ) -> Result<Event, AppendError> {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let owners = std::iter::once(card.identity()).chain(others.iter().copied());
        let members = owners
            .map(|identity| roster::Member {
                identity,
                role: Role::Owner,
            })
            .collect();
        let op = Op::Found(Founding {
            kind,
            secret,
            card: card.clone(),
            members,
        });
        let header = Header {
            session: None,
            device: key.public(),
            added_by: None,
            seq: 0,
            prev: None,
            deps: Vec::new(),
            time: Hlc::from_millis(now),
            kind: Kind::new(op.kind())?,
            content: Content::Payload(op.payload()),
            expires: None,
        };
        Ok(Event::sign(key, header, None))
    }

    /// Says something.
    ///
    /// # Errors
    /// [`AppendError`]; nothing is written then.
    pub fn append<S: LogStore, R: CryptoRng>(
        &mut self,
        store: &mut S,
        key: &DeviceKey,
        draft: Draft,
        now: u64,
        rng: &mut R,
    ) -> Result<(Event, Admitted), AppendError> {
        let author = self
            .roster
            .author(key.public())
            .ok_or(AppendError::NotOnRoster)?;
        let (content, body) = seal(draft.content, rng)?;
        let header = self.header(author, draft.kind, content, draft.expires, now);
        let event = Event::sign(key, header, body);
        let position = self.insert(store, &event, Standing::Counted)?;
        let admitted = Admitted {
            position,
            standing: Standing::Counted,
            changes: Vec::new(),
            roster_changed: false,
        };
        Ok((event, admitted))
    }

    /// Changes the roster. For [`Op::Join`] the device need not be in yet.
    ///
    /// # Errors
    /// [`AppendError`]; nothing is written then.
    pub fn operate<S: LogStore>(
        &mut self,
        store: &mut S,
        key: &DeviceKey,
        op: &Op,
        now: u64,
    ) -> Result<(Event, Admitted), AppendError> {
        let content = Content::Payload(op.payload());
        let kind = Kind::new(op.kind())?;
        let author = match op {
            Op::Join(_) => None,
            _ => Some(
                self.roster
                    .author(key.public())
                    .ok_or(AppendError::NotOnRoster)?,
            ),
        };
        let header = match author {
            Some(author) => self.header(author, kind, content, None, now),
            None => Header {
                session: Some(self.id),
                device: key.public(),
                added_by: None,
                seq: 0,
                prev: None,
                deps: self.deps(None),
                time: self.latest.next(now),
                kind,
                content,
                expires: None,
            },
        };
        let event = Event::sign(key, header, None);
        let operation = Operation::new(&event, self.frontier.as_past())?
            .ok_or(OpError::Contradiction("not an operation"))?;
        let admitted = self.admit_operation(store, &event, operation)?;
        Ok((event, admitted))
    }

    fn header(
        &self,
        author: Author,
        kind: Kind,
        content: Content,
        expires: Option<u64>,
        now: u64,
    ) -> Header {
        let head = self.frontier.head(author);
        // The first event of a chain that another event began follows nothing.
        let (seq, prev) = head.map_or((0, None), |head| (head.seq + 1, Some(head.id)));
        Header {
            session: Some(self.id),
            device: author.device,
            added_by: Some(author.added_by),
            seq,
            prev,
            deps: self.deps(prev),
            time: self.latest.next(now),
            kind,
            content,
            expires,
        }
    }

    fn deps(&self, prev: Option<EventId>) -> Vec<EventId> {
        let tips = self.frontier.tips().iter().copied();
        tips.filter(|tip| Some(*tip) != prev)
            .take(MAX_DEPS)
            .collect()
    }
}

/// Commits to a body under a fresh salt, or leaves a payload in the header.
fn seal<R: CryptoRng>(
    content: DraftContent,
    rng: &mut R,
) -> Result<(Content, Option<Body>), AppendError> {
    let (len, max) = match &content {
        DraftContent::Body(bytes) => (bytes.len(), MAX_BODY_BYTES),
        DraftContent::Payload(bytes) => (bytes.len(), MAX_PAYLOAD_BYTES),
    };
    if len > max {
        return Err(AppendError::TooLarge { len, max });
    }
    Ok(match content {
        DraftContent::Payload(bytes) => (Content::Payload(bytes), None),
        DraftContent::Body(bytes) => {
            let mut salt = [0; 32];
            rng.fill_bytes(&mut salt);
            let body = Body { salt, bytes };
            (
                Content::Body {
                    hash: body.hash(),
                    bucket: size_bucket(len),
                },
                Some(body),
            )
        }
    })
}
