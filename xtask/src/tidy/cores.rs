//! The cores do no IO, read no clock, start no thread and draw no randomness of their own.
//!
//! Clippy's `disallowed_methods` says the same where it can name the function; this finds the rest,
//! and what stands in code that this platform does not compile.

use super::rust::lines_with;
use super::{Finding, Subject};

/// The crates that are driven the same way in a simulation as on a device.
pub(crate) const CORES: &[&str] = &[
    "identity", "log", "channel", "delivery", "overlay", "services", "apps", "node",
];

/// What a core must not name, and where that comes from instead.
const FORBIDDEN: &[(&str, &str)] = &[
    ("SystemTime", CLOCK),
    ("Instant::now", CLOCK),
    ("std::thread", THREAD),
    ("thread::spawn", THREAD),
    ("thread::scope", THREAD),
    ("thread::sleep", THREAD),
    ("thread::Builder", THREAD),
    ("std::fs", FILE),
    ("fs::", FILE),
    ("TcpStream", SOCKET),
    ("TcpListener", SOCKET),
    ("UdpSocket", SOCKET),
    ("rand::rng", RANDOM),
    ("thread_rng", RANDOM),
    ("getrandom", RANDOM),
    ("OsRng", RANDOM),
    ("SysRng", RANDOM),
];

const CLOCK: &str = "`now` is an argument";
const THREAD: &str = "threads are the shell's";
const FILE: &str = "files are the store's";
const SOCKET: &str = "sockets are the network's";
const RANDOM: &str = "randomness is an argument";

/// No core names a clock, a thread, a file, a socket or the system's randomness outside its tests.
pub(crate) fn check(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for core in CORES {
        for (path, source) in subject.tree.rust(&format!("crates/{core}/src/")) {
            let logic = source.logic();
            for (word, instead) in FORBIDDEN {
                let lines = lines_with(logic, word).into_iter();
                let says = format!("`{word}` in a core: {instead}");
                findings.extend(lines.map(|line| Finding::new(path, line, says.as_str())));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn every_forbidden_word_is_found() {
        for (word, _) in FORBIDDEN {
            let text = format!("fn f() {{\n    {word}x();\n    {word}();\n}}\n");
            let subject = Subject::planted(&[("crates/log/src/a.rs", &text)]);
            assert!(!check(&subject).is_empty(), "{word}");
            assert!(
                check(&subject).iter().any(|finding| finding.line == 3),
                "{word}"
            );
        }
    }

    #[test]
    fn comments_tests_and_shells_may_say_it() {
        let subject = Subject::planted(&[
            (
                "crates/log/src/a.rs",
                "// std::fs\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
            ),
            ("crates/log/tests/it.rs", "use std::fs;\n"),
            ("crates/store/src/a.rs", "use std::fs;\n"),
        ]);
        assert_eq!(check(&subject), []);
    }

    #[test]
    fn addresses_and_durations_are_no_io() {
        let text = "use std::net::SocketAddr;\nuse std::time::{Duration, Instant};\n";
        assert_eq!(
            check(&Subject::planted(&[("crates/node/src/a.rs", text)])),
            []
        );
    }
}
