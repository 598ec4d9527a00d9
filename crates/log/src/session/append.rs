//! Writing: what this device says, and how it changes the roster.

use rand_core::CryptoRng;
use tenet_identity::{
    card::DeviceCard,
    keys::{DeviceId, DeviceKey, IdentityId},
};

use super::{Admitted, AppendError, Draft, DraftContent, OpenError, Refusal, Session, Terms};
use crate::{
    clock::Hlc,
    event::{
        Body, Content, Event, Header, Kind, MAX_BODY_BYTES, MAX_DEPS, MAX_PAYLOAD_BYTES,
        size_bucket,
    },
    ids::{Author, EventId},
    order::OrderKey,
    past::Seen,
    roster::{Fold, Founding, Joining, Member, Op, OpError, Operation, Policy, Role, SessionKind},
    standing::Standing,
    store::{LogStore, StoreError},
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
        let owners = std::iter::once(card.identity()).chain(others.iter().copied());
        let members = owners.map(|identity| Member {
            identity,
            role: Role::Owner,
        });
        let terms = Terms {
            kind,
            members: members.collect(),
            policy: Policy::default(),
        };
        Self::draft_founding_on(key, card, terms, now, rng)
    }

    /// The founding event of a session on other terms than that all are owners.
    ///
    /// # Errors
    /// As [`Self::draft_founding`].
    pub fn draft_founding_on<R: CryptoRng>(
        key: &DeviceKey,
        card: &DeviceCard,
        terms: Terms,
        now: u64,
        rng: &mut R,
    ) -> Result<Event, AppendError> {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let op = Op::Found(Founding {
            kind: terms.kind,
            secret,
            card: card.clone(),
            members: terms.members,
            policy: terms.policy,
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
        let author = self.own_author(key.public())?;
        let (content, body) = seal(draft.content, rng)?;
        let header = self.header(store, author, draft.kind, content, draft.expires, now)?;
        let event = Event::sign(key, header, body);
        let admitted = self.admit(store, &event)?;
        self.note_named(store, &event, now)?;
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
        let header = match op {
            Op::Join(card) | Op::JoinLink(Joining { card, .. }) => {
                let parents =
                    self.parents(store, key.public(), Some(card.identity()), None, now)?;
                Header {
                    session: Some(self.id),
                    device: key.public(),
                    added_by: None,
                    seq: 0,
                    prev: None,
                    deps: parents.deps,
                    time: parents.latest.next(now),
                    kind,
                    content,
                    expires: None,
                }
            }
            _ => {
                let author = self.own_author(key.public())?;
                self.header(store, author, kind, content, None, now)?
            }
        };
        let by = match op {
            Op::Join(card) | Op::JoinLink(Joining { card, .. }) => Some(card.identity()),
            _ => header.added_by.and_then(|added_by| {
                let device = key.public();
                self.roster().identity(Author { device, added_by })
            }),
        };
        self.unfold(store)?;
        let header = match by {
            Some(by) => self.with_grounds(self.fold(store)?, header, by, op),
            None => header,
        };
        let event = Event::sign(key, header, None);
        let Seen { past, unseen } = self.seen(store, &event)?;
        let operation =
            Operation::new(&event, past)?.ok_or(OpError::Contradiction("not an operation"))?;
        if !self.fold(store)?.admits(&operation, &unseen) {
            return Err(AppendError::Refused);
        }
        let admitted = self.admit_operation(store, &event, operation)?;
        self.note_named(store, &event, now)?;
        Ok((event, admitted))
    }

    /// An operation that cannot name all tips names first what its right rests on (LOG-10).
    fn with_grounds(&self, fold: &Fold, mut header: Header, by: IdentityId, op: &Op) -> Header {
        if header.deps.len() < MAX_DEPS {
            return header;
        }
        let grounds = fold.grounds(by, op).into_iter();
        let grounds = grounds.filter(|one| one.time < header.time && Some(one.id) != header.prev);
        let mut deps: Vec<EventId> = grounds.map(|one| one.id).collect();
        deps.sort_unstable();
        deps.dedup();
        let others = header.deps.iter().filter(|one| !deps.contains(one));
        let others: Vec<EventId> = others.copied().collect();
        deps.extend(others);
        deps.truncate(MAX_DEPS);
        deps.sort_unstable();
        header.deps = deps;
        header
    }

    /// The chain on which this device may write (FORK-4).
    pub(super) fn own_author(&self, device: DeviceId) -> Result<Author, AppendError> {
        let author = self.roster().author(device);
        let author = author.ok_or(AppendError::NotOnRoster)?;
        if self.sealed || self.forks.points().contains_key(&author) {
            return Err(AppendError::Forked);
        }
        Ok(author)
    }

    fn header<S: LogStore>(
        &self,
        store: &S,
        author: Author,
        kind: Kind,
        content: Content,
        expires: Option<u64>,
        now: u64,
    ) -> Result<Header, StoreError> {
        let head = self.frontier.head(author);
        // The first event of a chain that another event began follows nothing.
        let (seq, prev) = head.map_or((0, None), |head| (head.seq + 1, Some(head.id)));
        let identity = self.roster().identity(author);
        let parents = self.parents(store, author.device, identity, prev, now)?;
        // Also where what it wrote last is void and too early: that is its parent all the same.
        let before = head.map_or_else(Hlc::default, |head| head.time);
        Ok(Header {
            session: Some(self.id),
            device: author.device,
            added_by: Some(author.added_by),
            seq,
            prev,
            deps: parents.deps,
            time: parents.latest.max(before).next(now),
            kind,
            content,
            expires,
        })
    }

    /// The tips that a new event names (LOG-10): all, but for histories that count for nobody, and
    /// for what is out of the device's time; for these what lies below.
    ///
    /// Where there are too many, first those of the author's own identity: what its operations
    /// take away is measured by what they had seen.
    fn parents<S: LogStore>(
        &self,
        store: &S,
        device: DeviceId,
        identity: Option<IdentityId>,
        prev: Option<EventId>,
        now: u64,
    ) -> Result<Parents, StoreError> {
        let mut latest = self.latest_at(device, now);
        let (mut tips, mut hidden) = (Vec::new(), Vec::new());
        for id in self.frontier.tips().iter().filter(|id| Some(**id) != prev) {
            let Some(head) = self.frontier.find(*id) else {
                continue;
            };
            let is_forked = self.forks.contain(head.author, head.seq)
                && store.event(*id)?.map(|stored| stored.standing) == Some(Standing::Forked);
            if is_forked || self.is_out_of_time(device, head, now) {
                hidden.push(*id);
                continue;
            }
            let own = identity.is_some() && self.roster().identity(head.author) == identity;
            let counts = self.counts(head);
            tips.push((!own, !counts, *id));
        }
        tips.sort_unstable();
        tips.truncate(MAX_DEPS);
        let mut deps: Vec<EventId> = tips.into_iter().map(|(_, _, id)| id).collect();
        let below = self.below(store, hidden, now)?.latest;
        // What lies below a tip that is left out may be later than all the other tips.
        latest = latest.max(below.last().map_or_else(Hlc::default, |order| order.time));
        let (own, others): (Vec<&OrderKey>, Vec<&OrderKey>) = below
            .iter()
            .rev()
            .filter(|order| Some(order.id) != prev)
            .partition(|order| {
                identity.is_some() && self.roster().identity(order.author) == identity
            });
        deps.extend(own.into_iter().chain(others).map(|order| order.id));
        deps.truncate(MAX_DEPS);
        deps.sort_unstable();
        Ok(Parents { deps, latest })
    }
}

/// What a new event builds on beside the last one of its chain.
struct Parents {
    deps: Vec<EventId>,
    /// The latest time of what the device may build upon (LOG-7).
    latest: Hlc,
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
