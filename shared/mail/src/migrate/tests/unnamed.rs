//! Messages without a Message-ID.

use super::*;

/// When what has no date arrived: in the fifth second of 2026.
const ARRIVED: i64 = 1_767_225_605_000;

/// Letters with such headers, as they are stored in the inbox.
fn unnamed(headers: &[&str]) -> Vec<Write> {
    let mut writes = Vec::new();
    for (uid, header) in (1..).zip(headers) {
        let id = MessageId { mailbox: INBOX, uid };
        let raw = format!("{header}\r\nA page.\r\n").into_bytes();
        let body = Body::Whole { size: raw.len() as u64 };
        let own = Message::summarised(id, ARRIVED, &raw, body);
        let arrived = own.sent.unwrap_or(ARRIVED);
        writes.extend(Message { arrived, ..own }.put_listed());
        writes.extend(put_body(id, &raw));
    }
    writes
}

/// What a server tells of a letter that it received at this time.
fn told(time: &str, [date, subject, name, host]: [&str; 4]) -> String {
    let text = |text: &str| if text.is_empty() { "NIL".into() } else { format!("\"{text}\"") };
    let envelope = format!(
        "{} {} ((NIL NIL {} {})) NIL NIL NIL NIL NIL NIL NIL",
        text(date),
        text(subject),
        text(name),
        text(host)
    );
    format!("INTERNALDATE \"{time}\" ENVELOPE ({envelope})")
}

/// The same of one that came as this letter does: its date, its subject, and the two parts of its
/// sender.
fn fields(letter: &str) -> [&str; 4] {
    let field = |name| letter.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let (name, host) = field("From: ").split_once('@').unwrap_or_default();
    [field("Date: "), field("Subject: "), name, host]
}

fn as_it_is(letter: &str, time: &str) -> String {
    told(time, fields(letter))
}

const FIGS: &str = "From: ann@example.org\r\nSubject: Figs\r\n";
const GREEN: &str = "From: ann@example.org\r\nSubject: =?utf-8?Q?Gr=C3=BCne_Feigen?=\r\n";
const BARE: &str = "From: ann@example.org\r\n";
const DATED: &str =
    "From: ann@example.org\r\nDate: Wed, 31 Dec 2025 10:00:00 +0000\r\nSubject: Figs\r\n";

#[test]
fn a_message_is_there_if_one_is_told_with_its_time_its_sender_and_its_subject() {
    const IN_IT: &str = "01-Jan-2026 00:00:05 +0000";
    const LATER: &str = "01-Jan-2026 00:00:06 +0000";
    const DATED_IN_IT: &str = "31-Dec-2025 10:00:00 +0000";
    const A_SECOND_LATER: &str = "Wed, 31 Dec 2025 10:00:01 +0000";
    const ELSEWHERE: &str = "Wed, 31 Dec 2025 11:00:00 +0100";
    let [there, copied, unknown] = [(0, 1, 0), (1, 0, 0), (0, 0, 1)];
    let cases = [
        (FIGS, IN_IT, ["", "Figs", "ann", "example.org"], there),
        (FIGS, "01-Jan-2026 01:00:05 +0100", ["", "Figs", "ann", "example.org"], there),
        // Some tell when it arrived if it does not say when it was sent.
        (FIGS, IN_IT, ["Thu, 1 Jan 2026 00:00:05 +0000", "Figs", "ann", "example.org"], there),
        (FIGS, IN_IT, ["", " figs ", "Ann", "Example.ORG"], there),
        (GREEN, IN_IT, ["", "=?iso-8859-1?Q?Gr=FCne?= Feigen", "ann", "example.org"], there),
        (BARE, IN_IT, ["", "", "ann", "example.org"], there),
        // Whenever it was received, and wherever it is said to have been sent.
        (DATED, LATER, [ELSEWHERE, "Figs", "ann", "example.org"], there),
        // Others.
        (FIGS, IN_IT, ["", "Dates", "ben", "example.org"], copied),
        (FIGS, LATER, ["", "Figs", "ann", "example.org"], copied),
        (DATED, LATER, [A_SECOND_LATER, "Figs", "ann", "example.org"], copied),
        // It, told otherwise than it is, or others.
        (FIGS, IN_IT, ["", "Dates", "ann", "example.org"], unknown),
        (FIGS, IN_IT, ["", "Figs", "ben", "example.org"], unknown),
        (GREEN, IN_IT, ["", "GrXXne Feigen", "ann", "example.org"], unknown),
        (DATED, DATED_IN_IT, [A_SECOND_LATER, "Figs", "ann", "example.org"], unknown),
    ];
    for (header, time, fields, (copied, present, missing)) in cases {
        let others = vec![told(time, fields)];
        let server = Imap { others, tells: Some(as_it_is), ..Imap::default() };
        let ([report], server) = rounds(server, unnamed(&[header]));
        assert_eq!(report, Ok(Copied { copied, present, missing }), "{header} {time} {fields:?}");
        assert_eq!(server.taken.len() as u32, copied, "{header} {time} {fields:?}");
    }
}

