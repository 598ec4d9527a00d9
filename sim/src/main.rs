//! Runs one world of many: `cargo xtask sim` starts it, for many seeds at once.
//!
//! ```text
//! tenet-sim --step 5 --seed 7             one line: `ok` or `bad`, the plan, processor seconds, what there was or is wrong
//! tenet-sim --step 5 --seed 7 --shrink    the smallest part of it that is still wrong
//! tenet-sim … --html PAGE                 and a page that shows what is wrong
//! tenet-sim … --tell                      and all that was done
//! tenet-sim … --trace 4700-4760           and all that happened in that span, in virtual seconds
//! ```
#![allow(clippy::print_stdout, reason = "this program talks to whoever runs it")]

use std::{ops::Range, panic, process::ExitCode};

use anyhow::Context;
use tenet_sim::{
    Crowd,
    crowd::{Done, Plan, run_with, shrink},
    machine::BEGINNING,
};

/// What is wanted beside the run itself.
#[derive(Default)]
struct Wish {
    shrinks: bool,
    tells: bool,
    trace: Range<u64>,
    page: Option<String>,
}

fn main() -> ExitCode {
    let (wish, plan) = match wish() {
        Ok(wish) => wish,
        Err(error) => {
            println!("{error:#}");
            return ExitCode::from(2);
        }
    };
    let plan = if wish.shrinks { shrink(&plan) } else { plan };
    let said = panic::catch_unwind(|| show(&wish, &plan).map_err(|error| format!("{error:#}")));
    let said = said.unwrap_or_else(|_| Err("it panicked".into()));
    let seconds = processor_seconds();
    match said {
        Ok(Done {
            nodes,
            sessions,
            messages,
            took,
            trace,
        }) => {
            println!(
                "ok {plan} | {seconds:.1} s | {nodes} nodes, {sessions} sessions, {messages} messages, {} s of theirs, trace {trace:x}",
                took / 1000
            );
            ExitCode::SUCCESS
        }
        Err(what) => {
            println!("bad {plan} | {seconds:.1} s | {}", what.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn wish() -> anyhow::Result<(Wish, Plan)> {
    let (mut wish, mut rest) = (Wish::default(), Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--shrink" => wish.shrinks = true,
            "--tell" => wish.tells = true,
            "--trace" => wish.trace = span(&words.next().context("--trace of when?")?)?,
            "--html" => wish.page = Some(words.next().context("--html of what?")?),
            _ => rest.push(word),
        }
    }
    Ok((wish, Plan::parse(&rest)?))
}

/// Reads `4700-4760`, in seconds; gives milliseconds.
fn span(words: &str) -> anyhow::Result<Range<u64>> {
    let (from, to) = words.split_once('-').context("a span is FROM-TO")?;
    Ok(from.parse::<u64>()? * 1000..to.parse::<u64>()? * 1000)
}

/// Runs it, and shows what is wanted.
fn show(wish: &Wish, plan: &Plan) -> anyhow::Result<Done> {
    let watch = wish.tells || wish.page.is_some();
    let (crowd, result) = run_with(plan, watch, wish.trace.clone());
    for (at, what) in &crowd.world.traced {
        println!("{:>10} {what}", at - BEGINNING);
    }
    if wish.tells {
        tell(&crowd);
    }
    if let (Some(path), Err(error)) = (&wish.page, &result) {
        std::fs::write(path, crowd.page(plan, &format!("{error:#}")))?;
    }
    result
}

fn tell(crowd: &Crowd) {
    for (at, what) in &crowd.tale {
        println!("{:>10} {what}", at - BEGINNING);
    }
    for (session, room) in &crowd.model.rooms {
        let (founder, fates, over) = (room.founder, &room.fates, room.over);
        println!("{session}: founded by {founder}, {fates:?}, over: {over}");
    }
}

/// What this process has used; nothing where the system does not say.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields = after.split_whitespace();
    let fields: Vec<f64> = fields.filter_map(|word| word.parse().ok()).collect();
    // The state is no number: user and system time are the 11th and 12th of the rest, in ticks of 10 ms.
    (fields.get(10).unwrap_or(&0.0) + fields.get(11).unwrap_or(&0.0)) / 100.0
}
