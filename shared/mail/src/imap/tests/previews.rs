//! How messages begin, as the server tells it.

use super::*;

const PREVIEW: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH PREVIEW] hi\r\n";

/// A first sync in which the server answers so to the question how the messages begin.
fn synced(answer: String) -> ScriptedHost {
    let host = host_with_inbox();
    let script = vec![
        select(3, 9, 7),
        unread(3),
        all("2,5:6"),
        (items!("2,5:6"), ok(&listed([2, 5, 6]))),
        ("UID FETCH 2,5:6 (UID PREVIEW)", answer),
    ];
    sync(&mut connect(&host, Security::Tls, PREVIEW, script).unwrap(), &host);
    host
}

fn previews(host: &ScriptedHost) -> Vec<String> {
    stored(host).into_iter().map(|message| message.preview).collect()
}

#[test]
fn how_messages_begin_is_asked_once_they_are_listed() {
    let told = "* 1 FETCH (UID 2 PREVIEW \"  Dear\tall \")\r\n* 2 FETCH (UID 5 PREVIEW NIL)\r\n\
                * 9 FETCH (UID 77 PREVIEW \"of another\")\r\n";
    assert_eq!(previews(&synced(ok(told))), ["Dear all", "", ""]);
}

#[test]
fn a_server_that_does_not_tell_is_left_alone() {
    let host = synced("{tag} NO not now\r\n".into());
    assert_eq!(previews(&host), ["", "", ""]);
    assert_eq!(uids(&host), [2, 5, 6]);
}

#[test]
fn what_a_message_says_itself_counts_more() {
    let host = host_with_messages();
    let before = stored(&host)[0].clone();
    let own = Message { preview: "its own words".into(), ..before };
    now(host.store.apply(vec![own.put()], Durability::Relaxed)).unwrap();
    let told = "* 1 FETCH (UID 2 PREVIEW \"told\")\r\n* 2 FETCH (UID 5 PREVIEW \"told\")\r\n";
    let script = vec![("UID FETCH 2,5 (UID PREVIEW)", ok(told))];
    let mut client = connect(&host, Security::Tls, PREVIEW, script).unwrap();
    let mut changed = |_| ControlFlow::Continue(());
    let mut sync = super::super::batch::Sync::new(&host, INBOX, 3, 0, &mut changed);
    now(client.ask_previews(&mut sync, &[2, 5])).unwrap();
    assert_eq!(previews(&host), ["its own words", "told", ""]);
}
