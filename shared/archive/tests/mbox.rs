//! mbox: what is written comes back, and what others write is read, at any split.

use postern_archive::mbox::{Event, Reader, Status, Writer};

/// Reads a file in pieces of a size; looks where it is asked to.
fn read_in(file: &[u8], piece: usize, can_look: bool) -> Vec<Vec<u8>> {
    let mut reader = Reader::new();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    let mut open = false;
    let mut at = 0;
    loop {
        while let Some(event) = reader.poll_event() {
            match event {
                Event::Start => {
                    assert!(!open);
                    open = true;
                    messages.push(Vec::new());
                }
                Event::Bytes(bytes) => {
                    messages.last_mut().expect("a message has begun").extend(bytes)
                }
                Event::End => open = false,
                Event::Look { at } => {
                    let at = usize::try_from(at).unwrap_or(usize::MAX);
                    let found = file.get(at..).map(|rest| &rest[..rest.len().min(16)]);
                    reader.looked(found.filter(|_| can_look));
                }
            }
        }
        if at == file.len() {
            break;
        }
        let end = file.len().min(at + piece);
        at += reader.handle_input(&file[at..end]);
    }
    reader.finish();
    while let Some(event) = reader.poll_event() {
        match event {
            Event::Start => messages.push(Vec::new()),
            Event::Bytes(bytes) => messages.last_mut().expect("a message has begun").extend(bytes),
            Event::End | Event::Look { .. } => {}
        }
    }
    messages
}

fn read(file: &str) -> Vec<String> {
    let whole = read_in(file.as_bytes(), usize::MAX / 2, true);
    for piece in 1..=17 {
        assert_eq!(read_in(file.as_bytes(), piece, true), whole, "in pieces of {piece}");
    }
    whole.into_iter().map(|message| String::from_utf8(message).expect("the file is text")).collect()
}

fn write(messages: &[&str], piece: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut file = Vec::new();
    for message in messages {
        let start = writer.start("ada@example.org", 1_700_000_000, &Status::default());
        file.extend(
            String::from_utf8(start)
                .expect("the file is text")
                .lines()
                .take(1)
                .flat_map(|line| format!("{line}\n").into_bytes()),
        );
        for piece in message.as_bytes().chunks(piece) {
            file.extend(writer.write(piece));
        }
        file.extend(writer.end());
    }
    file
}

const A: &str = "From x Thu Jan  1 00:00:00 1970\n";

#[test]
fn what_is_written_comes_back_at_any_split() {
    let messages = [
        "Subject: one\r\n\r\nFrom here on\r\n>From there\r\n>>From far\r\n>not\r\nFromage\r\n",
        "Subject: two\r\n\r\n\r\nFrom x Thu Jan  1 00:00:00 1970\r\n\r\n\r\n",
        "Subject: three\r\n\r\n",
        "Subject: four\r\n\r\nFrom ",
        "Subject: five\r\n\r\na\rb\r\n>",
    ];
    let whole = write(&messages, usize::MAX / 2);
    for piece in 1..=9 {
        assert_eq!(write(&messages, piece), whole, "in pieces of {piece}");
    }
    let text = String::from_utf8(whole).unwrap();
    assert!(text.contains("\n>From here on\n>>From there\n>>>From far\n>not\nFromage\n"), "{text}");
    assert!(!text.contains("\r\n"));
    let mut read = read(&text);
    // What has no line end at its end gets one.
    assert_eq!(read.pop().as_deref(), Some("Subject: five\r\n\r\na\rb\r\n>\r\n"));
    assert_eq!(read.pop().as_deref(), Some("Subject: four\r\n\r\nFrom \r\n"));
    assert_eq!(read, messages[..3]);
}

#[test]
fn a_mark_and_blank_lines_before_the_first_line_are_left_out() {
    for before in ["\u{feff}", "\n\r\n", "\u{feff}\r\n\n"] {
        let file = format!("{before}{A}Subject: \u{feff}\n\n\n\u{feff}a\n");
        assert_eq!(read(&file), ["Subject: \u{feff}\r\n\r\n\r\n\u{feff}a\r\n"]);
        assert_eq!(read(before), [""; 0]);
        let long = "x".repeat(9_000);
        assert_eq!(read(&format!("{before}X: {long}\n\na")), [format!("X: {long}\r\n\r\na")]);
    }
}

