//! What others may bring unasked (NODE-301 to NODE-304): a limit on what is kept of them until a
//! person has looked, not on how fast it comes.
//!
//! ```text
//! events, registers, small files of an identity in a session ──▶ counted ── too much ──▶ refused, a person is told
//!                                                                    ▲
//!                       somebody here writes or reads there ─────────┘ counted anew, compared anew
//! ```

use std::collections::BTreeMap;

use tenet_apps::contacts::Contact;
use tenet_identity::keys::{DeviceId, IdentityId};
use tenet_log::{
    event::Event,
    ids::{EventId, SessionId},
    roster::{Joining, Membership, Op, SessionKind},
    session::{Admitted, Session},
};

use super::Engine;
use crate::{input::Notice, storage::Storage};

/// How much of one identity is taken into one session until a person has written or read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes of the log, with what it costs to keep and to judge them.
    pub log: u64,
    /// Bytes of files that are fetched unasked.
    pub files: u64,
}

impl Default for Allowance {
    /// A guess: 256 MiB of log are 300,000 short messages, more than the longest absence brings; 1 GiB of
    /// files are two hundred photos.
    fn default() -> Self {
        Self {
            log: 256 << 20,
            files: 1 << 30,
        }
    }
}

/// What an event costs besides its bytes: rows, indexes, views.
const PER_EVENT: u64 = 512;

/// What an operation costs: what was decided after it may be decided anew.
const PER_OPERATION: u64 = 64 << 10;

/// What a session of many costs that somebody brings: to be in it, and an allowance of its own for everybody there.
const PER_SESSION: u64 = 1 << 20;

/// What a file costs at least: a request, and a place in memory until it is here.
const PER_FILE: u64 = 64 << 10;

/// For whom it is counted what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    Of(IdentityId),
    /// Who came in vain by a link that is open: nobody else keeps out those who come by it.
    ByLink(EventId),
    /// All chains of a session together that are begun in vain by nobody who is in it: a new identity costs nothing.
    InVain,
}

/// What was taken of everybody.
#[derive(Default)]
pub(crate) struct Allowances {
    limit: Allowance,
    taken: BTreeMap<(SessionId, Account), Taken>,
}

#[derive(Default)]
struct Taken {
    log: u64,
    files: u64,
    /// The person was told that this is too much.
    told: bool,
}

impl Allowances {
    /// Another limit than the usual one.
    pub(crate) fn set(&mut self, limit: Allowance) {
        self.limit = limit;
    }

    /// Whether nothing more is taken.
    fn is_spent(&self, session: SessionId, account: Account) -> bool {
        let taken = self.taken.get(&(session, account));
        taken.is_some_and(|taken| taken.log >= self.limit.log)
    }

    /// Counts; whether a person is to be told now.
    fn charge(&mut self, session: SessionId, account: Account, cost: u64) -> bool {
        let taken = self.taken.entry((session, account)).or_default();
        taken.log = taken.log.saturating_add(cost);
        taken.log >= self.limit.log && !std::mem::replace(&mut taken.told, true)
    }

    /// Whether a file of this size may be fetched unasked; it is counted then.
    fn charge_file(&mut self, session: SessionId, identity: IdentityId, size: u64) -> bool {
        let account = (session, Account::Of(identity));
        let taken = self.taken.entry(account).or_default();
        let after = taken.files.saturating_add(size.max(PER_FILE));
        let fits = after <= self.limit.files;
        if fits {
            taken.files = after;
        }
        fits
    }

    /// Forgets what was taken in a session; whether somebody was refused there.
    fn renew(&mut self, session: SessionId) -> bool {
        let mut refused = false;
        self.taken.retain(|(of, _), taken| {
            refused |= *of == session && taken.told;
            *of != session
        });
        refused
    }
}

impl<S: Storage> Engine<S> {
    /// Limits what others may bring unasked otherwise than usual.
    pub fn allow(&mut self, limit: Allowance) {
        self.allowances.set(limit);
    }

    /// NODE-301: whether nothing more is taken from whoever sends into a session.
    pub(super) fn sends_too_much(&self, session: SessionId, sender: IdentityId) -> bool {
        sender != self.own.identity() && self.allowances.is_spent(session, Account::Of(sender))
    }

    /// NODE-301: whether an event is taken no more. That a further device of my own comes in is taken, whatever was done
    /// in vain before.
    pub(super) fn is_too_much(&self, event: &Event) -> bool {
        let (account, owner) = self.account_of(event);
        let spent = account.is_some_and(|it| self.allowances.is_spent(event.session(), it));
        spent && !(owner == Some(self.own.identity()) && self.may_come_in(event))
    }

    /// Whether an event begins a chain of a device of mine that nobody shut out, as far as is known here.
    fn may_come_in(&self, event: &Event) -> bool {
        let (me, device) = (self.own.identity(), event.author().device);
        let state = self.sessions.get(&event.session());
        let begins = state.is_some_and(|it| {
            it.whose(event.author()).is_none() && !it.roster().revoked.contains(&device)
        });
        begins && !self.is_shut_out(me, device)
    }

    /// NODE-302: the same of a device's registers.
    pub(super) fn says_too_much(&self, session: SessionId, device: DeviceId) -> bool {
        let account = self.account_of_device(session, device).0;
        account.is_some_and(|account| self.allowances.is_spent(session, account))
    }

