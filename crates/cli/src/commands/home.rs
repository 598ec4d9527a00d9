//! `tenet home …`: everything in one file, for another place.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tenet_identity::sealed::MIN_PASSWORD;
use tenet_identity::vault::{Attempts, VaultKey};
use tenet_rpc::api::{Error, Secret};

use super::Shell;
use super::id::choose_pin;
use crate::args::{HomeCommand, HomeExport, HomeFile};
use crate::caller::when_free;
use crate::failure::{Failure, Outcome};
use crate::home::{self, Held, Home, Place, Vault};
use crate::host;
use crate::input::absolute;
use crate::moving::{self, Moving, Packed};
use crate::output::{note, shown_short};
use crate::time;

#[derive(Serialize)]
struct Exported {
    path: String,
    bytes: u64,
    /// Who is in it; nobody is named where only what had been begun was finished.
    identities: Vec<String>,
    copy: bool,
}

#[derive(Serialize)]
struct Imported {
    did: String,
    device: String,
    name: String,
}

pub(super) async fn run(shell: &Shell, command: HomeCommand) -> Outcome {
    match command {
        HomeCommand::Export(args) => export(shell, args).await,
        HomeCommand::Import(args) => import(shell, &args),
    }
}

async fn export(shell: &Shell, args: HomeExport) -> Outcome {
    let file = PathBuf::from(absolute(&args.into.file)?);
    let (packed, identities) = match Home::open(&shell.paths) {
        // It was cut short after the home was marked.
        Err(home::Error::Moved(moved)) if moved.file == file && !args.copy => {
            (moving::finish(&moved).map_err(Error::from)?, Vec::new())
        }
        home => pack(shell, &args, home?, &file).await?,
    };
    note(match args.copy {
        true => {
            "Where the file is imported is another device of the same identities: tenet home import FILE"
        }
        false => {
            "This home does not open any more. Where the file is imported it goes on: tenet home import FILE"
        }
    });
    let Packed { file, bytes } = packed;
    let exported = Exported {
        path: absolute(&file)?,
        bytes,
        identities,
        copy: args.copy,
    };
    shell.output.object(&exported, || {
        let done = if args.copy { "copied" } else { "moved" };
        format!("{done} into {} ({bytes} bytes)", exported.path)
    })
}

async fn pack(
    shell: &Shell,
    args: &HomeExport,
    home: Home,
    file: &Path,
) -> Outcome<(Packed, Vec<String>)> {
    let current = home.current().ok();
    let held = hold_all(shell, &home).await?;
    let keys = open_all(shell, held.iter().map(Held::place))?;
    let mut moving = Vec::new();
    let mut identities = Vec::new();
    for (held, key) in held.into_iter().zip(keys) {
        let place = held.place();
        identities.push(host::peek(place.folder(), &key)?.did);
        let current = current.as_ref().is_some_and(|it| it.name() == place.name());
        moving.push(Moving { held, key, current });
    }
    let password = match &args.into.password_file {
        Some(path) => shell.input.secret_file(path, PROMPT)?,
        None => shell.input.new_secret(PROMPT)?,
    };
    let packed = match args.copy {
        true => moving::pack_copy(&home, &moving, file, password.expose()),
        false => moving::pack(&home, &moving, file, password.expose()),
    };
    Ok((packed.map_err(Error::from)?, identities))
}

/// The same number as [`MIN_PASSWORD`], in words.
const PROMPT: &str = "a password for the file, 8 characters or more: ";
const _: () = assert!(MIN_PASSWORD == 8);

/// Takes hold of every identity, and keeps everybody else out of the home.
async fn hold_all(shell: &Shell, home: &Home) -> Outcome<Vec<Held>> {
    when_free(shell.timeout, || {
        let places = home.identities()?;
        let held: Result<Vec<_>, _> = places.iter().map(|place| home.hold(place)).collect();
        held.and_then(|held| home.keep_others_out().map(|()| held))
    })
    .await
}

/// Opens every vault; a PIN that is given is tried on all, and a person is asked for the others.
fn open_all<'a>(shell: &Shell, places: impl Iterator<Item = &'a Place>) -> Outcome<Vec<VaultKey>> {
    let mut pins: Vec<Secret> = shell.input.given_pin()?.into_iter().collect();
    let mut wrong = Vec::new();
    let mut keys = Vec::new();
    for place in places {
        keys.push(open(shell, &place.vault(), &mut pins, &mut wrong)?);
    }
    // All PINs are known, so none was guessed (`HOME-705`).
    for (vault, before) in wrong {
        vault.forgive(before)?;
    }
    Ok(keys)
}

fn open(
    shell: &Shell,
    vault: &Vault,
    pins: &mut Vec<Secret>,
    wrong: &mut Vec<(Vault, Attempts)>,
) -> Outcome<VaultKey> {
    if !vault.has_pin()? {
        return Ok(vault.open(None, time::now())?);
    }
    for pin in pins.iter() {
        let before = vault.counted()?;
        match vault.open(Some(pin.expose()), time::now()) {
            Err(home::Error::PinWrong { .. }) => wrong.push((vault.clone(), before)),
            opened => return Ok(opened?),
        }
    }
    if !shell.input.is_terminal() {
        return Err(home::Error::PinNeeded.into());
    }
    let pin = shell
        .input
        .secret("the PIN of an identity of this home: ")?;
    let key = vault.open(Some(pin.expose()), time::now())?;
    pins.push(pin);
    Ok(key)
}

fn import(shell: &Shell, args: &HomeFile) -> Outcome {
    let home = Home::prepare(&shell.paths)?;
    // In this order on stdin: the PIN first.
    let pin = choose_pin(&shell.input)?;
    let password = match &args.password_file {
        Some(path) => shell.input.secret_file(path, "its password: ")?,
        None => shell.input.secret("its password: ")?,
    };
    let unpacked = moving::unpack(&home, &args.file, password.expose(), pin.as_ref());
    let unpacked = unpacked.map_err(|error| Failure::Error(error.into()))?;
    if unpacked.skipped > 0 {
        note(&format!(
            "{} of its identities are here already",
            unpacked.skipped
        ));
    }
    for (_held, known) in unpacked.identities {
        let imported = Imported {
            did: known.did,
            device: known.device,
            name: known.name,
        };
        shell.output.object(&imported, || {
            format!("{}  {}", imported.did, shown_short(&imported.name))
        })?;
    }
    if unpacked.used_up
        && let Err(error) = moving::use_up(&args.file)
    {
        note(&format!(
            "{error}; remove it: imported once more, two devices would be one"
        ));
    }
    Ok(())
}
