//! `tenet device join`: this home becomes a further device of an identity.

use serde::Serialize;
use tenet_identity::did;
use tenet_identity::keys::DeviceKey;
use tenet_identity::meeting::{knock, link::Link, short::Short};
use tenet_identity::secrets::Secrets;
use tenet_identity::vault::VaultKey;
use tenet_rpc::api::{Error, Event, Mode, Notice, Secret, Sync};
use tenet_rpc::server::{Delivery, Handler, ask};
use zeroize::Zeroizing;

use crate::args::DeviceJoin;
use crate::commands::Shell;
use crate::commands::id::{check_name, choose_pin, device_name};
use crate::failure::{Failure, Outcome};
use crate::gate::Gate;
use crate::home::{Held, Home};
use crate::host::{self, Joining, Node, Options};
use crate::output::note;
use crate::{random, time};

#[derive(Serialize)]
struct Shown {
    did: String,
    device: String,
    name: String,
    emoji: Vec<char>,
    digits: String,
}

pub(super) async fn run(shell: &Shell, args: DeviceJoin) -> Outcome {
    check_name(args.name.as_deref())?;
    let link = read(shell, &args.link)?;
    let home = Home::prepare(&shell.paths)?;
    let pin = choose_pin(&shell.input)?;
    let draft = home.draft()?;
    let name = args.name.unwrap_or_else(|| device_name().to_owned());
    let (secrets, called, short) = be_let_in(shell, &link, name).await?;

    let shown = Shown {
        did: did::encode(&secrets.card.identity()),
        device: secrets.card.device().to_string(),
        name: called.clone(),
        emoji: short.emoji().map(|emoji| emoji.symbol).to_vec(),
        digits: short.digits(),
    };
    let key = VaultKey::generate(&mut random::generator()?);
    let given = pin.as_ref().map(Secret::expose);
    draft.vault().create(&key, given, None)?;
    Node::create_linked(draft.folder(), &key, secrets, &called, link).await?;
    let whole = bring(shell, draft.finish()?, pin).await?;
    shell
        .output
        .object(&shown, || format!("this is a device of {} now", shown.did))?;
    note(match whole {
        true => "all that could be brought now is here: tenet up",
        false => "the rest is brought while tenet up runs here and there",
    });
    Ok(())
}

/// The link that was given, if it is one for a device.
fn read(shell: &Shell, link: &str) -> Outcome<Link> {
    let text = shell.input.text(link)?;
    let link = Link::parse(text.trim()).map_err(|error| Failure::usage(error.to_string()))?;
    if link.ext().group.is_some() {
        return Err(Failure::usage("this link leads into a group: tenet accept"));
    }
    if !link.ext().device {
        return Err(Failure::usage(
            "this link makes two people contacts: tenet accept. One for a device is made on another device \
             of yours: tenet device link",
        ));
    }
    if link.expired_at(time::now()) {
        return Err(Error::refused("the link is not good any more; make a new one").into());
    }
    Ok(link)
}

/// Asks the other device for a card; gives the secrets of this one, what the person is called, and
/// what both screens show.
async fn be_let_in(shell: &Shell, link: &Link, name: String) -> Outcome<(Secrets, String, Short)> {
    let rng = &mut random::generator()?;
    let device = DeviceKey::generate(rng);
    let mut endpoint = Zeroizing::new([0; 32]);
    getrandom::fill(endpoint.as_mut_slice())?;
    let joining = Joining {
        link,
        key: &device,
        endpoint: &endpoint,
        name,
        nonce: knock::nonce(rng),
        options: &shell.options,
        patience: shell.timeout,
    };
    let (card, called, short) = host::join(joining, show).await?;
    let secrets = Secrets {
        phrase: None,
        index: 0,
        identity: None,
        device,
        endpoint,
        card,
    };
    Ok((secrets, called, short))
}

/// Opens the home and lets what there is be brought, for a while; whether all of it came.
async fn bring(shell: &Shell, held: Held, pin: Option<Secret>) -> Outcome<bool> {
    let options = Options {
        network: true,
        ..shell.options.clone()
    };
    let gate = Gate::closed(held, options, Mode::Offline);
    gate.open(pin).await?;
    let wanted = Sync {
        timeout_ms: Some(shell.timeout_ms()),
    };
    let mut news = gate.subscribe(None)?;
    let show = async {
        let mut shown = 0;
        while let Some(delivery) = news.next().await {
            show_progress(&delivery, &mut shown);
        }
        // The node is there for as long as it is asked.
        std::future::pending().await
    };
    let synced = tokio::select! {
        synced = ask(&gate, wanted) => synced,
        never = show => never,
    };
    gate.close().await;
    Ok(synced.is_ok_and(|synced| !synced.waits()))
}

/// Shows how much was brought, at each tenth.
fn show_progress(delivery: &Delivery, shown: &mut u64) {
    let Delivery::Event(line) = delivery else {
        return;
    };
    let notice: Option<Notice> = serde_json::from_str(line).ok();
    let Some(Event::Bringing {
        coming: true,
        done,
        total,
        ..
    }) = notice.map(|notice| notice.event)
    else {
        return;
    };
    let tenth = done.saturating_mul(10) / total.max(1);
    if tenth > *shown {
        note(&format!("{done} of {total} events"));
    }
    *shown = tenth;
}

fn show(short: &Short) {
    let emoji = short
        .emoji()
        .map(|emoji| emoji.symbol.to_string())
        .join("  ");
    note(&format!(
        "the other screen must show\n\n    {emoji}\n    {}\n",
        short.digits()
    ));
}
