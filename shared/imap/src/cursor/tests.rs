use super::*;
use crate::{
    framer::{Frame, Framer},
    token::{Arena, Token, tokens},
};

fn limits() -> Limits {
    Limits { depth: 3, tokens: 6, ..Limits::default() }
}

/// All that a cursor gives, as text: strings in quotes, lists in brackets.
fn show(cursor: &mut Cursor<'_>) -> String {
    let mut shown = Vec::new();
    while let Some(item) = cursor.next() {
        let text = item.spelled().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        shown.push(match item {
            Item::Atom(_) => text.into_owned(),
            Item::String(_) | Item::Escaped(_) => format!("'{text}'"),
            Item::Streamed(stream, size) => format!("<#{stream}: {size}>"),
            Item::List => {
                let inner = show(cursor);
                cursor.leave();
                format!("({inner})")
            }
        });
    }
    shown.join(" ")
}

/// The same of a tree.
fn show_tree(items: &[Token<'_>]) -> String {
    let show = |token: &Token<'_>| match token {
        Token::Atom(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Token::Quoted(bytes) | Token::Literal(bytes) => {
            format!("'{}'", String::from_utf8_lossy(bytes))
        }
        Token::Streamed(stream, size) => format!("<#{stream}: {size}>"),
        Token::List(items) => format!("({})", show_tree(items)),
    };
    items.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn with_response<T>(input: &str, read: impl FnOnce(RawResponse<'_>) -> T) -> T {
    let mut framer = Framer::new(Limits::default());
    let mut input = &*format!("{input}\r\n").into_bytes();
    loop {
        match framer.next(&mut input).unwrap() {
            Some(Frame::Response(raw)) => return read(raw),
            Some(_) => {}
            None => panic!("no whole response"),
        }
    }
}

#[test]
fn it_reads_what_the_tree_reads() {
    let streamed = "x".repeat(70_000);
    let streamed = format!("* A ({{70000}}\r\n{streamed})");
    let cases = [
        "* ",
        "* A  B ",
        r#"* \Seen "a \"b\" \\" "#,
        "* (A)(B)",
        "* BODY[HEADER.FIELDS (A B)]<0> 1",
        "* BODY[ A",
        "* \"\"",
        "* \u{e4} \"\u{e4}\"",
        "* (A",
        "* A) B",
        "* \"A",
        r#"* "A\"#,
        r#"* "\"#,
        "* (((A)))",
        "* ((((A))))",
        "* ((((A) B) C) D) E",
        "* ((((A",
        "* 1 2 3 4 5 6",
        "* 1 2 3 4 5 6 7",
        "* X ({3}\r\n)\r\n B {2}\r\nab)",
        "* ({1}\r\n( A",
        &streamed,
    ];
    for case in cases {
        with_response(case, |raw| {
            let arena = Arena::default();
            let tree = tokens(raw, 2, &arena, &limits());
            let mut cursor = Cursor::new(raw, 2, &limits());
            assert_eq!(show(&mut cursor), show_tree(tree.items), "{case}");
            assert_eq!(cursor.finish(), tree.defect, "{case}");
        });
    }
}

#[test]
fn what_is_not_read_of_a_list_is_passed_over() {
    with_response("* (A (B (C) \"D)\") E) F", |raw| {
        let mut cursor = Cursor::new(raw, 2, &Limits::default());
        let first = cursor.list(|list| list.next());
        assert_eq!(first, Some(Some(Item::Atom(b"A"))));
        assert_eq!(cursor.next(), Some(Item::Atom(b"F")));
        assert_eq!((cursor.next(), cursor.finish()), (None, None));
    });
}

#[test]
fn a_hundred_thousand_open_brackets_do_no_harm() {
    with_response(&format!("* {}", "(".repeat(100_000)), |raw| {
        let mut cursor = Cursor::new(raw, 2, &Limits::default());
        cursor.skip();
        assert_eq!(cursor.finish(), Some(TokenDefect::TooDeep));
    });
}
