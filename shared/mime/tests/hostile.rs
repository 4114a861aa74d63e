//! Messages that are made to hurt: they cost little and break nothing.

use postern_mime::{Body, html, limits, preview, summary, view};

#[test]
fn nesting_a_hundred_thousand_deep_is_harmless() {
    let mut multiparts = String::new();
    for level in 0..100_000 {
        multiparts += &format!("Content-Type: multipart/mixed; boundary={level}\n\n--{level}\n");
    }
    let messages = "Content-Type: message/rfc822\n\n".repeat(100_000);
    let same = "Content-Type: multipart/mixed; boundary=x\n\n--x\n".repeat(100_000);
    let comments = format!("From: {}\n\n", "(".repeat(100_000));
    let quotes = format!("Content-Type: text/plain; {}\n\n", "a=(".repeat(100_000));
    for raw in [multiparts, messages, same, comments, quotes] {
        summary(raw.as_bytes());
        view(raw.as_bytes());
    }
}

#[test]
fn html_nested_deep_is_harmless() {
    for piece in [
        "<div>",
        "<b>",
        "<table><tr><td>",
        "<font size=1>",
        "<ul><li>",
        "<blockquote>",
        "<a href=x>",
    ] {
        let html = piece.repeat(20_000) + "end";
        let safe = html::sanitise(&html, &html::InlineImages::default()).html;
        assert!(safe.contains("end"), "{piece}");
        assert!(html::to_text(&html).ends_with("end"));
    }
}

/// Each of these shapes makes some parser work for the square of the input.
#[test]
fn html_that_is_expensive_for_parsers_is_not_expensive_here() {
    let mut formatting = String::new();
    let mut attributes = String::from("<p ");
    for n in 0..10_000 {
        formatting += &format!("<p><b id=x{n}>");
        attributes += &format!("a{n} ");
    }
    for html in [
        formatting,
        attributes + ">end",
        "</p>".repeat(20_000),
        "<p>".repeat(10_000) + &"</div>".repeat(10_000),
        "<!--".repeat(50_000),
        "<style>".repeat(50_000),
        "<title></".repeat(50_000),
        "<a b='".repeat(50_000),
        "&".repeat(20_000),
        "&lt;".repeat(20_000),
        ("<i title='".to_owned() + &"&".repeat(16_000) + "'>").repeat(20),
        "<table>".repeat(20_000) + &"x<tr>".repeat(20_000),
        "<style>".to_owned() + &"@media screen{".repeat(20_000),
        "<style>a{color:".to_owned() + &"calc(".repeat(40_000),
        "<style>".to_owned() + &"a:not(".repeat(20_000),
        "<p style='width:".to_owned() + &"(".repeat(15_000) + "'>x",
    ] {
        html::sanitise(&html, &html::InlineImages::default());
        html::to_text(&html);
    }
}

#[test]
fn a_missing_boundary_does_not_cost_a_search_per_part() {
    let parts = "--b\nContent-Type: multipart/mixed; boundary=none\n\n".repeat(60_000);
    let raw = format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}");
    view(raw.as_bytes());
}

#[test]
fn a_text_is_shown_to_its_limit_and_cut_with_a_note_beyond() {
    let body = |length: usize| {
        let raw = format!("Content-Type: text/plain\n\n{}", "x".repeat(length));
        match view(raw.as_bytes()).body {
            Body::Text(text) => text,
            Body::Html { .. } => unreachable!(),
        }
    };
    assert_eq!(body(limits::TEXT).len(), limits::TEXT);
    let beyond = body(limits::TEXT + 1);
    assert!(beyond.ends_with("too long to be shown.]"));
    assert!(beyond.starts_with(&"x".repeat(limits::TEXT)));
}

#[test]
fn headers_beyond_their_limits_are_left_out() {
    let subject = |length: usize| {
        summary(format!("Subject:{}\n\n", "x".repeat(length)).as_bytes()).subject.len()
    };
    assert_eq!(subject(limits::HEADER_FIELD), limits::HEADER_FIELD);
    assert_eq!(subject(limits::HEADER_FIELD + 1), limits::HEADER_FIELD);

    let after =
        |fields: usize| summary(("X: y\n".repeat(fields) + "Subject: z\n\n").as_bytes()).subject;
    assert_eq!(after(limits::HEADER_FIELDS - 1), "z");
    assert_eq!(after(limits::HEADER_FIELDS), "");

    let to = |count: usize| {
        let list = vec!["a@b.c"; count].join(",");
        summary(format!("To: {list}\n\n").as_bytes()).to.len()
    };
    assert_eq!(to(limits::ADDRESSES), limits::ADDRESSES);
    assert_eq!(to(limits::ADDRESSES + 1), limits::ADDRESSES);

    let references = |count: usize| {
        let ids: Vec<String> = (0..count).map(|n| format!("<{n}@x>")).collect();
        view(format!("References: {}\n\n", ids.join(" ")).as_bytes()).references
    };
    assert_eq!(references(limits::REFERENCES).len(), limits::REFERENCES);
    let kept = references(limits::REFERENCES + 5);
    assert_eq!(kept.len(), limits::REFERENCES);
    assert_eq!((kept[0].as_str(), kept[1].as_str()), ("0@x", "6@x"));
}

