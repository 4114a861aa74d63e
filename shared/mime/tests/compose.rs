//! What is composed is read back as it was written.

use postern_mime::{
    Address, Body, ComposeError, Outgoing, OutgoingAttachment, compose, limits, part, summary,
    view, written,
};

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

/// Xorshift: the same messages in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }

    fn words(&mut self, most: usize) -> String {
        const WORDS: [&str; 24] = [
            "a",
            "plain",
            "words",
            "Grüße",
            "naïve",
            "日本語",
            "中文字符",
            "한국어",
            "مرحبا",
            "שלום",
            "Привет",
            "👩‍👩‍👧‍👦",
            "🏳️‍🌈",
            "=?utf-8?q?x?=",
            "=3D",
            "\"quoted\"",
            "(comment)",
            "back\\slash",
            "a,b;c:d",
            "<x@y>",
            ".",
            "..",
            "From",
            "e\u{301}",
        ];
        let count = 1 + self.below(most);
        (0..count).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let count = self.below(most);
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}

/// What every server and relay may rely on (RFC 5321 section 4.5.3.1.6, RFC 5322 section 2.1.1).
fn assert_is_well_formed(raw: &[u8]) {
    assert!(raw.ends_with(b"\r\n"));
    let lines: Vec<&[u8]> = raw.split(|byte| *byte == b'\n').collect();
    for line in &lines[..lines.len() - 1] {
        let line = line.strip_suffix(b"\r").expect("a line ends with CR LF");
        assert!(line.len() <= limits::LINE, "{}", line.len());
        assert!(line.iter().all(|b| b.is_ascii() && !matches!(b, 0 | b'\r')), "{line:?}");
    }
}

#[test]
fn what_is_composed_reads_back_the_same() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..300 {
        let lines = random.below(30);
        let text: Vec<String> = (0..lines).map(|_| random.words(60)).collect();
        let sent = Outgoing {
            from: address(&random.words(6), "ada@example.org"),
            to: (0..1 + random.below(5))
                .map(|n| address(&random.words(5), &format!("to{n}@example.org")))
                .collect(),
            cc: (0..random.below(3)).map(|n| address("", &format!("cc{n}@example.org"))).collect(),
            bcc: Vec::new(),
            subject: random.words(25).replace("=?utf-8?q?x?=", "x"),
            text: text.join("\n"),
            date_ms: (random.below(4_000_000_000) as i64) * 1000,
            message_id: format!("{round}.{}@example.org", random.below(1 << 30)),
            in_reply_to: Some("parent@example.org".into()),
            references: (0..1 + random.below(40)).map(|n| format!("ref{n}@example.org")).collect(),
            attachments: (0..random.below(4))
                .map(|n| OutgoingAttachment {
                    name: format!("file {n} Größe 日本.bin"),
                    media_type: ["application/pdf", "text/plain", "image/png"][n % 3].into(),
                    content: random.bytes(3_000),
                })
                .collect(),
        };
        let raw = compose(&sent).unwrap();
        assert_is_well_formed(&raw);
        assert_eq!(compose(&sent).unwrap(), raw, "the same message gives the same bytes");

        let read = view(&raw);
        assert_eq!(read.subject, sent.subject.trim());
        assert_eq!(read.from[0].address, sent.from.address);
        assert_eq!(read.to.len(), sent.to.len());
        assert_eq!(read.cc, sent.cc);
        assert_eq!(read.sent, Some(sent.date_ms));
        assert_eq!(read.message_id, sent.message_id);
        let references: Vec<String> =
            sent.references.iter().chain([&sent.message_id]).cloned().collect();
        assert_eq!(read.references, references);
        assert_eq!(read.text, sent.text.trim_end(), "{}", String::from_utf8_lossy(&raw));
        assert_eq!(read.attachments.len(), sent.attachments.len());
        for (info, attachment) in read.attachments.iter().zip(&sent.attachments) {
            assert_eq!(info.name, attachment.name);
            assert_eq!(info.media_type, attachment.media_type);
            assert_eq!(info.size, attachment.content.len() as u64);
            assert_eq!(part(&raw, &info.section).unwrap().content, attachment.content);
        }
    }
}

#[test]
fn names_with_specials_and_other_scripts_read_back_the_same() {
    for name in [
        "Ada Lovelace",
        "Lovelace, Ada",
        "Ada \"The Countess\" Lovelace",
        "Ада Лавлейс",
        "ආදා",
        "עדה לאבלייס",
        "Ada (work)",
        "a@b",
        "back\\slash",
        "👩‍💻 Ada",
        "Dr. A. L.",
    ] {
        let sent = Outgoing { to: vec![address(name, "ada@example.org")], ..outgoing() };
        let raw = compose(&sent).unwrap();
        assert_is_well_formed(&raw);
        assert_eq!(view(&raw).to, sent.to, "{}", String::from_utf8_lossy(&raw));
    }
}

