//! What is asked before a mailbox is opened.

use postern_imap::{
    Command, Response,
    command::{ListReturn, StatusItem},
};
use postern_sasl::Credentials;

use super::super::{PASSWORD, USER, answer::set};
use super::{ANY, MESSAGES, Step, folder, message, said, trips};

pub(super) const STEPS: &[Step] = &[
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
            assert_eq!(of_inbox.roots, std::slice::from_ref(&quota.root));
            let storage = quota.resources.iter().find(|own| own.name == "STORAGE");
            // Where none is set, the root says nothing of it.
            assert!(storage.is_none_or(|own| own.usage < own.limit), "{quota:?}");
        },
        ..ANY
    },
];
