//! Whom a command speaks to: the node that runs on the home, or the home itself (`CLI-3`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tenet_rpc::api::{Call, Error, Identity, Mode, Notice, Request, Status, Subscribed};
use tenet_rpc::client::{self, Client, ConnectError, Occurrence};
use tenet_rpc::server::{Delivery, Handler, Server, Subscription, ask};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::failure::Outcome;
use crate::gate::Gate;
use crate::home::{self, Held, Paths, Place};
use crate::host::Options;
use crate::input::Input;

/// How often to look whether a home that another process holds is free, or has a socket: nothing tells of either.
pub const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Takes hold of something as soon as nobody else has it, or fails when that has lasted too long.
///
/// A lock of another process cannot be awaited without a thread that blocks on it; so it is looked at again.
///
/// # Errors
/// Whatever `take` fails with; [`home::Error::InUse`] only at the end.
pub async fn when_free<T>(
    patience: Duration,
    take: impl Fn() -> Result<T, home::Error>,
) -> Outcome<T> {
    let until = Instant::now() + patience;
    loop {
        match take() {
            Err(home::Error::InUse { .. }) if Instant::now() < until => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            taken => return Ok(taken?),
        }
    }
}

/// Whom a command speaks to.
#[derive(Debug)]
pub enum Caller {
    /// The node that runs on the home.
    Running(Client),
    /// Nobody runs: this process has the home open.
    Here(Gate, Option<Serving>),
}

/// This process serves the home's socket for as long as it has the home open.
#[derive(Debug)]
pub struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// What a command needs where no node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A running node: it cannot do without (exit 3).
    Running,
    /// The home and the network, until a signal: other commands speak to this one meanwhile.
    Stay,
    /// The home and the network.
    Network,
    /// The home.
    Home,
    /// The vault only: the store stays closed.
    Vault,
}

/// How a command finds whom to speak to.
#[derive(Debug)]
pub struct Finder<'a> {
    /// Where the home lies.
    pub paths: &'a Paths,
    /// Where a PIN would come from.
    pub input: &'a Input,
    /// How the network is used if this process opens the home.
    pub options: &'a Options,
    /// Which identity is meant: a DID, a beginning of one, or a name.
    pub id: Option<&'a str>,
    /// How long to wait for a home that another process holds.
    pub timeout: Duration,
}

/// What happens, one thing after another.
#[derive(Debug)]
pub enum Events {
    /// At the node that runs.
    Running(client::Events),
    /// In this process.
    Here(Subscription),
}

impl Finder<'_> {
    /// Finds a running node, or opens the home.
    ///
    /// # Errors
    /// No node runs, the home is locked, nobody here is `id`, and what the home itself refuses.
    pub async fn find(&self, need: Need) -> Outcome<Caller> {
        let until = Instant::now() + self.timeout;
        let chosen = self.choose().await?;
        let place = &chosen.place;
        let caller = loop {
            match Client::connect(&place.socket()).await {
                Ok(client) => break Caller::Running(client),
                Err(ConnectError::NoNode) if need == Need::Running => {
                    return Err(ConnectError::NoNode.into());
                }
                Err(ConnectError::NoNode) => {}
                Err(error) => return Err(error.into()),
            }
            match chosen.home.hold(place) {
                Ok(held) => break self.open(held, need).await?,
                // It may be a node on its way up, or another command that will soon be done.
                Err(home::Error::InUse { .. }) if Instant::now() < until => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        if self.id.is_none() || chosen.known.is_some() || need == Need::Vault {
            return Ok(caller);
        }
        match self.check_id(&caller).await {
            Ok(()) => Ok(caller),
            Err(error) => {
                caller.close().await;
                Err(error)
            }
        }
    }

    async fn open(&self, held: Held, need: Need) -> Outcome<Caller> {
        let place = held.place().clone();
        let pin = place.vault().has_pin()? && need != Need::Vault;
        let pin = pin.then(|| self.input.pin("PIN: ")).transpose()?;
        let (mode, network) = match need {
            Need::Running | Need::Stay => (Mode::Running, true),
            Need::Network => (Mode::Offline, true),
            Need::Home | Need::Vault => (Mode::Offline, false),
        };
        let options = Options {
            network,
            ..self.options.clone()
        };
        let gate = Gate::closed(held, options, mode);
        if need != Need::Vault {
            gate.open(pin).await?;
        }
        let serving = match need {
            Need::Stay => Some(Serving::start(&place, &gate)?),
            _ => None,
        };
        Ok(Caller::Here(gate, serving))
    }

    async fn check_id(&self, caller: &Caller) -> Outcome {
        let identity = caller.call(Identity {}).await?;
        self.check(&identity.did, &identity.name)
    }
}

impl Caller {
    /// Asks.
    ///
    /// # Errors
    /// The node's.
    pub async fn call<C: Call + Into<Request>>(&self, params: C) -> Outcome<C::Answer> {
        match self {
            Self::Running(client) => Ok(client.call(params).await?),
            Self::Here(gate, _) => Ok(ask(gate, params).await?),
        }
    }

    /// Asks for events from now on.
    ///
    /// # Errors
    /// The node's.
    pub async fn subscribe(&self) -> Outcome<(Subscribed, Events)> {
        match self {
            Self::Running(client) => {
                let (subscribed, events) = client.subscribe(None).await?;
                Ok((subscribed, Events::Running(events)))
            }
            Self::Here(gate, _) => {
                let subscription = gate.subscribe(None)?;
                let subscribed = Subscribed {
                    seq: subscription.seq(),
                    gap: subscription.gap(),
                };
                Ok((subscribed, Events::Here(subscription)))
            }
        }
    }

    /// Whether this process has the home open.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Here(..))
    }

    /// Whether the home has a PIN.
    ///
    /// # Errors
    /// The node's.
    pub async fn has_pin(&self) -> Outcome<bool> {
        match self {
            Self::Running(_) => Ok(self.call(Status {}).await?.pin),
            Self::Here(gate, _) => Ok(gate.place().vault().has_pin()?),
        }
    }

    /// Takes leave: closes the home if this process has it open.
    pub async fn close(self) {
        if let Self::Here(gate, serving) = self {
            if let Some(serving) = serving {
                let _ = serving.stop.send(());
                let _ = serving.task.await;
            }
            gate.close().await;
        }
    }
}

impl Serving {
    fn start(place: &Place, gate: &Gate) -> Outcome<Self> {
        let server = Server::bind(&place.socket()).map_err(|error| {
            Error::failure(format!("cannot listen for other commands: {error}"))
        })?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(Arc::new(gate.clone()), async {
            let _ = stopped.await;
        }));
        Ok(Self { stop, task })
    }
}

impl Events {
    /// What happened next; `None` when the node is gone or locked.
    pub async fn next(&mut self) -> Option<Occurrence> {
        match self {
            Self::Running(events) => events.next().await,
            Self::Here(subscription) => match subscription.next().await? {
                Delivery::Gap(gap) => Some(Occurrence::Gap(gap)),
                Delivery::Event(line) => {
                    let notice: Notice = serde_json::from_str(&line).ok()?;
                    Some(Occurrence::Event(Box::new(notice)))
                }
            },
        }
    }
}
