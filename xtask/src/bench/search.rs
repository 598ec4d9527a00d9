//! Search in a home with 100,000 messages, and how soon a message is found.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::api::{Api, request};
use super::figures::{self, Times};
use super::node::{Folder, Pair};

const MESSAGES: usize = 100_000;
const IN_FLIGHT: usize = 64;
const ROUNDS: usize = 50;

/// What is looked for, and how many are found of 50.
const QUERIES: [(&str, &str, usize); 7] = [
    ("a rare word", r#"{"limit": 50, "words": "77777"}"#, 1),
    (
        "a word of every message",
        r#"{"limit": 50, "words": "the "}"#,
        50,
    ),
    ("a beginning", r#"{"limit": 50, "words": "mess"}"#, 50),
    (
        "a phrase",
        r#"{"limit": 50, "words": "\"is about the\""}"#,
        50,
    ),
    (
        "a phrase that is nowhere",
        r#"{"limit": 50, "words": "\"so message\""}"#,
        0,
    ),
    (
        "several words",
        r#"{"limit": 50, "words": "zthing again message"}"#,
        50,
    ),
    (
        "a common word by somebody since then",
        r#"{"limit": 50, "words": "about", "who": "Alice", "from": "Alice", "since": 1700000000000}"#,
        50,
    ),
];

/// See the module.
pub(super) fn run(release: &Path) -> Result<()> {
    let folder = Folder::new("search")?;
    let pair = Pair::meet(release, folder.path())?;
    let begin = Instant::now();
    fill(&mut pair.alice.api()?)?;
    let took = begin.elapsed();
    println!("  {MESSAGES} messages in {:.1} s", took.as_secs_f64());
    let mut api = pair.bob.api()?;
    let behind = until_found(&mut api, &(MESSAGES - 1).to_string())?;
    figures::print("the last is found after", ms(behind), "ms", 1000.0, true);
    for (name, params, count) in QUERIES {
        let params: Value = serde_json::from_str(params)?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            let found = found(&mut api, &params)?;
            times.push(begin.elapsed());
            ensure!(found == count, "{name}: {found} found");
        }
        let times = Times::new(&times);
        println!("  {name}: median {:.1} ms", times.quantile(0.5) / 1000.0);
        let worst = times.quantile(1.0) / 1000.0;
        figures::print(
            &format!("{name}, worst of {ROUNDS}"),
            worst,
            "ms",
            50.0,
            true,
        );
    }
    let mut lags = Vec::new();
    for number in 0..10 {
        let word = format!("needle{number}");
        let params = json!({"who": "Bob", "text": word, "wait": "delivered"});
        pair.alice.api()?.call("send", &params)?;
        lags.push(until_found(&mut api, &word)?);
    }
    let worst = ms(lags.into_iter().max().unwrap_or_default());
    figures::print(
        "a message is found after, worst of 10",
        worst,
        "ms",
        1000.0,
        true,
    );
    println!("  memory {:.0} MB", pair.bob_node.memory()?);
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Sends sentences of words that are everywhere, words that are common, and one that is rare.
fn fill(api: &mut Api) -> Result<()> {
    let line = |number: usize| {
        let letter = char::from(b'a' + (number % 26) as u8);
        let text = format!(
            "message {number} is about the {letter}thing number {} again, or so",
            number % 1000
        );
        request(
            "send",
            &json!({"who": "Bob", "text": text, "wait": "delivered"}),
        )
    };
    let first: String = (0..IN_FLIGHT).map(line).collect();
    api.write(first.as_bytes())?;
    for number in IN_FLIGHT..MESSAGES + IN_FLIGHT {
        let answer = api.read()?;
        ensure!(answer.contains("\"delivered\""), "{answer}");
        if number < MESSAGES {
            api.write(line(number).as_bytes())?;
        }
    }
    Ok(())
}

fn found(api: &mut Api, params: &Value) -> Result<usize> {
    let answer = api.call("search", params)?;
    let found = answer.pointer("/found").and_then(Value::as_array);
    Ok(found.context("no list")?.len())
}

fn until_found(api: &mut Api, word: &str) -> Result<Duration> {
    let begin = Instant::now();
    while found(api, &json!({"words": word}))? == 0 {
        ensure!(
            begin.elapsed() < Duration::from_secs(60),
            "{word} is never found"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(begin.elapsed())
}
