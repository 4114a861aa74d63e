//! Replays what real servers said to the client. `POSTERN_TRACES=<folder>` makes the test
//! `no_server_finds_fault_with_what_the_client_says` write such traces anew.

use std::{fs, path::Path};

use postern_imap::{Command, Event, Limits, Output, Session};
use postern_sasl::{Credentials, Mechanism};

#[test]
fn every_recorded_answer_is_understood_and_every_command_ends() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let mut replayed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let trace = fs::read(&path).unwrap();
        if let Err(error) = replay(&trace) {
            panic!("{}: {error}", path.display());
        }
        replayed += 1;
    }
    assert!(replayed > 0, "there is no trace");
}

/// Plays the server's side to a session that gives commands of the same kinds.
fn replay(trace: &[u8]) -> Result<(), String> {
    let mut session = Session::new(Limits::default());
    let (mut begun, mut ended) = (0, 0);
    // Bytes of the client's literal that are still to come.
    let mut literal = 0;
    for (number, line) in trace.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let shown = String::from_utf8_lossy(line);
        if let Some(said) = line.strip_prefix(b"S: ") {
            session.handle_input(said);
            session.handle_input(b"\r\n");
        } else if let Some(said) = shown.strip_prefix("C: ") {
            let skipped = literal.min(said.len() + 2);
            literal -= skipped;
            let said = said.get(skipped..).unwrap_or_default();
            literal += announced(said).unwrap_or_default();
            if said == "DONE" {
                session.done();
            } else if let Some(command) = stand_in(said) {
                session.start(command);
                begun += 1;
            }
        } else {
            return Err(format!("line {} is nobody's", number + 1));
        }
        while let Some(output) = session.poll_output() {
            match output {
                Output::Event(Event::Completed { .. }) => ended += 1,
                Output::Event(error @ (Event::Defect(_) | Event::Fatal(_))) => {
                    return Err(format!("{error:?} at line {}: {shown}", number + 1));
                }
                Output::Event(_) | Output::Send(_) => {}
            }
        }
    }
    if begun == 0 || begun != ended {
        return Err(format!("{begun} commands began and {ended} ended"));
    }
    Ok(())
}

/// A command that the session treats as it did the one that was sent: what matters is how it goes
/// out, not what it asks.
fn stand_in(said: &str) -> Option<Command> {
    let (tag, command) = said.split_once(' ')?;
    tag.strip_prefix('A')?.parse::<u32>().ok()?;
    let credentials = Credentials::new("ben", "secret");
    Some(match command.split(' ').next()? {
        "APPEND" => {
            let message = vec![b'x'; announced(command)?];
            Command::append(b"INBOX", &[], message).expect("nothing in it is forbidden")
        }
        "AUTHENTICATE" => Command::authenticate(Mechanism::plain(credentials)),
        "IDLE" => Command::idle(),
        "LOGIN" => Command::login(&credentials).expect("nothing in it is forbidden"),
        "SELECT" => Command::select(b"INBOX").expect("nothing in it is forbidden"),
        _ => Command::noop(),
    })
}

/// The size of the literal that a line announces at its end.
fn announced(line: &str) -> Option<usize> {
    let (_, size) = line.strip_suffix('}')?.rsplit_once('{')?;
    size.trim_end_matches('+').parse().ok()
}
