//! Messages that are sent in pieces.

use super::*;
use crate::command::{MessageForm, Upload};

fn upload(size: u64) -> Upload {
    Upload { size, ..Upload::default() }
}

fn started(capabilities: &str, uploads: &[Upload]) -> (Session, Tag) {
    let mut session = session(&format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n"));
    let tag = session.start(Command::append_streamed(b"Sent", uploads).unwrap());
    session.start(Command::noop());
    (session, tag)
}

#[test]
fn a_message_is_asked_for_piece_by_piece() {
    let (mut session, tag) = started("IDLE", &[upload(5)]);
    assert_eq!(drain(&mut session), ("A1 APPEND \"Sent\" {5}\r\n".into(), vec![]));
    assert_eq!(session.feed(tag, b"x"), Err(FeedError::NotWanted));
    session.handle_input(b"+ go on\r\n");
    assert_eq!(sent_and_wanted(&mut session), ("".into(), Some(5)));
    assert_eq!(session.feed(tag, b"123456"), Err(FeedError::TooMuch));
    assert_eq!(session.feed(tag, b"1\0"), Err(FeedError::Nul));
    session.feed(tag, b"123").unwrap();
    assert_eq!(sent_and_wanted(&mut session), ("123".into(), Some(2)));
    session.feed(tag, b"45").unwrap();
    assert_eq!(sent_and_wanted(&mut session), ("45\r\nA2 NOOP\r\n".into(), None));
    assert_eq!(session.feed(tag, b""), Err(FeedError::NotWanted));
}

#[test]
fn several_messages_go_in_one_command_and_binary_ones_may_have_nul_bytes() {
    let binary =
        Upload { size: 2, form: MessageForm::Binary, flags: vec![Flag::Seen], ..Upload::default() };
    let (mut session, tag) = started("LITERAL-", &[upload(1), binary, upload(0)]);
    assert_eq!(sent_and_wanted(&mut session), ("A1 APPEND \"Sent\" {1+}\r\n".into(), Some(1)));
    session.feed(tag, b"a").unwrap();
    assert_eq!(sent_and_wanted(&mut session), ("a (\\Seen) ~{2+}\r\n".into(), Some(2)));
    session.feed(tag, b"\0b").unwrap();
    assert_eq!(sent_and_wanted(&mut session).0, "\0b {0+}\r\n\r\nA2 NOOP\r\n");
}

#[test]
fn what_was_announced_is_sent_even_if_the_command_is_refused_meanwhile() {
    let (mut session, tag) = started("LITERAL+", &[upload(3), upload(9)]);
    session.feed(tag, b"1").unwrap();
    drain(&mut session);
    session.handle_input(b"A1 NO [OVERQUOTA] full\r\n");
    let (sent, events) = drain(&mut session);
    assert_eq!(sent, "");
    assert!(matches!(&events[..], [Event::Completed { .. }]));
    session.feed(tag, b"23").unwrap();
    assert_eq!(sent_and_wanted(&mut session), ("23\r\nA2 NOOP\r\n".into(), None));
}

#[test]
fn nothing_is_sent_of_a_message_that_is_refused_before_the_go_ahead() {
    let (mut session, tag) = started("IDLE", &[upload(3)]);
    drain(&mut session);
    session.handle_input(b"A1 NO [TRYCREATE] where?\r\n");
    assert_eq!(drain(&mut session).0, "A2 NOOP\r\n");
    assert_eq!(session.feed(tag, b"123"), Err(FeedError::NotWanted));
}

fn sent_and_wanted(session: &mut Session) -> (String, Option<u64>) {
    let (sent, mut events) = drain(session);
    let wanted = match events.pop() {
        Some(Event::ContentWanted { rest, .. }) => Some(rest),
        None => None,
        other => panic!("{other:?}"),
    };
    (sent, wanted)
}