    /// Counts an event of somebody else that was taken in, with all that had to be judged anew for it.
    pub(super) fn charge_event(&mut self, event: &Event, admitted: Option<&Admitted>) {
        let judged = admitted.map_or(0, |admitted| admitted.judged as u64);
        let operation = match event.header().kind.is_roster() {
            true => PER_OPERATION,
            false => PER_EVENT,
        };
        let cost = judged.saturating_mul(PER_EVENT) + operation + event.wire_len() as u64;
        let account = self.account_of(event);
        self.charge(event.session(), account, cost);
    }

    /// Counts a register of a device that is kept.
    pub(super) fn charge_register(&mut self, session: SessionId, device: DeviceId, cost: u64) {
        let account = self.account_of_device(session, device);
        self.charge(session, account, cost);
    }

    /// Counts what is kept, and tells the person whose it is once it is too much.
    fn charge(
        &mut self,
        session: SessionId,
        (account, owner): (Option<Account>, Option<IdentityId>),
        cost: u64,
    ) {
        let too_much = account.is_some_and(|it| self.allowances.charge(session, it, cost));
        if let Some(identity) = owner.filter(|_| too_much) {
            self.notify(Notice::TooMuch { session, identity });
        }
    }

    /// For whom an event is counted, and who answers for it: whose its chain is, counted or not, or whose card it begins
    /// one with.
    fn account_of(&self, event: &Event) -> (Option<Account>, Option<IdentityId>) {
        let Some(state) = self.sessions.get(&event.session()) else {
            return (Some(Account::InVain), None);
        };
        let (author, op) = (event.author(), || Op::of(event).ok().flatten());
        let card = || match op()? {
            Op::Join(card) | Op::JoinLink(Joining { card, .. }) => Some(card.identity()),
            _ => None,
        };
        let owner = state.whose(author).or_else(card);
        match self.account(state, owner, state.roster().chains.get(&author)) {
            Some(Account::InVain) => (Some(in_vain(state, op().as_ref())), owner),
            account => (account, owner),
        }
    }

    fn account_of_device(
        &self,
        session: SessionId,
        device: DeviceId,
    ) -> (Option<Account>, Option<IdentityId>) {
        let Some(state) = self.sessions.get(&session) else {
            return (Some(Account::InVain), None);
        };
        let chains = state.roster().chains_of(device).map(|(_, chain)| chain);
        let chain = chains.max_by_key(|chain| chain.is_active());
        let owner = state.owner_of(device);
        (self.account(state, owner, chain), owner)
    }

    /// For whom it is counted what somebody answers for; for nobody what is of a device of this person that is in.
    fn account(
        &self,
        state: &Session,
        owner: Option<IdentityId>,
        chain: Option<&Membership>,
    ) -> Option<Account> {
        let mine = owner == Some(self.own.identity());
        let among_own = state.roster().kind == SessionKind::Own;
        if mine && (among_own || chain.is_some_and(Membership::is_active)) {
            return None;
        }
        let members = &state.roster().members;
        let answers = |one: &IdentityId| mine || chain.is_some() || members.contains_key(one);
        Some(owner.filter(answers).map_or(Account::InVain, Account::Of))
    }

    /// NODE-33: whether no further session is taken from whoever brings it.
    pub(super) fn brings_too_much(&self, by: &Contact) -> bool {
        let session = by.session();
        session.is_some_and(|session| self.sends_too_much(session, by.identity))
    }

    /// Counts a session that somebody brought, in the conversation with them.
    pub(super) fn charge_session(&mut self, by: &Contact) {
        let account = Some(Account::Of(by.identity));
        if let Some(session) = by.session() {
            self.charge(session, (account, Some(by.identity)), PER_SESSION);
        }
    }

    /// NODE-303: whether a file that somebody named may be fetched unasked.
    pub(super) fn may_fetch_unasked(&mut self, event: &Event, size: u64) -> bool {
        let Some(identity) = self.author_of(event) else {
            return false;
        };
        identity == self.own.identity()
            || self.allowances.charge_file(event.session(), identity, size)
    }

    /// NODE-304: somebody here has written or read in a session, and so seen what came: it is counted
    /// from the beginning, and who was refused is heard again.
    pub(crate) fn has_looked(&mut self, now: u64, session: SessionId) {
        if !self.allowances.renew(session) {
            return;
        }
        self.compare_anew(now, session);
    }

    /// NODE-304: the same where another device of mine did. One that is out is perhaps no more in my hands, and what comes
    /// again was looked at before.
    pub(super) fn note_words_of_mine(&mut self, now: u64, event: &Event, admitted: &Admitted) {
        let (account, owner) = self.account_of(event);
        let mine = owner == Some(self.own.identity()) && account.is_none();
        if mine && admitted.standing.counts() {
            self.has_looked(now, event.session());
        }
    }

    /// Whose device wrote an event.
    pub(super) fn author_of(&self, event: &Event) -> Option<IdentityId> {
        let session = self.sessions.get(&event.session())?;
        session.roster().identity(event.author())
    }
}

/// For whom it is counted what comes in vain.
fn in_vain(state: &Session, op: Option<&Op>) -> Account {
    let Some(Op::JoinLink(joining)) = op else {
        return Account::InVain;
    };
    // Of what waits for its time nobody has checked the proof yet.
    let opening = state.roster().links.get(&joining.opening);
    match opening.is_some_and(|link| joining.is_by(link.key)) {
        true => Account::ByLink(joining.opening),
        false => Account::InVain,
    }
}
