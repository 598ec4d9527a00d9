//! What follows for an outcome where verdicts changed: its parts, each made anew from the operations about it.

use std::collections::BTreeSet;

use tenet_identity::keys::{DeviceId, IdentityId};

use super::{
    End, Founding, Link, MAX_DEVICES_PER_IDENTITY, Membership, Op, Outcome, Roster, Silence,
    kept::{Part, Rows},
    ledger::{Entry, Ledger},
    outcome::{Annals, Void},
    right::{At, View},
    silence::Episode,
};
use crate::{
    ids::{Author, EventId},
    order::OrderKey,
    roster::Shift,
};

/// Parts of an outcome.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) identities: BTreeSet<IdentityId>,
    /// Of which it is asked whether they were revoked.
    devices: BTreeSet<DeviceId>,
    links: BTreeSet<EventId>,
    settings: BTreeSet<String>,
    pub(super) all: bool,
}

impl Parts {
    /// Those that an operation is about of which the verdict changed.
    pub(super) fn add(&mut self, ledger: &Ledger, entry: &Entry) {
        self.name(ledger, entry);
        let (op, id) = (&entry.operation.op, entry.operation.order.id);
        match op {
            Op::OpenLink(_) => {
                self.links.insert(id);
            }
            Op::CloseLink(opening) => {
                self.links.insert(*opening);
            }
            Op::Set(setting) => {
                self.settings.insert(setting.key.clone());
            }
            Op::Policy(_) | Op::Dissolve => self.all = true,
            _ => {}
        }
    }

    /// Those that an operation names, whether it counts or not.
    pub(super) fn name(&mut self, ledger: &Ledger, entry: &Entry) {
        let op = &entry.operation.op;
        self.identities
            .extend(op.card().map(|card| card.identity()));
        self.identities.extend(op.subject());
        match op {
            Op::Found(founding) => {
                let members = founding.members.iter();
                self.identities
                    .extend(members.map(|member| member.identity));
            }
            Op::Leave => self.identities.extend(entry.by),
            Op::RemoveDevice(chain) => {
                let begun = ledger
                    .beginning(*chain)
                    .and_then(|one| one.operation.op.card());
                self.identities.extend(begun.map(|card| card.identity()));
            }
            Op::Revoke(revocation) => {
                self.identities.insert(revocation.identity());
                self.devices.insert(revocation.device());
            }
            _ => {}
        }
    }
}

impl Outcome {
    /// Of a founding alone, before anything is decided.
    pub(super) fn begin(founding: &Founding, order: &OrderKey) -> Self {
        let mut roster = Roster::nobody();
        roster.kind = founding.kind;
        roster.secret = founding.secret;
        roster.policy = founding.policy;
        let annals = Annals {
            founded: order.time,
            founder: founding.card.device(),
            named: Default::default(),
            void: Default::default(),
            revocations: Default::default(),
            shut_out: Default::default(),
        };
        Self { roster, annals }
    }

    /// Makes parts anew, and notes which of them are others than before, where somebody wants to know that.
    pub(super) fn renew(
        &mut self,
        view: &View<'_, '_>,
        parts: &Parts,
        shift: &mut Shift,
        mut rows: Option<&mut Rows>,
    ) {
        let counts = |one: &Entry| view.counts(one) == Some(true);
        self.roster.policy = view.policy(At::End).unwrap_or_default();
        self.roster.dissolved = view.ledger.dissolutions().any(counts);
        for identity in &parts.identities {
            let part = Part::Person(*identity);
            let before = rows.is_some().then(|| self.row(&part, view.ledger));
            self.renew_identity(view, *identity, shift);
            if let Some((rows, before)) = rows.as_mut().zip(before) {
                rows.note(&part, before, self.row(&part, view.ledger));
            }
        }
        for device in &parts.devices {
            self.renew_revoked(view, *device);
        }
        for opening in &parts.links {
            self.renew_link(view, *opening);
        }
        for key in &parts.settings {
            self.renew_setting(view, key);
        }
        let Some(rows) = rows else { return };
        let devices = parts.devices.iter().map(|device| Part::Device(*device));
        let links = parts.links.iter().map(|opening| Part::Link(*opening));
        let settings = parts.settings.iter().map(|key| Part::Setting(key.clone()));
        for part in devices.chain(links).chain(settings) {
            rows.put(&part, self.row(&part, view.ledger));
        }
    }

    fn renew_identity(&mut self, view: &View<'_, '_>, identity: IdentityId, shift: &mut Shift) {
        let roster = &mut self.roster;
        match view.role(identity, At::End).flatten() {
            Some(role) => roster.members.insert(identity, role),
            None => roster.members.remove(&identity),
        };
        let mute = view.by_mutes(identity).pop();
        match mute.filter(|last| !last.given_back).map(|last| last.until) {
            Some(until) => roster.muted.insert(identity, until),
            None => roster.muted.remove(&identity),
        };
        match view.floor(identity) {
            Some(floor) => roster.floors.insert(identity, floor),
            None => roster.floors.remove(&identity),
        };
        if view.ledger.knows(identity) {
            let mut about = view.ledger.about(identity);
            let taken = about.any(|one| {
                matches!(one.operation.op, Op::Remove(_) | Op::Leave)
                    && view.counts(one) == Some(true)
            });
            self.annals.named.insert(identity, taken);
        }
        self.renew_chains(view, identity, shift);
    }

