//! Requests of the local API about the devices of this identity.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use tenet_apps::own::{self, status::Status};
use tenet_identity::{
    card::DeviceCard,
    did,
    keys::{DeviceId, IdentityId, IdentityKey},
    phrase::{Phrase, identity_key},
};
use tenet_log::{
    ids::{Author, EventId},
    register::Register,
    session::Session,
    store::LogStore,
};
use tenet_node::{
    command::{Command, Reply, device::Deed},
    input::Notice,
};
use tenet_rpc::{
    api,
    server::{Outcome, answer},
};
use tenet_store::Store;
use tokio::time::sleep;

use super::{
    engine,
    handler::not_ours,
    present,
    shared::{Shared, Whom, failed, warn_of},
};

/// For how long a link is good if nothing else is asked for: the new device is at hand.
const LINK_LASTS_S: u64 = 10 * 60;
/// The longest: a day.
const LINK_MAX_S: u64 = 24 * 60 * 60;
/// How often cards are looked at.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often it is looked how this machine is, and whether a former key can be revoked.
const A_MINUTE: Duration = Duration::from_secs(60);
/// How many identities of one phrase are tried.
const MAX_INDEX: u32 = 16;

/// All devices of this identity, the first first.
pub(super) fn list(shared: &Shared, store: &Store) -> Result<api::DeviceList, api::Error> {
    let mut found: Found = BTreeMap::new();
    let mut registers = Vec::new();
    for id in shared.own.sessions() {
        let Some(session) = Session::load(store, id).map_err(failed)? else {
            continue;
        };
        let said = store.registers(id).map_err(failed)?;
        for author in session.roster().chains.keys() {
            let added = time_of(store, author.added_by)?;
            let card = session.card(store, *author).map_err(failed)?;
            let Some(card) = card else { continue };
            let info = info_of(shared, &session, (*author, &card), &said);
            let known = found.entry(author.device).or_insert((added, info.clone()));
            known.0 = known.0.min(added);
            known.1.last_seen = known.1.last_seen.max(info.last_seen);
            known.1.revoked |= info.revoked;
        }
        registers.extend(said);
    }
    apply(&mut found, &registers);
    if let Some((_, here)) = found.get_mut(&shared.own.device) {
        here.status = Some(status_at(engine::now(), shared.machine.status()));
    }
    let mut devices: Vec<_> = found.into_values().collect();
    devices.sort_by(|a, b| (a.0, &a.1.device).cmp(&(b.0, &b.1.device)));
    Ok(api::DeviceList {
        devices: devices.into_iter().map(|(_, info)| info).collect(),
    })
}

/// The devices of a contact, the first first.
pub(super) fn of_contact(
    shared: &Shared,
    store: &Store,
    who: &str,
) -> Result<api::ContactDeviceList, api::Error> {
    let Whom::Contact(contact) = shared.who(store, who)? else {
        return Err(api::Error::usage("these are your own: tenet device list"));
    };
    let mut found: BTreeMap<DeviceId, api::ContactDevice> = BTreeMap::new();
    for id in contact.shown() {
        let Some(session) = Session::load(store, id).map_err(failed)? else {
            continue;
        };
        let roster = session.roster();
        let chains = roster.chains.iter();
        for (author, chain) in chains.filter(|(_, chain)| chain.identity == contact.identity) {
            let device = author.device;
            let ends = chain.end.iter().flat_map(|end| &end.operations);
            let ended: Vec<u64> = ends
                .map(|end| time_of(store, *end))
                .collect::<Result<_, _>>()?;
            let ended = ended.into_iter().min();
            let added = time_of(store, author.added_by)?;
            let card = session.card(store, *author).map_err(failed)?;
            let name = card.map(|card| card.name().to_owned());
            let known = found.entry(device).or_insert_with(|| api::ContactDevice {
                device: device.to_string(),
                name: name.unwrap_or_default(),
                added,
                ended,
                revoked: false,
                online: shared.live.is_connected(device),
            });
            known.added = known.added.min(added);
            // It is in as long as one session has it.
            known.ended = known.ended.and(ended);
            known.revoked |= roster.revoked.contains(&device);
        }
    }
    let mut devices: Vec<_> = found.into_values().collect();
    devices.sort_by(|a, b| (a.added, &a.device).cmp(&(b.added, &b.device)));
    Ok(api::ContactDeviceList { devices })
}

/// When an event was written, in Unix milliseconds.
fn time_of(store: &Store, event: EventId) -> Result<u64, api::Error> {
    let stored = LogStore::event(store, event).map_err(failed)?;
    Ok(stored.map_or(0, |stored| stored.event.header().time.millis()))
}

/// When each device was added, and what is known of it.
type Found = BTreeMap<DeviceId, (u64, api::DeviceInfo)>;

