//! `tenet completions` and `tenet man`: what shells and readers of manuals want, from the grammar.

use std::path::Path;

use clap::CommandFactory;
use tenet_rpc::api::Error;

use crate::args::{Cli, Completions, Man};
use crate::failure::Outcome;
use crate::output;

pub(super) fn completions(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tenet", &mut script);
    output::print(&script)
}

pub(super) fn man(args: &Man) -> Outcome {
    match &args.to {
        Some(folder) => write_pages(folder),
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            output::print(&page)
        }
    }
}

fn write_pages(folder: &Path) -> Outcome {
    let write = clap_mangen::generate_to(Cli::command(), folder);
    write.map_err(|error| {
        Error::failure(format!("cannot write into {}: {error}", folder.display())).into()
    })
}
