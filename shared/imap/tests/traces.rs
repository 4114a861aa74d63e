//! Replays what real servers and the client said to each other: the session is given the commands that
//! were given then, must say the same, and understand the answers. What is `-conversation` is replayed
//! by who said it then, and each answer must mean what it meant. `POSTERN_TRACES=<folder>` makes the
//! tests in `tests/servers/traces.rs` write all of them anew.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod conversation;

use std::{
    fs,
    path::{Path, PathBuf},
};

use conversation::{Conversation, Turn};
use postern_imap::{
    Command, Event, Limits, Output, SequenceSet, Session,
    command::{
        FetchItem, InvalidArgument, ListReturn, Partial, SearchKey, SearchReturn, StatusItem,
        StoreMode,
    },
    response::Flag,
};
use postern_sasl::{Credentials, Mechanism};

/// What the names of recorded [`Conversation`]s end with.
const CONVERSATION: &str = "-conversation.txt";

#[test]
fn every_recorded_command_is_said_again_and_every_answer_understood() {
    for (path, trace) in traces(|name| !name.ends_with(CONVERSATION)) {
        if let Err(error) = replay(&trace) {
            panic!("{}: {error}", path.display());
        }
    }
}

#[test]
fn every_answer_of_a_recorded_conversation_means_what_it_meant() {
    for (path, trace) in traces(|name| name.ends_with(CONVERSATION)) {
        // So that the output of a failure ends with it, and the last step that went well.
        println!("{}", path.display());
        converse(&trace);
    }
}

/// The traces with such names; there are some.
fn traces(wanted: impl Fn(&str) -> bool) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let wanted = paths.filter(|path| wanted(&path.file_name().unwrap().to_string_lossy()));
    let traces: Vec<_> = wanted.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    assert!(!traces.is_empty(), "there is no trace");
    traces
}

/// Plays the server's side of a conversation.
fn converse(trace: &[u8]) {
    let mut lines = trace.split_inclusive(|byte| *byte == b'\n');
    let mut next = |side: &str| {
        let line = lines.next()?.strip_suffix(b"\n")?;
        let said = line.strip_prefix(side.as_bytes());
        let said = said.unwrap_or_else(|| panic!("not {side}{}", line.escape_ascii()));
        Some([said, b"\r\n"].concat())
    };
    let mut conversation = Conversation::new();
    let mut said = Vec::new();
    loop {
        match conversation.turn() {
            Turn::Say(bytes) => {
                said.extend(bytes);
                while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = said.drain(..=end).collect();
                    let line = line.escape_ascii().to_string();
                    assert_eq!(Some(line), next("C: ").map(|own| own.escape_ascii().to_string()));
                }
            }
            // Its words are in no trace, but for what the server tells of them.
            Turn::Elsewhere(commands) => assert!(!commands.is_empty()),
            Turn::Listen => conversation.hear(&next("S: ").expect("the server says more")),
            Turn::Over => break,
        }
    }
    assert_eq!((said, next("S: ")), (Vec::new(), None));
}

/// Plays the server's side to a session that is given the client's commands.
fn replay(trace: &[u8]) -> Result<(), String> {
    let mut session = Session::new(Limits::default());
    let (mut begun, mut ended) = (0, 0);
    // What the session said that the trace has not come to.
    let mut said = Vec::new();
    for (number, line) in trace.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let shown = format!("line {}: {}", number + 1, String::from_utf8_lossy(line));
        let client = line.strip_prefix(b"C: ");
        if let Some(answer) = line.strip_prefix(b"S: ") {
            session.handle_input(answer);
            session.handle_input(b"\r\n");
        } else if let Some(own) = client {
            let own = String::from_utf8_lossy(own);
            let command = own.split_once(' ').filter(|(tag, _)| *tag == format!("A{}", begun + 1));
            if own == "DONE" {
                session.done();
            } else if let Some((_, command)) = command {
                session.start(recorded(command).ok_or_else(|| format!("not known: {shown}"))?);
                begun += 1;
            }
        } else {
            return Err(format!("nobody's {shown}"));
        }
        while let Some(output) = session.poll_output() {
            match output {
                Output::Send(bytes) => said.extend(bytes),
                Output::Event(Event::Completed { .. }) => ended += 1,
                Output::Event(error @ (Event::Defect(_) | Event::Fatal(_))) => {
                    return Err(format!("{error:?} at {shown}"));
                }
                Output::Event(_) => {}
            }
        }
        if let Some(own) = client {
            let own = [own, b"\r\n"].concat();
            if !said.starts_with(&own) {
                return Err(format!("{:?} instead of {shown}", String::from_utf8_lossy(&said)));
            }
            said.drain(..own.len());
        }
    }
    if begun == 0 || begun != ended || !said.is_empty() {
        return Err(format!("{begun} commands began, {ended} ended, and {said:?} is left"));
    }
    Ok(())
}

