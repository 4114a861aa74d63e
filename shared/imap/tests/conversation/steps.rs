//! What is asked, in this order, and what must come of it.
//!
//! The inbox gets the messages 1 to 4, of which 2 answers 1, and 4 answers 2. Then 1 is copied, 2 moved
//! where the server can, and others remove 1 and 3.

use postern_imap::{
    Command, Response,
    command::{
        AppendMessage, FetchItem, FetchOptions, InvalidArgument, KnownState, ListReturn, Partial,
        Resync, SearchKey, SearchOptions, SearchReturn, SortBy, SortKey, StatusItem, StoreMode,
        StoreOptions, ThreadAlgorithm, Uids, Window,
    },
    response::{Code, Flag, MyRights},
};
use postern_sasl::Credentials;

use super::{
    Known, PASSWORD, USER,
    answer::{Answer, held, set},
};

/// A command, and what its answer must mean.
pub(crate) struct Step {
    /// What it is about, for the output of a failure.
    pub(crate) what: &'static str,
    /// What the server must offer and, behind `!`, must not; else the step is left out.
    pub(crate) needs: &'static [&'static str],
    /// What another client does before.
    pub(crate) elsewhere: &'static [&'static str],
    pub(crate) command: fn(&Known) -> Command,
    pub(crate) check: fn(&mut Known, &Answer),
}

/// When the first message arrived, in seconds since 1970. Each comes a day after the one before.
const FIRST_ARRIVED: i64 = 1_740_787_200;
const DAY: i64 = 24 * 60 * 60;

/// Their headers differ in whom they answer; of the third, the server can decode the text.
const MESSAGES: [&str; 4] = [
    "From: Ada Marsh <ada@example.org>\r\nSubject: Garden\r\n\
     Date: Sat, 01 Mar 2025 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n\
     The beans are up.\r\n",
    "From: Ben Hollis <ben@example.org>\r\nSubject: Re: Garden\r\n\
     Date: Sun, 02 Mar 2025 00:00:00 +0000\r\nMessage-ID: <2@example.org>\r\n\
     In-Reply-To: <1@example.org>\r\nReferences: <1@example.org>\r\n\r\nSnails?\r\n",
    "From: Ben Hollis <ben@example.org>\r\nSubject: Beans\r\n\
     Date: Mon, 03 Mar 2025 00:00:00 +0000\r\nMessage-ID: <3@example.org>\r\n\
     MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
     Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n",
    "From: Ada Marsh <ada@example.org>\r\nSubject: Re: Garden\r\n\
     Date: Tue, 04 Mar 2025 00:00:00 +0000\r\nMessage-ID: <4@example.org>\r\n\
     In-Reply-To: <2@example.org>\r\nReferences: <1@example.org> <2@example.org>\r\n\r\n\
     None.\r\n",
];

/// A step that any server can take.
const ANY: Step =
    Step { what: "", needs: &[], elsewhere: &[], command: |_| Command::noop(), check: |_, _| {} };

