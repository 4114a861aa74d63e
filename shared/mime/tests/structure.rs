//! Parts have the numbers that an IMAP server gives them (RFC 9051 section 6.4.5).

use postern_mime::{limits, part, view};

/// The example of the RFC: a mixed message whose parts 3 and 4.2 are messages.
fn rfc_example() -> String {
    "Subject: outer\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=a\r
\r
preamble\r
--a\r
\r
text of 1\r
--a\r
Content-Type: application/octet-stream\r
\r
bytes of 2\r
--a\r
Content-Type: message/rfc822\r
\r
Subject: inner 3\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
\r
text of 3.1\r
--b\r
Content-Type: application/octet-stream\r
\r
bytes of 3.2\r
--b--\r
--a\r
Content-Type: multipart/mixed; boundary=c\r
\r
--c\r
Content-Type: image/gif\r
\r
gif of 4.1\r
--c\r
Content-Type: message/rfc822\r
\r
Subject: inner 4.2\r
Content-Type: multipart/mixed; boundary=d\r
\r
--d\r
\r
text of 4.2.1\r
--d\r
Content-Type: multipart/alternative; boundary=e\r
\r
--e\r
\r
plain of 4.2.2.1\r
--e\r
Content-Type: text/richtext\r
\r
rich of 4.2.2.2\r
--e--\r
--d--\r
--c--\r
--a--\r
epilogue\r
"
    .to_owned()
}

#[test]
fn the_example_of_the_rfc_is_numbered_as_there() {
    let raw = rfc_example();
    for (section, content) in [
        ("1", "text of 1"),
        ("2", "bytes of 2"),
        ("3.1", "text of 3.1"),
        ("3.2", "bytes of 3.2"),
        ("4.1", "gif of 4.1"),
        ("4.2.1", "text of 4.2.1"),
        ("4.2.2.1", "plain of 4.2.2.1"),
        ("4.2.2.2", "rich of 4.2.2.2"),
    ] {
        let found = part(raw.as_bytes(), section).unwrap_or_else(|| panic!("{section}"));
        assert_eq!(String::from_utf8(found.content).unwrap(), content);
        assert_eq!(found.info.section, section);
    }
    for (section, subject) in [("3", "Subject: inner 3\r\n"), ("4.2", "Subject: inner 4.2\r\n")] {
        let found = part(raw.as_bytes(), section).unwrap();
        assert_eq!(found.info.media_type, "message/rfc822");
        assert!(found.content.starts_with(subject.as_bytes()));
    }
    for section in
        ["", "0", "4", "4.2.2", "5", "1.1", "3.3", "4.2.2.3", "TEXT", "3.TEXT", "01", "1."]
    {
        assert_eq!(part(raw.as_bytes(), section), None, "{section}");
    }
}

#[test]
fn attachments_carry_the_numbers_under_which_they_can_be_fetched() {
    let raw = rfc_example();
    let shown = view(raw.as_bytes());
    let sections: Vec<_> = shown.attachments.iter().map(|a| a.section.as_str()).collect();
    assert_eq!(sections, ["2", "3", "4.1", "4.2"]);
    let names: Vec<_> = shown.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["attachment", "inner 3.eml", "image.gif", "inner 4.2.eml"]);
    for attachment in &shown.attachments {
        let found = part(raw.as_bytes(), &attachment.section).unwrap();
        assert_eq!(&found.info, attachment);
        assert_eq!(found.content.len() as u64, attachment.size);
    }
    assert_eq!(shown.text, "text of 1");
}

#[test]
fn a_message_of_one_part_is_part_one_and_so_is_that_of_an_attached_message() {
    let raw = b"Subject: x\r\n\r\nhello\r\n";
    assert_eq!(part(raw, "1").unwrap().content, b"hello\r\n");
    let raw = b"Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nhello\r\n";
    assert_eq!(part(raw, "1").unwrap().info.media_type, "message/rfc822");
    assert_eq!(part(raw, "1.1").unwrap().content, b"hello\r\n");
    assert_eq!(view(raw).attachments[0].name, "y.eml");
}

#[test]
fn parts_of_a_digest_are_messages() {
    let raw = "Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: one\n\n1\n--x\n\nSubject: two\n\n2\n--x--\n";
    let names: Vec<_> = view(raw.as_bytes()).attachments.into_iter().map(|a| a.name).collect();
    assert_eq!(names, ["one.eml", "two.eml"]);
    assert_eq!(part(raw.as_bytes(), "2.1").unwrap().content, b"2");
}

#[test]
fn only_a_whole_line_is_a_boundary() {
    let raw = "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\n\
        a --b in a line\r\n--bc\r\n--b x\r\n\r\n--b  \t\r\n\r\ntwo\r\n--b--  \r\nnot a part\r\n--b\r\n\r\nnor this";
    assert_eq!(part(raw.as_bytes(), "1").unwrap().content, b"a --b in a line\r\n--bc\r\n--b x\r\n");
    assert_eq!(part(raw.as_bytes(), "2").unwrap().content, b"two");
    assert_eq!(part(raw.as_bytes(), "3"), None);
}

#[test]
fn a_multipart_that_is_not_closed_keeps_its_last_part() {
    let raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/x\n\ntwo";
    assert_eq!(part(raw, "2").unwrap().content, b"two");
}

#[test]
fn an_inner_multipart_that_is_not_closed_cannot_swallow_its_siblings() {
    let raw = b"Content-Type: multipart/mixed; boundary=a\n\n--a\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\n\ninner\n--a\n\nouter\n--a--\n";
    assert_eq!(part(raw, "1.1").unwrap().content, b"inner");
    assert_eq!(part(raw, "2").unwrap().content, b"outer");
}

#[test]
fn a_multipart_without_a_usable_boundary_is_shown_as_it_is() {
    for header in
        ["multipart/mixed", "multipart/mixed; boundary=\"\"", "multipart/mixed; boundary=zzz"]
    {
        let raw = format!("Content-Type: {header}\n\nsome text\n");
        let shown = view(raw.as_bytes());
        assert!(shown.attachments.len() <= 1, "{header}");
    }
}

#[test]
fn nesting_is_followed_to_its_limit_and_not_beyond() {
    let nested = |depth: usize| {
        let mut raw = String::new();
        for level in 0..depth {
            raw += &format!("Content-Type: multipart/mixed; boundary=b{level}-\n\n--b{level}-\n");
        }
        raw + "\nbottom"
    };
    let bottom = |depth: usize| vec!["1"; depth].join(".");
    let at_limit = nested(limits::DEPTH);
    assert_eq!(part(at_limit.as_bytes(), &bottom(limits::DEPTH)).unwrap().content, b"bottom");
    let beyond = nested(limits::DEPTH + 1);
    assert_eq!(part(beyond.as_bytes(), &bottom(limits::DEPTH + 1)), None);
}

#[test]
fn parts_are_counted_to_their_limit_and_not_beyond() {
    let many = |count: usize| {
        let parts = "--b\nContent-Type: image/png\n\nx\n".repeat(count);
        format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
    };
    assert_eq!(view(many(limits::PARTS).as_bytes()).attachments.len(), limits::PARTS);
    assert_eq!(view(many(limits::PARTS + 1).as_bytes()).attachments.len(), limits::PARTS);
}

#[test]
fn what_has_no_header_is_body() {
    for (raw, text) in [("no header at all\r\n", "no header at all"), ("\r\nbelow\r\n", "below")] {
        assert_eq!(postern_mime::summary(raw.as_bytes()).preview, text);
    }
    assert_eq!(postern_mime::summary(b"Subject: a\r\nno field\r\n").preview, "");
}