/// What one of the sessions among own devices knows of one of them.
fn info_of(
    shared: &Shared,
    session: &Session,
    (author, card): (Author, &DeviceCard),
    registers: &[Register],
) -> api::DeviceInfo {
    let device = author.device;
    let this = device == shared.own.device;
    let written = registers.iter().filter(|one| one.device() == device);
    let written = written.map(|one| one.version().0.millis());
    let heads = session.frontier().branches(author).iter();
    let heard = heads.map(|head| head.time.millis()).chain(written).max();
    let online = !this && shared.live.is_connected(device);
    let now = (this || online).then(engine::now);
    api::DeviceInfo {
        device: device.to_string(),
        name: card.name().to_owned(),
        this,
        online,
        last_seen: now.or(heard),
        expires: card.not_after(),
        revoked: session.roster().revoked.contains(&device),
        suspended: false,
        bringing: match this {
            true => shared.live.coming(),
            false => shared.live.going(device),
        }
        .map(present::bringing),
        status: None,
    }
}

/// What the devices tell each other about themselves.
fn apply(found: &mut Found, registers: &[Register]) {
    for register in registers {
        let Some((at, status)) = Status::of(register) else {
            continue;
        };
        if let Some((_, info)) = found.get_mut(&register.device())
            && info.status.as_ref().is_none_or(|known| known.at < at)
        {
            info.status = Some(status_at(at, status));
        }
    }
    for (device, name) in own::device_names(registers) {
        if let Some((_, info)) = found.get_mut(&device) {
            info.name = name;
        }
    }
    // As the engine has it: who was revoked is not heard any more.
    let is_heard = |one: &&Register| found.get(&one.device()).is_some_and(|(_, it)| !it.revoked);
    let heard: Vec<&Register> = registers.iter().filter(is_heard).collect();
    for device in own::suspended(heard) {
        if let Some((_, info)) = found.get_mut(&device) {
            info.suspended = true;
        }
    }
}

fn status_at(at: u64, status: Status) -> api::DeviceStatus {
    api::DeviceStatus {
        at,
        version: status.version,
        platform: status.platform,
        cpu: status.cpu,
        memory_used: status.memory_used,
        memory: status.memory,
        disk_free: status.disk_free,
        disk: status.disk,
        uptime: status.uptime,
    }
}

/// What is told of a device.
pub(super) fn news(me: IdentityId, notice: Notice) -> Option<api::DeviceNews> {
    let plain = |change, identity, device: DeviceId| api::DeviceNews {
        change,
        device: device.to_string(),
        did: did::encode(&identity),
        name: None,
        emoji: Vec::new(),
        digits: None,
        waits: false,
    };
    Some(match notice {
        Notice::DeviceAsks {
            device,
            name,
            short,
            waits,
        } => api::DeviceNews {
            name: Some(name),
            emoji: short.emoji().map(|emoji| emoji.symbol.to_string()).to_vec(),
            digits: Some(short.digits()),
            waits,
            ..plain(api::DeviceChange::Asks, me, device)
        },
        Notice::DeviceAdded { identity, device } => {
            plain(api::DeviceChange::Added, identity, device)
        }
        Notice::DeviceSuspended {
            device,
            suspended: true,
        } => plain(api::DeviceChange::Suspended, me, device),
        Notice::DeviceSuspended { device, .. } => plain(api::DeviceChange::Resumed, me, device),
        Notice::DeviceRevoked { identity, device } => {
            plain(api::DeviceChange::Revoked, identity, device)
        }
        _ => return None,
    })
}

/// Begins all that is done about the devices from time to time, for as long as the node runs.
pub(super) fn look_after(shared: &Arc<Shared>) {
    tokio::spawn(renew_cards(Arc::downgrade(shared)));
    tokio::spawn(revoke_former(Arc::downgrade(shared)));
    tokio::spawn(note_status(Arc::downgrade(shared)));
}

/// Renews cards that end soon, now and once a day (CARD-4); the key is looked up each time, not kept.
async fn renew_cards(shared: Weak<Shared>) {
    while let Some(here) = shared.upgrade() {
        if let Ok(key) = root(&here, None, None).await {
            let key = Box::new(key);
            let deed = Deed::RenewCards { key };
            if let Err(error) = here.command(Command::Device(deed)).await {
                warn_of(&error, "cards could not be renewed");
            }
        }
        drop(here);
        sleep(A_DAY).await;
    }
}

/// Revokes the keys that this device had before, once nothing more of them comes (BACK-5).
async fn revoke_former(shared: Weak<Shared>) {
    loop {
        sleep(A_MINUTE).await;
        let Some(here) = shared.upgrade() else {
            return;
        };
        // Where the key is not kept this device has had no other.
        let Ok(key) = root(&here, None, None).await else {
            return;
        };
        let key = Box::new(key);
        match here
            .command(Command::Device(Deed::RevokeFormer { key }))
            .await
        {
            Ok(Reply::Former { left: 0 }) => return,
            Ok(_) => {}
            Err(error) => warn_of(&error, "a former key could not be revoked"),
        }
    }
}

