use super::*;

fn small() -> Limits {
    Limits { response: 64, held_literal: 8, literals: 3, streamed_literal: 40, ..Limits::default() }
}

/// What came out; the chunks of a streamed literal are joined, since their cut is the input's.
#[derive(Debug, PartialEq)]
enum Got {
    Response(Vec<String>),
    Stream(u64, u64, String),
}

fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Got>, FramingError> {
    let mut framer = Framer::new(small());
    let mut got: Vec<Got> = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for mut piece in pieces {
        while let Some(frame) = framer.next(&mut piece)? {
            match (frame, got.last_mut()) {
                (Frame::Response(raw), _) => {
                    let rest = raw.rest().map(|segment| match segment {
                        Segment::Text(bytes) => text(bytes),
                        Segment::Literal(bytes) => format!("<{}>", text(bytes)),
                        Segment::Streamed(stream, size) => format!("<#{stream}: {size}>"),
                    });
                    got.push(Got::Response([text(raw.line())].into_iter().chain(rest).collect()));
                }
                (Frame::StreamStart(stream, size), _) => {
                    got.push(Got::Stream(stream, size, String::new()));
                }
                (Frame::StreamChunk(own, chunk), Some(Got::Stream(stream, _, all))) => {
                    assert_eq!(own, *stream);
                    all.push_str(&text(chunk));
                }
                (Frame::StreamEnd(own), Some(Got::Stream(stream, size, all))) => {
                    assert_eq!((own, all.len() as u64), (*stream, *size));
                }
                (frame, _) => panic!("{frame:?}"),
            }
        }
        assert!(piece.is_empty());
    }
    Ok(got)
}

fn response(segments: &[&str]) -> Got {
    Got::Response(segments.iter().map(|segment| (*segment).to_owned()).collect())
}

#[test]
fn a_literal_is_a_part_of_its_response_and_a_large_one_streams_past() {
    let input = b"* 1 FETCH (A {3}\r\na)b B ~{9+}\r\n123456789)\r\n* OK\r\n";
    let expected = vec![
        Got::Stream(1, 9, "123456789".into()),
        response(&["* 1 FETCH (A ", "<a)b>", " B ", "<#1: 9>", ")"]),
        response(&["* OK"]),
    ];
    assert_eq!(frames([&input[..]]).unwrap(), expected);
    for cut in 0..=input.len() {
        for next in cut..=input.len() {
            let pieces = [&input[..cut], &input[cut..next], &input[next..]];
            assert_eq!(frames(pieces).unwrap(), expected, "cut at {cut} and {next}");
        }
    }
    assert_eq!(frames(input.chunks(1)).unwrap(), expected);
}

#[test]
fn text_for_people_never_announces_a_literal() {
    for line in ["* OK {5}", "* bye {5}", "A1 NO {5}", "+ {5}", "* 1 FETCH {x}", "* X {}", "* X }"]
    {
        let input = format!("{line}\r\n");
        assert_eq!(frames([input.as_bytes()]).unwrap(), [response(&[line])], "{line}");
    }
}

#[test]
fn a_line_may_end_in_a_bare_line_feed() {
    assert_eq!(frames([&b"* X\n"[..]]).unwrap(), [response(&["* X"])]);
    let expected = [response(&["* X ", "<ab>", ""])];
    assert_eq!(frames([&b"* X {2}\nab\n"[..]]).unwrap(), expected);
}

#[test]
fn an_empty_literal_is_a_literal() {
    let expected = [response(&["* X ", "<>", ""])];
    assert_eq!(frames([&b"* X {0}\r\n\r\n"[..]]).unwrap(), expected);
}

#[test]
fn a_response_of_the_limit_passes_and_one_byte_more_ends_the_session() {
    let line = |length: usize| [vec![b'x'; length], b"\n".to_vec()].concat();
    assert_eq!(frames([&line(64)[..]]).unwrap().len(), 1);
    assert_eq!(frames([&line(65)[..]]), Err(FramingError::ResponseTooLong));
    assert_eq!(frames([&[b'x'; 64][..]]), Ok(vec![]));
    assert_eq!(frames([&[b'x'; 65][..]]), Err(FramingError::ResponseTooLong));
    assert_eq!(frames([b'x'; 65].chunks(1)), Err(FramingError::ResponseTooLong));
}

#[test]
fn held_literals_count_towards_the_response() {
    let input = |text: usize| format!("* {} {{8}}\n12345678\n", "x".repeat(text - 7));
    assert_eq!(frames([input(56).as_bytes()]).unwrap().len(), 1);
    assert_eq!(frames([input(57).as_bytes()]), Err(FramingError::ResponseTooLong));
}

#[test]
fn a_literal_of_the_limit_is_held_and_a_larger_one_streams() {
    let input = |size: usize| format!("* X {{{size}}}\r\n{}\r\n", "x".repeat(size));
    assert_eq!(frames([input(8).as_bytes()]).unwrap().len(), 1);
    assert_eq!(frames([input(9).as_bytes()]).unwrap().len(), 2);
}

#[test]
fn a_streamed_literal_of_the_limit_passes_and_a_larger_one_ends_the_session() {
    let input = |size: usize| format!("* X {{{size}}}\r\n{}\r\n", "x".repeat(size));
    assert_eq!(frames([input(40).as_bytes()]).unwrap().len(), 2);
    assert_eq!(frames([input(41).as_bytes()]), Err(FramingError::LiteralTooLarge));
}

#[test]
fn a_size_that_is_no_size_ends_the_session() {
    let cases = [
        ("* X {99999999999999999999999}\r\n", FramingError::LiteralTooLarge),
        ("* X {18446744073709551615}\r\n", FramingError::LiteralTooLarge),
        ("* X {-1}\r\n", FramingError::NegativeLiteral),
        ("* X ~{-5+}\r\n", FramingError::NegativeLiteral),
    ];
    for (input, error) in cases {
        assert_eq!(frames([input.as_bytes()]), Err(error), "{input}");
    }
}

#[test]
fn a_literal_that_is_longer_than_announced_ends_the_session() {
    // What was said to be 3 bytes goes on: what looks like responses in it must not be believed.
    let input = "* X ({3}\r\nabcd\r\n* 1 EXPUNGE\r\n)\r\n";
    assert_eq!(frames([input.as_bytes()]), Err(FramingError::WrongLiteralSize));
    assert_eq!(frames(input.as_bytes().chunks(1)), Err(FramingError::WrongLiteralSize));
}

#[test]
fn literals_of_the_limit_pass_and_one_more_ends_the_session() {
    let input = |count: usize| format!("* X{}\r\n", " {1}\r\nx".repeat(count));
    assert_eq!(frames([input(3).as_bytes()]).unwrap().len(), 1);
    assert_eq!(frames([input(4).as_bytes()]), Err(FramingError::TooManyLiterals));
}
