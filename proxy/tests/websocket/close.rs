//! Section 7: closing.

use super::{
    case::{Case, play},
    support::websocket::{BINARY, CLOSE, CONTINUATION, FINAL, PING, TEXT, close, frame, whole},
};

/// A text that stops being one (case 6.3.1 has it too).
const NOT_UTF8: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";

/// Codes that may be sent.
const VALID: [u16; 13] =
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];

/// Codes that may not.
const INVALID: [u16; 9] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

/// Closes, and what comes after them.
pub(crate) fn cases(opcode: u8) -> Vec<Case> {
    let normal = close(1000, "");
    let closed = |name| Case::new(name).say(&normal).closed(1000);
    let mut cases = vec![
        closed("7.1.2").say(&normal),
        closed("7.1.3").say(whole(PING, "")),
        closed("7.1.4").say(whole(opcode, "Hello, world!")),
        Case::new("7.1.5")
            .say(frame(opcode, b"fragment1"))
            .say(&normal)
            .say(frame(FINAL | CONTINUATION, b"fragment2"))
            .closed(1000),
        Case::new("7.3.1").say(whole(CLOSE, "")).closed_without_code(),
        Case::new("7.3.2").say(whole(CLOSE, "a")).closed(1002),
        Case::new("7.3.3").say(&normal).closed(1000),
        Case::new("7.3.4").say(close(1000, "Hello, world!")).closed(1000),
        Case::new("7.3.5").say(close(1000, "*".repeat(123))).closed(1000),
        Case::new("7.3.6").say(close(1000, "*".repeat(124))).closed(1002),
        Case::new("7.5.1").say(close(1000, NOT_UTF8)).closed(1007),
    ];
    let coded = |section: &str, n: usize, code| {
        Case::new(format!("{section}.{n}, {code}")).say(close(code, ""))
    };
    cases.extend((1..).zip(VALID).map(|(n, code)| coded("7.7", n, code).closed(code)));
    cases.extend((1..).zip(INVALID).map(|(n, code)| coded("7.9", n, code).closed(1002)));
    // The suite leaves these open. The RFC's section 7.4.2 has no use for them.
    cases.extend((1..).zip([5000, 65535]).map(|(n, code)| coded("7.13", n, code).closed(1002)));
    cases
}

/// Messages before the close: what is echoed depends on where it goes.
fn after_messages() -> Vec<Case> {
    let long = "BAsd7&jh23".repeat(256 * 1024 / 10);
    let hello = |case: Case| case.say(whole(TEXT, "Hello World!")).echo(TEXT, "Hello World!");
    vec![
        hello(Case::new("7.1.1")),
        hello(Case::new("7.1.6").say(whole(TEXT, &long)).echo(TEXT, long))
            .say(close(1000, ""))
            .say(whole(PING, ""))
            .closed(1000),
    ]
}

#[tokio::test]
async fn a_close_is_answered_and_the_last_word() {
    play(&cases(TEXT)).await;
    play(&cases(BINARY)).await;
    play(&after_messages()).await;
}