#[test]
fn quoted_lines_lose_one_sign() {
    let file = format!("{A}Subject: o\n\n>From me\n\n{A}Subject: rd\n\n>>From me\n> From\n");
    assert_eq!(
        read(&file),
        ["Subject: o\r\n\r\nFrom me\r\n", "Subject: rd\r\n\r\n>From me\r\n> From\r\n"]
    );
}

#[test]
fn the_length_in_the_header_counts_where_it_fits_the_file() {
    let body = format!("one\n\n{A}two\n");
    let file = format!("{A}Content-Length: {}\n\n{body}\n{A}B: c\n\nlast\n", body.len());
    let inner = body.replace('\n', "\r\n");
    let first = format!("Content-Length: {}\r\n\r\n{inner}", body.len());
    assert_eq!(read(&file), [first, "B: c\r\n\r\nlast\r\n".into()]);
    let blind = read_in(file.as_bytes(), 64, false);
    assert_eq!(blind.len(), 3, "without looking, the separators count");
}

#[test]
fn a_wrong_length_is_not_believed() {
    for length in ["3", "99999", "18446744073709551615", "-1", "x"] {
        let file = format!("{A}Content-Length: {length}\n\nbody one\n\n{A}B: c\n\nlast\n");
        let read = read(&file);
        assert_eq!(read.len(), 2, "{length}");
        assert!(read[0].ends_with("body one\r\n"));
    }
}

#[test]
fn a_file_with_lengths_may_quote_as_well() {
    let body = ">From me\nplain\n";
    let file = format!("{A}Content-Length: {}\n\n{body}\n{A}B: c\n\nlast\n", body.len());
    assert!(read(&file)[0].ends_with("\r\n\r\nFrom me\r\nplain\r\n"));
}

#[test]
fn missing_and_sloppy_separators_are_coped_with() {
    assert_eq!(read("Subject: alone\n\nFrom me to you\nx\n").len(), 1);
    assert_eq!(read(&format!("\n\nSubject: first\n\nx\n\n{A}Subject: second\n\ny\n")).len(), 2);
    assert_eq!(read(&format!("{A}S: 1\n\nno blank line\n{A}S: 2\n\ny\n")).len(), 2);
    assert_eq!(read("From MAILER-DAEMON\nS: 1\n\nx\n\nFrom nobody\nS: 2\n\ny\n").len(), 2);
    assert_eq!(
        read("From a 2024 9:00\r\nS: 1\r\n\r\nx\r\n\r\nFrom b 2024 9:01\r\nS: 2\r\n").len(),
        2
    );
    let prose = format!("{A}S: 1\n\nx\n\nFrom me\nto you, with love: yes\n");
    assert_eq!(read(&prose).len(), 1);
    assert_eq!(read(""), [""; 0]);
    assert_eq!(read("\n\n\n"), [""; 0]);
    assert_eq!(read(A), [""]);
}

#[test]
fn a_line_without_an_end_is_passed_on_without_being_held() {
    let long = "x".repeat(100_000);
    let file = format!("{A}S: 1\n\n{long}\n\n{A}S: 2\n\nFrom {long}\n");
    let read = read(&file);
    assert_eq!(read[0], format!("S: 1\r\n\r\n{long}\r\n"));
    assert_eq!(read[1], format!("S: 2\r\n\r\nFrom {long}\r\n"));
}

/// The bytes of the one message that a file is, read in pieces of a size.
fn read_message(file: &[u8], piece: usize) -> String {
    let mut reader = Reader::of_message();
    for bytes in file.chunks(piece) {
        assert_eq!(reader.handle_input(bytes), bytes.len());
    }
    reader.finish();
    let events: Vec<_> = std::iter::from_fn(|| reader.poll_event()).collect();
    assert_eq!((events.first(), events.last()), (Some(&Event::Start), Some(&Event::End)));
    let bytes: Vec<u8> = events
        .iter()
        .filter_map(|event| match event {
            Event::Bytes(bytes) => Some(&bytes[..]),
            _ => None,
        })
        .collect::<Vec<_>>()
        .concat();
    String::from_utf8(bytes).expect("the file is text")
}

#[test]
fn a_single_message_is_one_whatever_stands_in_it() {
    let file = format!("Subject: x\n\n{A}S: 2\n\n>From me\nlast");
    for piece in [1, 7, 1000] {
        assert_eq!(read_message(file.as_bytes(), piece), file.replace('\n', "\r\n"));
    }
}

