//! `tenet demo`: two people become contacts and talk, then five in a group, and a sixth who comes
//! in by a link, as real processes of this program in a temporary folder.
//!
//! Everything is done by the command line, as a person or a script would: what the demo shows is
//! what works. It stops at the first thing that does not hold.

mod five;
mod person;
mod story;

use std::time::Instant;

use serde::Serialize;
use tenet_rpc::api::Error;

use self::story::Story;
use crate::args::Demo;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, note, shown};

/// What was checked.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    checks: Vec<Check>,
}

pub(super) fn run(output: Output, args: &Demo) -> Outcome {
    let failed = |error| Error::failure(format!("cannot make a temporary folder: {error}"));
    let mut folder = tempfile::Builder::new()
        .prefix("tenet-demo-")
        .tempdir()
        .map_err(failed)?;
    if args.keep {
        folder.disable_cleanup(true);
        note(&format!("everything is in {}", folder.path().display()));
    }
    if !output.json {
        output.words("Alice and Bob, two homes, two processes, no server:")?;
    }
    let checks = tell(output, &mut Story::new(folder.path()))?;
    let ok = checks.iter().all(|check| check.ok);
    if output.json {
        output.object(&Shown { checks }, String::new)?;
    } else if ok {
        output.words(&format!("all {} held", checks.len()))?;
    }
    if ok { Ok(()) } else { Err(Failure::Said) }
}

/// Tells the story step by step; dropping it at the end stops the nodes.
fn tell(output: Output, story: &mut Story) -> Outcome<Vec<Check>> {
    let mut checks = Vec::new();
    for (name, step) in Story::STEPS {
        let began = Instant::now();
        let why = step(story).err();
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let check = Check {
            name,
            ok: why.is_none(),
            ms,
            why,
        };
        if !output.json {
            output.words(&words(&check))?;
        }
        let ok = check.ok;
        checks.push(check);
        if !ok {
            note(&story.logs());
            break;
        }
    }
    Ok(checks)
}

fn words(check: &Check) -> String {
    let mark = if check.ok { "ok  " } else { "BAD " };
    let why = check
        .why
        .as_ref()
        .map_or_else(String::new, |why| format!("\n    {}", shown(why)));
    format!("{mark} {:58} {:>6} ms{why}", check.name, check.ms)
}
