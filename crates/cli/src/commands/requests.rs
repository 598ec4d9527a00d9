//! `tenet requests` and `tenet request …`: who asks to become a contact.

use tenet_rpc::api::{
    AcceptInfo, AcceptState, Accepts, RequestAccept, RequestInfo, RequestReject, RequestState,
    Requests as Wanted,
};

use super::Shell;
use crate::args::{RequestCommand, Requests};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::{note, shown_short};
use crate::time;

pub(super) async fn run(shell: &Shell, args: &Requests) -> Outcome {
    if args.sent {
        return sent(shell).await;
    }
    let list = shell
        .with(Need::Home, async |caller| caller.call(Wanted {}).await)
        .await?;
    for request in list.requests {
        if args.all || request.state == RequestState::Waiting {
            shell.output.object(&request, || words(&request))?;
        }
    }
    Ok(())
}

async fn sent(shell: &Shell) -> Outcome {
    let list = shell
        .with(Need::Home, async |caller| caller.call(Accepts {}).await)
        .await?;
    for link in list.accepts {
        shell.output.object(&link, || sent_words(&link))?;
    }
    Ok(())
}

pub(super) async fn decide(shell: &Shell, command: RequestCommand) -> Outcome {
    let request = match command {
        RequestCommand::Accept { id } => {
            shell
                .with(Need::Network, async |caller| {
                    let request = caller.call(RequestAccept { id }).await?;
                    shell.settle(caller).await?;
                    Ok(request)
                })
                .await?
        }
        RequestCommand::Reject { id, remark } => {
            let params = RequestReject { id, remark };
            shell
                .with(Need::Home, async |caller| caller.call(params).await)
                .await?
        }
    };
    shell.output.object(&request, || words(&request))?;
    if request.state == RequestState::Accepted {
        note("they become a contact when they are reached, or when they come again");
    }
    Ok(())
}

pub(super) fn words(request: &RequestInfo) -> String {
    let state = match request.state {
        RequestState::Accepted => "accepted, not here since",
        RequestState::Rejected => "rejected",
        _ => "asks",
    };
    let name = match request.name.as_str() {
        "" => "(no name)".to_owned(),
        name => shown_short(name),
    };
    let mut words = format!(
        "{}  {name}  {state}, since {}\n    {}",
        request.id,
        time::short(request.first),
        request.did
    );
    if let Some(remark) = &request.remark {
        words += &format!("\n    says: {}", shown_short(remark));
    }
    words
}

fn sent_words(link: &AcceptInfo) -> String {
    let state = match link.state {
        AcceptState::Connected if link.group.is_some() => "you are in",
        AcceptState::Connected => "a contact",
        AcceptState::Requested => "asked, no answer yet",
        AcceptState::Pending => "not reached yet",
        AcceptState::Rejected => "rejected",
        _ => "refused",
    };
    let reason = link.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| {
        format!("\n    {}", shown_short(reason))
    });
    format!(
        "{}  {}  {state}, since {}\n    {}{reason}",
        link.id,
        shown_short(link.group.as_ref().unwrap_or(&link.name)),
        time::short(link.started),
        link.did
    )
}
