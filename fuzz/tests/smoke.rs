//! A short run of each fuzz target: its corpus, and inputs made of it.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{fs, path::Path};

use postern_fuzz::{
    client_hello, control_message, destination, imap_client, imap_framing, imap_log_in,
    imap_response, imap_session, imap_tasks, mbox_reading, mutate::Mutator, pop3_framing,
    pop3_session, zip_reading,
};

/// Inputs besides the corpus: a few seconds' worth without optimisation.
const INPUTS: usize = 5000;

#[test]
fn control_messages() {
    run("control_message", control_message::check);
}

#[test]
fn client_hellos() {
    run("client_hello", client_hello::check);
}

#[test]
fn destinations() {
    run("destination", destination::check);
}

#[test]
fn imap_clients() {
    // Each is a whole conversation, and a store.
    run_some("imap_client", imap_client::check, INPUTS / 5);
}

#[test]
fn imap_framings() {
    run("imap_framing", imap_framing::check);
}

#[test]
fn imap_log_ins() {
    run("imap_log_in", imap_log_in::check);
}

#[test]
fn imap_responses() {
    run("imap_response", imap_response::check);
}

#[test]
fn imap_sessions() {
    run("imap_session", imap_session::check);
}

#[test]
fn imap_tasks() {
    // Each is a whole conversation as well.
    run_some("imap_tasks", imap_tasks::check, INPUTS / 5);
}

#[test]
fn mbox_readings() {
    run("mbox_reading", mbox_reading::check);
}

#[test]
fn pop3_framings() {
    run("pop3_framing", pop3_framing::check);
}

#[test]
fn pop3_sessions() {
    run("pop3_session", pop3_session::check);
}

#[test]
fn zip_readings() {
    run("zip_reading", zip_reading::check);
}

fn run(target: &str, check: fn(&[u8])) {
    run_some(target, check, INPUTS);
}

fn run_some(target: &str, check: fn(&[u8]), inputs: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, input) in files.iter().zip(&corpus) {
        // So that the output of a failure ends with it.
        println!("{}", file.display());
        check(input);
    }
    let mut mutator = Mutator::new(corpus);
    for _ in 0..inputs {
        let input = mutator.next_input();
        let outcome = std::panic::catch_unwind(|| check(&input));
        assert!(
            outcome.is_ok(),
            "{target} does not hold for {:?}",
            input.escape_ascii().to_string()
        );
    }
}
