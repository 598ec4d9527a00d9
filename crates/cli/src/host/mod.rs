//! The shell: engine, store and network of one open home, joined.
//!
//! ```text
//!                     ┌──────────── reader (thread) ◀── questions ──┐
//! requests ── handler ┤                                             │
//!                     └── commands ──▶ engine ───────── notices ────┴─▶ feed, waiters
//!                                       ▲   │
//!                                       │   ▼ frames
//!                                      network
//! ```
//!
//! The shell decides nothing: what to do is the engine's to say, what it means the cores'.

pub mod checks;
mod conversations;
mod devices;
mod doctor;
mod engine;
mod entrances;
mod groups;
mod handler;
mod joining;
mod live;
mod machine;
mod naming;
mod network;
mod outlet;
mod patience;
mod peek;
mod people;
mod pipes;
mod present;
mod profile;
mod questions;
mod reader;
mod search;
mod shared;
mod sync;
mod transfer;
mod waiters;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use tenet_apps::{
    contacts::{ContactStore, Knocking},
    settings::SettingStore,
};
use tenet_identity::{
    keys::{DeviceKey, EndpointId},
    meeting::link::Link,
    secrets::Secrets,
    vault::VaultKey,
};
use tenet_log::store::{Durability, StoreError, Transactions};
use tenet_node::{Engine, engine::Allowance, input::Input};
use tenet_rpc::{
    api,
    server::{Feed, Handler},
};
use tenet_store::{OpenError, Store};
use tokio::sync::watch;

pub use joining::{Joining, join};

use checks::Beside;
use engine::Handle;
use groups::Groups;
use handler::NodeHandler;
use machine::Machine;
use network::{Network, Opening};
use outlet::Outlet;
use pipes::Pipes;
use reader::Reader;
use shared::{Own, Shared};
use transfer::Transfers;

pub use peek::{Known, peek, phrase_seed, rekey, renew};

/// How an open home uses the network.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether it uses it at all.
    pub network: bool,
    /// Where to listen; empty for everywhere, on the home's own port.
    pub listen: Vec<SocketAddr>,
    /// Whether others are looked for on the local network, unless the setting `lan` is off.
    pub lan: bool,
    /// What others may bring before a person has looked.
    pub allowance: Allowance,
}

/// An open home: engine, store and, when asked for, network.
pub struct Node {
    shared: Arc<Shared>,
    engine: tokio::task::JoinHandle<Result<Store, StoreError>>,
    reader: JoinHandle<()>,
    /// Opens the store, also after this node.
    key: VaultKey,
}

type Started = (
    Arc<Shared>,
    tokio::task::JoinHandle<Result<Store, StoreError>>,
    JoinHandle<()>,
);

impl Node {
    /// Makes the store of a new identity.
    ///
    /// # Errors
    /// The store's.
    pub async fn create(
        folder: &Path,
        key: &VaultKey,
        secrets: Secrets,
        name: &str,
    ) -> Result<(), api::Error> {
        let path = store_path(folder);
        let mut store =
            Store::open(&path, key.as_bytes()).map_err(|error| present::open_error(&error))?;
        store
            .put_secrets(&secrets)
            .and_then(|()| store.put_own_name(name))
            .and_then(|()| store.checkpoint())
            .map_err(|error| present::store_error(&error))
    }

    /// Makes the store of a device that was let in by another, which is dialled first (NODE-37).
    ///
    /// # Errors
    /// The store's.
    pub async fn create_linked(
        folder: &Path,
        key: &VaultKey,
        secrets: Secrets,
        name: &str,
        link: Link,
    ) -> Result<(), api::Error> {
        Self::create(folder, key, secrets, name).await?;
        let mut store = Store::open(&store_path(folder), key.as_bytes())
            .map_err(|error| present::open_error(&error))?;
        let taken = Knocking::new(link, None, [0; 32], engine::now());
        store
            .begin()
            .and_then(|()| store.put_knocking(&taken))
            .and_then(|()| store.commit(Durability::Power))
            .and_then(|()| store.checkpoint())
            .map_err(|error| present::store_error(&error))
    }

    /// Opens the home whose store lies in this folder.
    ///
    /// # Errors
    /// The store's and the network's.
    pub async fn open(folder: &Path, key: VaultKey, options: Options) -> Result<Self, api::Error> {
        // Beside the opening of the store; else requests would wait for it behind the first dial.
        let warm = options
            .network
            .then(|| tokio::task::spawn_blocking(tenet_net::warm_up));
        let path = store_path(folder);
        let open_error = |error| present::open_error(&error);
        match std::fs::metadata(&path) {
            // The database would take it for one that is yet to be made.
            Ok(found) if found.len() == 0 => return Err(open_error(OpenError::Unreadable(path))),
            Ok(_) => {}
            Err(_) => return Err(open_error(OpenError::Missing(path))),
        }
        let store_error = |error| present::store_error(&error);
        let store = Store::open(&path, key.as_bytes()).map_err(open_error)?;
        let reader = Store::open_reader(&path, key.as_bytes()).map_err(open_error)?;
        let secrets = store.secrets().map_err(store_error)?.ok_or_else(|| {
            api::Error::failure("the store holds no identity; run `tenet doctor`")
        })?;
        let name = store.own_name().map_err(store_error)?;
        let transfers = Transfers::open(folder, &store)?;
        let machine = Machine::at(folder);
        if let Some(warm) = warm
            && warm.await.is_err()
        {
            tracing::warn!("the network's cryptography could not be prepared");
        }
        let (shared, engine, reader) =
            Self::start(store, reader, (transfers, machine), secrets, name, options).await?;
        Ok(Self {
            shared,
            engine,
            reader,
            key,
        })
    }

