//! What the reading pane and the list show of messages as they are sent.

use postern_mime::{Body, limits, part, preview, references, summary, view};

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn document(raw: &str) -> (String, u32) {
    match view(raw.as_bytes()).body {
        Body::Html { document, remote_blocked } => (document, remote_blocked),
        Body::Text(text) => panic!("text: {text}"),
    }
}

fn text(raw: &str) -> String {
    match view(raw.as_bytes()).body {
        Body::Text(text) => text,
        Body::Html { document, .. } => panic!("html: {document}"),
    }
}

fn alternative(html: &str) -> String {
    format!(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain words\n\
         --b\nContent-Type: text/html\n\n{html}\n--b--\n"
    )
}

fn related(html: &str, image_type: &str) -> String {
    format!(
        "Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n{html}\n\
         --r\nContent-Type: {image_type}; name=logo.png\nContent-ID: <logo@x>\n\
         Content-Disposition: inline; filename=logo.png\nContent-Transfer-Encoding: base64\n\n{PNG}\n--r--\n"
    )
}

#[test]
fn html_is_preferred_to_its_plain_alternative_which_is_the_text() {
    let raw = alternative("<p>rich <b>words</b></p>");
    assert!(document(&raw).0.contains("<p>rich <b>words</b></p>"));
    assert_eq!(view(raw.as_bytes()).text, "plain words");
    assert_eq!(summary(raw.as_bytes()).preview, "plain words");
    assert!(view(raw.as_bytes()).attachments.is_empty());
}

#[test]
fn html_that_shows_nothing_gives_way_to_the_plain_alternative() {
    for empty in ["", "<script>alert(1)</script>", "<p>&nbsp;</p><!-- x -->", "<style>p{}</style>"]
    {
        assert_eq!(text(&alternative(empty)), "plain words", "{empty}");
    }
}

#[test]
fn html_alone_has_its_own_text() {
    let raw = "Content-Type: text/html\n\n<h1>Title</h1><p>one<br>two</p>";
    assert_eq!(view(raw.as_bytes()).text, "Title\n\none\ntwo");
    assert_eq!(summary(raw.as_bytes()).preview, "Title one two");
}

