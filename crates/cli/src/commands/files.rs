//! `tenet files`: what a conversation has of them.

use tenet_rpc::api::{self, ListedFile};

use super::{Shell, message, transfer};
use crate::args::{Contents, FilesCommand, FilesList};
use crate::caller::Need;
use crate::failure::Outcome;
use crate::time;

pub(super) async fn run(shell: &Shell, command: FilesCommand) -> Outcome {
    match command {
        FilesCommand::List(args) => list(shell, args).await,
        FilesCommand::Remove(Contents { id }) => {
            let call = api::FileRemove { id: id.clone() };
            transfer::change(shell, &id, call, "removed here").await
        }
    }
}

async fn list(shell: &Shell, args: FilesList) -> Outcome {
    let params = api::Files {
        who: args.who,
        kind: args.kind,
        limit: Some(args.limit),
        before: args.before,
    };
    let list = shell
        .with(Need::Home, async |caller| Ok(caller.call(params).await?))
        .await?;
    for file in &list.files {
        shell.output.object(file, || words(file))?;
    }
    Ok(())
}

fn words(file: &ListedFile) -> String {
    format!(
        "{} {} {}",
        file.file.hash,
        time::short(file.time),
        message::file_words(&file.file)
    )
}