pub(crate) const STEPS: &[Step] = &[
    Step {
        what: "LOGIN",
        command: |_| said(Command::login(&Credentials::new(USER, PASSWORD))),
        ..ANY
    },
    Step {
        what: "CAPABILITY",
        command: |_| Command::capability(),
        check: |_, answer| {
            let offered = answer.one(|response| match response {
                Response::Capability(offered) => Some(offered),
                _ => None,
            });
            assert!(offered.has("IMAP4rev1") && offered.has("UIDPLUS"), "{offered:?}");
        },
        ..ANY
    },
    Step {
        what: "NAMESPACE",
        needs: &["NAMESPACE"],
        command: |_| Command::namespace(),
        check: |known, answer| {
            let namespaces = answer.one(|response| match response {
                Response::Namespaces(namespaces) => Some(namespaces),
                _ => None,
            });
            let [own] = &*namespaces.personal else { panic!("{namespaces:?}") };
            // Folders that are not beside the inbox are under it.
            match own.delimiter {
                Some(b'.') => assert!(matches!(&*own.prefix, b"" | b"INBOX."), "{own:?}"),
                Some(b'/') => assert_eq!(own.prefix, b""),
                other => panic!("{other:?}"),
            }
            known.prefix.clone_from(&own.prefix);
        },
        ..ANY
    },
    Step {
        what: "ENABLE",
        needs: &["QRESYNC"],
        command: |_| Command::enable(&["QRESYNC"]),
        check: |_, answer| {
            let enabled = answer.one(|response| match response {
                Response::Enabled(names) => Some(names),
                _ => None,
            });
            assert!(enabled.iter().any(|name| name == "QRESYNC"), "{enabled:?}");
        },
        ..ANY
    },
    Step { what: "CREATE", command: |known| said(Command::create(&trips(known))), ..ANY },
    Step {
        what: "CREATE for a special use",
        needs: &["CREATE-SPECIAL-USE"],
        command: |known| said(Command::create_for(&folder(known, "Kept"), "\\Archive")),
        ..ANY
    },
    Step {
        what: "APPEND",
        command: |_| said(Command::append_all(b"INBOX", [message(1)])),
        check: |_, answer| assert_eq!(*answer.appended(), set("1")),
        ..ANY
    },
    Step {
        what: "MULTIAPPEND",
        needs: &["MULTIAPPEND"],
        command: |_| said(Command::append_all(b"INBOX", [message(2), message(3), message(4)])),
        check: |_, answer| assert_eq!(*answer.appended(), set("2:4")),
        ..ANY
    },
    Step {
        what: "APPEND of the second",
        needs: &["!MULTIAPPEND"],
        command: |_| said(Command::append_all(b"INBOX", [message(2)])),
        check: |_, answer| assert_eq!(*answer.appended(), set("2")),
        ..ANY
    },
    Step {
        what: "APPEND of the third",
        needs: &["!MULTIAPPEND"],
        command: |_| said(Command::append_all(b"INBOX", [message(3)])),
        check: |_, answer| assert_eq!(*answer.appended(), set("3")),
        ..ANY
    },
    Step {
        what: "APPEND of the fourth",
        needs: &["!MULTIAPPEND"],
        command: |_| said(Command::append_all(b"INBOX", [message(4)])),
        check: |_, answer| assert_eq!(*answer.appended(), set("4")),
        ..ANY
    },
    Step {
        what: "STATUS",
        command: |_| said(Command::status(b"INBOX")),
        check: |known, answer| {
            let counts = answer.counts(b"INBOX");
            assert_eq!(
                (counts.messages, counts.unseen, counts.uid_next),
                (Some(4), Some(3), Some(5))
            );
            known.uid_validity = counts.uid_validity.expect("UIDVALIDITY");
        },
        ..ANY
    },
    Step {
        what: "STATUS=SIZE",
        needs: &["STATUS=SIZE"],
        command: |_| said(Command::status_of(b"INBOX", &[StatusItem::Size])),
        check: |_, answer| {
            let all: usize = MESSAGES.iter().map(|message| message.len()).sum();
            assert_eq!(answer.counts(b"INBOX").size, Some(all as u64));
        },
        ..ANY
    },
    Step { what: "SUBSCRIBE", command: |known| said(Command::subscribe(&trips(known))), ..ANY },
    Step {
        what: "LSUB",
        command: |_| said(Command::lsub(b"*")),
        check: |known, answer| {
            let is_trips = |response: &Response| match response {
                Response::Subscribed(entry) => entry.name == trips(known),
                _ => false,
            };
            assert!(answer.responses.iter().any(is_trips), "{:#?}", answer.responses);
        },
        ..ANY
    },
    Step {
        what: "LIST",
        needs: &["!LIST-STATUS"],
        command: |_| said(Command::list(b"*", &ListReturn::default())),
        check: |known, answer| {
            let names: Vec<_> = answer.listed().iter().map(|entry| &entry.name).collect();
            assert!(names.contains(&&trips(known)), "{names:?}");
        },
        ..ANY
    },
    Step {
        what: "LIST-STATUS",
        needs: &["LIST-STATUS"],
        command: |_| {
            let status = vec![StatusItem::Messages, StatusItem::Unseen];
            let with =
                ListReturn { subscribed: true, children: true, status, ..Default::default() };
            said(Command::list(b"*", &with))
        },
        check: |known, answer| {
            let listed = answer.listed();
            let trips_of = listed.iter().find(|entry| entry.name == trips(known));
            let trips_of = trips_of.expect("the folder");
            assert!(
                trips_of.has("\\Subscribed") && trips_of.has("\\HasNoChildren"),
                "{trips_of:?}"
            );
            assert_eq!(answer.counts(b"INBOX").messages, Some(4));
            assert_eq!(answer.counts(&trips(known)).messages, Some(0));
        },
        ..ANY
    },
    Step {
        what: "LIST for special uses",
        needs: &["CREATE-SPECIAL-USE"],
        command: |_| {
            let with = ListReturn { special_use: true, ..Default::default() };
            said(Command::list(b"*", &with))
        },
        check: |known, answer| {
            let listed = answer.listed();
            let kept = listed.iter().find(|entry| entry.name == folder(known, "Kept"));
            assert!(kept.expect("the folder").has("\\Archive"), "{kept:?}");
        },
        ..ANY
    },
    Step {
        what: "LIST-MYRIGHTS",
        needs: &["LIST-MYRIGHTS"],
        command: |_| {
            let with = ListReturn { my_rights: true, ..Default::default() };
            said(Command::list(b"INBOX", &with))
        },
        check: |_, answer| {
            let own = answer.one(|response| match response {
                Response::MyRights(own) => Some(own),
                _ => None,
            });
            assert_eq!(own.mailbox, b"INBOX");
            assert!(own.can_remove() && own.can_mark_read(), "{own:?}");
        },
        ..ANY
    },
    Step {
        what: "GETQUOTAROOT",
        needs: &["QUOTA"],
        command: |_| said(Command::get_quota_root(b"INBOX")),
        check: |_, answer| {
            let of_inbox = answer.one(|response| match response {
                Response::QuotaRoots(roots) => Some(roots),
                _ => None,
            });
            let quota = answer.one(|response| match response {
                Response::Quota(quota) => Some(quota),
                _ => None,
            });
            assert_eq!(of_inbox.mailbox, b"INBOX");
            assert_eq!(of_inbox.roots, [quota.root.clone()]);
            let storage = quota.resources.iter().find(|own| own.name == "STORAGE");
            // Where none is set, the root says nothing of it.
            assert!(storage.is_none_or(|own| own.usage < own.limit), "{quota:?}");
        },
        ..ANY
    },
    Step {
        what: "SELECT",
        command: |_| said(Command::select(b"INBOX")),
        check: |known, answer| {
            assert_eq!(answer.exists(), 4);
            let validity = answer.code(|code| match code {
                Code::UidValidity(validity) => Some(*validity),
                _ => None,
            });
            assert_eq!(validity, known.uid_validity);
            answer.code(|code| matches!(code, Code::ReadWrite).then_some(()));
        },
        ..ANY
    },
    Step {
        what: "SELECT with mod-sequences",
        needs: &["CONDSTORE"],
        command: |_| said(Command::select_with(b"INBOX", &Resync::CondStore)),
        check: |known, answer| {
            known.mod_seq = answer.code(|code| match code {
                Code::HighestModSeq(mod_seq) => Some(*mod_seq),
                _ => None,
            });
        },
        ..ANY
    },
    Step {
        what: "rights in the answer to SELECT",
        needs: &["ACL2=UNION"],
        command: |_| said(Command::select(b"INBOX")),
        check: |_, answer| {
            let rights = answer.code(|code| match code {
                Code::MyRights(rights) => Some(rights.clone()),
                _ => None,
            });
            let own = MyRights { mailbox: b"INBOX".to_vec(), rights };
            assert!(own.can_remove() && own.can_mark_read(), "{own:?}");
        },
        ..ANY
    },
    Step {
        what: "UID SEARCH",
        command: |_| said(Command::uid_search(&[garden()], SearchReturn::Plain)),
        check: |_, answer| assert_eq!(answer.found().all, Some(set("1:2,4"))),
        ..ANY
    },
    Step {
        what: "ESEARCH",
        needs: &["ESEARCH"],
        command: |_| {
            let wanted = SearchOptions {
                min: true,
                max: true,
                all: true,
                count: true,
                ..Default::default()
            };
            said(Command::uid_search(&[garden()], SearchReturn::Options(wanted)))
        },
        check: |_, answer| {
            let found = answer.found();
            assert!(found.uid && found.tag.is_some(), "{found:?}");
            assert_eq!((found.min, found.max, found.count), (Some(1), Some(4), Some(3)));
            assert_eq!(found.all, Some(set("1:2,4")));
        },
        ..ANY
    },
    Step {
        what: "PARTIAL",
        needs: &["PARTIAL"],
        command: |_| {
            let window = Some(Window::newest(1..=2));
            let wanted = SearchOptions { window, ..Default::default() };
            said(Command::uid_search(&[garden()], SearchReturn::Options(wanted)))
        },
        check: |_, answer| {
            let window = answer.found().partial.as_ref().expect("a window");
            assert_eq!((window.first, window.last), (-1, -2));
            assert_eq!(window.found, Some(set("2,4")));
        },
        ..ANY
    },
    Step {
        what: "SEARCHRES",
        needs: &["SEARCHRES"],
        command: |_| {
            let wanted = SearchOptions { save: true, ..Default::default() };
            said(Command::uid_search(&[garden()], SearchReturn::Options(wanted)))
        },
        ..ANY
    },
    Step {
        what: "FETCH of what the search has found",
        needs: &["SEARCHRES"],
        command: |_| said(Command::uid_fetch(Uids::Saved, &[FetchItem::Size])),
        check: |_, answer| {
            for uid in [1, 2, 4] {
                assert_eq!(answer.fetched(uid).size, Some(MESSAGES[uid as usize - 1].len() as u64));
            }
            answer.assert_untold(3);
        },
        ..ANY
    },
    Step {
        what: "SORT",
        needs: &["SORT"],
        command: |_| {
            let order = [(SortBy::Subject, false), (SortBy::Arrival, true)];
            let order = order.map(|(by, reverse)| SortKey { by, reverse });
            said(Command::uid_sort(&order, &[SearchKey::All]))
        },
        check: |_, answer| assert_eq!(answer.sorted(), [3, 4, 2, 1]),
        ..ANY
    },
    Step {
        what: "THREAD",
        needs: &["THREAD=REFERENCES"],
        command: |_| said(Command::uid_thread(ThreadAlgorithm::References, &[SearchKey::All])),
        check: |_, answer| {
            let garden = vec![(1, None), (2, Some(1)), (4, Some(2))];
            assert_eq!(answer.threads(), [garden, vec![(3, None)]]);
        },
        ..ANY
    },
    Step {
        what: "FETCH of what a list shows",
        command: |_| {
            let items =
                [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size, FetchItem::Envelope];
            said(Command::uid_fetch(&set("1:4"), &items))
        },
        check: |_, answer| {
            for (number, message) in (1..).zip(MESSAGES) {
                let fetch = answer.fetched(number);
                assert_eq!(fetch.internal_date, Some(arrived(number)));
                assert_eq!(fetch.size, Some(message.len() as u64));
                let envelope = fetch.envelope.as_ref().expect("an envelope");
                assert_eq!(*envelope.message_id, *format!("<{number}@example.org>").as_bytes());
                assert_eq!(answer.has_flag(number, &Flag::Seen), number == 2, "{number}");
            }
        },
        ..ANY
    },
    Step {
        what: "FETCH of a part of a text",
        command: |_| {
            let partial = Some(Partial { origin: 4, count: 5 });
            let section = "TEXT".into();
            said(Command::uid_fetch(&set("1"), &[FetchItem::Section { section, partial }]))
        },
        check: |_, answer| {
            let [text] = &*answer.fetched(1).sections else { panic!("one section") };
            assert_eq!((&*text.section, text.origin), ("TEXT", Some(4)));
            assert_eq!(held(&text.content), b"beans");
        },
        ..ANY
    },
    Step {
        what: "BINARY",
        needs: &["BINARY"],
        command: |_| {
            let item = FetchItem::Binary { section: "1".into(), partial: None };
            said(Command::uid_fetch(&set("3"), &[item]))
        },
        check: |_, answer| {
            let [text] = &*answer.fetched(3).binary else { panic!("one part") };
            assert_eq!((&*text.section, held(&text.content)), ("1", "Grüße".as_bytes()));
        },
        ..ANY
    },
    Step {
        what: "PREVIEW",
        needs: &["PREVIEW"],
        command: |_| said(Command::uid_fetch(&set("1"), &[FetchItem::Preview { lazy: false }])),
        check: |_, answer| {
            // Some have none before they were told to make it.
            let preview = answer.fetched(1).preview.as_ref().expect("an answer");
            assert!(preview.as_ref().is_none_or(|own| own == "The beans are up."), "{preview:?}");
        },
        ..ANY
    },
    Step {
        what: "SAVEDATE",
        needs: &["SAVEDATE"],
        command: |_| said(Command::uid_fetch(&set("1"), &[FetchItem::SaveDate])),
        check: |_, answer| {
            let saved = answer.fetched(1).save_date.expect("a date");
            assert!(saved.is_some_and(|own| own > arrived(4)), "{saved:?}");
        },
        ..ANY
    },
    Step {
        what: "OBJECTID",
        needs: &["OBJECTID"],
        command: |_| {
            said(Command::uid_fetch(&set("1:2"), &[FetchItem::EmailId, FetchItem::ThreadId]))
        },
        check: |_, answer| {
            let (first, second) = (answer.fetched(1), answer.fetched(2));
            assert!(first.email_id.is_some() && first.email_id != second.email_id);
            assert!(first.thread_id.is_some());
        },
        ..ANY
    },
    Step {
        what: "STORE",
        command: |_| {
            let told = StoreOptions { tell: true, ..Default::default() };
            said(Command::uid_store_with(&set("2"), StoreMode::Add, &[Flag::Answered], told))
        },
        check: |_, answer| {
            assert!(answer.has_flag(2, &Flag::Answered) && answer.has_flag(2, &Flag::Seen));
        },
        ..ANY
    },
    Step {
        what: "STORE of what another client has changed",
        needs: &["CONDSTORE"],
        elsewhere: &["SELECT INBOX", r"UID STORE 1 +FLAGS (\Flagged)"],
        command: |known| {
            let unchanged_since = Some(known.mod_seq);
            let options = StoreOptions { unchanged_since, tell: false };
            said(Command::uid_store_with(&set("1"), StoreMode::Add, &[Flag::Draft], options))
        },
        check: |_, answer| {
            let refused = answer.code(|code| match code {
                Code::Modified(uids) => Some(uids),
                _ => None,
            });
            assert_eq!(*refused, set("1"));
        },
        ..ANY
    },
    Step {
        what: "FETCH of what has changed",
        needs: &["CONDSTORE"],
        command: |known| {
            let options = FetchOptions { changed_since: Some(known.mod_seq), ..Default::default() };
            said(Command::uid_fetch_with(&set("1:4"), &[FetchItem::Flags], &options))
        },
        check: |known, answer| {
            assert!(answer.has_flag(1, &Flag::Flagged) && !answer.has_flag(1, &Flag::Draft));
            assert!(answer.has_flag(2, &Flag::Answered));
            assert!(answer.fetched(1).mod_seq.is_some_and(|own| own > known.mod_seq));
            answer.assert_untold(3);
        },
        ..ANY
    },
    Step {
        what: "COPY",
        command: |known| said(Command::uid_copy(&set("1"), &trips(known))),
        check: |_, answer| assert!(answer.copied().pairs().eq([(1, 1)])),
        ..ANY
    },
    Step {
        what: "MOVE",
        needs: &["MOVE"],
        command: |known| said(Command::uid_move(&set("2"), &trips(known))),
        check: |_, answer| {
            assert!(answer.copied().pairs().eq([(2, 2)]));
            answer.assert_gone(2, 2);
        },
        ..ANY
    },
    Step {
        what: "what another client expunges",
        elsewhere: &["SELECT INBOX", r"UID STORE 1 +FLAGS.SILENT (\Deleted)", "EXPUNGE"],
        command: |_| Command::noop(),
        check: |_, answer| answer.assert_gone(1, 1),
        ..ANY
    },
    Step {
        what: "SELECT of another mailbox",
        command: |known| said(Command::select(&trips(known))),
        check: |known, answer| {
            // Without MOVE there is one that was copied.
            assert!((1..=2).contains(&answer.exists()));
            assert!(known.mod_seq == 0 || answer.exists() == 2);
        },
        ..ANY
    },
    Step {
        what: "what is gone and changed since then",
        needs: &["QRESYNC"],
        elsewhere: &[
            r"UID STORE 3 +FLAGS.SILENT (\Deleted)",
            "EXPUNGE",
            r"UID STORE 4 +FLAGS (\Flagged)",
        ],
        command: |known| {
            let (uid_validity, mod_seq) = (known.uid_validity, known.mod_seq);
            let known = KnownState { uid_validity, mod_seq, uids: Some(set("1:4")), places: None };
            said(Command::select_with(b"INBOX", &Resync::Since(known)))
        },
        check: |_, answer| {
            assert_eq!(answer.exists(), 1);
            answer.assert_gone_before("1:3");
            assert!(answer.has_flag(4, &Flag::Flagged));
        },
        ..ANY
    },
    Step {
        what: "FETCH of what is gone",
        needs: &["QRESYNC"],
        command: |known| {
            let changed_since = Some(known.mod_seq);
            let options = FetchOptions { changed_since, vanished: true, window: None };
            said(Command::uid_fetch_with(&set("1:4"), &[FetchItem::Flags], &options))
        },
        check: |_, answer| {
            answer.assert_gone_before("1:3");
            assert!(answer.has_flag(4, &Flag::Flagged));
        },
        ..ANY
    },
    Step {
        what: "SELECT once more, without QRESYNC",
        needs: &["!QRESYNC"],
        elsewhere: &[r"UID STORE 2:3 +FLAGS.SILENT (\Deleted)", "EXPUNGE"],
        command: |_| said(Command::select(b"INBOX")),
        check: |_, answer| assert_eq!(answer.exists(), 1),
        ..ANY
    },
    Step {
        what: "STORE before an expunge",
        command: |_| said(Command::uid_store(&set("4"), StoreMode::Add, &[Flag::Deleted])),
        ..ANY
    },
    Step {
        what: "UID EXPUNGE",
        command: |_| Command::uid_expunge(&set("4")),
        check: |_, answer| answer.assert_gone(4, 1),
        ..ANY
    },
    Step { what: "UNSUBSCRIBE", command: |known| said(Command::unsubscribe(&trips(known))), ..ANY },
    Step {
        what: "RENAME",
        command: |known| said(Command::rename(&trips(known), &folder(known, "Journeys"))),
        ..ANY
    },
    Step {
        what: "STATUS under the new name",
        command: |known| said(Command::status(&folder(known, "Journeys"))),
        check: |known, answer| {
            let counts = answer.counts(&folder(known, "Journeys"));
            assert!(counts.messages.is_some_and(|messages| messages > 0), "{counts:?}");
        },
        ..ANY
    },
    Step {
        what: "DELETE",
        command: |known| said(Command::delete(&folder(known, "Journeys"))),
        ..ANY
    },
    Step {
        what: "LIST of what is left",
        command: |_| said(Command::list(b"*", &ListReturn::default())),
        check: |known, answer| {
            let names: Vec<_> = answer.listed().iter().map(|entry| &entry.name).collect();
            let gone = [trips(known), folder(known, "Journeys")];
            assert!(!names.is_empty() && gone.iter().all(|own| !names.contains(&own)), "{names:?}");
        },
        ..ANY
    },
    Step { what: "LOGOUT", command: |_| Command::logout(), ..ANY },
];

fn said(command: Result<Command, InvalidArgument>) -> Command {
    command.expect("nothing in it is invalid")
}

fn folder(known: &Known, name: &str) -> Vec<u8> {
    [&known.prefix, name.as_bytes()].concat()
}

fn trips(known: &Known) -> Vec<u8> {
    folder(known, "Trips")
}

fn garden() -> SearchKey {
    SearchKey::Subject("garden".into())
}

fn arrived(number: u32) -> i64 {
    FIRST_ARRIVED + i64::from(number - 1) * DAY
}

/// A message by its number; the second has been read.
fn message(number: u32) -> AppendMessage {
    AppendMessage {
        flags: if number == 2 { vec![Flag::Seen] } else { Vec::new() },
        internal_date: Some(arrived(number)),
        content: MESSAGES[number as usize - 1].into(),
        ..AppendMessage::default()
    }
}