#[test]
fn one_with_a_message_id_is_never_taken_for_one_without() {
    let others =
        vec![told("01-Jan-2026 00:00:05 +0000", fields(FIGS)).replace("NIL)", "\"<a@b>\")")];
    let server = Imap { others, tells: Some(as_it_is), ..Imap::default() };
    let ([report], _) = rounds(server, unnamed(&[FIGS]));
    assert_eq!(report, Ok(Copied { copied: 1, present: 0, missing: 0 }));
}

#[test]
fn what_a_server_tells_otherwise_than_it_is_is_sent_once_and_not_said_to_be_there() {
    let tells: [fn(&str, &str) -> String; 4] = [
        |letter, time| told(time, [fields(letter)[0], "GrXXne", "ann", "example.org"]),
        |letter, time| told(time, [fields(letter)[0], fields(letter)[1], "ann", "unspecified"]),
        |letter, time| {
            let [_, subject, name, host] = fields(letter);
            told(time, ["Wed, 31 Dec 2025 10:00:01 +0000", subject, name, host])
        },
        |letter, time| told(time, ["", fields(letter)[1], "", ""]),
    ];
    for (at, tells) in tells.into_iter().enumerate() {
        for headers in [&[GREEN][..], &[BARE, BARE], &[DATED]] {
            let server = Imap { tells: Some(tells), ..Imap::default() };
            let all = headers.len();
            let (reports, server) = rounds::<3>(server, unnamed(headers));
            assert_eq!(server.taken.len(), all, "{at}: {headers:?}");
            for report in reports {
                let Copied { copied, present, missing } = report.unwrap();
                assert_eq!((copied + present + missing) as usize, all, "{at}: {headers:?}");
            }
        }
    }
    let server = Imap { tells: Some(tells[0]), ..Imap::default() };
    let (reports, _) = rounds::<2>(server, unnamed(&[GREEN]));
    for report in reports {
        assert_eq!(report, Ok(Copied { copied: 0, present: 0, missing: 1 }));
    }
}

#[test]
fn what_is_told_of_one_message_casts_no_doubt_on_another_of_the_same_second() {
    let headers = ["One", "Two", "Three", "Two"]
        .map(|subject| format!("From: alarm@example.org\r\nSubject: {subject}\r\n"));
    let headers = headers.each_ref().map(String::as_str);
    // It has the second one, which stands behind one that it lacks.
    let others = vec![told("01-Jan-2026 00:00:05 +0000", fields(headers[1]))];
    let server = Imap { others, tells: Some(as_it_is), ..Imap::default() };
    let ([first, second], server) = rounds(server, unnamed(&headers));
    assert_eq!(first, Ok(Copied { copied: 3, present: 1, missing: 0 }));
    assert_eq!(second, Ok(Copied { copied: 0, present: 4, missing: 0 }));
    assert_eq!(server.taken.len(), 3);
}
