//! `tenet draft`: what was begun to be written.

use tenet_rpc::api;

use super::Shell;
use crate::args::Draft;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::output::shown;

pub(super) async fn run(shell: &Shell, args: Draft) -> Outcome {
    let text = args.text.as_deref();
    let text = text.map(|text| shell.input.text(text)).transpose()?;
    let who = args.who;
    let kept = shell
        .with(Need::Home, async |caller| match (text, args.clear) {
            (None, false) => caller.call(api::Draft { who }).await,
            (text, _) => caller.call(api::DraftSet { who, text }).await,
        })
        .await?;
    shell.output.object(&kept, || {
        kept.draft.as_deref().map(shown).unwrap_or_default()
    })
}
