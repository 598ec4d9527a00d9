//! `tenet settings`: show or change them.

use tenet_rpc::api::{Setting, SettingsGet, SettingsSet};

use super::Shell;
use crate::args::Settings;
use crate::caller::Need;
use crate::failure::Outcome;

pub(super) async fn run(shell: &Shell, args: Settings) -> Outcome {
    let settings = shell
        .with(Need::Home, async |caller| match (args.name, args.value) {
            (Some(name), Some(value)) => Ok(vec![caller.call(SettingsSet { name, value }).await?]),
            (name, _) => Ok(caller.call(SettingsGet { name }).await?.settings),
        })
        .await?;
    for setting in &settings {
        shell.output.object(setting, || words(setting))?;
    }
    Ok(())
}

fn words(setting: &Setting) -> String {
    format!("{:16} {:8} {}", setting.name, setting.value, setting.help)
}
