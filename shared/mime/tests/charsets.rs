//! Text in the character sets that mail uses, well and wrongly declared.

use postern_mime::{Body, decode_date, decode_header, summary, view};

fn body(charset: &str, bytes: &[u8]) -> String {
    let mut raw = format!("Content-Type: text/plain; charset={charset}\r\n\r\n").into_bytes();
    raw.extend_from_slice(bytes);
    match view(&raw).body {
        Body::Text(text) => text,
        Body::Html { document, .. } => document,
    }
}

#[test]
fn declared_character_sets_are_decoded() {
    for (charset, bytes, text) in [
        ("iso-2022-jp", &b"\x1b$B%O%m!<!&%o!<%k%I\x1b(B"[..], "ハロー・ワールド"),
        ("windows-1256", b"\xe3\xd1\xcd\xc8\xc7 \xc8\xc7\xe1\xda\xc7\xe1\xe3", "مرحبا بالعالم"),
        (
            "GB18030",
            b"\xc4\xe3\xba\xc3\xa3\xac\xca\xc0\xbd\xe7\x81\x30\x81\x30",
            "你好，世界\u{80}",
        ),
        ("\"koi8-r\"", b"\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2", "Привет, мир"),
        ("Shift_JIS", b"\x83n\x83\x8D\x81[", "ハロー"),
        ("big5", b"\xa7A\xa6n", "你好"),
        ("euc-kr", b"\xbe\xc8\xb3\xe7", "안녕"),
        ("utf-8", "Grüße 👋".as_bytes(), "Grüße 👋"),
        ("iso-8859-1", b"\x80 Gr\xfc\xdfe", "€ Grüße"),
        ("utf-16le", b"\xe1\x00\xe9\x00", "áé"),
    ] {
        assert_eq!(body(charset, bytes), text.replace('\u{80}', ""), "{charset}");
    }
}

#[test]
fn an_unknown_or_wrong_character_set_still_shows_the_text() {
    assert_eq!(body("x-unknown", "Grüße".as_bytes()), "Grüße");
    assert_eq!(body("x-unknown", b"Gr\xfc\xdfe"), "Grüße");
    assert_eq!(body("us-ascii", "Grüße".as_bytes()), "Grüße");
    assert_eq!(body("utf-8", b"Gr\xfc\xdfe aus K\xf6ln"), "Grüße aus Köln");
    assert_eq!(body("", b"plain"), "plain");
    let damaged = ["Grüße aus Zürich, schöne ".as_bytes(), b"\xff Tage"].concat();
    assert_eq!(body("utf-8", &damaged), "Grüße aus Zürich, schöne \u{fffd} Tage");
}

#[test]
fn headers_decode_encoded_words_of_any_character_set() {
    for (header, text) in [
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?b?8J+Riw==?= hi", "👋 hi"),
        ("=?iso-2022-jp?B?GyRCJU8lbSE8GyhC?=", "ハロー"),
        ("=?windows-1256?Q?=E3=D1=CD=C8=C7?=", "مرحبا"),
        ("=?gb18030?B?xOO6ww==?=", "你好"),
        ("=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=", "Привет"),
        ("=?utf-8*de?Q?Stra=C3=9Fe?=", "Straße"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
        ("Re: =?utf-8?Q?a_b?= c", "Re: a b c"),
        ("=?x-unknown?Q?abc?=", "abc"),
        ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
        ("=?", "=?"),
        ("", ""),
    ] {
        assert_eq!(decode_header(header.as_bytes()), text, "{header}");
    }
}

#[test]
fn headers_with_raw_eight_bit_text_are_decoded() {
    assert_eq!(decode_header("Grüße".as_bytes()), "Grüße");
    assert_eq!(decode_header(b"Gr\xfc\xdfe"), "Grüße");
    assert_eq!(summary(b"Subject: Gr\xfc\xdfe\nFrom: J\xf6rg <j@x.org>\n\n").from[0].name, "Jörg");
}

#[test]
fn words_of_ascii_stand_for_themselves() {
    for header in ["a", "Re: [x] beans & snails (2)", "ada@example.org", "a=b", "1 = 1"] {
        assert_eq!(decode_header(header.as_bytes()), header);
    }
    assert_eq!(decode_header(b" a  b "), "a b");
    assert_eq!(decode_header(b""), "");
}

#[test]
fn dates_are_milliseconds_since_1970() {
    let date = |value: &str| decode_date(value.as_bytes());
    assert_eq!(date("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)"), Some(837_595_405_000));
    assert_eq!(date("no date"), None);
    assert_eq!(date(""), None);
}

#[test]
fn a_header_is_one_line_that_does_not_lie_about_its_direction() {
    assert_eq!(decode_header(b"a\r\n b\tc  d "), "a b c d");
    assert_eq!(decode_header(b"=?utf-8?Q?a=0D=0Ab=00=1B[31mc?="), "a b [31mc");
    assert_eq!(decode_header("=?utf-8?B?4oCuZXhlLnR4dA==?=".as_bytes()), "exe.txt");
    assert_eq!(decode_header("a\u{2066}b\u{2069}\u{202a}c".as_bytes()), "abc");
}
