//! Section 3: reserved bits.

use super::{
    case::{Case, play},
    support::websocket::{BINARY, CLOSE, FINAL, PING, TEXT, frame, whole},
};

/// Frames with a reserved bit, after which nothing counts.
pub(crate) fn cases(opcode: u8) -> Vec<Case> {
    let reserved = |bits: u8, opcode: u8| frame(FINAL | bits << 4 | opcode, b"Hello, world!");
    let good = |name| Case::new(name).say(whole(opcode, "good")).echo(opcode, "good");
    let ping = whole(PING, "");
    vec![
        Case::new("3.1").say(reserved(1, opcode)).closed(1002),
        good("3.2").say(reserved(2, opcode)).say(&ping).closed(1002),
        good("3.3").say(reserved(3, opcode)).say(&ping).closed(1002).chopped(3),
        good("3.4").say(reserved(4, opcode)).say(&ping).closed(1002).chopped(1),
        Case::new("3.5").say(reserved(5, BINARY)).closed(1002),
        Case::new("3.6").say(reserved(6, PING)).closed(1002),
        Case::new("3.7").say(reserved(7, CLOSE)).closed(1002),
    ]
}

#[tokio::test]
async fn a_reserved_bit_ends_the_connection() {
    play(&cases(TEXT)).await;
    play(&cases(BINARY)).await;
}
