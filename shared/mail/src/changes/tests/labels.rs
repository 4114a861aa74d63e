//! Tags at a server of which they are the labels.

use super::*;

const GMAIL: &str = "X-GM-EXT-1 MOVE UIDPLUS";

/// A host that is in step with a server with labels, of which the first letter has these.
fn host(labels: &[&str]) -> TestHost<Imap, MemoryStore> {
    let host = prepared(Imap::new(GMAIL), MemoryStore::new());
    host.server.borrow_mut().folders.get_mut("m1").unwrap().letters[0].labels =
        labels.iter().map(|label| (*label).to_owned()).collect();
    sync(&host).unwrap();
    host.server.borrow_mut().log.clear();
    host
}

fn tag(host: &TestHost<Imap, MemoryStore>, name: &str, set: bool) -> Result<Made, MailError> {
    let mark = Mark::Keyword(name.into());
    edit(host, async |editor| editor.mark(INBOX, &[1], &mark, set).await)
}

/// The tags of the first letter, here and on the server.
fn tags(host: &TestHost<Imap, MemoryStore>) -> (Vec<String>, Vec<String>) {
    let key = record::message_key(MessageId { mailbox: INBOX, uid: 1 });
    let stored: Option<Message> = block_on(record::get(&host.store, &key)).unwrap();
    let server = host.server.borrow();
    let labels = &server.folders["m1"].letters[0].labels;
    (stored.unwrap().keywords, labels.iter().cloned().collect())
}

fn said(host: &TestHost<Imap, MemoryStore>) -> Vec<String> {
    let server = host.server.borrow();
    server.log.iter().filter(|line| line.starts_with("UID STORE")).cloned().collect()
}

#[test]
fn tags_are_given_and_taken_as_labels_also_with_spaces_and_accents() {
    let host = host(&[r"\\Inbox", "Old"]);
    assert_eq!(tags(&host).0, ["Old"]);
    for (name, set) in [("Muy Importante", true), ("größe", true), ("old", false)] {
        tag(&host, name, set).unwrap();
    }
    assert_eq!(tags(&host).0, ["Muy Importante", "größe"]);
    drain(&host).unwrap();
    let expected = [
        r#"UID STORE 1 +X-GM-LABELS.SILENT ("Muy Importante")"#,
        r#"UID STORE 1 +X-GM-LABELS.SILENT ("gr&APYA3w-e")"#,
        r#"UID STORE 1 -X-GM-LABELS.SILENT ("old")"#,
        "UID STORE 1 -FLAGS.SILENT (old)",
    ];
    assert_eq!(said(&host), expected);
}

#[test]
fn keywords_of_programs_are_keywords_there_as_well() {
    let host = host(&[]);
    tag(&host, "$Forwarded", true).unwrap();
    drain(&host).unwrap();
    assert_eq!(said(&host), ["UID STORE 1 +FLAGS.SILENT ($Forwarded)"]);
}

#[test]
fn a_label_that_the_server_refuses_goes_again_and_one_that_it_keeps_comes_back() {
    let host = host(&["Old"]);
    host.server.borrow_mut().refuses.push("UID STORE");
    tag(&host, "New one", true).unwrap();
    tag(&host, "Old", false).unwrap();
    assert_eq!(drain(&host).unwrap().len(), 2);
    assert_eq!(tags(&host), (vec!["Old".into()], vec!["Old".into()]));
    assert!(open_entries(&host).is_empty());
}

#[test]
fn what_can_be_no_label_is_refused_before_anything_is_changed() {
    let host = host(&[]);
    for name in ["", " ", r"\Inbox", "two\nlines", "$ x", &"ü".repeat(226)] {
        assert!(matches!(tag(&host, name, true), Err(MailError::Input(_))), "{name:?}");
    }
    tag(&host, &"ü".repeat(225), true).unwrap();
}

#[test]
fn a_label_that_can_be_no_keyword_is_not_told_to_a_server_without_labels() {
    let host = host(&[]);
    tag(&host, "two words", true).unwrap();
    host.server.borrow_mut().capabilities = "MOVE UIDPLUS";
    assert!(matches!(drain(&host), Err(MailError::Input(_))), "which counts as a refusal");
    assert!(said(&host).is_empty());
}

#[test]
fn a_drop_after_any_byte_leaves_the_labels_that_were_wanted() {
    let begin = || {
        let host = host(&["Old"]);
        tag(&host, "New one", true).unwrap();
        tag(&host, "Old", false).unwrap();
        host
    };
    let expected = (vec!["New one".to_owned()], vec!["New one".to_owned()]);
    let whole = begin();
    drain(&whole).unwrap();
    assert_eq!(tags(&whole), expected);
    cut_anywhere(begin, |host, cut| {
        // What is queued counts more than what the server says meanwhile.
        sync(host).unwrap();
        assert_eq!(tags(host).0, expected.0, "cut at {cut}");
        drain(host).unwrap();
        sync(host).unwrap();
        assert_eq!(tags(host), expected, "cut at {cut}");
    });
}
