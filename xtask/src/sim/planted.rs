//! Mistakes on purpose: each of `sim/planted/*.patch` is put into a copy of the tree, and seeds are run until one
//! is wrong. A simulator that does not find them finds nothing.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::root;

/// After how many seeds a mistake counts as not found.
const MOST_SEEDS: u64 = 300;

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

fn all(patches: &[std::path::PathBuf], names: &[String], folder: &Path) -> Result<()> {
    let tree = folder.join("tree");
    fs::create_dir_all(folder)?;
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
        let _ = fs::remove_dir_all(&tree);
        tell(
            "git",
            &[
                "checkout-index",
                "-a",
                &format!("--prefix={}/", tree.display()),
            ],
            &root(),
        )?;
        tell(
            "git",
            &["apply", "--unsafe-paths", &patch.display().to_string()],
            &tree,
        )?;
        let target = folder.join("target").display().to_string();
        let words = [
            "build",
            "--release",
            "-p",
            "tenet-sim",
            "--target-dir",
            &target,
        ];
        tell("cargo", &words, &tree)?;
        let begun = Instant::now();
        match caught(&folder.join("target/release/tenet-sim"))? {
            Some((seed, what)) => println!(
                "| {name} | seed {seed}, after {:.0} s | {} |",
                begun.elapsed().as_secs_f64(),
                what.replace('|', ";")
            ),
            None => {
                missed += 1;
                println!("| {name} | not within {MOST_SEEDS} seeds | |");
            }
        }
    }
    ensure!(missed == 0, "{missed} mistakes are not found");
    Ok(())
}

/// The first seed that is wrong, and what it says.
fn caught(binary: &Path) -> Result<Option<(u64, String)>> {
    for seed in (1..=MOST_SEEDS).filter(|seed| seed % 50 != 0) {
        let output = Command::new(binary)
            .args(["--step", "5", "--seed", &seed.to_string()])
            .output()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout);
            let what = said
                .rsplit(" | ")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            return Ok(Some((seed, what.chars().take(120).collect())));
        }
    }
    Ok(None)
}

fn tell(program: &str, words: &[&str], folder: &Path) -> Result<()> {
    let output = Command::new(program)
        .args(words)
        .current_dir(folder)
        .output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {}: {}", words.join(" "), said.trim_end());
    }
    Ok(())
}
