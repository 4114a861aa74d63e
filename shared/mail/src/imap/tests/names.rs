//! The list of mailboxes, and how they are named.

use super::*;

#[test]
fn mailboxes_are_listed_with_counts_asked_for_one_by_one_where_need_be() {
    let host = ScriptedHost::default();
    let list = "* LIST (\\HasChildren) \"/\" INBOX\r\n* LIST (\\Noselect) \"/\" a\r\n\
                * LIST (\\Sent) \"/\" \"Gesendet &APw-\"\r\n";
    let counts = "* STATUS \"Gesendet &APw-\" (MESSAGES 7 UNSEEN 0)\r\n";
    let script = vec![
        (r#"LIST "" "*""#, ok(list)),
        (r#"STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, "{tag} NO x\r\n".into()),
        (r#"STATUS "Gesendet &APw-" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, ok(counts)),
    ];
    let mut client = ready(&host, script);
    let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
    let told: Vec<_> = mailboxes
        .iter()
        .map(|own| (own.names.join("/"), own.role, own.selectable, own.total))
        .collect();
    let expected = [
        ("INBOX".into(), Some(Role::Inbox), true, 0),
        ("Gesendet ü".into(), Some(Role::Sent), true, 7),
        ("a".into(), None, false, 0),
    ];
    assert_eq!(told, expected);
}
