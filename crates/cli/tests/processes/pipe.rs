//! `tenet pipe`: from one terminal to another.

use std::{
    io::Write,
    process::{Child, Stdio},
    thread,
};

use crate::harness::{Person, World};

/// More than is kept on the way, so that writing has to wait for reading.
const LINES: usize = 400_000;

#[test]
fn what_goes_in_here_comes_out_there_whichever_is_opened_first() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let much: String = (0..LINES).map(|line| format!("line {line}\n")).collect();
    for (first, second) in [(&alice, &bob), (&bob, &alice)] {
        let early = thread::scope(|scope| {
            let early = scope.spawn(|| first.says_with(&["pipe", &second.name], &much).ok());
            let late = second.says_with(&["pipe", &first.name], "short").ok();
            assert!(late.out == much, "{} bytes came", late.out.len());
            early.join().unwrap()
        });
        assert_eq!(early.out, "short");
    }
}

#[test]
fn a_pipe_whose_other_end_is_gone_fails_and_can_be_opened_again() {
    let world = World::new();
    let [(alice, _node_a), (bob, _node_b)] = world.friends();
    let mut there = piped(&bob, "Alice");
    there
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"half of it")
        .unwrap();
    let mut here = piped(&alice, "Bob");
    let mut came = [0; 10];
    std::io::Read::read_exact(here.stdout.as_mut().unwrap(), &mut came).unwrap();
    assert_eq!(&came, b"half of it");
    alice
        .says(&["pipe", "Bob"])
        .fails(5, &["open here already"]);
    there.kill().unwrap();
    there.wait().unwrap();
    assert_eq!(here.wait().unwrap().code(), Some(1));

    thread::scope(|scope| {
        scope.spawn(|| bob.says_with(&["pipe", "Alice"], "again").ok());
        assert_eq!(alice.says(&["pipe", "Bob"]).ok().out, "again");
    });
}

#[test]
fn nobody_but_a_contact_has_a_pipe() {
    let world = World::new();
    let [(alice, _node_a), (_bob, _node_b)] = world.friends();
    alice.says(&["pipe", "Mallory"]).fails(4, &["Mallory"]);
}

fn piped(person: &Person, who: &str) -> Child {
    let mut command = person.command(&["pipe", who]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}
