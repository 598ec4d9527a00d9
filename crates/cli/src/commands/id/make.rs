//! An identity out of a phrase, put into a home.

use tenet_identity::keys::DeviceKey;
use tenet_identity::phrase::{Phrase, identity_key};
use tenet_identity::secrets::{HeldPhrase, Secrets};
use tenet_identity::vault::{self, VaultKey};
use tenet_identity::{card, did, name};
use tenet_rpc::api::{Error, Secret};
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::home::{self, Home, Place};
use crate::host::{self, Known, Node};
use crate::input::Input;
use crate::{random, time};

/// What an identity is made of.
pub(super) struct Recipe {
    pub(super) phrase: Phrase,
    pub(super) passphrase: Option<Secret>,
    pub(super) index: u32,
    pub(super) name: Option<String>,
    pub(super) pin: Option<Secret>,
}

/// What was made.
pub(super) struct Made {
    pub(super) did: String,
    pub(super) device: String,
    pub(super) name: String,
}

impl Recipe {
    /// The 64-byte seed of phrase and passphrase.
    pub(super) fn seed(&self) -> Zeroizing<[u8; 64]> {
        self.phrase
            .seed(self.passphrase.as_ref().map_or("", Secret::expose))
    }

    /// Makes the identity; the home has it whole or not at all.
    pub(super) async fn make(self, home: &Home) -> Outcome<Made> {
        let draft = home.draft()?;
        let rng = &mut random::generator()?;
        let seed = self.seed();
        let identity = identity_key(&seed, self.index);
        let device = DeviceKey::generate(rng);
        let mut endpoint = Zeroizing::new([0; 32]);
        getrandom::fill(endpoint.as_mut_slice())?;
        let card = card::issue(&identity, device.public(), device_name(), time::now())
            .map_err(|error| Error::internal(error.to_string()))?;

        let did = did::encode(&identity.public());
        let made = Made {
            name: self.name.unwrap_or_else(|| default_name(&did)),
            device: device.public().to_string(),
            did,
        };
        let key = VaultKey::generate(rng);
        let pin = self.pin.as_ref().map(Secret::expose);
        draft.vault().create(&key, pin, Some(&seed))?;
        let held = HeldPhrase {
            phrase: self.phrase,
            seed: self.passphrase.is_some().then_some(seed),
        };
        let secrets = Secrets {
            phrase: Some(held),
            index: self.index,
            identity: Some(identity),
            device,
            endpoint,
            card,
        };
        Node::create(draft.folder(), &key, secrets, &made.name).await?;
        draft.finish()?;
        Ok(made)
    }
}

/// The identities of a home that these words make: found by opening each with them (`HOME-706`).
pub(super) fn made_of(home: &Home, seed: &[u8; 64]) -> Outcome<Vec<(Place, Known)>> {
    let (mut found, mut failed) = (Vec::new(), None);
    for place in home.identities()? {
        match place.vault().open_phrase(seed) {
            Ok(key) => found.push((place.clone(), host::peek(place.folder(), &key)?)),
            Err(home::Error::Vault(vault::Error::NoPhrase | vault::Error::WrongPhrase)) => {}
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        // What is damaged may be just the one that is looked for.
        Some(error) if found.is_empty() => Err(error.into()),
        _ => Ok(found),
    }
}

/// The DID of an identity of the phrase.
pub(super) fn did_of(seed: &[u8; 64], index: u32) -> String {
    did::encode(&identity_key(seed, index).public())
}

/// Refuses a name before anything is made.
pub(in crate::commands) fn check_name(text: Option<&str>) -> Outcome {
    let text = text.unwrap_or("?");
    if text.trim().is_empty() {
        return Err(Failure::usage("a name may not be empty"));
    }
    name::check(text).map_err(|error| Failure::usage(error.to_string()))
}

/// The PIN of `--pin-file`; a person at a terminal is offered one.
pub(in crate::commands) fn choose_pin(input: &Input) -> Outcome<Option<Secret>> {
    if let Some(pin) = input.given_pin()? {
        return Ok(Some(pin));
    }
    if !input.is_terminal() {
        return Ok(None);
    }
    let pin = input.new_secret("a PIN to guard this home (empty for none): ")?;
    Ok(Some(pin).filter(|pin| !pin.expose().is_empty()))
}

/// A name that says nothing of the person: the login name would, and others see it.
fn default_name(did: &str) -> String {
    let tail: Vec<char> = did.chars().rev().take(6).collect();
    tail.into_iter().rev().collect()
}

/// A name that says nothing of the machine: the host name would, and contacts see it.
pub(in crate::commands) fn device_name() -> &'static str {
    match std::env::consts::OS {
        "linux" => "Linux computer",
        "macos" => "Mac",
        _ => "computer",
    }
}