fn safe(html: &str) -> String {
    html::sanitise(html, &html::InlineImages::default()).html
}

#[test]
fn html_beyond_its_limits_is_left_out() {
    let depth = |depth: usize| safe(&("<div>".repeat(depth) + "x")).matches("<div>").count();
    assert_eq!(depth(limits::HTML_DEPTH), limits::HTML_DEPTH);
    assert_eq!(depth(limits::HTML_DEPTH + 1), limits::HTML_DEPTH);

    let after = |attributes: usize| {
        let others: String = (0..attributes).map(|n| format!("a{n}=x ")).collect();
        safe(&format!("<p {others} id=last>x</p>"))
    };
    assert_eq!(after(limits::HTML_ATTRIBUTES - 1), "<p id=\"last\">x</p>");
    assert_eq!(after(limits::HTML_ATTRIBUTES), "<p>x</p>");

    let title = |length: usize| safe(&format!("<p title={}>x</p>", "x".repeat(length)));
    assert!(title(limits::HTML_ATTRIBUTE_VALUE).contains("title"));
    assert!(!title(limits::HTML_ATTRIBUTE_VALUE + 1).contains("title"));

    let text = |length: usize| safe(&("x".repeat(length) + "end")).contains("end");
    assert!(text(limits::HTML_INPUT - 3));
    assert!(!text(limits::HTML_INPUT - 2));
}

#[test]
fn html_that_grows_beyond_its_limit_is_shown_as_text() {
    let references = "&".repeat(limits::HTML_INPUT - 1);
    assert_eq!(safe(&references), "");
    let raw = format!("Content-Type: text/html\n\n{references}");
    assert!(matches!(view(raw.as_bytes()).body, Body::Text(text) if text.starts_with("&&&")));
}

#[test]
fn css_beyond_its_limits_is_left_out() {
    let calc = |depth: usize| {
        let value = "calc(".repeat(depth) + "1px" + &")".repeat(depth);
        safe(&format!("<p style=\"width:{value}\">x</p>")).contains("1px")
    };
    assert!(calc(limits::CSS_DEPTH));
    assert!(!calc(limits::CSS_DEPTH + 1));

    let sheet = |padding: usize| {
        let rule = "p{color:red}";
        safe(&format!("<style>{}{rule}</style>x", " ".repeat(padding - rule.len()))).contains("red")
    };
    assert!(sheet(limits::CSS_SHEETS));
    // A rule whose end is cut off is closed by the end of the sheet.
    assert!(!sheet(limits::CSS_SHEETS + 4));
}

#[test]
fn inline_images_beyond_their_limits_are_not_shown() {
    let png = |length: usize| {
        let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
        image.resize(length, 0);
        image
    };
    let shown = |images: html::InlineImages, ids: usize| {
        let html: String = (0..ids).map(|n| format!("<img src=cid:{n}>")).collect();
        html::sanitise(&html, &images).images_shown.len()
    };
    let one = |length: usize| html::InlineImages::new([("0".to_owned(), png(length))]);
    assert_eq!(shown(one(limits::INLINE_IMAGE), 1), 1);
    assert_eq!(shown(one(limits::INLINE_IMAGE + 1), 1), 0);
    let many = (0..=limits::INLINE_IMAGES).map(|n| (n.to_string(), png(8)));
    assert_eq!(
        shown(html::InlineImages::new(many), limits::INLINE_IMAGES + 1),
        limits::INLINE_IMAGES
    );
}

#[test]
fn anything_is_a_message() {
    let mut state = 0x1234_5678_9ABC_DEF1_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let pieces: [&[u8]; 24] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"--b",
        b"--b--",
        b"--",
        b":",
        b" ",
        b"\t",
        b"<",
        b">",
        b"=",
        b"=?utf-8?B?",
        b"?=",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: text/html\r\n",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Subject: ",
        b"From: a <b@c>, ",
        b"\0",
        b"\xff\xfe",
        b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n",
        b"<p>x</p>",
    ];
    for _ in 0..3_000 {
        let mut raw = Vec::new();
        for _ in 0..random() % 40 {
            raw.extend_from_slice(pieces[(random() % pieces.len() as u64) as usize]);
        }
        let row = summary(&raw);
        view(&raw);
        assert!(row.preview.chars().count() <= limits::PREVIEW_CHARS);
        assert!(!row.preview.chars().any(char::is_control));
        for media_type in ["text/plain", "text/html", "image/png", ""] {
            preview(&raw, media_type, Some("iso-2022-jp"), "quoted-printable");
        }
    }
}

#[test]
fn a_broken_date_is_no_date() {
    for date in ["", "yesterday", "Mon, 32 Jan 2024 00:00:00 +0000", "99999999999999999999"] {
        assert_eq!(summary(format!("Date: {date}\n\n").as_bytes()).sent, None, "{date}");
    }
    assert_eq!(summary(b"Date: Thu, 01 Jan 1970 01:00:01 +0100 (CET)\n\n").sent, Some(1_000));
}
