//! `tenet group invite` and what belongs to it: links into groups, and who asks by them.

use std::io::IsTerminal;

use tenet_rpc::api::{
    GroupAccept, GroupInvite, GroupInvites, GroupLink, GroupPreview, GroupReject, GroupRequest,
    GroupRequests, GroupShown, GroupUninvite,
};

use super::{
    Shell,
    group::{as_role, line, role_word},
    invite::picture,
};
use crate::args;
use crate::caller::Need;
use crate::failure::{Failure, Outcome};
use crate::output::{note, shown_indented, shown_short};
use crate::time;

pub(super) async fn invite(shell: &Shell, args: args::GroupInvite) -> Outcome {
    if args.expires == Some(0) {
        return Err(Failure::usage("a link that expires at once is of no use"));
    }
    let params = GroupInvite {
        group: args.group,
        role: Some(as_role(args.role)),
        consent: args.consent,
        question: args.question,
        expires_seconds: args.expires,
        to: args.to,
        text: args.text,
    };
    let made = shell
        .with(Need::Network, async |caller| {
            let made = caller.call(params).await?;
            shell.settle(caller).await?;
            Ok(made)
        })
        .await?;
    if let Some(message) = &made.message {
        return shell
            .output
            .object(&made, || format!("{}  invited", short(message)));
    }
    let link = made.link.clone().unwrap_or_default();
    shell.output.object(&made, || link.clone())?;
    let terminal = std::io::stdout().is_terminal() && !shell.output.json;
    if args.qr || terminal {
        picture(shell, &link)?;
    }
    if terminal {
        note(match made.consent {
            true => "who comes by it asks: tenet group requests",
            false => "whoever has it comes in, until it is closed: tenet group uninvite",
        });
    }
    Ok(())
}

pub(super) async fn list(shell: &Shell, group: String) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(GroupInvites { group }).await
        })
        .await?;
    let mut links = list.links.iter();
    links.try_for_each(|link| shell.output.object(link, || words(link)))
}

pub(super) async fn close(shell: &Shell, args: args::GroupUninvite) -> Outcome {
    let args::GroupUninvite { group, id } = args;
    let closed = shell
        .with(Need::Network, async |caller| {
            let closed = caller.call(GroupUninvite { group, id }).await?;
            shell.settle(caller).await?;
            Ok(closed)
        })
        .await?;
    shell.output.object(&closed, || {
        format!("{}  closed: nobody more comes in by it", short(&closed.id))
    })
}

pub(super) async fn preview(shell: &Shell, args: args::GroupLink) -> Outcome {
    let link = shell.input.text(&args.link)?.trim().to_owned();
    let params = GroupPreview {
        link,
        timeout_ms: Some(shell.timeout_ms()),
    };
    let shown = shell
        .with(Need::Network, async |caller| caller.call(params).await)
        .await?;
    shell.output.object(&shown, || preview_words(&shown))
}

pub(super) async fn requests(shell: &Shell, group: String) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| {
            caller.call(GroupRequests { group }).await
        })
        .await?;
    let mut requests = list.requests.iter();
    requests.try_for_each(|request| shell.output.object(request, || request_words(request)))
}

pub(super) async fn accept(shell: &Shell, args: args::GroupAsker) -> Outcome {
    let args::GroupAsker { group, who } = args;
    let group = shell
        .with(Need::Network, async |caller| {
            let group = caller.call(GroupAccept { group, who }).await?;
            shell.settle(caller).await?;
            Ok(group)
        })
        .await?;
    shell.output.object(&group, || line(&group))?;
    note("they come in when they are reached, or when they come again");
    Ok(())
}

pub(super) async fn reject(shell: &Shell, args: args::GroupReject) -> Outcome {
    let args::GroupReject { group, who, remark } = args;
    let params = GroupReject { group, who, remark };
    let group = shell
        .with(Need::Network, async |caller| {
            let group = caller.call(params).await?;
            shell.settle(caller).await?;
            Ok(group)
        })
        .await?;
    shell.output.object(&group, || line(&group))
}

fn words(link: &GroupLink) -> String {
    let does = match link.consent {
        true => "asks to come in as",
        false => "lets in as",
    };
    let mut words = format!("{}  {does} {}", short(&link.id), role_word(link.role));
    if let Some(name) = &link.name {
        words += &format!(", made by {}", shown_short(name));
    }
    if let Some(expires) = link.expires {
        let left = expires.saturating_sub(time::now());
        words += &match left {
            0 => ", expired".to_owned(),
            left => format!(", good for {}", time::span(left)),
        };
    }
    if let Some(question) = &link.question {
        words += &format!("\n    asks: {}", shown_short(question));
    }
    if let Some(link) = &link.link {
        words += &format!("\n    {link}");
    }
    words
}

fn request_words(request: &GroupRequest) -> String {
    let name = match request.name.as_str() {
        "" => "(no name)".to_owned(),
        name => shown_short(name),
    };
    let mut words = format!(
        "{name} asks to come in as {}, last {}\n    {}",
        role_word(request.role),
        time::short(request.last),
        request.did
    );
    if let Some(remark) = &request.remark {
        words += &format!("\n    says: {}", shown_short(remark));
    }
    words
}

fn preview_words(shown: &GroupShown) -> String {
    let people = match shown.members {
        1 => "1 person".to_owned(),
        many => format!("{many} people"),
    };
    let role = role_word(shown.role);
    let comes = match shown.consent {
        true => format!("you would ask to come in as {role}"),
        false => format!("you would come in as {role}"),
    };
    let mut words = format!("{}, {people}, {comes}", shown_short(&shown.name));
    if let Some(text) = &shown.description {
        words += &format!("\n    {}", shown_indented(text, 4));
    }
    if shown.avatar.is_some() {
        words += "\nwith a picture";
    }
    if let Some(question) = &shown.question {
        words += &format!("\nasks first: {}", shown_short(question));
    }
    words
}

/// As much of an id as tells it from others.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}
