//! Section 2: pings and pongs.

use super::{
    case::{Case, play},
    support::websocket::{PING, PONG, whole},
};

/// Pings, which are answered, and pongs, which are not.
pub(crate) fn cases() -> Vec<Case> {
    let many = |name| (0..10).fold(Case::new(name), |case, n| case.ping(format!("payload-{n}")));
    vec![
        Case::new("2.1").ping(""),
        Case::new("2.2").ping("Hello, world!"),
        Case::new("2.3").ping([0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff]),
        Case::new("2.4").ping([0xfe; 125]),
        Case::new("2.5").say(whole(PING, [0xfe; 126])).closed(1002),
        Case::new("2.6").ping([0xfe; 125]).chopped(1),
        Case::new("2.7").say(whole(PONG, "")),
        Case::new("2.8").say(whole(PONG, "unsolicited pong payload")),
        Case::new("2.9").say(whole(PONG, "unsolicited pong payload")).ping("ping payload"),
        many("2.10"),
        many("2.11").chopped(1),
    ]
}

#[tokio::test]
async fn each_ping_is_answered_with_its_payload() {
    play(&cases()).await;
}
