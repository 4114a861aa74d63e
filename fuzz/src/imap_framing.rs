//! Where IMAP responses and their literals begin and end.

use postern_imap::{Event, Limits, Output, Session};

/// Limits that inputs of some kilobytes can reach.
fn limits() -> Limits {
    Limits {
        response: 512,
        held_literal: 32,
        literals: 4,
        streamed_literal: 1024,
        ..Limits::default()
    }
}

/// What a session tells does not depend on how its input is split, but for the pieces of large
/// literals, which come to the size that was announced, or are cut short by the input's end alone.
///
/// The first byte of the input chooses the split.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, stream @ ..] = input else { return };
    let split = usize::from(*split).max(1);
    let whole = tell([stream].into_iter());
    assert_eq!(tell(stream.chunks(split)), whole, "in pieces of {split}");
    let (head, tail) = stream.split_at(split.min(stream.len()));
    assert_eq!(tell([head, tail].into_iter()), whole, "split at {split}");
}

/// The events, and the bytes of the large literals.
fn tell<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Event>, Vec<Vec<u8>>) {
    let mut session = Session::new(limits());
    let (mut events, mut literals) = (Vec::new(), Vec::<Vec<u8>>::new());
    let mut announced = 0;
    for piece in [&b"* OK\r\n"[..]].into_iter().chain(pieces) {
        session.handle_input(piece);
        while let Some(output) = session.poll_output() {
            match output {
                Output::Send(_) => {}
                Output::Event(Event::LiteralChunk { bytes, .. }) => {
                    literals.last_mut().expect("it has begun").extend(bytes);
                }
                Output::Event(event) => {
                    if let Event::LiteralStart { size, .. } = event {
                        announced = size;
                        literals.push(Vec::new());
                    }
                    if let Event::LiteralEnd { .. } = event {
                        let own = literals.last().expect("it has begun");
                        assert_eq!(own.len() as u64, announced);
                    }
                    events.push(event);
                }
            }
        }
    }
    (events, literals)
}
