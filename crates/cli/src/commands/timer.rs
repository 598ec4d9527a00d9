//! `tenet timer`: after how long messages disappear.

use tenet_rpc::api;

use super::Shell;
use crate::args::Timer;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown_short;
use crate::time;

pub(super) async fn run(shell: &Shell, args: Timer) -> Outcome {
    let who = args.who;
    let timer = shell
        .with(Need::Home, async |caller| match args.after {
            None => caller.call(api::Timer { who }).await,
            Some(seconds) => caller.call(api::TimerSet { who, seconds }).await,
        })
        .await?;
    shell.output.object(&timer, || {
        let by = timer.name.as_deref().map(shown_short);
        let by = by.map(|by| format!(" (set by {by})")).unwrap_or_default();
        words(timer.seconds.unwrap_or(0)) + &by
    })
}

/// What a timer means for what is said from now on.
pub(super) fn words(seconds: u64) -> String {
    match seconds {
        0 => "messages stay".into(),
        seconds => {
            let span = time::span(seconds.saturating_mul(1000));
            format!("messages disappear after {span}")
        }
    }
}
