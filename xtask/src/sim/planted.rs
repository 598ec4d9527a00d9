//! Mistakes on purpose: each of `sim/planted/*.patch` is put into a copy of the tree, and seeds are run (of step 5, or of
//! the one that is named in its first line) until one
//! is wrong that is right without it. A simulator that does not find them finds nothing.
//!
//! Each patch is taken back before the next one is put in, so that only what it touches is built again; with the
//! build of the tests, which is ready soonest, and in worlds of a few persons.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{install, process::root};

/// How long a mistake is looked for.
const PATIENCE: Duration = Duration::from_secs(240);

/// How many persons a world has at most.
const NODES: &str = "6";

/// Plants all, or those whose names are given.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let mut patches: Vec<_> = fs::read_dir(root().join("sim/planted"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "patch"))
        .collect();
    patches.sort();
    let folder = std::env::temp_dir().join(format!("tenet-planted-{}", std::process::id()));
    let result = all(&patches, names, &folder);
    let _ = fs::remove_dir_all(&folder);
    result
}

fn all(patches: &[PathBuf], names: &[String], folder: &Path) -> Result<()> {
    let tree = folder.join("tree");
    fs::create_dir_all(folder)?;
    let prefix = format!("--prefix={}/", tree.display());
    tell("git", &["checkout-index", "-a", &prefix], &root())?;
    let whole = build(&tree, &folder.join("whole"))?;
    let mut missed = 0;
    println!("| mistake | found | what it said |\n|---|---|---|");
    for patch in patches {
        let name = patch
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        let file = patch.display().to_string();
        tell("git", &["apply", "--unsafe-paths", &file], &tree)?;
        let planted = build(&tree, &folder.join("planted"))?;
        let begun = Instant::now();
        let step = step_of(&fs::read_to_string(patch)?);
        match caught(&planted, &whole, step)? {
            Some((seed, what)) => println!(
                "| {name} | seed {seed}, after {:.0} s | {} |",
                begun.elapsed().as_secs_f64(),
                what.replace('|', ";")
            ),
            None => {
                missed += 1;
                println!("| {name} | not within {} s | |", PATIENCE.as_secs());
            }
        }
        tell("git", &["apply", "-R", "--unsafe-paths", &file], &tree)?;
    }
    ensure!(missed == 0, "{missed} mistakes are not found");
    Ok(())
}

/// Builds the simulator of a tree, and puts it there; what comes from elsewhere is built once with the gate's.
fn build(tree: &Path, to: &Path) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root().join("target"), PathBuf::from);
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "-p", "tenet-sim", "--target-dir"]);
    build.arg(&target).current_dir(tree);
    if install::system_openssl() {
        build.env("OPENSSL_NO_VENDOR", "1");
    }
    told(build)?;
    fs::copy(target.join("debug/tenet-sim"), to)?;
    Ok(to.to_owned())
}

/// The step whose worlds find a mistake, as its first line says: `… --step 6`.
fn step_of(patch: &str) -> u8 {
    let first = patch.lines().next().unwrap_or_default();
    let named = first.split_once("--step ").map(|(_, step)| step.trim());
    named.and_then(|step| step.parse().ok()).unwrap_or(5)
}

/// The first seed that is wrong with the mistake and right without it, and what it says.
fn caught(planted: &Path, whole: &Path, step: u8) -> Result<Option<(u64, String)>> {
    let until = Instant::now() + PATIENCE;
    let jobs = thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut seeds = (1..).filter(|seed| seed % 50 != 0);
    while Instant::now() < until {
        let some: Vec<u64> = seeds.by_ref().take(usize::try_from(jobs)?).collect();
        let said = thread::scope(|scope| {
            let runs: Vec<_> = some
                .iter()
                .map(|seed| scope.spawn(|| wrong(planted, step, *seed)))
                .collect();
            let said = runs.into_iter().map(|run| match run.join() {
                Ok(said) => said,
                Err(_) => bail!("a run panicked"),
            });
            said.collect::<Result<Vec<_>>>()
        })?;
        for (seed, what) in some.iter().zip(said) {
            if let Some(what) = what
                && wrong(whole, step, *seed)?.is_none()
            {
                return Ok(Some((*seed, what)));
            }
        }
    }
    Ok(None)
}

/// What is wrong with a seed, if anything is.
fn wrong(binary: &Path, step: u8, seed: u64) -> Result<Option<String>> {
    let (step, seed) = (step.to_string(), seed.to_string());
    let output = Command::new(binary)
        .args(["--step", &step, "--nodes", NODES, "--seed", &seed])
        .output()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let what = said.rsplit(" | ").next().unwrap_or_default().trim();
    Ok(Some(what.chars().take(120).collect()))
}

fn tell(program: &str, words: &[&str], folder: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command.args(words).current_dir(folder);
    told(command)
}

fn told(mut command: Command) -> Result<()> {
    let output = command.output();
    let output = output.with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?}: {}", said.trim_end());
    }
    Ok(())
}
