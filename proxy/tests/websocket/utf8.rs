//! Section 6: UTF-8. The sequences are those of Markus Kuhn's test of decoders.

use std::str;

use tokio::net::TcpStream;

use super::{
    case::{Case, play},
    echo,
    support::websocket::{
        CONTINUATION, Client, FINAL, Heard, PING, TEXT, fragmented, frame, header, whole,
    },
};

const KOSME: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
const UTF8: &str = "Hello-µ@ßöäüàá-UTF-8!!";

/// Sequences of bytes, each a message; whether they are text, the section says.
struct Section {
    number: u8,
    text: bool,
    sequences: Vec<Vec<u8>>,
}

fn section<const N: usize>(number: u8, text: bool, sequences: [&[u8]; N]) -> Section {
    Section { number, text, sequences: sequences.map(<[u8]>::to_vec).into() }
}

fn sections() -> Vec<Section> {
    vec![
        section(
            5,
            true,
            [
                b"hello\x24world",
                b"hello\xc2\xa2world",
                b"hello\xe2\x82\xacworld",
                b"hello\xf0\xa4\xad\xa2world",
                KOSME,
            ],
        ),
        section(7, true, [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"]),
        section(8, false, [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"]),
        section(9, true, [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"]),
        section(
            10,
            false,
            [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
        ),
        section(11, true, [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"]),
        section(11, false, [b"\xf4\x90\x80\x80"]),
        unexpected_continuations(),
        lonely_starts(),
        section(14, false, LAST_IS_MISSING),
        Section { number: 15, text: false, sequences: vec![LAST_IS_MISSING.concat()] },
        section(16, false, [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"]),
        section(
            17,
            false,
            [
                b"\xc0\xaf",
                b"\xe0\x80\xaf",
                b"\xf0\x80\x80\xaf",
                b"\xf8\x80\x80\x80\xaf",
                b"\xfc\x80\x80\x80\x80\xaf",
            ],
        ),
        section(
            18,
            false,
            [
                b"\xc1\xbf",
                b"\xe0\x9f\xbf",
                b"\xf0\x8f\xbf\xbf",
                b"\xf8\x87\xbf\xbf\xbf",
                b"\xfc\x83\xbf\xbf\xbf\xbf",
            ],
        ),
        section(
            19,
            false,
            [
                b"\xc0\x80",
                b"\xe0\x80\x80",
                b"\xf0\x80\x80\x80",
                b"\xf8\x80\x80\x80\x80",
                b"\xfc\x80\x80\x80\x80\x80",
            ],
        ),
        section(
            20,
            false,
            [
                b"\xed\xa0\x80",
                b"\xed\xad\xbf",
                b"\xed\xae\x80",
                b"\xed\xaf\xbf",
                b"\xed\xb0\x80",
                b"\xed\xbe\x80",
                b"\xed\xbf\xbf",
            ],
        ),
        section(
            21,
            false,
            [
                b"\xed\xa0\x80\xed\xb0\x80",
                b"\xed\xa0\x80\xed\xbf\xbf",
                b"\xed\xad\xbf\xed\xb0\x80",
                b"\xed\xad\xbf\xed\xbf\xbf",
                b"\xed\xae\x80\xed\xb0\x80",
                b"\xed\xae\x80\xed\xbf\xbf",
                b"\xed\xaf\xbf\xed\xb0\x80",
                b"\xed\xaf\xbf\xed\xbf\xbf",
            ],
        ),
        no_characters(),
        section(
            23,
            true,
            [
                b"\xef\xbf\xb9",
                b"\xef\xbf\xba",
                b"\xef\xbf\xbb",
                b"\xef\xbf\xbc",
                b"\xef\xbf\xbd",
                b"\xef\xbf\xbe",
                b"\xef\xbf\xbf",
            ],
        ),
    ]
}

/// Characters whose last byte is missing.
const LAST_IS_MISSING: [&[u8]; 10] = [
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xfc\x80\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfb\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf",
];

fn unexpected_continuations() -> Section {
    let alternating = (2..=6).map(|length| [0x80, 0xbf].into_iter().cycle().take(length).collect());
    let mut sequences = vec![vec![0x80], vec![0xbf]];
    sequences.extend(alternating);
    sequences.push((0x80..0xbf).collect());
    Section { number: 12, text: false, sequences }
}

fn lonely_starts() -> Section {
    let starts = [0xc0..0xdf, 0xe0..0xef, 0xf0..0xf7, 0xf8..0xfb, 0xfc..0xfd];
    let sequences = starts.map(|starts| starts.flat_map(|start| [start, b' ']).collect());
    Section { number: 13, text: false, sequences: sequences.into() }
}

/// The last two code points of each plane, which are text all the same.
fn no_characters() -> Section {
    let planes = (0..=0x10_u32).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    let sequences = planes.map(|code| char::from_u32(code).unwrap().to_string().into_bytes());
    Section { number: 22, text: true, sequences: sequences.collect() }
}

fn bytewise(payload: &[u8]) -> Vec<u8> {
    fragmented(TEXT, payload.chunks(1))
}

#[tokio::test]
async fn text_comes_back_whatever_it_is_cut_into() {
    let middle = "middle frame payload";
    let (before, after) = UTF8.split_at(UTF8.find('ä').unwrap());
    play(&[
        Case::new("6.1.1").say(whole(TEXT, "")).echo(TEXT, ""),
        Case::new("6.1.2").say(fragmented(TEXT, ["", "", ""])).echo(TEXT, ""),
        Case::new("6.1.3").say(fragmented(TEXT, ["", middle, ""])).echo(TEXT, middle),
        Case::new("6.2.1").say(whole(TEXT, UTF8)).echo(TEXT, UTF8),
        Case::new("6.2.2").say(fragmented(TEXT, [before, after])).echo(TEXT, UTF8),
        Case::new("6.2.3").say(bytewise(UTF8.as_bytes())).echo(TEXT, UTF8),
        Case::new("6.2.4").say(bytewise(KOSME)).echo(TEXT, KOSME),
    ])
    .await;
}

#[tokio::test]
async fn text_that_stops_being_one_ends_the_connection() {
    let edited = [KOSME, b"\xed\xa0\x80edited"].concat();
    play(&[
        Case::new("6.3.1").say(whole(TEXT, &edited)).closed(1007),
        Case::new("6.3.2").say(bytewise(&edited)).closed(1007),
    ])
    .await;
}

/// The beginnings of a text: those that end within a character are no text.
#[tokio::test]
async fn a_message_must_not_end_within_a_character() {
    let cases = (1..=KOSME.len()).map(|length| {
        let beginning = &KOSME[..length];
        let case = Case::new(format!("6.6.{length}")).say(whole(TEXT, beginning));
        match length {
            2 | 5 | 7 | 9 | 11 => case.echo(TEXT, beginning),
            _ => case.closed(1007),
        }
    });
    play(&cases.collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn each_sequence_is_judged_right_whole_and_in_fragments_of_a_byte() {
    let mut cases = Vec::new();
    let mut before = 0;
    for Section { number, text, sequences } in sections() {
        // 6.11 has both kinds.
        let first = if number == 11 && !text { before } else { 0 };
        before = sequences.len();
        for (n, sequence) in (first + 1..).zip(sequences) {
            for (how, sent) in [("whole", whole(TEXT, &sequence)), ("bytes", bytewise(&sequence))] {
                let case = Case::new(format!("6.{number}.{n}, {how}")).say(sent);
                cases.push(if text { case.echo(TEXT, &*sequence) } else { case.closed(1007) });
            }
        }
    }
    assert_eq!(cases.len(), 2 * 121);
    play(&cases).await;
}

/// Sends pieces, each after the one before was judged good, except for the last.
async fn fail_fast(name: &str, pieces: &[Vec<u8>]) {
    let stream = TcpStream::connect(echo::listen().await).await.unwrap();
    let mut client = Client::connect(stream, "/", &["Host: localhost".into()]).await;
    for piece in pieces {
        client.say(piece).await;
    }
    // What would end the frame, or the message, never comes.
    assert_eq!(client.hear().await, Heard::Close(Some(1007)), "{name}");
    assert_eq!(client.hear().await, Heard::End, "{name}");
}

#[tokio::test]
async fn the_first_byte_that_can_not_be_text_ends_the_connection_at_once() {
    const BAD: &[u8] = b"\xf4\x90\x80\x80";
    let length = (KOSME.len() + BAD.len() + "edited".len()) as u64;
    let first = frame(TEXT, KOSME);
    let ping = whole(PING, "good so far");
    let begun = |at: usize| {
        let all = frame(FINAL | TEXT, &[KOSME, BAD, b"edited"].concat());
        all[..header(TEXT, length).len() + at].to_vec()
    };
    let good = KOSME.len();
    fail_fast("6.4.1", &[first.clone(), frame(CONTINUATION, BAD)]).await;
    let start = frame(TEXT, &[KOSME, &BAD[..1]].concat());
    fail_fast("6.4.2", &[start, frame(CONTINUATION, &BAD[1..2])]).await;
    fail_fast("6.4.3", &[begun(good + BAD.len())]).await;
    fail_fast("6.4.4", &[begun(good + 2)]).await;

    // Until then, all is well.
    let stream = TcpStream::connect(echo::listen().await).await.unwrap();
    let mut client = Client::connect(stream, "/", &["Host: localhost".into()]).await;
    client.say(&[frame(TEXT, &[KOSME, &BAD[..1]].concat()), ping].concat()).await;
    assert_eq!(client.hear().await, Heard::Pong(b"good so far".to_vec()));
    client.say(&frame(CONTINUATION, &BAD[1..2])).await;
    assert_eq!(client.hear().await, Heard::Close(Some(1007)));
}

/// As in 6.4, for each sequence that is no text and shows it before it ends.
#[tokio::test]
async fn every_bad_sequence_is_found_at_its_first_bad_byte() {
    let bad =
        |sequence: &[u8]| str::from_utf8(sequence).is_err_and(|error| error.error_len().is_some());
    let mut found = 0;
    for Section { number, sequences, .. } in sections().into_iter().filter(|section| !section.text)
    {
        for (n, sequence) in (1..).zip(sequences) {
            let Some(length) = (1..=sequence.len()).find(|length| bad(&sequence[..*length])) else {
                continue;
            };
            // A frame that says that it is longer.
            let mut sent = frame(TEXT, &[&sequence[..length], b"rest"].concat());
            sent.truncate(sent.len() - "rest".len());
            fail_fast(&format!("6.{number}.{n}"), &[sent]).await;
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}
