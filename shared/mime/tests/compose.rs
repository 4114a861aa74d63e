//! What is composed is read back as it was written.

use postern_mime::{Address, ComposeError, Outgoing, compose, summary};

fn address(name: &str, address: &str) -> Address {
    Address { name: name.into(), address: address.into() }
}

fn outgoing() -> Outgoing {
    Outgoing {
        from: address("Ada Lovelace", "ada@example.org"),
        to: vec![address("", "bob@example.org")],
        subject: "Notes".into(),
        text: "Hello".into(),
        date_ms: 1_700_000_000_000,
        message_id: "1@example.org".into(),
        ..Outgoing::default()
    }
}

#[test]
fn a_summary_reads_back_what_was_composed() {
    let sent = Outgoing { subject: "Grüße 👋 aus Zürich".into(), ..outgoing() };
    let read = summary(&compose(&sent).unwrap());
    assert_eq!(read.from, [sent.from]);
    assert_eq!(read.to, sent.to);
    assert_eq!(read.subject, sent.subject);
    assert_eq!(read.message_id, sent.message_id);
    assert_eq!(read.sent, Some(sent.date_ms));
    assert_eq!(read.preview, "Hello");
    assert!(!read.has_attachments);
}

#[test]
fn a_line_break_in_a_field_is_refused() {
    for evil in ["a\r\nBcc: x@y", "a\nb", "a\rb", "a\0b", "a\u{85}b"] {
        let subject = Outgoing { subject: evil.into(), ..outgoing() };
        assert_eq!(compose(&subject), Err(ComposeError::ControlCharacter("subject")));
        let name = Outgoing { to: vec![address(evil, "a@b")], ..outgoing() };
        assert_eq!(compose(&name), Err(ComposeError::ControlCharacter("name")));
        let to = Outgoing { to: vec![address("", &format!("{evil}@b"))], ..outgoing() };
        assert!(matches!(compose(&to), Err(ComposeError::Address(_))));
        let id = Outgoing { message_id: evil.into(), ..outgoing() };
        assert!(matches!(compose(&id), Err(ComposeError::MessageId(_))));
        let references = Outgoing { references: vec![evil.into()], ..outgoing() };
        assert!(matches!(compose(&references), Err(ComposeError::MessageId(_))));
        let answers = Outgoing { in_reply_to: Some(evil.into()), ..outgoing() };
        assert!(matches!(compose(&answers), Err(ComposeError::MessageId(_))));
    }
}
