//! A whole IMAP session against a server that says anything.

use std::time::Duration;

use postern_imap::{
    Command, Event, Limits, Output, SequenceSet, Session,
    command::{
        AppendMessage, FetchItem, KnownState, ListReturn, MessageForm, Resync, SearchReturn,
        StatusItem, StoreMode, Upload,
    },
    response::Flag,
    session::{FeedError, Tag},
};

/// Limits that inputs of some kilobytes can reach.
const LIMITS: Limits = Limits {
    response: 2048,
    held_literal: 64,
    literals: 8,
    streamed_literal: 4096,
    depth: 8,
    tokens: 256,
    untagged: 200,
    unasked: 50,
    capabilities: 8,
    extension_name: 16,
    response_name: 16,
    payload: 32,
};

/// Whatever a server says, and however it is split, a session never panics, sends nothing before it
/// was greeted, tells nothing after it failed, ends each command at most once, and streams large
/// literals one by one and whole.
///
/// The first byte of the input chooses the split; each zero byte behind it is a moment at which the
/// client does something.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, script @ ..] = input else { return };
    let pieces = usize::from(*split).max(1);
    let mut client = Client::new();
    for (turn, part) in script.split(|byte| *byte == 0).enumerate() {
        if turn > 0 {
            client.act(turn);
        }
        for piece in part.chunks(pieces) {
            client.session.handle_input(piece);
            client.drain();
        }
    }
}

struct Client {
    session: Session,
    started: Vec<Tag>,
    ended: Vec<Tag>,
    greeted: bool,
    failed: bool,
    /// How much of a large literal has come, and how much it is.
    streamed: Option<(u64, u64)>,
}

fn letter(form: MessageForm) -> AppendMessage {
    AppendMessage { form, content: b"x".to_vec(), ..AppendMessage::default() }
}

fn known(uids: SequenceSet) -> KnownState {
    KnownState { uid_validity: 1, mod_seq: 2, uids: Some(uids), places: None }
}

impl Client {
    fn new() -> Self {
        Self {
            session: Session::new(LIMITS),
            started: Vec::new(),
            ended: Vec::new(),
            greeted: false,
            failed: false,
            streamed: None,
        }
    }

    /// Does something that clients do.
    fn act(&mut self, turn: usize) {
        let uids = SequenceSet::from(7);
        let command = match turn % 20 {
            1 => Ok(Command::capability()),
            2 => Command::select(b"INBOX"),
            3 => Command::uid_fetch(&uids, &[FetchItem::Envelope, FetchItem::section("")]),
            4 => Command::uid_search(&[], SearchReturn::Plain),
            5 => Ok(Command::idle()),
            6 => return self.session.done(),
            7 => Command::append_streamed(b"a", &[Upload { size: 5, ..Upload::default() }]),
            8 => Ok(Command::noop()),
            9 => Ok(Command::compress()),
            10 => Command::uid_store(&uids, StoreMode::Add, &[Flag::Deleted]),
            11 => Command::uid_copy(&uids, b"a"),
            12 => Command::uid_move(&uids, b"a"),
            13 => Ok(Command::uid_expunge(&uids)),
            14 => Command::append_all(b"a", [MessageForm::Utf8, MessageForm::Binary].map(letter)),
            15 => Command::list(b"*", &ListReturn::default()),
            16 => Command::status_of(b"a", &[StatusItem::Messages]),
            17 => Ok(Command::enable(&["QRESYNC"])),
            18 => Command::select_with(b"a", &Resync::Since(known(uids))),
            // A name that goes as a literal.
            19 => Command::rename(b"a", b"\xff"),
            _ => Ok(Command::logout()),
        };
        self.started.push(self.session.start(command.expect("these can be sent")));
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.failed, "{output:?} after the end");
            match output {
                Output::Send(_) => assert!(self.greeted, "speaks first"),
                Output::Event(event) => self.take(event),
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Greeting(_) => {
                assert!(!self.greeted, "greeted twice");
                self.greeted = true;
            }
            Event::Fatal(_) => self.failed = true,
            Event::Completed { tag, .. } => {
                assert!(self.started.contains(&tag) && !self.ended.contains(&tag), "{tag}");
                self.ended.push(tag);
            }
            Event::ContentWanted { tag, rest } => {
                assert!(rest > 0);
                // The session may have failed behind this event.
                let fed = self.session.feed(tag, b"x");
                assert!(matches!(fed, Ok(()) | Err(FeedError::NotWanted)));
            }
            Event::Idling { renew_within } => assert!(renew_within < Duration::from_secs(29 * 60)),
            Event::LiteralStart { size, .. } => {
                assert!(size > LIMITS.held_literal as u64 && size <= LIMITS.streamed_literal);
                assert_eq!(self.streamed.replace((0, size)), None, "in the middle of another");
            }
            Event::LiteralChunk { bytes, .. } => {
                self.streamed.as_mut().expect("it has begun").0 += bytes.len() as u64;
            }
            Event::LiteralEnd { .. } => {
                let (came, size) = self.streamed.take().expect("it has begun");
                assert_eq!(came, size);
            }
            Event::Response(_) | Event::Goodbye(_) | Event::Defect(_) => {}
        }
    }
}
