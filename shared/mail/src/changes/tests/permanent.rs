//! Marks that a server does not keep.

use postern_bridge::ClientId;

use super::*;
use crate::{
    error::Denial,
    imap::Outcome,
    store::{Key, Table, Write},
};

fn host(permanent: Option<&'static str>) -> TestHost<Imap, MemoryStore> {
    let mut server = Imap::new("MOVE UIDPLUS");
    server.permanent = permanent;
    prepared(server, MemoryStore::new())
}

pub(super) fn tag(name: &str) -> Mark {
    Mark::Keyword(name.into())
}

/// Makes a change that a person has asked for.
fn ask(
    host: &TestHost<Imap, MemoryStore>,
    change: impl AsyncFnOnce(&mut Editor<'_, TestHost<Imap, MemoryStore>>) -> Result<(), MailError>,
) {
    let account = account(Protocol::Imap);
    let made = block_on(async {
        let mut editor = Editor::begin(host, &account, Some((ClientId(7), 3))).await?;
        change(&mut editor).await
    });
    made.unwrap();
}

/// Tells the server what is queued next; if it does not do that, it is taken back.
pub(super) fn tell(host: &TestHost<Imap, MemoryStore>) -> Result<Outcome, MailError> {
    let own = account(Protocol::Imap);
    block_on(async {
        let mut client = ImapClient::connect(host, &own.incoming, &Secret::new("secret")).await?;
        let entry = changes::next(host.store(), own.id).await?.expect("something is queued");
        let told = client.make_change(host, &entry).await;
        if let Err(error) = &told {
            changes::refused(host, &entry, error).await?;
        }
        told
    })
}

/// The marks that were told to the server.
fn said(host: &TestHost<Imap, MemoryStore>) -> usize {
    host.server.borrow().log.iter().filter(|line| line.starts_with("UID STORE")).count()
}

/// Why a server that keeps these marks is not given one, if it is not.
fn refusal(permanent: Option<&'static str>, mark: &Mark, set: bool) -> Option<MailError> {
    let host = host(permanent);
    if !set {
        edit(&host, async |editor| editor.mark(INBOX, &[1], mark, true).await).unwrap();
        host.server.borrow_mut().permanent = None;
        tell(&host).unwrap();
        let mut server = host.server.borrow_mut();
        server.permanent = permanent;
        server.log.clear();
    }
    let before = (stored(&host.store), host.server.borrow().state());
    ask(&host, async |editor| editor.mark(INBOX, &[1], mark, set).await);
    let told = tell(&host);
    assert!(open_entries(&host).is_empty());
    assert_eq!(said(&host), usize::from(told.is_ok()));
    let is_as_before = (stored(&host.store), host.server.borrow().state()) == before;
    assert_eq!(is_as_before, told.is_err());
    told.err()
}

#[test]
fn a_mark_that_would_be_kept_for_the_connection_alone_is_refused_and_told_as_such() {
    const TAG: &str = "such a tag in this folder that outlasts the connection";
    const MARK: &str = "such a mark in this folder that outlasts the connection";
    let system = Some(r"\Answered \Flagged \Deleted \Seen \Draft");
    let cases = [
        (None, tag("Work"), None),
        (None, Mark::Flagged, None),
        (system, tag("Work"), Some(TAG)),
        (system, Mark::Flagged, None),
        (Some(r"\SEEN \flagged"), Mark::Flagged, None),
        (Some(r"\SEEN \flagged"), Mark::Answered, Some(MARK)),
        (Some(r"\Seen Work Play"), tag("work"), None),
        (Some(r"\Seen Work Play"), tag("Works"), Some(TAG)),
        (Some(r"\Seen \*"), tag("Work"), None),
        (Some(r"\Seen \*"), Mark::Flagged, Some(MARK)),
        (Some(r"\Recent"), tag("Work"), Some(TAG)),
        (Some(""), tag("Work"), Some(TAG)),
        (Some(""), Mark::Seen, Some(MARK)),
    ];
    for (permanent, mark, lacking) in cases {
        for set in [true, false] {
            let refused = refusal(permanent, &mark, set);
            assert_eq!(refused, lacking.map(MailError::Unsupported), "{permanent:?} {mark:?}");
        }
    }
    let sentence = MailError::Unsupported(TAG).problem("mail.example.org").sentence;
    assert_eq!(sentence, format!("mail.example.org does not offer {TAG}."));
}

#[test]
fn where_a_folder_is_open_for_reading_alone_that_is_said_and_not_that_no_mark_is_kept() {
    for (permanent, mark, expected) in [
        (Some(""), Mark::Flagged, true),
        (Some(""), tag("Work"), true),
        (Some(r"\Seen"), Mark::Flagged, true),
        (Some(r"\Seen"), Mark::Seen, false),
        (None, Mark::Flagged, false),
    ] {
        let host = host(permanent);
        host.server.borrow_mut().read_only = true;
        ask(&host, async |editor| editor.mark(INBOX, &[1], &mark, true).await);
        let told = tell(&host);
        let is_said = matches!(
            &told,
            Err(MailError::Denied { why: Denial::NotAllowed, text, .. })
                if text == "it is open for reading alone"
        );
        assert_eq!((is_said, told.is_err()), (expected, expected), "{permanent:?} {mark:?}");
    }
}

#[test]
fn a_tag_that_the_server_takes_and_leaves_out_is_refused() {
    let host = host(None);
    host.server.borrow_mut().ignores.push("Work");
    ask(&host, async |editor| editor.mark(INBOX, &[1], &tag("Work"), true).await);
    assert_eq!(tell(&host), Err(MailError::Unsupported("tags")));
}

#[test]
fn what_filters_learn_from_is_left_out_where_it_is_not_kept_and_the_junk_is_moved() {
    for (permanent, ignores) in [(Some(r"\Seen"), None), (None, Some(changes::JUNK))] {
        let host = host(permanent);
        host.server.borrow_mut().ignores.extend(ignores);
        ask(&host, async |editor| {
            editor.mark(INBOX, &[1], &tag(changes::JUNK), true).await?;
            editor.transfer(INBOX, &[1], OTHER, false).await
        });
        let left_out = tell(&host).unwrap();
        assert!(left_out.settled.unknown.contains(&INBOX));
        assert_eq!(left_out.settled.left, 0, "nothing is told to be missing");
        tell(&host).unwrap();
        let moved = ("1@example.org".to_owned(), vec![]);
        assert_eq!(host.server.borrow().state()["m2"], [moved], "{permanent:?}");
    }
}

/// Opens a message that is unread.
fn open(host: &TestHost<Imap, MemoryStore>, uid: u32) {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut editor = Editor::begin(host, &account, None).await?.unasked();
        editor.mark(INBOX, &[uid], &Mark::Seen, true).await
    })
    .unwrap();
}

