//! COMPRESS=DEFLATE against a server that deflates.

use super::*;
use crate::compression::{Compression, tests::inflate_all};

/// A session that has just been answered OK to COMPRESS, with what follows in the same piece.
fn compressed(behind: &[u8]) -> (Session, Vec<Event>) {
    let mut session = ready();
    session.start(Command::compress());
    session.start(Command::noop());
    assert_eq!(sent(&mut session), "A1 COMPRESS DEFLATE\r\n");
    session.handle_input(&[b"A1 OK go\r\n", behind].concat());
    let mut events = Vec::new();
    let mut sent = Vec::new();
    while let Some(output) = session.poll_output() {
        match output {
            Output::Send(bytes) => sent.extend(bytes),
            Output::Event(event) => events.push(event),
        }
    }
    let mut server = Compression::new();
    server.receive(&sent);
    assert_eq!(inflate_all(&mut server).unwrap().0, b"A2 NOOP\r\n");
    (session, events)
}

#[test]
fn both_directions_are_compressed_from_the_ok_on_and_nothing_is_lost_in_between() {
    let mut server = Compression::new();
    let answer = server.deflate(b"* 3 EXISTS\r\nA2 OK done\r\n");
    for cut in 0..=answer.len() {
        let (glued, later) = answer.split_at(cut);
        let (mut session, mut events) = compressed(glued);
        session.handle_input(later);
        events.extend(drain(&mut session).1);
        assert!(
            matches!(
                &events[..],
                [
                    Event::Completed { .. },
                    Event::Response(Response::Exists(3)),
                    Event::Completed { .. }
                ]
            ),
            "{events:?}"
        );
    }
}

#[test]
fn plain_text_behind_the_ok_is_not_believed() {
    let (session, events) = compressed(b"* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n* 3 EXISTS\r\n");
    assert!(!events.contains(&Event::Response(Response::Exists(3))), "{events:?}");
    assert_eq!(session.capabilities(), None);
}

#[test]
fn damage_ends_the_session() {
    let (_, events) = compressed(&[0xff; 8]);
    let error = FatalError::Compression(CompressionError::Damaged);
    assert_eq!(events.last(), Some(&Event::Fatal(error)));
}

#[test]
fn a_refused_compression_goes_on_without() {
    let mut session = ready();
    session.start(Command::compress());
    session.handle_input(b"A1 NO [COMPRESSIONACTIVE] no\r\n* 3 EXISTS\r\n");
    session.start(Command::noop());
    assert_eq!(sent(&mut session), "A1 COMPRESS DEFLATE\r\nA2 NOOP\r\n");
}

#[test]
fn a_bomb_meets_the_limits_of_what_it_inflates_to() {
    let mut server = Compression::new();
    let (mut session, _) = compressed(&server.deflate(b"* OK\r\n"));
    let line = server.deflate(&vec![b'x'; 64 << 20]);
    assert!(line.len() < 1 << 20);
    session.handle_input(&line);
    let error = FatalError::Framing(FramingError::ResponseTooLong);
    assert_eq!(drain(&mut session).1, [Event::Fatal(error)]);
}

#[test]
fn what_is_inflated_waits_until_what_came_before_is_taken() {
    let mut server = Compression::new();
    let (mut session, _) = compressed(&server.deflate(b"* OK\r\n"));
    let lines = "* 5 RECENT\r\n".repeat(50_000);
    session.handle_input(&server.deflate(lines.as_bytes()));
    let mut most = 0;
    let mut count = 0;
    while session.poll_output().is_some() {
        most = most.max(session.outputs.len());
        count += 1;
    }
    assert_eq!(count, 50_000);
    assert!(most < 2000, "{most} events are held at once");
}
