//! RFC 4315, RFC 6851, RFC 3502, RFC 3516, RFC 8474, RFC 8514, RFC 8970.

use postern_imap::{
    Command, Response,
    command::{AppendMessage, FetchItem, MessageForm, Partial},
    response::{Code, Content, Flag},
};

use crate::{code, ended, fetch, response, said, set};

#[test]
fn copied_messages_are_told_with_their_new_uids() {
    let copy = Command::uid_copy(&set("304,319:320"), b"meeting").unwrap();
    assert_eq!(said(copy), r#"UID COPY 304,319:320 "meeting""#);
    let end = ended("A004 OK [COPYUID 38505 304,319:320 3956:3958] Done");
    let Some(Code::CopyUid(copied)) = end.code else { panic!("{end:?}") };
    assert_eq!(copied.uid_validity, 38505);
    assert_eq!(copied.pairs().collect::<Vec<_>>(), [(304, 3956), (319, 3957), (320, 3958)]);
    let sticky = code("* NO [UIDNOTSTICKY] Non-persistent UIDs");
    assert_eq!(sticky, Some(Code::UidNotSticky));
}

#[test]
fn moved_messages_are_told_before_they_go() {
    let command = Command::uid_move(&set("42:69"), b"foo").unwrap();
    assert_eq!(said(command), r#"UID MOVE 42:69 "foo""#);
    let Some(Code::CopyUid(moved)) = code("* OK [COPYUID 432432 42:69 1202:1229]") else {
        panic!("no COPYUID");
    };
    assert_eq!((moved.count(), moved.pairs().last()), (28, Some((69, 1229))));
    assert_eq!(response("* 22 EXPUNGE"), Response::Expunge(22));
}

#[test]
fn appended_messages_are_told_with_their_uids() {
    let end = ended("A003 OK [APPENDUID 38505 3955] APPEND completed");
    let appended = |uids| Code::AppendUid { uid_validity: 38505, uids };
    assert_eq!(end.code, Some(appended(3955.into())));
    let messages = ["one", "two"].map(|text| AppendMessage {
        flags: vec![Flag::Seen],
        content: text.into(),
        ..AppendMessage::default()
    });
    let append = Command::append_all(b"saved-messages", messages).unwrap();
    let expected = "APPEND \"saved-messages\" (\\Seen) {3+}\r\none (\\Seen) {3+}\r\ntwo";
    assert_eq!(said(append), expected);
    let end = ended("A003 OK [APPENDUID 38505 3955:3956] APPEND completed");
    assert_eq!(end.code, Some(appended(set("3955:3956"))));
}

#[test]
fn decoded_parts_are_asked_for_and_read() {
    let partial = Some(Partial { origin: 0, count: 10 });
    let items = [
        FetchItem::Binary { section: "2".into(), partial },
        FetchItem::BinarySize { section: "2".into() },
    ];
    let command = Command::uid_fetch(&set("1"), &items).unwrap();
    assert_eq!(said(command), "UID FETCH 1 (UID BINARY.PEEK[2]<0.10> BINARY.SIZE[2])");
    let message = fetch("* 1 FETCH (BINARY[2]<0> ~{4}\r\n\0\u{1}x\n BINARY.SIZE[2] 46878)");
    assert_eq!(message.binary[0].content, Content::Held(b"\0\x01x\n".into()));
    assert_eq!(message.binary_sizes[0].size, 46878);
    let end = ended("A NO [UNKNOWN-CTE] Can't decode");
    assert_eq!(end.code, Some(Code::UnknownEncoding));
    let message =
        AppendMessage { form: MessageForm::Binary, content: b"x".to_vec(), ..Default::default() };
    assert_eq!(said(Command::append_all(b"a", [message]).unwrap()), "APPEND \"a\" ~{1+}\r\nx");
}

#[test]
fn messages_have_identifiers() {
    let message = fetch("* 1 FETCH (EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9))");
    assert_eq!(message.email_id.as_deref(), Some("M6d99ac3275bb4e"));
    assert_eq!(message.thread_id, Some(Some("T64b478a75b7ea9".into())));
    let message = fetch("* 2 FETCH (EMAILID (M288836c4c7a762) THREADID NIL)");
    assert_eq!(message.thread_id, Some(None));
}

#[test]
fn previews_are_read() {
    let message = fetch("* 1 FETCH (PREVIEW \"Preview text!\")");
    assert_eq!(message.preview, Some(Some("Preview text!".into())));
    assert_eq!(fetch("* 3 FETCH (PREVIEW NIL)").preview, Some(None));
    assert_eq!(fetch("* 4 FETCH (PREVIEW \"\")").preview, Some(Some(String::new())));
    let lazy = Command::uid_fetch(&set("1:3"), &[FetchItem::Preview { lazy: true }]).unwrap();
    assert_eq!(said(lazy), "UID FETCH 1:3 (UID PREVIEW (LAZY))");
}
