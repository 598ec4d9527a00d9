//! `tenet profile`: what one says of oneself.

use tenet_rpc::api::{self, ProfileInfo};

use super::Shell;
use crate::args::Profile;
use crate::caller::Need;
use crate::failure::Outcome;
use crate::input::absolute;
use crate::output::shown_short;

pub(super) async fn run(shell: &Shell, args: Profile) -> Outcome {
    let profile = match args.is_empty() {
        true => {
            shell
                .with(Need::Home, async |caller| {
                    caller.call(api::Profile {}).await
                })
                .await?
        }
        false => set(shell, args).await?,
    };
    shell.output.object(&profile, || words(&profile))
}

async fn set(shell: &Shell, args: Profile) -> Outcome<ProfileInfo> {
    let avatar = match args.avatar {
        Some(path) => Some(absolute(&path)?),
        None => args.no_avatar.then(String::new),
    };
    let params = api::ProfileSet {
        name: args.name,
        status: args.status,
        avatar,
    };
    shell
        .with(Need::Network, async |caller| {
            let profile = caller.call(params).await?;
            shell.settle(caller).await?;
            Ok(profile)
        })
        .await
}

fn words(profile: &ProfileInfo) -> String {
    let mut words = format!("{}\n{}", shown_short(&profile.name), profile.did);
    if !profile.status.is_empty() {
        words += &format!("\n{}", shown_short(&profile.status));
    }
    if profile.avatar.is_some() {
        words += "\nwith a picture";
    }
    words
}
