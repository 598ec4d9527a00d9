//! `tenet contact add` and `tenet contact card`: becoming contacts without a link, or by a file.

use std::path::Path;

use serde::Serialize;
use tenet_identity::meeting::{contact_card, link::Link, sealed_link};
use tenet_identity::sealed;
use tenet_identity::vault::Cost;
use tenet_rpc::api::{self, Error};

use super::{Shell, accept, text_file};
use crate::args::{Add, Card};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::random;

pub(super) async fn add(shell: &Shell, args: Add) -> Outcome {
    let Some(file) = &args.file else {
        return knock(shell, args.did, args.at, None, args.name, args.remark).await;
    };
    let text = text_file::read(file)?;
    if text.trim_start().starts_with(contact_card::SCHEME) {
        return knock(shell, None, None, Some(text), args.name, args.remark).await;
    }
    if !text.trim_start().starts_with(sealed_link::SCHEME) {
        return Err(Error::usage(format!(
            "{} is no file that tenet contact card wrote",
            file.display()
        ))
        .into());
    }
    let password = match &args.password_file {
        Some(path) => shell.input.secret_file(path, "password: ")?,
        None => shell.input.secret("password: ")?,
    };
    let link = sealed_link::open(&text, password.expose()).map_err(|error| match error {
        sealed_link::Error::Sealed(sealed::Error::WrongPassword) => {
            Error::refused(error.to_string())
        }
        error => Error::usage(error.to_string()),
    })?;
    let params = api::Accept {
        link: link.text().to_string(),
        name: args.name,
        remark: args.remark,
        timeout_ms: Some(shell.timeout_ms()),
    };
    accept::ask(shell, params).await
}

async fn knock(
    shell: &Shell,
    did: Option<String>,
    at: Option<String>,
    card: Option<String>,
    name: Option<String>,
    remark: Option<String>,
) -> Outcome {
    let params = api::ContactAdd {
        did,
        at,
        card,
        name,
        remark,
        timeout_ms: Some(shell.timeout_ms()),
    };
    accept::ask(shell, params).await
}

#[derive(Serialize)]
struct Written<'a> {
    file: &'a Path,
    kind: &'static str,
    /// Of the sealed link.
    id: Option<String>,
    expires: Option<u64>,
}

pub(super) async fn card(shell: &Shell, args: Card) -> Outcome {
    let password = match &args.password_file {
        Some(path) => Some(shell.input.secret_file(path, "password: ")?),
        None => None,
    };
    let (text, written) = match password {
        None => {
            let made = shell
                .with(Need::Network, async |caller| {
                    caller.call(api::ContactCard {}).await
                })
                .await?;
            (made.card, ("card", None, None))
        }
        Some(password) => {
            let params = api::Invite {
                name: None,
                reusable: args.reusable,
                expires_seconds: args.expires,
                question: None,
            };
            let invited = shell
                .with(Need::Network, async |caller| caller.call(params).await)
                .await?;
            let sealed = seal(&invited.link, password.expose())?;
            (sealed, ("link", Some(invited.id), Some(invited.expires)))
        }
    };
    if args.file == Path::new("-") {
        return shell.output.words(&text);
    }
    text_file::write(&args.file, &text)?;
    let (kind, id, expires) = written;
    let written = Written {
        file: &args.file,
        kind,
        id,
        expires,
    };
    shell.output.object(&written, || match kind {
        "card" => format!(
            "{} is written: whoever has it can ask while your door is open; tenet door open",
            args.file.display()
        ),
        _ => format!(
            "{} is written: give it and the password by different ways; tenet up",
            args.file.display()
        ),
    })
}

fn seal(link: &str, password: &str) -> Outcome<String> {
    let broken = |error: &dyn std::fmt::Display| Error::internal(error.to_string());
    let link = Link::parse(link).map_err(|error| broken(&error))?;
    let mut rng = random::generator().map_err(|error| broken(&error))?;
    sealed_link::seal(&mut rng, &link, password, Cost::DEFAULT)
        .map_err(|error| Error::usage(error.to_string()).into())
}