#[test]
fn a_paragraph_of_any_length_stays_one_paragraph() {
    for length in [77, 78, 997, 998, 999, 5_000, 100_000] {
        for text in ["x".repeat(length), "日".repeat(length), "ab ".repeat(length / 3)] {
            let raw = compose(&Outgoing { text: text.clone(), ..outgoing() }).unwrap();
            assert_is_well_formed(&raw);
            assert_eq!(view(&raw).text, text.trim_end());
        }
    }
}

#[test]
fn lines_that_servers_and_mailboxes_treat_specially_survive() {
    let text = ".\n..\n.hidden\nFrom here\n-- \nsignature\n\n--=_\n=20\ntrailing space \nend";
    let raw = compose(&Outgoing { text: text.into(), ..outgoing() }).unwrap();
    assert_is_well_formed(&raw);
    assert_eq!(view(&raw).body, Body::Text(text.into()));
}

#[test]
fn line_breaks_of_any_kind_become_the_same_and_control_characters_go() {
    let text = "a\r\nb\rc\nd\0\u{1b}[31me\tf";
    let raw = compose(&Outgoing { text: text.into(), ..outgoing() }).unwrap();
    assert_is_well_formed(&raw);
    assert_eq!(view(&raw).text, "a\nb\nc\nd[31me\tf");
}

#[test]
fn text_or_a_file_that_holds_the_boundary_does_not_break_the_message() {
    let file = |content: &[u8]| OutgoingAttachment {
        name: "a.eml".into(),
        media_type: "message/rfc822".into(),
        content: content.to_vec(),
    };
    let first = Outgoing { attachments: vec![file(b"Subject: x\r\n\r\nx\r\n")], ..outgoing() };
    let raw = String::from_utf8(compose(&first).unwrap()).unwrap();
    let boundary = raw.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let inner = format!("Subject: x\r\n\r\n--{boundary}\r\n\r\nevil\r\n--{boundary}--\r\n");
    let nested = Outgoing {
        text: format!("--{boundary}\n\nevil"),
        attachments: vec![file(inner.as_bytes())],
        ..outgoing()
    };
    let read = view(&compose(&nested).unwrap());
    assert_eq!(read.text, nested.text);
    assert_eq!(read.attachments.len(), 1);
    let sent = part(&compose(&nested).unwrap(), "2").unwrap();
    assert_eq!(sent.content, inner.as_bytes());
}

#[test]
fn an_attached_message_goes_unencoded_or_as_plain_bytes() {
    for (content, media_type) in [
        (&b"Subject: x\r\n\r\nhello\r\n"[..], "message/rfc822"),
        (b"Subject: x\n\nbare line feeds\n", "application/octet-stream"),
        ("Subject: ü\r\n\r\n8-bit\r\n".as_bytes(), "application/octet-stream"),
        (b"no line break at the end", "application/octet-stream"),
    ] {
        let attachment = OutgoingAttachment {
            name: "mail.eml".into(),
            media_type: "message/rfc822".into(),
            content: content.to_vec(),
        };
        let raw = compose(&Outgoing { attachments: vec![attachment], ..outgoing() }).unwrap();
        assert_is_well_formed(&raw);
        let read = part(&raw, "2").unwrap();
        assert_eq!(read.content, content);
        assert_eq!(read.info.media_type, media_type);
    }
}

#[test]
fn addresses_that_could_break_a_header_are_refused() {
    for bad in [
        "",
        "ada",
        "@example.org",
        "ada@",
        "a b@example.org",
        "a@b>,<c@d",
        "a,b@example.org",
        "\"a\"@example.org",
        "ada@exa mple.org",
        "ädä@example.org",
        "ada@.example.org",
    ] {
        let sent = Outgoing { cc: vec![address("", bad)], ..outgoing() };
        assert_eq!(compose(&sent), Err(ComposeError::Address(bad.into())), "{bad}");
    }
    for good in ["a@b", "first.last+tag@mail.example.org", "o'brien@example.org", "x@[127.0.0.1]"] {
        compose(&Outgoing { cc: vec![address("", good)], ..outgoing() }).unwrap();
    }
}

#[test]
fn a_media_type_that_is_none_becomes_plain_bytes() {
    for bad in ["", "text", "a/b\r\nX: y", "a b/c", "multipart/mixed", "text/plain; charset=x"] {
        let attachment = OutgoingAttachment {
            name: "file.bin".into(),
            media_type: bad.into(),
            content: b"x".to_vec(),
        };
        let raw = compose(&Outgoing { attachments: vec![attachment], ..outgoing() }).unwrap();
        assert_eq!(view(&raw).attachments[0].media_type, "application/octet-stream", "{bad}");
    }
}

#[test]
fn an_unfinished_message_reads_back_with_its_blind_copies() {
    let draft = Outgoing {
        to: Vec::new(),
        bcc: vec![address("Eve", "eve@example.org")],
        references: vec!["1@example.org".into(), "2@example.org".into()],
        ..outgoing()
    };
    let read = written(&compose(&draft).unwrap());
    assert_eq!((read.to, read.cc, read.bcc), (vec![], vec![], draft.bcc));
    assert_eq!((read.subject, read.references), (draft.subject, draft.references));
}
