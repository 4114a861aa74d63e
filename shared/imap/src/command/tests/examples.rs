//! Commands and what they look like.

use postern_sasl::{Credentials, Mechanism};

use super::*;

fn uids() -> SequenceSet {
    SequenceSet::parse(b"1:3,9").unwrap()
}

/// Commands and what they look like, with literals as [`wire`] writes them.
pub(super) fn examples() -> Vec<(Command, &'static str)> {
    [session_examples(), mailbox_examples(), fetch_examples(), change_examples(), search_examples()]
        .into_iter()
        .flatten()
        .collect()
}

fn session_examples() -> Vec<(Command, &'static str)> {
    let credentials = Credentials::new("ann", r#"p"w"#);
    vec![
        (Command::capability(), "CAPABILITY"),
        (Command::noop(), "NOOP"),
        (Command::logout(), "LOGOUT"),
        (Command::start_tls(), "STARTTLS"),
        (Command::idle(), "IDLE"),
        (
            Command::notify(),
            "NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange)) \
             (personal (MessageNew MessageExpunge FlagChange MailboxName))",
        ),
        (Command::authenticate(Mechanism::plain(credentials.clone())), "AUTHENTICATE PLAIN"),
        (Command::login(&credentials).unwrap(), r#"LOGIN "ann" "p\"w""#),
        (Command::enable(&["CONDSTORE", "UTF8=ACCEPT"]), "ENABLE CONDSTORE UTF8=ACCEPT"),
        (Command::id(&[]).unwrap(), "ID NIL"),
        (
            Command::id(&[("name", "Postern"), ("version", "1")]).unwrap(),
            r#"ID ("name" "Postern" "version" "1")"#,
        ),
    ]
}

fn mailbox_examples() -> Vec<(Command, &'static str)> {
    let subscribed = ListSelection { subscribed: true, recursive: true, ..Default::default() };
    let everything = ListReturn {
        special_use: true,
        subscribed: true,
        children: true,
        my_rights: true,
        status: vec![StatusItem::Messages, StatusItem::Size],
    };
    let known = KnownState { uid_validity: 67890007, mod_seq: 20, uids: None, places: None };
    let since = |known: KnownState| Resync::Since(known);
    vec![
        (Command::select(b"INBOX").unwrap(), r#"SELECT "INBOX""#),
        (Command::examine(b"a b").unwrap(), r#"EXAMINE "a b""#),
        (
            Command::select_with(b"INBOX", &Resync::CondStore).unwrap(),
            r#"SELECT "INBOX" (CONDSTORE)"#,
        ),
        (
            Command::examine_with(b"INBOX", &since(known.clone())).unwrap(),
            r#"EXAMINE "INBOX" (QRESYNC (67890007 20))"#,
        ),
        (
            Command::select_with(
                b"INBOX",
                &since(KnownState {
                    uids: Some(uids()),
                    places: Some((uids(), SequenceSet::parse(b"41,43:50").unwrap())),
                    ..known
                }),
            )
            .unwrap(),
            r#"SELECT "INBOX" (QRESYNC (67890007 20 1:3,9 (1:3,9 41,43:50)))"#,
        ),
        (Command::close(), "CLOSE"),
        (Command::unselect(), "UNSELECT"),
        (Command::create(b"a/b").unwrap(), r#"CREATE "a/b""#),
        (Command::create_for(b"Old", r"\Archive").unwrap(), r#"CREATE "Old" (USE (\Archive))"#),
        (Command::rename(b"a", b"b c").unwrap(), r#"RENAME "a" "b c""#),
        (Command::delete(b"a").unwrap(), r#"DELETE "a""#),
        (Command::subscribe(b"a").unwrap(), r#"SUBSCRIBE "a""#),
        (Command::unsubscribe(b"a").unwrap(), r#"UNSUBSCRIBE "a""#),
        (Command::list(b"*", &ListReturn::default()).unwrap(), r#"LIST "" "*""#),
        (
            Command::list(b"*", &everything).unwrap(),
            r#"LIST "" "*" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN MYRIGHTS STATUS (MESSAGES SIZE))"#,
        ),
        (
            Command::list_selected(&[b"INBOX", b"a/%"], subscribed, &ListReturn::default())
                .unwrap(),
            r#"LIST (SUBSCRIBED RECURSIVEMATCH) "" ("INBOX" "a/%")"#,
        ),
        (Command::lsub(b"%").unwrap(), r#"LSUB "" "%""#),
        (
            Command::status("x\u{e4}y".as_bytes()).unwrap(),
            "STATUS {4}x\u{e4}y (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)",
        ),
        (
            Command::status_of(b"a", &[StatusItem::HighestModSeq, StatusItem::MailboxId]).unwrap(),
            r#"STATUS "a" (HIGHESTMODSEQ MAILBOXID)"#,
        ),
        (Command::namespace(), "NAMESPACE"),
        (Command::get_quota(b"").unwrap(), r#"GETQUOTA """#),
        (Command::get_quota_root(b"INBOX").unwrap(), r#"GETQUOTAROOT "INBOX""#),
    ]
}

fn fetch_examples() -> Vec<(Command, &'static str)> {
    let section = |section: &str, partial| FetchItem::Section { section: section.into(), partial };
    let partial = Some(Partial { origin: 0, count: 512 });
    let fields = |section: &str, except, partial| FetchItem::HeaderFields {
        section: section.into(),
        names: vec!["To".into(), "List-Post".into()],
        except,
        partial,
    };
    let gone = FetchOptions { changed_since: Some(12345), vanished: true, window: None };
    let newest = FetchOptions { window: Some(Window::newest(1..=100)), ..Default::default() };
    vec![
        (
            Command::uid_fetch(&uids(), &[FetchItem::Envelope, FetchItem::Flags]).unwrap(),
            "UID FETCH 1:3,9 (UID ENVELOPE FLAGS)",
        ),
        (
            Command::uid_fetch(
                &5.into(),
                &[
                    FetchItem::InternalDate,
                    FetchItem::Size,
                    FetchItem::BodyStructure,
                    section("", None),
                    section("1.2.MIME", None),
                    section("2", partial),
                ],
            )
            .unwrap(),
            "UID FETCH 5 (UID INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[] \
             BODY.PEEK[1.2.MIME] BODY.PEEK[2]<0.512>)",
        ),
        (
            Command::uid_fetch(&5.into(), &[fields("", false, partial), fields("2.1", true, None)])
                .unwrap(),
            "UID FETCH 5 (UID BODY.PEEK[HEADER.FIELDS (To List-Post)]<0.512> \
             BODY.PEEK[2.1.HEADER.FIELDS.NOT (To List-Post)])",
        ),
        (
            Command::uid_fetch(
                &5.into(),
                &[
                    FetchItem::Binary { section: "1.2".into(), partial },
                    FetchItem::BinarySize { section: "3".into() },
                ],
            )
            .unwrap(),
            "UID FETCH 5 (UID BINARY.PEEK[1.2]<0.512> BINARY.SIZE[3])",
        ),
        (
            Command::uid_fetch(
                Uids::Saved,
                &[
                    FetchItem::ModSeq,
                    FetchItem::Preview { lazy: true },
                    FetchItem::Preview { lazy: false },
                    FetchItem::SaveDate,
                    FetchItem::EmailId,
                    FetchItem::ThreadId,
                    FetchItem::GmailMessageId,
                    FetchItem::GmailThreadId,
                    FetchItem::GmailLabels,
                ],
            )
            .unwrap(),
            "UID FETCH $ (UID MODSEQ PREVIEW (LAZY) PREVIEW SAVEDATE EMAILID THREADID X-GM-MSGID \
             X-GM-THRID X-GM-LABELS)",
        ),
        (
            Command::uid_fetch_with(&uids(), &[FetchItem::Flags], &gone).unwrap(),
            "UID FETCH 1:3,9 (UID FLAGS) (CHANGEDSINCE 12345 VANISHED)",
        ),
        (
            Command::uid_fetch_with(&uids(), &[], &newest).unwrap(),
            "UID FETCH 1:3,9 (UID) (PARTIAL -1:-100)",
        ),
    ]
}

fn change_examples() -> Vec<(Command, &'static str)> {
    let unchanged = StoreOptions { unchanged_since: Some(12_121_230_045), tell: true };
    let message =
        |content: &[u8]| AppendMessage { content: content.to_vec(), ..Default::default() };
    vec![
        (
            Command::uid_store(&uids(), StoreMode::Add, &[Flag::Seen]).unwrap(),
            r"UID STORE 1:3,9 +FLAGS.SILENT (\Seen)",
        ),
        (
            Command::uid_store(&uids(), StoreMode::Replace, &[]).unwrap(),
            "UID STORE 1:3,9 FLAGS.SILENT ()",
        ),
        (
            Command::uid_store_with(&uids(), StoreMode::Remove, &[Flag::Draft], unchanged).unwrap(),
            r"UID STORE 1:3,9 (UNCHANGEDSINCE 12121230045) -FLAGS (\Draft)",
        ),
        (
            Command::uid_store_labels(
                &5.into(),
                StoreMode::Add,
                &[br"\Inbox".to_vec(), b"My label".to_vec(), br"\x y".to_vec()],
            )
            .unwrap(),
            r#"UID STORE 5 +X-GM-LABELS.SILENT (\Inbox "My label" "\\x y")"#,
        ),
        (Command::uid_copy(&uids(), b"a b").unwrap(), r#"UID COPY 1:3,9 "a b""#),
        (Command::uid_move(Uids::Saved, b"Trash").unwrap(), r#"UID MOVE $ "Trash""#),
        (Command::uid_expunge(&uids()), "UID EXPUNGE 1:3,9"),
        (
            Command::append(b"Sent", &[Flag::Seen], b"Subject: x\r\n\r\n".to_vec()).unwrap(),
            "APPEND \"Sent\" (\\Seen) {14}Subject: x\r\n\r\n",
        ),
        (
            Command::append_streamed(
                b"Sent",
                &[
                    Upload { flags: vec![Flag::Seen], size: 3, ..Upload::default() },
                    Upload { size: 4, form: MessageForm::Binary, ..Upload::default() },
                ],
            )
            .unwrap(),
            "APPEND \"Sent\" (\\Seen) {3}... ~{4}...",
        ),
        (Command::compress(), "COMPRESS DEFLATE"),
        (Command::append(b"Sent", &[], b"x".to_vec()).unwrap(), "APPEND \"Sent\" {1}x"),
        (
            Command::append_all(
                b"a",
                [
                    AppendMessage { internal_date: Some(837_596_665), ..message(b"one") },
                    AppendMessage { flags: vec![Flag::Draft], ..message(b"two") },
                ],
            )
            .unwrap(),
            "APPEND \"a\" \"17-Jul-1996 09:44:25 +0000\" {3}one (\\Draft) {3}two",
        ),
        (
            Command::append_all(
                b"a",
                [AppendMessage { form: MessageForm::Binary, ..message(b"\0") }],
            )
            .unwrap(),
            "APPEND \"a\" ~{1}\0",
        ),
        (
            Command::append_all(b"a", [AppendMessage { form: MessageForm::Utf8, ..message(b"x") }])
                .unwrap(),
            "APPEND \"a\" () UTF8 (~{1}x)",
        ),
    ]
}

fn search_examples() -> Vec<(Command, &'static str)> {
    let header = SearchKey::Header { name: "Message-ID".into(), value: "<\u{e4}@b>".into() };
    let plain = |keys: &[SearchKey]| Command::uid_search(keys, SearchReturn::Plain).unwrap();
    let options = SearchOptions {
        min: true,
        max: true,
        all: true,
        count: true,
        save: true,
        window: Some(Window::oldest(1..=500)),
    };
    let day = Day::new(1994, 2, 1).unwrap();
    let latest = [
        SortKey { by: SortBy::Subject, reverse: false },
        SortKey { by: SortBy::Date, reverse: true },
    ];
    vec![
        (plain(&[]), "UID SEARCH ALL"),
        (
            Command::uid_search(&[SearchKey::Unseen], SearchReturn::Count).unwrap(),
            "UID SEARCH RETURN (COUNT) UNSEEN",
        ),
        (
            Command::uid_search(&[SearchKey::Uid(uids()), header.clone()], SearchReturn::All)
                .unwrap(),
            "UID SEARCH RETURN (ALL) CHARSET UTF-8 UID 1:3,9 HEADER \"Message-ID\" {6}<\u{e4}@b>",
        ),
        (
            Command::uid_search_in(&[header], &SearchReturn::Plain, Spelling::Utf8).unwrap(),
            "UID SEARCH HEADER \"Message-ID\" \"<\u{e4}@b>\"",
        ),
        (
            Command::uid_search(&[SearchKey::Saved], SearchReturn::Options(options)).unwrap(),
            "UID SEARCH RETURN (MIN MAX ALL COUNT SAVE PARTIAL 1:500) $",
        ),
        (
            Command::uid_search(&[SearchKey::All], SearchReturn::Options(SearchOptions::default()))
                .unwrap(),
            "UID SEARCH RETURN () ALL",
        ),
        (
            plain(&[
                SearchKey::Flag(Flag::Flagged),
                SearchKey::NoFlag(Flag::Deleted),
                SearchKey::Flag(Flag::Other("$Junk".into())),
                SearchKey::NoFlag(Flag::Other("$Junk".into())),
                SearchKey::Seen,
                SearchKey::Recent,
                SearchKey::Sequence(uids()),
            ]),
            "UID SEARCH FLAGGED UNDELETED KEYWORD $Junk UNKEYWORD $Junk SEEN RECENT 1:3,9",
        ),
        (
            plain(&[
                SearchKey::Text("a b".into()),
                SearchKey::Body("c".into()),
                SearchKey::Subject("d".into()),
                SearchKey::From("e".into()),
                SearchKey::To("f".into()),
                SearchKey::Cc("g".into()),
                SearchKey::Bcc("h".into()),
            ]),
            r#"UID SEARCH TEXT "a b" BODY "c" SUBJECT "d" FROM "e" TO "f" CC "g" BCC "h""#,
        ),
        (
            plain(&[
                SearchKey::Before(day),
                SearchKey::On(day),
                SearchKey::Since(day),
                SearchKey::SentBefore(day),
                SearchKey::SentOn(day),
                SearchKey::SentSince(day),
                SearchKey::Older(259_200),
                SearchKey::Younger(0),
                SearchKey::Larger(1000),
                SearchKey::Smaller(2000),
            ]),
            "UID SEARCH BEFORE 1-Feb-1994 ON 1-Feb-1994 SINCE 1-Feb-1994 SENTBEFORE 1-Feb-1994 \
             SENTON 1-Feb-1994 SENTSINCE 1-Feb-1994 OLDER 259200 YOUNGER 1 LARGER 1000 SMALLER 2000",
        ),
        (
            plain(&[
                SearchKey::SavedBefore(day),
                SearchKey::SavedOn(day),
                SearchKey::SavedSince(day),
                SearchKey::SaveDateSupported,
                SearchKey::EmailId("M6d99".into()),
                SearchKey::ThreadId("T64b4".into()),
                SearchKey::GmailRaw("has:attachment in:unread".into()),
                SearchKey::GmailMessageId(12),
                SearchKey::GmailThreadId(13),
                SearchKey::GmailLabel("My label".into()),
                SearchKey::Fuzzy(Box::new(SearchKey::Subject("x".into()))),
            ]),
            "UID SEARCH SAVEDBEFORE 1-Feb-1994 SAVEDON 1-Feb-1994 SAVEDSINCE 1-Feb-1994 \
             SAVEDATESUPPORTED EMAILID M6d99 THREADID T64b4 X-GM-RAW \"has:attachment in:unread\" \
             X-GM-MSGID 12 X-GM-THRID 13 X-GM-LABELS \"My label\" FUZZY SUBJECT \"x\"",
        ),
        (plain(&[SearchKey::ModSeq(620_162_338)]), "UID SEARCH MODSEQ 620162338"),
        (
            plain(&[
                SearchKey::or(
                    SearchKey::And(vec![SearchKey::Seen, SearchKey::Subject("(".into())]),
                    SearchKey::negate(SearchKey::And(vec![SearchKey::All, SearchKey::Uid(uids())])),
                ),
                SearchKey::And(vec![]),
                SearchKey::And(vec![SearchKey::Unseen]),
            ]),
            r#"UID SEARCH OR (SEEN SUBJECT "(") NOT (ALL UID 1:3,9) ALL UNSEEN"#,
        ),
        (
            Command::uid_sort(&latest, &[SearchKey::Text("x".into())]).unwrap(),
            r#"UID SORT (SUBJECT REVERSE DATE) UTF-8 TEXT "x""#,
        ),
        (
            Command::uid_thread(ThreadAlgorithm::References, &[SearchKey::Text("\u{e4}".into())])
                .unwrap(),
            "UID THREAD REFERENCES UTF-8 TEXT {2}\u{e4}",
        ),
    ]
}