#[test]
fn a_single_message_comes_with_the_blank_lines_at_its_start_and_without_a_mark() {
    for (before, kept) in [("\r\n", "\r\n"), ("\n\r\n", "\r\n\r\n"), ("\u{feff}\n", "\r\n")] {
        let file = format!("{before}X: this is the body\r\n");
        for piece in [1, 2, 7, 1000] {
            let read = read_message(file.as_bytes(), piece);
            assert_eq!(read, format!("{kept}X: this is the body\r\n"), "{before:?} by {piece}");
        }
    }
    for nothing in ["", "\u{feff}"] {
        assert_eq!(read_message(nothing.as_bytes(), 1), "");
    }
}

#[test]
fn what_stands_before_a_single_message_s_header_is_left_out_and_a_text_without_header_is_whole() {
    let header = "Received: from x\nNote: y\n\ntext\n\nFrom me\n";
    let long = format!("From: {}\n\ntext\n", "x".repeat(20_000));
    let many = "\n".repeat(10_000);
    let kept = |text: &str| (text.to_owned(), text.to_owned());
    let cases = [
        (format!("\n{header}"), header.to_owned()),
        (format!("\n\r\n\n{header}"), header.into()),
        (format!("\u{feff}\n{header}"), header.into()),
        (format!("{A}{header}"), header.into()),
        (format!("\u{feff}{A}{header}"), header.into()),
        (format!("\r\n{A}{header}"), header.into()),
        (format!("From - \n{header}"), header.into()),
        (format!("{A}X-Any: y\n\ntext\n"), "X-Any: y\n\ntext\n".into()),
        ("\nfrom : x".into(), "from : x".into()),
        (
            "\nTo: a\nSubject: b\n c\nDate: x\n\ntext\n".into(),
            "To: a\nSubject: b\n c\nDate: x\n\ntext\n".into(),
        ),
        (format!("\n{long}"), long.clone()),
        (format!("{A}{long}"), long.clone()),
        kept(header),
        kept("\nDear Ann,\n\nSubject: is no header\n"),
        kept("\nNote: the beans are up\n"),
        kept("\nTo whom it may concern:\n"),
        kept("\nSubject: this is the body\n"),
        kept("\nSubject: this is\n the body\n\nFrom: me\n"),
        kept("\nTo: you\nand so on\nFrom: me\n"),
        kept("\n To: folded\n"),
        kept("\n"),
        kept("\n\ntext"),
        kept("From me to you,\nall the best.\n"),
        kept(A),
        kept(&format!("{A}\nDear Ann,\n")),
        kept(&format!("{A}{A}Subject: x\n")),
        kept(&format!("\n{}\n", "x".repeat(20_000))),
        // More than is held.
        kept(&format!("{many}{header}")),
    ];
    for (file, expected) in cases {
        let expected = expected.replace("\r\n", "\n").replace('\n', "\r\n");
        for piece in [1, 2, 7, usize::MAX / 2] {
            let read = read_message(file.as_bytes(), piece);
            assert!(read == expected, "{:?} by {piece}: {read:?}", &file[..file.len().min(99)]);
        }
    }
}

#[test]
fn a_separator_without_a_date_may_be_followed_by_a_long_field() {
    let file = format!("From nobody\nSubject: {}\n\ntext\n", "x".repeat(20_000));
    let expected = file["From nobody\n".len()..].replace('\n', "\r\n");
    for piece in [1, 7, usize::MAX / 2] {
        assert_eq!(read_in(file.as_bytes(), piece, true), [expected.as_bytes()], "by {piece}");
    }
    // No field has a name as long as that.
    let file = format!("From me\n{}: x\n", "x".repeat(20_000));
    let expected = file.replace('\n', "\r\n");
    for piece in [1, 7, usize::MAX / 2] {
        assert_eq!(read_in(file.as_bytes(), piece, true), [expected.as_bytes()], "by {piece}");
    }
}

#[test]
fn a_long_line_s_end_may_come_in_two_pieces() {
    let limit = postern_archive::limits::LINE;
    for length in [limit - 1, limit, limit + 1, 2 * limit] {
        let text = "x".repeat(length);
        let file = format!("From x\r\nSubject: 1\r\n\r\n{text}\r\nafter\r\n");
        let expected = format!("Subject: 1\r\n\r\n{text}\r\nafter\r\n");
        let at = file.find(&text).unwrap_or_default() + length;
        for piece in [at, at + 1, at + 2, 1, 7, usize::MAX / 2] {
            let messages = read_in(file.as_bytes(), piece, true);
            assert_eq!(messages, [expected.as_bytes()], "{length} in pieces of {piece}");
        }
    }
}
