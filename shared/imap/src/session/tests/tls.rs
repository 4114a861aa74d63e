//! STARTTLS.

use super::*;

#[test]
fn tls_starts_afresh() {
    let mut session = session("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\r\n");
    session.start(Command::start_tls());
    session.start(Command::capability());
    assert_eq!(sent(&mut session), "A1 STARTTLS\r\n");
    session.handle_input(b"A1 OK go\r\n");
    assert_eq!(sent(&mut session), "");
    assert_eq!(session.capabilities(), None);
    session.tls_started();
    assert_eq!(sent(&mut session), "A2 CAPABILITY\r\n");
}

#[test]
fn bytes_behind_the_go_ahead_for_tls_are_fatal_glued_or_not() {
    let injected = "* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n";
    for pieces in [vec![format!("A1 OK go\r\n{injected}")], vec!["A1 OK go\r\n".into(), "x".into()]]
    {
        let mut session = ready();
        session.start(Command::start_tls());
        for piece in &pieces {
            session.handle_input(piece.as_bytes());
        }
        let events = drain(&mut session).1;
        assert_eq!(events.last(), Some(&Event::Fatal(FatalError::BytesBeforeTls)));
        session.tls_started();
        session.handle_input(injected.as_bytes());
        session.start(Command::noop());
        assert_eq!(drain(&mut session), (String::new(), vec![]));
        assert_eq!(session.capabilities(), None);
    }
}

#[test]
fn bytes_behind_the_go_ahead_for_tls_are_fatal_also_if_nobody_has_read_them_yet() {
    let mut session = ready();
    let tag = session.start(Command::start_tls());
    session.handle_input(b"A1 OK go\r\n* CAPABILITY IMAP4rev1 AUTH=EVIL\r\n");
    while let Some(output) = session.poll_output() {
        if matches!(output, Output::Event(Event::Completed { tag: own, .. }) if own == tag) {
            break;
        }
    }
    session.tls_started();
    let events = drain(&mut session).1;
    assert_eq!(events, [Event::Fatal(FatalError::BytesBeforeTls)]);
    assert_eq!(session.capabilities(), None);
}

#[test]
fn a_refused_starttls_goes_on_without() {
    let mut session = ready();
    session.start(Command::start_tls());
    session.start(Command::noop());
    session.handle_input(b"A1 NO not today\r\n* 1 EXISTS\r\n");
    assert!(sent(&mut session).ends_with("A2 NOOP\r\n"));
}
