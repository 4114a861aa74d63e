//! What is changed, here and by others, and how that is told.

use postern_imap::{
    Command,
    command::{FetchItem, FetchOptions, KnownState, ListReturn, Resync, StoreMode, StoreOptions},
    response::{Code, Flag},
};

use super::super::answer::set;
use super::{ANY, Step, folder, said, trips};

pub(super) const STEPS: &[Step] = &[
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