    fn renew_chains(&mut self, view: &View<'_, '_>, identity: IdentityId, shift: &mut Shift) {
        let silences = view.silences(identity);
        let mut begun: Vec<&Entry> = view
            .ledger
            .chains_of(identity)
            .filter_map(|chain| view.ledger.beginning(chain))
            .collect();
        begun.sort_by_key(|entry| entry.operation.order);
        let mut devices = BTreeSet::new();
        for entry in begun {
            let Some(chain) = entry.operation.begins() else {
                continue;
            };
            let mut after = membership(view, entry, &silences);
            if let Some(after) = after.as_mut().filter(|after| after.end.is_none()) {
                // ROS-8: a device that is in twice is one device.
                let fits = devices.len() < MAX_DEVICES_PER_IDENTITY;
                after.surplus = !fits && !devices.contains(&chain.device);
                if !after.surplus {
                    devices.insert(chain.device);
                }
            }
            let by_link = matches!(entry.operation.op, Op::JoinLink(_));
            let void = Void { identity, by_link };
            match after.is_some() {
                true => self.annals.void.remove(&chain),
                false => self.annals.void.insert(chain, void),
            };
            let before = match after.clone() {
                Some(after) => self.roster.chains.insert(chain, after),
                None => self.roster.chains.remove(&chain),
            };
            let differs = Membership::first_difference(before.as_ref(), after.as_ref());
            shift.chains.extend(differs.map(|from| (chain, from)));
        }
    }

    fn renew_revoked(&mut self, view: &View<'_, '_>, device: DeviceId) {
        let mut revoked = view.ledger.revocations(device);
        match revoked.any(|one| view.counts(one) == Some(true)) {
            true => self.roster.revoked.insert(device),
            false => self.roster.revoked.remove(&device),
        };
        let first = view.ledger.revocations(device).next();
        if let Some(Op::Revoke(revocation)) = first.map(|one| &one.operation.op) {
            let revocations = &mut self.annals.revocations;
            revocations.insert(device, revocation.clone());
        }
    }

    fn renew_link(&mut self, view: &View<'_, '_>, opening: EventId) {
        let link = view.ledger.find(opening);
        let counts = |entry: &Entry| view.counts(entry) == Some(true);
        let open = link.filter(|link| counts(link) && !view.ledger.closings(opening).any(counts));
        let links = &mut self.roster.links;
        match open.map(|open| &open.operation.op) {
            Some(Op::OpenLink(open)) => {
                let link = Link {
                    key: open.key,
                    role: open.role,
                    until: open.until,
                };
                links.insert(opening, link);
            }
            _ => {
                links.remove(&opening);
            }
        }
    }

    /// ROS-503
    fn renew_setting(&mut self, view: &View<'_, '_>, key: &str) {
        let all = view.ledger.setting(key).iter().rev();
        let mut last: Vec<&Entry> = Vec::new();
        for one in all.filter(|one| view.verdict(one.number) == Some(true)) {
            // Whatever a later one had seen, one of the last had seen.
            if !last.iter().any(|last| last.operation.saw_at(&one.order)) {
                last.extend(view.ledger.get(one.number));
            }
        }
        let last = last.into_iter().max_by_key(|one| {
            let rank = view.rank(one).flatten();
            (std::cmp::Reverse(rank), one.operation.order)
        });
        let settings = &mut self.roster.settings;
        match last.map(|one| &one.operation.op) {
            Some(Op::Set(setting)) => {
                settings.insert(key.to_owned(), setting.value.clone());
            }
            _ => {
                settings.remove(key);
            }
        }
    }
}

/// The chain that an operation begins, if it counts.
fn membership(
    view: &View<'_, '_>,
    beginning: &Entry,
    silences: &[Episode<'_>],
) -> Option<Membership> {
    let (chain, card) = beginning
        .operation
        .begins()
        .zip(beginning.operation.op.card())?;
    if view.counts(beginning) != Some(true) {
        return None;
    }
    let enders = view.ledger.enders(beginning);
    let mut enders: Vec<&Entry> = enders
        .filter(|one| view.counts(one) == Some(true))
        .collect();
    enders.sort_by_key(|entry| entry.operation.order);
    let mut first: Vec<&Entry> = Vec::new();
    for ender in enders {
        if !first.iter().any(|one| ender.operation.saw(&one.operation)) {
            first.push(ender);
        }
    }
    let silences = silences.iter().map(|episode| Silence {
        cut: cut(&episode.firsts, chain),
        until: episode.until,
        operations: ids(&episode.firsts),
    });
    Some(Membership {
        identity: card.identity(),
        end: (!first.is_empty()).then(|| end(&first, chain)),
        silences: silences.collect(),
        surplus: false,
    })
}

fn end(first: &[&Entry], chain: Author) -> End {
    let own = |one: &&Entry| one.operation.order.author.device == chain.device;
    let all = |one: &&Entry| matches!(one.operation.op, Op::Remove(_) | Op::Leave);
    End {
        cut: cut(first, chain),
        operations: ids(first),
        by_itself: first.iter().any(own),
        with_identity: first.iter().any(all),
    }
}

/// How much of a chain the first of those that took something from it had seen, at most.
fn cut(first: &[&Entry], chain: Author) -> u64 {
    let seen = first.iter().map(|one| one.operation.past.count(chain));
    seen.max().unwrap_or(0)
}

fn ids(entries: &[&Entry]) -> Vec<EventId> {
    entries.iter().map(|one| one.operation.order.id).collect()
}