#[test]
fn nobody_is_told_that_a_message_that_was_opened_does_not_stay_read() {
    let host = host(Some(r"\Flagged"));
    let before = stored(&host.store);
    open(&host, 1);
    let left_out = tell(&host).unwrap();
    assert!(left_out.settled.unknown.contains(&INBOX));
    assert_eq!(left_out.settled.left, 0, "nothing is told to be missing");
    assert_eq!(said(&host), 0);
    // No mod-sequence has changed: nothing of it would come with the next look.
    assert_eq!(stored(&host.store), before, "it is shown as it is there");
}

#[test]
fn a_mark_that_comes_to_nothing_takes_along_what_was_to_take_it_off_again() {
    let host = host(Some(r"\Flagged"));
    let before = stored(&host.store);
    open(&host, 1);
    ask(&host, async |editor| editor.mark(INBOX, &[1], &Mark::Seen, false).await);
    assert_eq!(tell(&host).map(|told| told.settled.left), Ok(0));
    assert!(open_entries(&host).is_empty(), "the server has it as that asks");
    assert_eq!(stored(&host.store), before);
}

#[test]
fn of_what_was_to_take_a_mark_off_again_others_stay() {
    let host = host(None);
    open(&host, 2);
    tell(&host).unwrap();
    host.server.borrow_mut().permanent = Some(r"\Flagged");
    let before = stored(&host.store);
    open(&host, 1);
    ask(&host, async |editor| editor.mark(INBOX, &[1, 2], &Mark::Seen, false).await);
    open(&host, 1);
    tell(&host).unwrap();
    let left: Vec<_> = open_entries(&host).iter().map(|own| own.task.items().len()).collect();
    assert_eq!(left, [1, 1]);
    assert!(matches!(tell(&host), Err(MailError::Unsupported(_))), "that was asked for");
    tell(&host).unwrap();
    assert_eq!(stored(&host.store), before);
}

#[test]
fn a_mark_that_comes_to_nothing_is_taken_off_wherever_the_message_is_by_now() {
    for mark in [tag(changes::JUNK), Mark::Flagged] {
        let host = host(Some(r"\Seen"));
        ask(&host, async |editor| editor.mark(INBOX, &[1], &mark, true).await);
        let moved = move_to(&host, INBOX, &[1], OTHER).unwrap();
        assert_eq!(tell(&host).is_err(), mark == Mark::Flagged);
        let has_mark = |id| {
            let own: Message =
                block_on(record::get(&host.store, &record::message_key(id))).unwrap().unwrap();
            own.flags.flagged || !own.keywords.is_empty()
        };
        assert!(!has_mark(moved.moved[0].to), "{mark:?}");
        let account = account(Protocol::Imap);
        block_on(changes::undo(&host, &account, moved.change.unwrap())).unwrap();
        assert!(!has_mark(moved.moved[0].from), "{mark:?}");
        assert!(open_entries(&host).is_empty());
    }
}

#[test]
fn a_read_mark_that_a_person_has_asked_for_is_told_where_it_is_not_kept() {
    const LACKING: Option<&str> = Some(r"\Flagged");
    // What takes back that it was marked as unread.
    let undone = host(None);
    open(&undone, 1);
    tell(&undone).unwrap();
    ask(&undone, async |editor| editor.mark(INBOX, &[1], &Mark::Seen, false).await);
    let change = open_entries(&undone)[0].change;
    tell(&undone).unwrap();
    block_on(changes::undo(&undone, &account(Protocol::Imap), change)).unwrap();
    undone.server.borrow_mut().permanent = LACKING;
    // What version 0.1.0 has left.
    let adopted = host(LACKING);
    let key = Key::new().bytes(b"seen-").u32(1).u32(1);
    let mark = Write::Put { table: Table::Meta, key, value: record::encode(&true) };
    block_on(adopted.store.apply(vec![mark], Durability::Strict)).unwrap();
    block_on(changes::adopt_marks(&adopted)).unwrap();
    for host in [undone, adopted] {
        assert!(matches!(tell(&host), Err(MailError::Unsupported(_))));
    }
}
