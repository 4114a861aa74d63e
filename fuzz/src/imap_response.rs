//! Single IMAP responses of every family.

use postern_imap::{Event, Limits, Output, Session, response::Defect};

/// What responses begin with; the first byte of the input chooses one.
const BEGINNINGS: [&str; 24] = [
    "* ",
    "* OK [",
    "* CAPABILITY ",
    "* ENABLED ",
    "* ID (",
    "* LIST (",
    "* LSUB () ",
    "* MYRIGHTS ",
    "* NAMESPACE ((",
    "* QUOTA ",
    "* QUOTAROOT ",
    "* STATUS a (",
    "* FLAGS (",
    "* SEARCH ",
    "* ESEARCH ",
    "* SORT ",
    "* THREAD (",
    "* VANISHED ",
    "* 1 ",
    "* 1 FETCH (",
    "* 1 FETCH (ENVELOPE (",
    "* 1 FETCH (BODYSTRUCTURE (",
    "* 1 FETCH (BODY[",
    "A1 NO [",
];

/// A response never makes the reader panic. Unless it is cut where a literal is announced, it is
/// told as one response, defects aside, or left out because it names a command that was not given,
/// and the next response is understood.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [choice, rest @ ..] = input else { return };
    let beginning = BEGINNINGS[usize::from(*choice) % BEGINNINGS.len()];
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK\r\n");
    assert!(matches!(session.poll_output(), Some(Output::Event(Event::Greeting(_)))));
    session.handle_input(&[beginning.as_bytes(), rest].concat());
    let told = events(&mut session);
    session.handle_input(b"\r\n* 5 RECENT\r\n");
    let behind = events(&mut session);
    let is_response = |event: &&Event| {
        let is_left_out = **event == Event::Defect(Defect::UnknownTag);
        is_left_out || matches!(event, Event::Response(_) | Event::Goodbye(_))
    };
    if rest.iter().any(|byte| matches!(byte, b'\n' | b'{')) || beginning.starts_with("A1") {
        return;
    }
    assert_eq!(told, [], "the line has no end");
    assert_eq!(behind.iter().filter(is_response).count(), 2, "{behind:?}");
}

fn events(session: &mut Session) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_output())
        .filter_map(|output| match output {
            Output::Event(event) => Some(event),
            Output::Send(_) => None,
        })
        .collect()
}
