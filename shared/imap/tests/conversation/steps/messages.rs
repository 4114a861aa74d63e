//! What is asked of the inbox and its messages.

use postern_imap::{
    Command,
    command::{
        FetchItem, Partial, Resync, SearchKey, SearchOptions, SearchReturn, SortBy, SortKey,
        ThreadAlgorithm, Uids, Window,
    },
    response::{Code, Flag, MyRights},
};

use super::super::answer::{held, set};
use super::{ANY, MESSAGES, Step, arrived, garden, said};

pub(super) const STEPS: &[Step] = &[
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
            assert_eq!((&*text.section, text.origin), (&b"TEXT"[..], Some(4)));
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
            assert_eq!((&*text.section, held(&text.content)), (&b"1"[..], "Grüße".as_bytes()));
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
];
