//! Section 1: frames of all lengths.

use super::{
    case::{Case, play},
    support::websocket::{BINARY, TEXT, whole},
};

/// Messages with a payload of each kind of length.
pub(crate) fn cases(opcode: u8) -> Vec<Case> {
    let section = if opcode == TEXT { "1.1" } else { "1.2" };
    let lengths = [0, 125, 126, 127, 128, 65535, 65536];
    let mut cases: Vec<_> = (1..)
        .zip(lengths)
        .map(|(n, length)| case(format!("{section}.{n}"), opcode, length))
        .collect();
    cases.push(case(format!("{section}.8"), opcode, 65536).chopped(997));
    cases
}

fn case(name: String, opcode: u8, length: usize) -> Case {
    let payload = match opcode {
        BINARY => [0xfe, 0xff, 0x00].into_iter().cycle().take(length).collect(),
        _ => vec![b'*'; length],
    };
    Case::new(name).say(whole(opcode, &payload)).echo(opcode, payload)
}

#[tokio::test]
async fn messages_of_all_lengths_come_back() {
    play(&cases(TEXT)).await;
    play(&cases(BINARY)).await;
}
