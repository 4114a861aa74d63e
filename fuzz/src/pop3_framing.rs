//! How a POP3 session cuts its input into answers.

use postern_pop3::{Command, Event, Output, Session};

/// Whatever a server says, what a session tells of it does not depend on how it is split.
///
/// The first byte of the input is the size of the pieces; the rest is said in answer to
/// [`COMMANDS`], after a greeting.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [size, said @ ..] = input else { return };
    let whole = told(std::iter::once(said));
    assert_eq!(told(said.chunks(usize::from(*size).max(1))), whole, "in pieces of {size}");
    assert_eq!(told(said.chunks(1)), whole, "byte by byte");
}

/// What is asked before the server says anything.
const COMMANDS: [Command; 10] = [
    Command::Capa,
    Command::Stat,
    Command::List,
    Command::Uidl,
    Command::Retr(1),
    Command::Top { message: 2, lines: 0 },
    Command::Retr(3),
    Command::Dele(1),
    Command::Noop,
    Command::Rset,
];

/// The events, with content that came in pieces joined.
fn told<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut session = Session::new();
    session.handle_input(b"+OK ready\r\n");
    session.set_pipelining(true);
    for command in COMMANDS {
        session.start(command).expect("these can be sent");
    }
    let mut events = Vec::new();
    drain(&mut session, &mut events);
    for piece in pieces {
        session.handle_input(piece);
        drain(&mut session, &mut events);
    }
    events
}

fn drain(session: &mut Session, events: &mut Vec<Event>) {
    while let Some(output) = session.poll_output() {
        match (output, events.last_mut()) {
            (Output::Send(_), _) => {}
            (
                Output::Event(Event::Content { message, bytes }),
                Some(Event::Content { message: before, bytes: joined }),
            ) if message == *before => joined.extend(bytes),
            (Output::Event(event), _) => events.push(event),
        }
    }
}
