//! The examples of the standards, line by line.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod condstore_qresync;
mod imap4rev2;
mod mailboxes;
mod messages;
mod searches;
mod vendors;

use postern_imap::{
    Command, Event, Limits, Response, SequenceSet, Session,
    command::{SearchKey, SearchReturn},
    response::{Code, Fetch, ListEntry, SearchResult, Status},
    session::Output,
};

/// What the lines mean; each must be understood without a defect.
fn understood(lines: &[&str]) -> Vec<Response> {
    understood_while(None, lines)
}

/// The same while a command is under way.
fn understood_while(command: Option<Command>, lines: &[&str]) -> Vec<Response> {
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK hello\r\n");
    let asked = usize::from(command.is_some());
    command.map(|command| session.start(command));
    for line in lines {
        session.handle_input(line.as_bytes());
        session.handle_input(b"\r\n");
    }
    // The greeting, and the command.
    let events = std::iter::from_fn(|| session.poll_output()).skip(1 + asked);
    let responses = events.map(|output| match output {
        Output::Event(Event::Response(Response::Unknown(name))) => panic!("{name} is unknown"),
        Output::Event(Event::Response(response)) => response,
        Output::Event(Event::Goodbye(status)) => Response::Status(status),
        other => panic!("{other:?} in {lines:?}"),
    });
    responses.collect()
}

fn response(line: &str) -> Response {
    let mut responses = understood(&[line]);
    assert_eq!(responses.len(), 1, "{line}");
    responses.remove(0)
}

fn fetch(line: &str) -> Fetch {
    match response(line) {
        Response::Fetch(fetch) => *fetch,
        other => panic!("{other:?}"),
    }
}

fn listed(line: &str) -> ListEntry {
    match response(line) {
        Response::List(entry) => entry,
        other => panic!("{other:?}"),
    }
}

/// What a search has found; the tag that the line names is replaced by the command's.
fn found(line: &str) -> SearchResult {
    let line = match line.split_once("(TAG \"").map(|(name, rest)| (name, rest.split_once('"'))) {
        Some((name, Some((_, rest)))) => format!("{name}(TAG \"A1\"{rest}"),
        _ => line.to_owned(),
    };
    let search = Command::uid_search(&[SearchKey::All], SearchReturn::All).unwrap();
    match &understood_while(Some(search), &[&line])[..] {
        [Response::Search(result)] => result.clone(),
        other => panic!("{other:?}"),
    }
}

/// The code of an untagged status response.
fn code(line: &str) -> Option<Code> {
    match response(line) {
        Response::Status(status) => status.code,
        other => panic!("{other:?}"),
    }
}

/// How a command ends; the line's own tag is replaced by the command's.
fn ended(line: &str) -> Status {
    let (_, rest) = line.split_once(' ').unwrap();
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK hello\r\n");
    session.start(Command::noop());
    session.handle_input(format!("A1 {rest}\r\n").as_bytes());
    let mut events = std::iter::from_fn(|| session.poll_output());
    match events.find(|output| matches!(output, Output::Event(Event::Completed { .. }))) {
        Some(Output::Event(Event::Completed { status, .. })) => status,
        _ => panic!("not ended: {line}"),
    }
}

/// A command as it goes out, without its tag.
fn said(command: Command) -> String {
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n");
    session.start(command);
    let sent = std::iter::from_fn(|| session.poll_output()).filter_map(|output| match output {
        Output::Send(bytes) => Some(String::from_utf8(bytes).unwrap()),
        Output::Event(_) => None,
    });
    let sent: String = sent.collect();
    sent.strip_prefix("A1 ").unwrap().trim_end().to_owned()
}

fn set(text: &str) -> SequenceSet {
    SequenceSet::parse(text.as_bytes()).unwrap()
}
