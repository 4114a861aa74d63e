//! Section 4: reserved opcodes.

use super::{
    case::{Case, play},
    support::websocket::{BINARY, PING, TEXT, whole},
};

/// Frames with an opcode that means nothing, after which nothing counts: 4.1 has those of messages,
/// 4.2 those of control frames.
pub(crate) fn cases(opcode: u8) -> Vec<Case> {
    let good = |name: String| Case::new(name).say(whole(opcode, "good")).echo(opcode, "good");
    let ping = whole(PING, "");
    let section = |section: &str, first: u8| {
        let name = |n: u8| (format!("{section}.{n}"), first + n - 1);
        let [one, two, three, four, five] = [1, 2, 3, 4, 5].map(name);
        let payload = "reserved opcode payload";
        [
            Case::new(one.0).say(whole(one.1, "")),
            Case::new(two.0).say(whole(two.1, payload)),
            good(three.0).say(whole(three.1, "")).say(&ping),
            good(four.0).say(whole(four.1, payload)).say(&ping),
            good(five.0).say(whole(five.1, payload)).say(&ping).chopped(1),
        ]
    };
    let cases = [section("4.1", 0x3), section("4.2", 0xb)];
    cases.into_iter().flatten().map(|case| case.closed(1002)).collect()
}

#[tokio::test]
async fn an_opcode_that_means_nothing_ends_the_connection() {
    play(&cases(TEXT)).await;
    play(&cases(BINARY)).await;
}
