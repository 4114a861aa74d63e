//! What no decent client sends, and the limits, at each and one past it.

use super::{assert_holds, command, demo, logged_in};
use crate::demo::{Content, limits, testing::Client};

#[tokio::test]
async fn hostile_input_is_answered_or_ends_the_connection_but_never_the_server() {
    let demo = demo(Content::Generated(1)).await;
    let long = "x".repeat(limits::LINE + 1);
    let deep = format!("a SEARCH {}ALL\r\n", "NOT ".repeat(5000));
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("a line that is too long", format!("a {long}\r\n").into()),
        ("a line without end", vec![b'x'; limits::LINE * 4]),
        ("binary", (0..=255).cycle().take(4000).collect()),
        ("empty lines", b"\r\n".repeat(100)),
        ("a literal beyond all numbers", b"a LOGIN {99999999999999999999}\r\n".to_vec()),
        ("a literal that does not wait and is too large", b"a LOGIN {999999+}\r\n".to_vec()),
        ("nested too deeply", deep.into()),
        ("parentheses", format!("a FETCH 1 {}\r\n", "(".repeat(5000)).into()),
        ("a set without sense", b"a FETCH 0,:,4294967296 UID\r\n".to_vec()),
        ("a section without sense", b"a FETCH 1 BODY[1.2.3.HEADER.FIELDS ()]<9.>\r\n".to_vec()),
        ("a quote that stays open", b"a LOGIN \"x\r\n".to_vec()),
        ("a bare carriage return", b"a LOGIN \r x\r\n".to_vec()),
    ];
    for (name, input) in inputs {
        let mut client = logged_in(&demo).await;
        command(&mut client, "SELECT INBOX").await;
        client.send(&input).await;
        client.send("\r\nz LOGOUT\r\n").await;
        let rest = client.rest().await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(
            rest.contains("BAD") || rest.contains("NO") || rest.contains("BYE"),
            "{name}: {rest}"
        );
    }
    logged_in(&demo).await;
}

#[tokio::test]
async fn messages_without_sense_can_be_fetched_and_searched() {
    let demo = demo(Content::Empty).await;
    let messages: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\r\n".to_vec(),
        b"no header at all".to_vec(),
        (0..=255).cycle().take(3000).collect(),
        b"Content-Type: multipart/mixed\r\n\r\n--\r\n".to_vec(),
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a--\r\n".to_vec(),
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n".to_vec(),
        b"Content-Type: message/rfc822\r\n\r\n".to_vec(),
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==".to_vec(),
        b"Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\nA: b\r\n\r\n--a--".to_vec(),
        b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\n----\r\n".to_vec(),
        nested_multiparts(limits::PART_DEPTH),
        nested_multiparts(limits::PART_DEPTH + 1),
        nested_multiparts(2000),
    ];
    let count = messages.len();
    for message in messages {
        demo.store().deliver(message);
    }
    let mut client = logged_in(&demo).await;
    command(&mut client, "SELECT INBOX").await;
    for number in 1..=count {
        let items =
            "ENVELOPE BODYSTRUCTURE BODY BODY.PEEK[HEADER] BODY.PEEK[1] BODY.PEEK[1.1.MIME]";
        let answer = command(&mut client, &format!("FETCH {number} ({items})")).await;
        assert_holds(&answer, &["a OK done"]);
    }
    let found =
        command(&mut client, "SEARCH NOT TEXT nowhere NOT FROM x NOT SENTON 1-Jan-2020").await;
    assert_holds(&found, &["* SEARCH 1 2 3", "a OK done"]);
    let deepest = command(&mut client, &format!("FETCH {count} BODYSTRUCTURE")).await;
    assert!(deepest.matches("\"mixed\"").count() <= limits::PART_DEPTH, "{deepest}");
}

fn nested_multiparts(depth: usize) -> Vec<u8> {
    let part =
        |level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    let parts: String = (0..depth).map(part).collect();
    format!("{parts}\r\ninnermost\r\n").into_bytes()
}

#[tokio::test]
async fn a_line_at_the_limit_is_read() {
    let demo = demo(Content::Empty).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    client.line().await;
    let padding = limits::LINE - "a LOGIN x ".len();
    let answer = command(&mut client, &format!("LOGIN x {}", "y".repeat(padding))).await;
    assert_holds(&answer, &["a NO [AUTHENTICATIONFAILED]"]);
}

#[tokio::test]
async fn mailbox_names_and_their_number_have_limits() {
    let demo = demo(Content::Empty).await;
    let mut client = logged_in(&demo).await;
    let longest = "n".repeat(limits::MAILBOX_NAME);
    assert_holds(&command(&mut client, &format!("CREATE {longest}")).await, &["a OK"]);
    assert_holds(&command(&mut client, &format!("CREATE {longest}n")).await, &["a NO [CANNOT]"]);
    for number in demo.store().mailboxes().len()..limits::MAILBOXES {
        assert_holds(&command(&mut client, &format!("CREATE m{number}")).await, &["a OK"]);
    }
    assert_holds(&command(&mut client, "CREATE more").await, &["a NO [LIMIT]"]);
}

#[tokio::test]
async fn a_command_with_literals_has_a_limit_but_for_append() {
    let demo = demo(Content::Empty).await;
    let mut client = logged_in(&demo).await;
    let line = "a LOGIN {65512}\r\n".len();
    let fitting = limits::COMMAND - line;
    client.send(format!("a LOGIN {{{fitting}}}\r\n")).await;
    assert_eq!(client.line().await, "+ go on\r\n");
    client.send("x".repeat(fitting)).await;
    assert_holds(&client.ask("", "a ").await, &["a BAD"]);
    let refused = command(&mut client, &format!("LOGIN {{{}}}", fitting + 1)).await;
    assert_holds(&refused, &["a NO [TOOBIG]"]);
    client.send(format!("a APPEND INBOX {{{}}}\r\n", limits::COMMAND * 2)).await;
    assert_eq!(client.line().await, "+ go on\r\n");
}

#[tokio::test]
async fn nonsense_is_answered_until_it_is_too_much() {
    let demo = demo(Content::Empty).await;
    let mut client = logged_in(&demo).await;
    for _ in 1..limits::BAD_COMMANDS {
        assert_holds(&command(&mut client, "NONSENSE").await, &["a BAD"]);
    }
    let last = client.ask("a NONSENSE", "* BYE").await;
    assert_holds(&last, &["* BYE enough"]);
    assert_eq!(client.line().await, "");
}
