//! RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 8438, RFC 8474, RFC 9208, RFC 7889, RFC 9051
//! section 6.3.9.

use postern_imap::{
    Command, Response,
    command::{ListReturn, ListSelection, StatusItem},
    response::{AppendLimit, Code, QuotaResource},
};

use crate::{code, ended, listed, response, said};

#[test]
fn subscribed_mailboxes_and_those_above_them_are_listed() {
    let selection = ListSelection { subscribed: true, recursive: true, ..ListSelection::default() };
    let list = Command::list_selected(&[b"%"], selection, &ListReturn::default()).unwrap();
    assert_eq!(said(list), r#"LIST (SUBSCRIBED RECURSIVEMATCH) "" "%""#);
    let above = listed(r#"* LIST (\NonExistent) "/" "foo2" ("CHILDINFO" ("SUBSCRIBED"))"#);
    assert!(above.has(r"\NonExistent"));
    assert_eq!(above.child_info, ["SUBSCRIBED"]);
    let own = listed(r#"* LIST (\Subscribed) "/" "foo2/bar2""#);
    assert!(own.has(r"\subscribed") && own.child_info.is_empty());
    let other = listed(
        r#"* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED" "REMOTE") "color" "red" "x" ("a" "b"))"#,
    );
    assert_eq!(other.child_info, ["SUBSCRIBED", "REMOTE"]);
}

#[test]
fn several_patterns_are_listed_at_once() {
    let list = Command::list_selected(
        &[b"INBOX", b"Drafts", b"Sent/%"],
        ListSelection::default(),
        &ListReturn { children: true, ..ListReturn::default() },
    )
    .unwrap();
    assert_eq!(said(list), r#"LIST "" ("INBOX" "Drafts" "Sent/%") RETURN (CHILDREN)"#);
    assert!(listed(r#"* LIST (\Marked \NoInferiors) "/" "inbox""#).has(r"\Noinferiors"));
    assert_eq!(listed(r#"* LIST () "/" "Sent/March2004""#).path(), ["Sent", "March2004"]);
}

#[test]
fn counts_come_with_the_list() {
    let with = ListReturn {
        status: vec![StatusItem::Messages, StatusItem::Unseen],
        ..ListReturn::default()
    };
    let list = Command::list(b"%", &with).unwrap();
    assert_eq!(said(list), r#"LIST "" "%" RETURN (STATUS (MESSAGES UNSEEN))"#);
    let Response::MailboxStatus(status) = response(r#"* STATUS "INBOX" (MESSAGES 17 UNSEEN 16)"#)
    else {
        panic!("no status");
    };
    assert_eq!((status.messages, status.unseen), (Some(17), Some(16)));
    assert!(listed(r#"* LIST (\NoSelect) "." "bar""#).has(r"\Noselect"));
}

#[test]
fn special_uses_are_listed_and_asked_for() {
    for (line, attribute) in [
        (r#"* LIST (\Sent \HasNoChildren) "/" SentMail"#, r"\Sent"),
        (r#"* LIST (\Marked \Drafts \HasNoChildren) "/" MyDrafts"#, r"\Drafts"),
        (r#"* LIST (\Trash \HasNoChildren) "/" Trash"#, r"\Trash"),
    ] {
        assert!(listed(line).has(attribute), "{line}");
    }
    let only = ListSelection { special_use: true, ..ListSelection::default() };
    let list = Command::list_selected(&[b"*"], only, &ListReturn::default()).unwrap();
    assert_eq!(said(list), r#"LIST (SPECIAL-USE) "" "*""#);
    let create = Command::create_for(b"MySpecial", r"\Drafts").unwrap();
    assert_eq!(said(create), r#"CREATE "MySpecial" (USE (\Drafts))"#);
    let end = ended(r"t2 NO [USEATTR] \All not supported");
    assert_eq!(end.code, Some(Code::UseAttribute));
}

#[test]
fn a_renamed_mailbox_tells_its_old_name() {
    let renamed = listed(r#"* LIST () "/" "foo" ("OLDNAME" ("bar"))"#);
    assert_eq!(renamed.old_name.as_deref(), Some(&b"bar"[..]));
}

#[test]
fn rights_come_with_the_list() {
    let with = ListReturn { my_rights: true, ..ListReturn::default() };
    assert_eq!(said(Command::list(b"%", &with).unwrap()), r#"LIST "" "%" RETURN (MYRIGHTS)"#);
    let Response::MyRights(rights) = response(r#"* MYRIGHTS "INBOX" lrswipkxtecda"#) else {
        panic!("no rights");
    };
    assert!(rights.has('t') && !rights.has('q'));
}

#[test]
fn mailboxes_have_identifiers() {
    let id = "F2212ea87-6097-4256-9d51-71338625";
    let line = format!("* OK [MAILBOXID ({id})] Ok");
    assert_eq!(code(&line), Some(Code::MailboxId(id.into())));
    let end = ended(&format!("3 OK [MAILBOXID ({id})] Completed"));
    assert_eq!(end.code, Some(Code::MailboxId(id.into())));
    let Response::MailboxStatus(status) = response(&format!("* STATUS foo (MAILBOXID ({id}))"))
    else {
        panic!("no status");
    };
    assert_eq!(status.mailbox_id.as_deref(), Some(id));
}

#[test]
fn sizes_and_limits_are_told() {
    let Response::MailboxStatus(status) =
        response("* STATUS blurdybloop (MESSAGES 231 SIZE 44421)")
    else {
        panic!("no status");
    };
    assert_eq!(status.size, Some(44421));
    let Response::MailboxStatus(status) = response("* STATUS INBOX (APPENDLIMIT 257890)") else {
        panic!("no status");
    };
    assert_eq!(status.append_limit, Some(AppendLimit::Bytes(257_890)));
}

#[test]
fn quotas_are_told() {
    let Response::Quota(quota) = response(r#"* QUOTA "" (STORAGE 10 512)"#) else { panic!() };
    let storage = QuotaResource { name: "STORAGE".into(), usage: 10, limit: 512 };
    assert_eq!(quota.resources, [storage]);
    let Response::Quota(quota) = response(
        r##"* QUOTA "#user/alice" (MESSAGE 42 1000 STORAGE 64 512 ANNOTATION-STORAGE 7 9)"##,
    ) else {
        panic!()
    };
    assert_eq!((quota.root.as_slice(), quota.resources.len()), (&b"#user/alice"[..], 3));
    let Response::QuotaRoots(roots) =
        response(r##"* QUOTAROOT INBOX "#user/alice" #partition/sda4"##)
    else {
        panic!()
    };
    assert_eq!(roots.roots, [b"#user/alice".to_vec(), b"#partition/sda4".to_vec()]);
}
