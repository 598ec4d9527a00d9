//! `tenet search`: messages by their words.

use tenet_rpc::api::{self, Found};

use super::{Shell, message};
use crate::args::Search;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::{note, shown_short};

pub(super) async fn run(shell: &Shell, args: Search) -> Outcome {
    let wanted = api::Search {
        words: args.words.join(" "),
        who: args.who,
        from: args.from,
        since: args.since,
        until: args.until,
        files: args.files,
        limit: Some(args.limit),
        before: args.before,
        context: args.context,
    };
    let list = shell
        .with(Need::Home, async |caller| caller.call(wanted).await)
        .await?;
    for found in &list.found {
        shell.output.object(found, || words(found, args.ids))?;
    }
    if !list.complete {
        note("not everything was looked through yet: search again in a while");
    }
    if let (true, Some(first)) = (list.more, &list.first) {
        note(&format!("there are more: tenet search … --before {first}"));
    }
    Ok(())
}

/// The message between those around it; whose conversation it is, where its author is oneself.
fn words(found: &Found, ids: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    let around = |message| format!("  {}", message::words(message, ids).replace('\n', "\n  "));
    lines.extend(found.before.iter().map(around));
    let mut line = message::words(&found.message, ids);
    if found.message.mine {
        line += &format!(" (to {})", shown_short(&found.conversation));
    }
    lines.push(line);
    lines.extend(found.after.iter().map(around));
    if lines.len() > 1 {
        lines.push(String::new());
    }
    lines.join("\n")
}
