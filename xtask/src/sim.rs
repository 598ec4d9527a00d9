//! `cargo xtask sim`: worlds of many, each a process of its own, some at a time.
//!
//! ```text
//! cargo xtask sim --seeds 200 --from 1 --step 5 --jobs 2     these seeds, and what is wrong with which
//! cargo xtask sim --ladder                                   the five steps and their figures
//! cargo xtask sim --planted                                  mistakes put into copies of the tree, and who finds them
//! ```

mod planted;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    install,
    process::{Line, root},
};

/// How long the gate looks at seeds of one step that nobody has seen yet.
const FRESH: Duration = Duration::from_secs(25);

/// The steps of which each seed is another world: an hour of everything, and storms.
const RANDOM: [u8; 2] = [5, 6];

/// Seeds that once failed, a line each: `SEED what it found`, or `STEP/SEED` where the step is not 5.
const KNOWN: &str = "sim/seeds.txt";

/// What is to be run.
struct Wish {
    step: u8,
    from: u64,
    seeds: u64,
    jobs: usize,
    until: Option<Instant>,
}

/// What one seed said.
#[derive(Clone, Debug)]
struct Said {
    seed: u64,
    ok: bool,
    seconds: f64,
    line: String,
}

/// Runs what the words say.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let mut wish = Wish {
        step: 5,
        from: 1,
        seeds: 100,
        jobs: thread::available_parallelism().map_or(1, usize::from),
        until: None,
    };
    match words.first().map(String::as_str) {
        Some("--planted") => return planted::run(words.get(1..).unwrap_or_default()),
        Some("--ladder") => return ladder(),
        _ => {}
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("{word} of what?"))?;
        match word.as_str() {
            "--seeds" => wish.seeds = value.parse()?,
            "--from" => wish.from = value.parse()?,
            "--step" => wish.step = value.parse()?,
            "--jobs" => wish.jobs = value.parse()?,
            _ => bail!(
                "no word `{word}`: --seeds N --from SEED --step K --jobs N, --ladder, --planted"
            ),
        }
    }
    let binary = built("release", &["--release"])?;
    let seeds: Vec<u64> = (wish.from..wish.from + wish.seeds).collect();
    judge(&binary, &wish, &seeds)
}

/// A bounded part: every seed that ever failed, and new ones for a while.
///
/// With the build that the tests made: another one would cost the gate more than it finds.
pub(crate) fn gate() -> Result<()> {
    let binary = built("debug", &[])?;
    let mut wish = Wish {
        step: 5,
        from: 0,
        seeds: 0,
        jobs: thread::available_parallelism().map_or(1, usize::from),
        until: None,
    };
    let known = fs::read_to_string(root().join(KNOWN))?;
    let known: Vec<(u8, u64)> = known.lines().filter_map(known_seed).collect();
    let from = fresh_from()?;
    for step in RANDOM {
        let of_step = known.iter().filter(|(of, _)| *of == step);
        let of_step: Vec<u64> = of_step.map(|(_, seed)| *seed).collect();
        (wish.step, wish.until) = (step, None);
        if !of_step.is_empty() {
            judge(&binary, &wish, &of_step)?;
        }
        wish.until = Some(Instant::now() + FRESH);
        // One in fifty is large, and takes longer than the gate has.
        let fresh: Vec<u64> = (from..from + 10_000)
            .filter(|seed| seed % 50 != 0)
            .collect();
        let fresh = judge(&binary, &wish, &fresh);
        fresh.with_context(|| format!("a seed that is new: mend it, and put it into {KNOWN}"))?;
    }
    Ok(())
}

/// The step and the seed of a line, if it has any.
fn known_seed(line: &str) -> Option<(u8, u64)> {
    let word = line.split_whitespace().next()?;
    match word.split_once('/') {
        Some((step, seed)) => Some((step.parse().ok()?, seed.parse().ok()?)),
        None => Some((5, word.parse().ok()?)),
    }
}

/// Where new seeds begin: it follows from what is committed, so that each change meets others, and whoever runs the gate
/// on the same change meets the same.
fn fresh_from() -> Result<u64> {
    let tree = Command::new("git")
        .args(["rev-parse", "HEAD^{tree}"])
        .current_dir(root())
        .output();
    let tree = tree.ok().filter(|output| output.status.success());
    let tree = tree.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let number = tree.and_then(|name| u64::from_str_radix(name.get(..8)?, 16).ok());
    match number {
        Some(number) => Ok(number * 1000),
        // An archive without its history.
        None => Ok(SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs()
            * 1000),
    }
}

