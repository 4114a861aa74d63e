//! Section 5: fragments.

use super::{
    case::{Case, play},
    support::websocket::{BINARY, CONTINUATION, FINAL, PING, PONG, TEXT, fragmented, frame, whole},
};

/// Fragments, in order and out of it.
pub(crate) fn cases(opcode: u8) -> Vec<Case> {
    let first = frame(opcode, b"fragment1");
    let middle = |payload: &str| frame(CONTINUATION, payload.as_bytes());
    let last = |payload: &str| frame(FINAL | CONTINUATION, payload.as_bytes());
    let two = || fragmented(opcode, ["fragment1", "fragment2"]);
    let both = "fragment1fragment2";
    // A ping is answered before the message that it interrupts has come back.
    let interrupted = |name| {
        let case = Case::new(name).say(&first).ping("ping payload");
        case.say(last("fragment2")).echo(opcode, both)
    };
    let nothing_to_continue = |name, frame: &[u8]| {
        Case::new(name).say(frame).say(whole(opcode, "Hello, world!")).closed(1002)
    };
    // What is out of order comes after a message that is not.
    let good_then = |name, out_of_order: Vec<u8>| {
        let case = Case::new(name).say(two()).echo(opcode, both).say(out_of_order);
        case.say(whole(opcode, "fragment4")).closed(1002)
    };
    let in_five = |name| {
        let case = Case::new(name).say(&first).say(middle("fragment2")).ping("pongme 1!");
        let case = case.say(middle("fragment3")).say(middle("fragment4")).ping("pongme 2!");
        case.say(last("fragment5")).echo(opcode, "fragment1fragment2fragment3fragment4fragment5")
    };
    let continuation = "non-continuation payload";
    vec![
        Case::new("5.1").say(fragmented(PING, ["fragment1", "fragment2"])).closed(1002),
        Case::new("5.2").say(fragmented(PONG, ["fragment1", "fragment2"])).closed(1002),
        Case::new("5.3").say(two()).echo(opcode, both),
        Case::new("5.4").say(two()).echo(opcode, both).chopped(9),
        Case::new("5.5").say(two()).echo(opcode, both).chopped(1),
        interrupted("5.6"),
        interrupted("5.7").chopped(9),
        interrupted("5.8").chopped(1),
        nothing_to_continue("5.9", &last(continuation)),
        nothing_to_continue("5.10", &last(continuation)).chopped(9),
        nothing_to_continue("5.11", &last(continuation)).chopped(1),
        nothing_to_continue("5.12", &middle(continuation)),
        nothing_to_continue("5.13", &middle(continuation)).chopped(9),
        nothing_to_continue("5.14", &middle(continuation)).chopped(1),
        good_then("5.15", middle("fragment3")),
        Case::new("5.16").say(middle("fragment1")).say(two()).closed(1002),
        Case::new("5.17").say(last("fragment1")).say(two()).closed(1002),
        Case::new("5.18").say(&first).say(whole(opcode, "fragment2")).closed(1002),
        in_five("5.19"),
        in_five("5.20").chopped(1),
    ]
}

#[tokio::test]
async fn fragments_are_joined_and_must_be_in_order() {
    play(&cases(TEXT)).await;
    play(&cases(BINARY)).await;
}