/// A command that was recorded, without its tag; `None` if it is not one of those that are.
fn recorded(text: &str) -> Option<Command> {
    let command = match *text.split(' ').collect::<Vec<_>>() {
        ["CAPABILITY"] => Ok(Command::capability()),
        ["LOGOUT"] => Ok(Command::logout()),
        ["IDLE"] => Ok(Command::idle()),
        ["AUTHENTICATE", "PLAIN", ..] => {
            let credentials = Credentials::new("ben", "correct-horse-battery");
            Ok(Command::authenticate(Mechanism::plain(credentials)))
        }
        ["LIST", "\"\"", pattern, ref with @ ..] => {
            Command::list(in_quotes(pattern)?, &list_return(with))
        }
        ["STATUS", name, ref items @ ..] => {
            Command::status_of(in_quotes(name)?, &status_items(items))
        }
        ["SELECT", name] => Command::select(in_quotes(name)?),
        ["UID", "SEARCH", ref how @ .., key] => search(how, key)?,
        ["UID", "STORE", uids, how, r"(\Seen)"] => {
            let mode = match how {
                "+FLAGS.SILENT" => StoreMode::Add,
                "-FLAGS.SILENT" => StoreMode::Remove,
                _ => return None,
            };
            Command::uid_store(&SequenceSet::parse(uids.as_bytes())?, mode, &[Flag::Seen])
        }
        ["UID", "FETCH", uids, "(UID", ref items @ ..] => {
            let items: Option<Vec<_>> = items
                .iter()
                .map(|item| fetch_item(item.strip_suffix(')').unwrap_or(item)))
                .collect();
            Command::uid_fetch(&SequenceSet::parse(uids.as_bytes())?, &items?)
        }
        _ => return None,
    };
    command.ok()
}

fn in_quotes(text: &str) -> Option<&[u8]> {
    Some(text.strip_prefix('"')?.strip_suffix('"')?.as_bytes())
}

fn list_return(words: &[&str]) -> ListReturn {
    let has = |name| words.iter().any(|word| word.trim_matches(['(', ')']) == name);
    let status = words.iter().position(|word| *word == "STATUS");
    ListReturn {
        special_use: has("SPECIAL-USE"),
        subscribed: has("SUBSCRIBED"),
        children: has("CHILDREN"),
        my_rights: has("MYRIGHTS"),
        status: status.map(|at| status_items(&words[at + 1..])).unwrap_or_default(),
    }
}

fn status_items(words: &[&str]) -> Vec<StatusItem> {
    let item = |word: &&str| match word.trim_matches(['(', ')']) {
        "MESSAGES" => Some(StatusItem::Messages),
        "UNSEEN" => Some(StatusItem::Unseen),
        "UIDNEXT" => Some(StatusItem::UidNext),
        "UIDVALIDITY" => Some(StatusItem::UidValidity),
        "HIGHESTMODSEQ" => Some(StatusItem::HighestModSeq),
        "SIZE" => Some(StatusItem::Size),
        "MAILBOXID" => Some(StatusItem::MailboxId),
        _ => None,
    };
    words.iter().filter_map(item).collect()
}

fn search(how: &[&str], key: &str) -> Option<Result<Command, InvalidArgument>> {
    let key = match key {
        "ALL" => SearchKey::All,
        "UNSEEN" => SearchKey::Unseen,
        _ => return None,
    };
    let result = match how {
        [] => SearchReturn::Plain,
        ["RETURN", "(ALL)"] => SearchReturn::All,
        ["RETURN", "(COUNT)"] => SearchReturn::Count,
        _ => return None,
    };
    Some(Command::uid_search(&[key], result))
}

fn fetch_item(text: &str) -> Option<FetchItem> {
    Some(match text {
        "FLAGS" => FetchItem::Flags,
        "INTERNALDATE" => FetchItem::InternalDate,
        "RFC822.SIZE" => FetchItem::Size,
        "ENVELOPE" => FetchItem::Envelope,
        "BODYSTRUCTURE" => FetchItem::BodyStructure,
        _ => {
            let (section, bounds) = text.strip_prefix("BODY.PEEK[")?.split_once(']')?;
            let bounds = bounds.strip_prefix('<').and_then(|own| own.strip_suffix('>'));
            let partial = bounds.and_then(|own| {
                let (origin, count) = own.split_once('.')?;
                Some(Partial { origin: origin.parse().ok()?, count: count.parse().ok()? })
            });
            FetchItem::Section { section: section.into(), partial }
        }
    })
}