    async fn start(
        mut store: Store,
        reader: Store,
        (transfers, machine): (Transfers, Machine),
        secrets: Secrets,
        name: String,
        options: Options,
    ) -> Result<Started, api::Error> {
        let (handle, queue) = engine::queue();
        let network = match options.network {
            true => Some(open_network(&mut store, &secrets, &options, handle.clone()).await?),
            false => None,
        };
        let phrase = secrets.phrase.is_some();
        let linked = secrets.identity.is_none();
        let own = tenet_node::Own {
            endpoint: endpoint_of(&secrets),
            key: secrets.device,
            card: secrets.card,
            name,
            linked,
        };
        let (identity, device, endpoint) = (own.identity(), own.device(), own.endpoint);
        let mut engine = Engine::open(store, own, seed()?, engine::now())
            .map_err(|error| present::store_error(&error))?;
        engine.allow(options.allowance);
        engine.check_with(Box::<Beside>::default());
        let set_back = watch::Sender::new(engine.is_set_back() && !linked);
        let sessions = Arc::new(Mutex::new(engine.own_sessions()));
        let groups = Groups::of(engine.groups());
        let called = Arc::new(Mutex::new(engine.profile().name));
        let (reader, reader_thread) = Reader::start(reader).map_err(no_thread)?;
        let shared = Arc::new(Shared {
            own: Own {
                identity,
                device,
                endpoint,
                called,
                phrase,
                linked,
                sessions,
            },
            engine: handle.clone(),
            reader,
            network,
            transfers,
            pipes: Pipes::default(),
            live: Default::default(),
            groups,
            machine,
            waiters: Default::default(),
            feed: Feed::new(engine::now()),
            set_back,
            runtime: tokio::runtime::Handle::current(),
        });
        let engine = engine::start(engine, queue, Outlet(Arc::clone(&shared)));
        if let Some(network) = &shared.network {
            handle.input(
                Input::AddressesChanged {
                    addresses: network.addresses(),
                },
                None,
            );
        }
        devices::look_after(&shared);
        Ok((shared, engine, reader_thread))
    }

    /// Answers requests; serve it on a socket, or ask it here.
    pub fn handler(&self) -> Arc<dyn Handler> {
        Arc::new(NodeHandler(Arc::clone(&self.shared)))
    }

    /// Turns true once this device was found to have been set back and can make itself another key (BACK-3).
    pub fn set_back(&self) -> watch::Receiver<bool> {
        self.shared.set_back.subscribe()
    }

    /// Ends it: what was queued is done, connections are closed, the store is closed. Gives what opens it.
    pub async fn close(self) -> VaultKey {
        let Self {
            shared,
            engine,
            reader,
            key,
        } = self;
        shared.engine.stop();
        shared.reader.stop();
        // The reader goes first, so that nobody needs the write-ahead log when it is folded.
        let read = tokio::task::spawn_blocking(move || reader.join()).await;
        if !matches!(read, Ok(Ok(()))) {
            tracing::error!("the reader did not end in order");
        }
        match engine.await {
            Ok(Ok(mut store)) => {
                note_name(&mut store, &shared.own.name());
                if let Err(error) = store.checkpoint() {
                    tracing::warn!(%error, "the store could not be tidied up");
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "the store did not close in order"),
            Err(error) => tracing::error!(%error, "the engine did not end in order"),
        }
        if let Some(network) = shared.network.clone() {
            network.close_all().await;
        }
        key
    }
}

/// Keeps what this person calls themselves where it is read without an engine ([`peek`]).
fn note_name(store: &mut Store, name: &str) {
    let noted = match store.own_name() {
        Ok(old) if old == name => Ok(()),
        Ok(_) => store.put_own_name(name),
        Err(error) => Err(error),
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "the name could not be noted");
    }
}

async fn open_network(
    store: &mut Store,
    secrets: &Secrets,
    options: &Options,
    engine: Handle,
) -> Result<Network, api::Error> {
    let store_error = |error| present::store_error(&error);
    let port = store.port().map_err(store_error)?;
    let settings = store.settings().map_err(store_error)?;
    let opening = Opening {
        secret: secrets.endpoint.clone(),
        listen: options.listen.clone(),
        port,
        lan: options.lan && settings.lan,
    };
    let network = Network::open(opening, engine).await.map_err(|error| {
        let advice = match error {
            tenet_net::BindError::PortTaken { .. } if !options.listen.is_empty() => {
                ": each identity needs a port of its own, also where config.toml names one: --listen"
            }
            _ => "",
        };
        api::Error::failure(format!("the network cannot be opened: {error}{advice}"))
    })?;
    if port.is_none() && options.listen.is_empty() {
        store.put_port(network.port()).map_err(store_error)?;
    }
    Ok(network)
}

/// The endpoint's public key: Ed25519, as the device's, but another key.
fn endpoint_of(secrets: &Secrets) -> EndpointId {
    EndpointId::from(*DeviceKey::from_seed(*secrets.endpoint).public().as_bytes())
}

fn store_path(folder: &Path) -> PathBuf {
    folder.join("store.db")
}

fn seed() -> Result<[u8; 32], api::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| api::Error::internal(error.to_string()))?;
    Ok(seed)
}

fn no_thread(error: std::io::Error) -> api::Error {
    api::Error::failure(format!("no thread to work on: {error}"))
}
