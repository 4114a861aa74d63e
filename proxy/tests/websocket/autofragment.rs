//! Section 10: a client that fragments whatever is long.

use super::{
    case::{Case, play},
    support::websocket::{BINARY, TEXT, fragmented},
};

/// A message of 64 kB in fragments of 1,300 bytes.
pub(crate) fn cases(opcode: u8) -> Vec<Case> {
    let payload = vec![b'*'; 65536];
    let sent = fragmented(opcode, payload.chunks(1300));
    vec![Case::new("10.1.1").say(sent).echo(opcode, payload)]
}

#[tokio::test]
async fn a_message_in_many_fragments_comes_back_whole() {
    play(&cases(TEXT)).await;
    play(&cases(BINARY)).await;
}