/// Looks how this machine is, now and every minute; the engine says when my other devices are told.
async fn note_status(shared: Weak<Shared>) {
    while let Some(here) = shared.upgrade() {
        let deed = Deed::Status(here.machine.status());
        if let Err(error) = here.command(Command::Device(deed)).await {
            warn_of(&error, "own devices cannot be told how this one is");
        }
        drop(here);
        sleep(A_MINUTE).await;
    }
}

/// Does something about the devices.
pub(super) async fn change(shared: Arc<Shared>, request: api::Request) -> Outcome {
    use api::Request as R;
    match request {
        R::DeviceLink(made) => link(&shared, made).await,
        R::DeviceConfirm(said) => confirm(&shared, said).await,
        R::DeviceRename(wanted) => rename(shared, wanted).await,
        R::DeviceSuspend(wanted) => suspend(shared, wanted.id, true).await,
        R::DeviceResume(wanted) => suspend(shared, wanted.id, false).await,
        R::DeviceRevoke(wanted) => revoke(shared, wanted).await,
        request => Err(not_ours(&request)),
    }
}

/// Makes a link for another device.
async fn link(shared: &Shared, link: api::DeviceLink) -> Outcome {
    let seconds = link.expires_seconds.unwrap_or(LINK_LASTS_S);
    if seconds == 0 || seconds > LINK_MAX_S {
        return Err(api::Error::usage(
            "such a link is good for 1 second to a day",
        ));
    }
    let key = Box::new(root(shared, link.phrase, link.passphrase).await?);
    let deed = Deed::Link {
        key,
        ask: link.ask,
        lasts_ms: seconds.saturating_mul(1000),
    };
    match shared.command(Command::Device(deed)).await? {
        Reply::Invited { id, link } => answer(Ok(api::DeviceLinked {
            id: id.to_string(),
            link: link.text().to_string(),
            expires: link.ext().expires_ms,
        })),
        _ => Err(api::Error::internal("an unexpected reply")),
    }
}

/// Both screens were compared.
async fn confirm(shared: &Shared, confirm: api::DeviceConfirm) -> Outcome {
    let same = confirm.same;
    shared
        .command(Command::Device(Deed::Confirm { same }))
        .await?;
    answer(Ok(api::Done {}))
}

/// Revokes a device; answers how it stands now.
async fn revoke(shared: Arc<Shared>, revoke: api::DeviceRevoke) -> Outcome {
    let key = Box::new(root(&shared, revoke.phrase, revoke.passphrase).await?);
    let device = revoke.id;
    changed(shared, Deed::Revoke { key, device }).await
}

/// Renames a device; answers how it stands now.
async fn rename(shared: Arc<Shared>, rename: api::DeviceRename) -> Outcome {
    let (device, name) = (rename.id, rename.name);
    changed(shared, Deed::Rename { device, name }).await
}

/// Suspends a device, or no more; answers how it stands now.
async fn suspend(shared: Arc<Shared>, device: String, suspended: bool) -> Outcome {
    changed(shared, Deed::Suspend { device, suspended }).await
}

async fn changed(shared: Arc<Shared>, deed: Deed) -> Outcome {
    let Reply::Device { device } = shared.command(Command::Device(deed)).await? else {
        return Err(api::Error::internal("an unexpected reply"));
    };
    let device = device.to_string();
    let again = Arc::clone(&shared);
    let listed = shared.read(move |store| list(&again, store)).await??;
    let mut devices = listed.devices.into_iter();
    let found = devices.find(|info| info.device == device);
    answer(found.ok_or_else(|| api::Error::not_found("it is gone")))
}

/// The identity's key: the one that is kept here, or the one of a phrase that is given.
async fn root(
    shared: &Shared,
    phrase: Option<api::Secret>,
    passphrase: Option<api::Secret>,
) -> Result<IdentityKey, api::Error> {
    let Some(phrase) = phrase else {
        let secrets = shared.read(Store::secrets).await?.map_err(failed)?;
        let held = secrets.and_then(|secrets| secrets.identity);
        return held.ok_or_else(|| {
            api::Error::refused(
                "the identity's key is not kept on this device, which was linked: do it on the one that \
                 has it, or give the phrase (--phrase)",
            )
        });
    };
    let phrase =
        Phrase::parse(phrase.expose()).map_err(|error| api::Error::usage(error.to_string()))?;
    let seed = phrase.seed(passphrase.as_ref().map_or("", api::Secret::expose));
    let mut keys = (0..MAX_INDEX).map(|index| identity_key(&seed, index));
    let own = keys.find(|key| key.public() == shared.own.identity);
    own.ok_or_else(|| {
        api::Error::usage(
            "that phrase (with its passphrase) is another identity's; nothing was done",
        )
    })
}