#[test]
fn the_document_is_complete_and_forbids_everything_itself() {
    let (document, _) = document("Content-Type: text/html\n\n<p>x");
    assert!(document.starts_with("<!doctype html><html><head><meta charset=\"utf-8\">"));
    assert!(document.contains(
        "<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    ));
    assert!(document.ends_with("</body></html>"));
}

#[test]
fn mail_with_colours_gets_a_white_page_and_other_mail_the_theme() {
    for (html, light) in [
        ("<p>x", false),
        ("<p style='text-align:center'>x", false),
        ("<p style='color:#222'>x", true),
        ("<table bgcolor=white><tr><td>x", true),
        ("<body bgcolor=ffffff>x", true),
        ("<font color=red>x</font>", true),
        ("<style>p{background:#eee}</style><p>x", true),
    ] {
        let (document, _) = document(&format!("Content-Type: text/html\n\n{html}"));
        assert_eq!(document.contains("<html class=\"light\">"), light, "{html}");
    }
}

#[test]
fn inline_images_are_part_of_the_document_and_not_attachments() {
    for reference in ["cid:logo@x", "CID:logo%40x"] {
        let raw = related(&format!("<img src=\"{reference}\" alt=Logo>"), "image/png");
        let (document, blocked) = document(&raw);
        assert!(document.contains(&format!("src=\"data:image/png;base64,{PNG}\"")));
        assert_eq!(blocked, 0);
        assert!(view(raw.as_bytes()).attachments.is_empty());
        assert!(!summary(raw.as_bytes()).has_attachments);
    }
}

#[test]
fn an_inline_image_that_nothing_shows_is_an_attachment() {
    let raw = related("<p>no image</p>", "image/png");
    let attachments = view(raw.as_bytes()).attachments;
    assert_eq!(attachments.len(), 1);
    assert_eq!((attachments[0].section.as_str(), attachments[0].name.as_str()), ("2", "logo.png"));
    assert_eq!(part(raw.as_bytes(), "2").unwrap().content[..4], *b"\x89PNG");
}

#[test]
fn an_image_is_what_its_bytes_say_and_not_what_the_mail_says() {
    let claimed = related("<img src=cid:logo@x>", "image/svg+xml");
    assert!(document(&claimed).0.contains("data:image/png;base64,"));
    let svg = claimed.replace(PNG, "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+");
    let shown = view(svg.as_bytes());
    assert!(!format!("{:?}", shown.body).contains("<img src"));
    assert_eq!(shown.attachments.len(), 1);
}

#[test]
fn remote_images_are_left_out_and_counted_and_their_text_is_kept() {
    let raw = "Content-Type: text/html\n\n<body background=http://x/b.png>\
        <img src='https://x/a.png' alt='A cat'><img src=//x/pixel.gif width=1 height=1>\
        <div style='background:url(https://x/c.png)'><p style=\"background-image:url('http://x/d')\">t";
    let (document, blocked) = document(raw);
    assert_eq!(blocked, 5);
    assert!(document.contains("alt=\"A cat\""));
    assert!(!document.contains("//x") && !document.contains(".png"));
    assert_eq!(view(raw.as_bytes()).text, "A cat\n\nt");
}

#[test]
fn several_texts_are_shown_in_order() {
    let raw = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/png\n\
        Content-Disposition: attachment; filename=a.png\n\nx\n--b\n\nsecond <not a tag>\n--b--\n";
    assert_eq!(text(raw), "first\n\nsecond <not a tag>");
    let with_html = raw.replacen("--b\n\nfirst", "--b\nContent-Type: text/html\n\n<b>first</b>", 1);
    let (document, _) = document(&with_html);
    assert!(document.contains("<b>first</b>"));
    assert!(document.contains("<hr><div class=\"postern-text\">second &lt;not a tag&gt;"));
    assert!(view(raw.as_bytes()).attachments.len() == 1 && summary(raw.as_bytes()).has_attachments);
}

#[test]
fn text_with_a_file_name_or_marked_as_attachment_is_an_attachment() {
    for disposition in ["attachment", "attachment; filename=a.txt", "inline; filename=a.txt"] {
        let raw = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: text/plain\n\
             Content-Disposition: {disposition}\n\nnotes\n--b--\n"
        );
        assert_eq!(text(&raw), "hello");
        assert_eq!(view(raw.as_bytes()).attachments.len(), 1, "{disposition}");
    }
}

#[test]
fn a_signature_is_listed_but_gets_no_paper_clip() {
    let raw = "Content-Type: multipart/signed; boundary=b\n\n--b\n\nhello\n--b\n\
        Content-Type: application/pgp-signature; name=signature.asc\n\nx\n--b--\n";
    assert_eq!(view(raw.as_bytes()).attachments[0].name, "signature.asc");
    assert!(!summary(raw.as_bytes()).has_attachments);
}

#[test]
fn an_invitation_beside_text_and_html_is_an_attachment() {
    let raw = alternative("<p>rich</p>").replace(
        "--b--",
        "--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--b--",
    );
    assert_eq!(view(raw.as_bytes()).attachments[0].name, "text.ics");
}

#[test]
fn an_answer_gets_the_references_of_the_conversation() {
    let references = |headers: &str| view(format!("{headers}\n\nx").as_bytes()).references;
    assert_eq!(references("Message-ID: <c@x>\nReferences: <a@x>\n <b@x>"), ["a@x", "b@x", "c@x"]);
    assert_eq!(references("Message-ID: <c@x>\nIn-Reply-To: <b@x>"), ["b@x", "c@x"]);
    assert_eq!(references("Message-ID: <c@x>"), ["c@x"]);
    assert_eq!(references("References: <a@x>"), ["a@x"]);
    assert_eq!(references("Subject: none"), Vec::<String>::new());
}

#[test]
fn flowed_text_is_put_together_again() {
    let raw = "Content-Type: text/plain; format=flowed\n\nOne \nparagraph.\n\n> quoted \n> words\n>> deep\n\
        not quoted\n \n-- \nAda\n";
    assert_eq!(text(raw), "One paragraph.\n\n> quoted words\n>> deep\nnot quoted\n\n-- \nAda");
    let deleted = "Content-Type: text/plain; format=flowed; delsp=yes\n\n日本 \n語\n";
    assert_eq!(text(deleted), "日本語");
}

#[test]
fn a_preview_leaves_out_quotes_signatures_rules_and_padding() {
    for (body, expected) in [
        ("> old\n\nnew words\n-- \nAda", "new words"),
        ("> only a quote", "> only a quote"),
        ("==========\nNews\n==========\nfirst", "News first"),
        ("a  b\t\n\n c", "a b c"),
        ("", ""),
    ] {
        assert_eq!(preview(body.as_bytes(), "text/plain", None, "7bit"), expected, "{body}");
    }
    let padded =
        "<div style='display:none'>Sale&nbsp;&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#8203;</div>now";
    assert_eq!(preview(padded.as_bytes(), "text/html", None, "7bit"), "Sale now");
    let long = "word ".repeat(100);
    let cut = preview(long.as_bytes(), "TEXT/Plain", Some("utf-8"), "8bit");
    assert_eq!(cut.chars().count(), limits::PREVIEW_CHARS - 1);
}

#[test]
fn a_preview_of_a_cut_part_has_no_half_characters() {
    let text = "Grüße aus Zürich und viele schöne Tage";
    for end in 0..text.len() {
        let cut = preview(&text.as_bytes()[..end], "text/plain", Some("utf-8"), "8bit");
        assert!(text.starts_with(cut.trim_end_matches('\u{fffd}')), "{cut}");
        let cut = preview(&text.as_bytes()[..end], "text/plain", None, "8bit");
        assert!(text.starts_with(cut.trim_end_matches('\u{fffd}')), "{cut}");
    }
    assert_eq!(preview(b"SGVsbG8gd29y", "text/plain", None, "base64"), "Hello wor");
    assert_eq!(preview(b"<p>hello <a href='http://", "text/html", None, "7bit"), "hello");
}

#[test]
fn attachment_names_are_decoded_and_safe() {
    let name = |parameters: &str| {
        let raw = format!(
            "Content-Type: application/pdf\nContent-Disposition: attachment; {parameters}\n\nx"
        );
        view(raw.as_bytes()).attachments.remove(0).name
    };
    for (parameters, safe) in [
        ("filename=report.pdf", "report.pdf"),
        ("filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf", "Größe.pdf"),
        ("filename*0=\"a very \"; filename*1=\"long name.pdf\"", "a very long name.pdf"),
        ("filename=\"=?utf-8?Q?Gr=C3=B6=C3=9Fe.pdf?=\"", "Größe.pdf"),
        ("filename=\"../../etc/passwd\"", "passwd.pdf"),
        ("filename=\"C:\\\\Windows\\\\evil.exe\"", "evil.exe"),
        ("filename=\"/\"", "attachment.pdf"),
        ("filename=\"...\"", "attachment.pdf"),
        ("filename=\".htaccess\"", "htaccess.pdf"),
        ("filename=\"CON\"", "_CON.pdf"),
        ("filename=\"nul.txt\"", "_nul.txt"),
        ("filename=\"a<b>:c|d?e*.txt\"", "a_b__c_d_e_.txt"),
        ("filename*=UTF-8''annexe%E2%80%AEfdp.exe", "annexefdp.exe"),
        ("filename*=UTF-8''a%00b%0D%0Ac.txt", "a b c.txt"),
        ("filename=\"name with trailing dots. . .\"", "name with trailing dots.pdf"),
        ("size=1", "attachment.pdf"),
    ] {
        assert_eq!(name(parameters), safe, "{parameters}");
    }
    let long = name(&format!("filename=\"{}.docx\"", "x".repeat(limits::FILE_NAME)));
    assert!(long.len() <= limits::FILE_NAME && long.ends_with("xx.docx"));
}

#[test]
fn damaged_encodings_show_what_can_be_read() {
    let body = |encoding: &str, content: &str| {
        text(&format!("Content-Transfer-Encoding: {encoding}\n\n{content}"))
    };
    assert_eq!(body("base64", "SGVs*bG8g\nd29y!bGQ"), "Hello world");
    assert_eq!(body("base64", "SGVsbG8=IHdvcmxk"), "Hello world");
    assert_eq!(body("BASE64 (comment)", "SGVsbG8="), "Hello");
    assert_eq!(body("quoted-printable", "a=3Db=\nc =ZZ =e9t=C3=A9 =\n"), "a=bc =ZZ \u{fffd}té");
    assert_eq!(body("quoted-printable", "caf=C3=A9  \nend="), "café\nend");
    assert_eq!(body("x-unknown", "as it is"), "as it is");
}

#[test]
fn addresses_of_all_forms_are_read() {
    let from = |value: &str| {
        let found = summary(format!("From: {value}\n\n").as_bytes()).from;
        found.into_iter().map(|a| format!("{}|{}", a.name, a.address)).collect::<Vec<_>>().join(";")
    };
    for (value, expected) in [
        ("a@b.c", "|a@b.c"),
        ("Ada <a@b.c>", "Ada|a@b.c"),
        ("\"Lovelace, Ada\" <a@b.c>, Bob <b@b.c>", "Lovelace, Ada|a@b.c;Bob|b@b.c"),
        ("=?utf-8?Q?J=C3=B6rg?= <j@b.c>", "Jörg|j@b.c"),
        ("a@b.c (Ada)", "Ada|a@b.c"),
        ("friends: a@b.c, b@b.c;", "|a@b.c;|b@b.c"),
        ("undisclosed-recipients:;", ""),
        ("", ""),
        ("just a name", "just a name|"),
    ] {
        assert_eq!(from(value), expected, "{value}");
    }
}

#[test]
fn what_a_message_follows_is_named_by_references_and_by_what_it_answers() {
    let cases: [(&str, &[&str]); 7] = [
        ("References: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\n", &["a@x", "b@x"]),
        ("References: <a@x>\r\n <b@x>\r\n\r\n", &["a@x", "b@x"]),
        ("In-Reply-To: <b@x>\r\n\r\n", &["b@x"]),
        ("In-Reply-To: <c@x>\r\nReferences: <a@x>\r\n\r\n", &["a@x", "c@x"]),
        ("In-Reply-To: Ada's message of Tuesday <b@x>\r\n\r\n", &["b@x"]),
        ("References: \r\n\r\n", &[]),
        ("Subject: x\r\n\r\nReferences: <a@x>\r\n", &[]),
    ];
    for (header, expected) in cases {
        assert_eq!(references(header.as_bytes()), expected, "{header}");
        assert_eq!(summary(header.as_bytes()).references, expected, "{header}");
    }
    let many: String = (0..10_000).map(|n| format!(" <{n}@x>")).collect();
    let header = format!("References:{many}\r\nIn-Reply-To: <last@x>\r\n\r\n");
    let kept = references(header.as_bytes());
    assert_eq!(kept.len(), limits::REFERENCES);
    assert_eq!((&*kept[0], &*kept[limits::REFERENCES - 1]), ("0@x", "last@x"));
}