/// The program, built so; `folder` is where such a build lies.
fn built(folder: &str, how: &[&str]) -> Result<PathBuf> {
    let line = Line::cargo(&[&["build", "-p", "tenet-sim"], how].concat());
    let line = match install::system_openssl() {
        true => line.env("OPENSSL_NO_VENDOR", "1"),
        false => line,
    };
    line.run()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join(folder).join("tenet-sim"))
}

/// Runs seeds, some at a time, and says what came of them.
fn judge(binary: &PathBuf, wish: &Wish, seeds: &[u64]) -> Result<()> {
    let begun = Instant::now();
    let said = all(binary, wish, seeds);
    let bad: Vec<&Said> = said.iter().filter(|said| !said.ok).collect();
    for said in &bad {
        println!("{}", said.line);
    }
    println!("{}", summary(&said, begun.elapsed()));
    if let Some(first) = bad.first() {
        let plan = format!("--step {} --seed {}", wish.step, first.seed);
        println!("the smallest part of it that is still wrong:");
        let words: Vec<&str> = plan.split(' ').collect();
        let page = root()
            .join("target")
            .join(format!("sim-{}.html", first.seed));
        let page = page.display().to_string();
        let status = Command::new(binary)
            .args(words)
            .args(["--shrink", "--html", &page])
            .stderr(Stdio::null())
            .status()?;
        ensure!(
            status.success(),
            "{} of {} seeds are wrong; see {page}",
            bad.len(),
            said.len()
        );
    }
    Ok(())
}

fn all(binary: &PathBuf, wish: &Wish, seeds: &[u64]) -> Vec<Said> {
    let (next, said) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..wish.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let seed = usize::try_from(place)
                        .ok()
                        .and_then(|place| seeds.get(place));
                    let late = wish.until.is_some_and(|until| Instant::now() >= until);
                    let Some(seed) = seed.filter(|_| !late) else {
                        return;
                    };
                    let one = one(binary, wish.step, *seed);
                    if let Ok(mut said) = said.lock() {
                        said.insert(*seed, one);
                    }
                }
            });
        }
    });
    said.into_inner()
        .unwrap_or_default()
        .into_values()
        .collect()
}

fn one(binary: &PathBuf, step: u8, seed: u64) -> Said {
    let output = Command::new(binary)
        .args(["--step", &step.to_string(), "--seed", &seed.to_string()])
        .stderr(Stdio::null())
        .output();
    let line = match output {
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Err(error) => format!("bad: it does not start: {error}"),
    };
    let seconds = line
        .split('|')
        .nth(1)
        .and_then(|part| part.trim().strip_suffix(" s"));
    Said {
        seed,
        ok: line.starts_with("ok "),
        seconds: seconds.and_then(|text| text.parse().ok()).unwrap_or(0.0),
        line,
    }
}

fn summary(said: &[Said], took: Duration) -> String {
    let mut seconds: Vec<f64> = said.iter().map(|said| said.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(0.0);
    let most = seconds.last().copied().unwrap_or(0.0);
    let good = said.iter().filter(|said| said.ok).count();
    format!(
        "{good} of {} seeds are right; processor time: median {median:.1} s, most {most:.1} s; it took {:.0} s",
        said.len(),
        took.as_secs_f64()
    )
}

/// The five steps, a line each.
fn ladder() -> Result<()> {
    let binary = built("release", &["--release"])?;
    let mut wrong = 0;
    println!("| step | result |\n|---|---|");
    for step in 1..=5 {
        let begun = Instant::now();
        let said = one(&binary, step, 1);
        wrong += u32::from(!said.ok);
        let took = begun.elapsed().as_secs_f64();
        println!(
            "| {step} | {}; {took:.0} s by the clock |",
            said.line.replace('|', ";")
        );
    }
    ensure!(wrong == 0, "{wrong} steps are wrong");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_the_processor() {
        let said = |seed, ok, seconds| Said {
            seed,
            ok,
            seconds,
            line: String::new(),
        };
        let all = [said(1, true, 1.0), said(2, false, 9.0), said(3, true, 2.0)];
        let text = summary(&all, Duration::from_secs(6));
        assert!(
            text.starts_with("2 of 3 seeds are right; processor time: median 2.0 s, most 9.0 s")
        );
    }
}
