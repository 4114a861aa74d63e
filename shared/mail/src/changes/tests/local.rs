//! Local mailboxes of a POP3 account: everything at once, and the ledger follows.

use super::*;
use crate::{
    changes::undo,
    pop3::LedgerRow,
    store::{Table, Write},
    testing::{YieldingStore, give_way},
};

fn row(uid: u32) -> LedgerRow {
    LedgerRow {
        account: AccountId(1),
        uidl: format!("u{uid}").into_bytes(),
        message: MessageId { mailbox: INBOX, uid },
        listed_size: 1,
        size: 1,
        sha256: [0; 32],
        header: None,
        text_size: None,
        text: None,
        partial: false,
        wanted: false,
        first_seen: 0,
        stored: 0,
        verified: Some(0),
        refused: None,
        deleted_here: None,
        delete_asked: None,
        delete_confirmed: None,
        gone: None,
        copy: 0,
    }
}

fn host<D: Store + 'static>(store: D) -> TestHost<Imap, D> {
    let host = prepared(Imap::new(""), store);
    let rows = (1..=3).map(|uid| row(uid).put()).collect();
    block_on(host.store.apply(rows, Durability::Strict)).unwrap();
    host
}

fn edit_local<D: Store + 'static>(
    host: &TestHost<Imap, D>,
    change: impl AsyncFnOnce(&mut Editor<'_, TestHost<Imap, D>>) -> Result<(), MailError>,
) -> Result<Made, MailError> {
    let account = account(Protocol::Pop3);
    block_on(async {
        let mut editor = Editor::begin(host, &account, None).await?;
        change(&mut editor).await?;
        Ok(editor.finish())
    })
}

fn ledger<D: Store>(store: &D) -> Vec<(MessageId, bool)> {
    let rows: Vec<LedgerRow> = block_on(record::all(store, &KeyRange::all())).unwrap();
    rows.iter().map(|row| (row.message, row.deleted_here.is_some())).collect()
}

#[test]
fn a_message_is_moved_in_one_batch_with_its_bytes_and_its_row_in_the_ledger() {
    let store = FailingStore::default();
    let host = host(store.clone());
    let writes = store.writes.get();
    let made = edit_local(&host, async |editor| editor.transfer(INBOX, &[2], OTHER, false).await);
    assert_eq!(store.writes.get(), writes + 1);
    let there = made.unwrap().moved[0].to;
    assert_eq!(there, MessageId { mailbox: OTHER, uid: 1 });
    assert_eq!(block_on(record::body(&store, there)).unwrap(), b"2");
    assert_eq!(ledger(&store)[1], (there, false));
    assert!(open_entries(&host).is_empty(), "there is nobody to tell");
}

/// A server may have given a message two unique ids, one after the other.
#[test]
fn all_rows_about_a_message_follow_it() {
    let host = host(MemoryStore::new());
    let again = LedgerRow { uidl: b"again".to_vec(), ..row(2) };
    block_on(host.store.apply(vec![again.put()], Durability::Strict)).unwrap();
    let about = |at: MessageId, deleted| {
        let rows = ledger(&host.store);
        assert_eq!(rows.iter().filter(|row| **row == (at, deleted)).count(), 2, "{rows:?}");
    };
    edit_local(&host, async |editor| editor.transfer(INBOX, &[2], OTHER, false).await).unwrap();
    let there = MessageId { mailbox: OTHER, uid: 1 };
    about(there, false);
    edit_local(&host, async |editor| {
        editor.transfer(OTHER, &[1], INBOX, false).await?;
        editor.transfer(INBOX, &[4], OTHER, false).await?;
        editor.expunge(OTHER, &[2]).await
    })
    .unwrap();
    about(MessageId { mailbox: OTHER, uid: 2 }, true);
}

#[test]
fn deleting_for_good_is_noted_for_the_retention() {
    let host = host(MemoryStore::new());
    edit_local(&host, async |editor| editor.transfer(INBOX, &[2], OTHER, false).await).unwrap();
    edit_local(&host, async |editor| editor.expunge(OTHER, &[1]).await).unwrap();
    let deleted: Vec<bool> = ledger(&host.store).iter().map(|(_, deleted)| *deleted).collect();
    assert_eq!(deleted, [false, true, false]);
    let chunks = block_on(host.store.keys(Table::Bodies, &KeyRange::all())).unwrap();
    assert_eq!(chunks.len(), 2);
}

/// A backup brings what were labels at a server.
#[test]
fn a_label_that_is_taken_off_can_be_given_back() {
    let host = host(MemoryStore::new());
    let id = MessageId { mailbox: INBOX, uid: 2 };
    let before: Message =
        block_on(record::get(&host.store, &record::message_key(id))).unwrap().unwrap();
    let before = Message { keywords: vec!["Muy Importante".into()], ..before };
    block_on(host.store.apply(vec![before.put()], Durability::Strict)).unwrap();
    let mark = Mark::Keyword("Muy Importante".into());
    let made = edit_local(&host, async |editor| editor.mark(INBOX, &[2], &mark, false).await);
    let stored =
        || block_on(record::get::<Message>(&host.store, &record::message_key(id))).unwrap();
    assert!(stored().unwrap().keywords.is_empty());
    let change = made.unwrap().change.unwrap();
    block_on(undo(&host, &account(Protocol::Pop3), change)).unwrap();
    assert_eq!(stored(), Some(before));
}

#[test]
fn a_move_is_taken_back() {
    let host = host(MemoryStore::new());
    let made = edit_local(&host, async |editor| editor.transfer(INBOX, &[2], OTHER, false).await);
    let change = made.unwrap().change.unwrap();
    let undone = block_on(undo(&host, &account(Protocol::Pop3), change)).unwrap();
    let back = undone.made.moved[0].to;
    assert_eq!(back.mailbox, INBOX);
    assert_eq!(block_on(record::body(&host.store, back)).unwrap(), b"2");
    assert_eq!(ledger(&host.store)[1], (back, false));
}

#[test]
fn folders_are_made_renamed_and_deleted_with_what_is_in_them() {
    let host = host(MemoryStore::new());
    let account = account(Protocol::Pop3);
    let made = block_on(async {
        let mut editor = Editor::begin(&host, &account, None).await.unwrap();
        editor.create_mailbox(Some(OTHER), "Trips", None).await.unwrap()
    });
    edit_local(&host, async |editor| editor.transfer(INBOX, &[1], made, false).await).unwrap();
    edit_local(&host, async |editor| editor.move_mailbox(made, None, "Journeys").await).unwrap();
    let own = block_on(record::mailbox(&host.store, made)).unwrap();
    assert_eq!(own.names, ["Journeys"]);
    edit_local(&host, async |editor| editor.remove_mailbox(made).await).unwrap();
    assert!(block_on(record::mailbox(&host.store, made)).is_err());
    assert!(ledger(&host.store)[0].1, "its messages were deleted here");
}

#[test]
fn a_folder_that_may_not_be_deleted_keeps_its_messages() {
    let host = host(MemoryStore::new());
    let mut parent = INBOX;
    edit_local(&host, async |editor| {
        parent = editor.create_mailbox(None, "Trips", None).await?;
        editor.transfer(INBOX, &[1], parent, false).await
    })
    .unwrap();
    edit_local(&host, async |editor| {
        editor.create_mailbox(Some(parent), "Japan", None).await.map(drop)
    })
    .unwrap();
    let before = stored(&host.store);
    let removed = edit_local(&host, async |editor| editor.remove_mailbox(parent).await);
    assert!(matches!(removed, Err(MailError::Input(_))));
    assert_eq!(stored(&host.store), before);
    assert!(ledger(&host.store).iter().all(|(_, deleted)| !deleted));
}

#[test]
fn what_is_moved_into_a_folder_while_it_is_deleted_is_not_lost() {
    for delay in 0..60 {
        let host = host(YieldingStore::default());
        let account = account(Protocol::Pop3);
        let mut trips = INBOX;
        edit_local(&host, async |editor| {
            trips = editor.create_mailbox(None, "Trips", None).await?;
            editor.transfer(INBOX, &[1], trips, false).await
        })
        .unwrap();
        let remove = async {
            let mut editor = Editor::begin(&host, &account, None).await?;
            editor.remove_mailbox(trips).await
        };
        let transfer = async {
            for _ in 0..delay {
                give_way().await;
            }
            let mut editor = Editor::begin(&host, &account, None).await?;
            editor.transfer(INBOX, &[2], trips, false).await
        };
        let (removed, moved) = block_on(futures_util::future::join(remove, transfer));
        removed.unwrap();
        assert!(matches!(moved, Ok(()) | Err(MailError::Gone(_))), "{moved:?}");
        let ledger = ledger(&host.store);
        for (place, deleted) in &ledger {
            let there = block_on(host.store.get(Table::Messages, &record::message_key(*place)));
            assert!(there.unwrap().is_some() != *deleted, "after {delay}: {place:?}");
        }
        assert_eq!(moved.is_ok(), ledger[1].1, "deleted with the folder, or still in the inbox");
    }
}

#[test]
fn a_message_of_which_only_the_header_is_here_is_moved_but_not_copied() {
    let host = host(MemoryStore::new());
    let id = MessageId { mailbox: INBOX, uid: 2 };
    let key = record::message_key(id);
    let whole: Message = block_on(record::get(&host.store, &key)).unwrap().unwrap();
    let header = Message { body: Body::Header { size: 1 }, ..whole };
    block_on(host.store.apply(vec![header.put()], Durability::Strict)).unwrap();
    let before = stored(&host.store);
    let copied =
        edit_local(&host, async |editor| editor.transfer(INBOX, &[1, 2, 3], OTHER, true).await);
    let Err(MailError::Input(sentence)) = copied else { panic!("{copied:?}") };
    assert!(sentence.contains("Letter 2"), "{sentence}");
    assert_eq!(stored(&host.store), before);
    edit_local(&host, async |editor| editor.transfer(INBOX, &[2], OTHER, false).await).unwrap();
    edit_local(&host, async |editor| editor.transfer(INBOX, &[1], OTHER, true).await).unwrap();
    assert_eq!(stored(&host.store)["m2"].len(), 2);
}

/// Removes the stored bytes of a message of the inbox.
fn wipe<D: Store>(store: &D, uid: u32) {
    let range = KeyRange::prefix(record::message_key(MessageId { mailbox: INBOX, uid }));
    let wipe = Write::DeleteRange { table: Table::Bodies, range };
    block_on(store.apply(vec![wipe], Durability::Strict)).unwrap();
}

#[test]
fn a_damaged_message_stays_and_is_told_and_the_others_are_moved() {
    let host = host(MemoryStore::new());
    wipe(&host.store, 2);
    let made =
        edit_local(&host, async |editor| editor.transfer(INBOX, &[1, 2, 3], OTHER, false).await)
            .unwrap();
    assert_eq!((made.moved.len(), made.damaged.len()), (2, 1));
    let places: Vec<MailboxId> = ledger(&host.store).iter().map(|row| row.0.mailbox).collect();
    assert_eq!(places, [OTHER, INBOX, OTHER]);
    assert_eq!([INBOX, OTHER].map(|own| uids(&host, own)), [vec![2], vec![1, 2]]);
    let undone = block_on(undo(&host, &account(Protocol::Pop3), made.change.unwrap())).unwrap();
    assert_eq!(undone.made.moved.len(), 2);
}

#[test]
fn a_damaged_copy_of_what_a_server_has_is_moved_and_fetched_again() {
    let host = prepared(Imap::new(""), MemoryStore::new());
    let account = account(Protocol::Imap);
    block_on(host.store.apply(vec![account.put()], Durability::Strict)).unwrap();
    wipe(&host.store, 2);
    let made = move_to(&host, INBOX, &[1, 2, 3], OTHER).unwrap();
    assert_eq!((made.moved.len(), made.damaged.len()), (3, 0));
    drain(&host).unwrap();
    let range = KeyRange::prefix(record::mailbox_key(OTHER));
    let messages: Vec<Message> = block_on(record::all(&host.store, &range)).unwrap();
    let absent = messages.iter().filter(|own| own.body == Body::Absent).count();
    assert_eq!((messages.len(), absent), (3, 1));
}

#[test]
fn a_large_message_is_moved_in_steps_and_an_interruption_at_any_of_them_loses_nothing() {
    let size = usize::try_from(changes::limits::BYTES).unwrap() + 3;
    let raw = vec![b'x'; size];
    let place = MessageId { mailbox: INBOX, uid: 2 };
    let prepare = || {
        let store = FailingStore::default();
        let host = host(store.clone());
        let body = Body::Whole { size: size as u64 };
        let mut batch = put_body(place, &raw);
        batch.push(Message { body, ..message(place) }.put());
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        (host, store)
    };
    let (whole, store) = prepare();
    let before = store.writes.get();
    let move_all = async |editor: &mut Editor<'_, TestHost<Imap, FailingStore>>| {
        editor.transfer(INBOX, &[1, 2, 3], OTHER, false).await
    };
    edit_local(&whole, move_all).unwrap();
    let writes = store.writes.get() - before;
    assert!(writes > 5, "in steps");
    for failing in 0..writes {
        let (host, store) = prepare();
        store.left.set(Some(failing));
        edit_local(&host, move_all).unwrap_err();
        store.left.set(None);
        let at = ledger(&store)[1].0;
        assert_eq!(block_on(record::body(&store, at)).unwrap().len(), size, "write {failing}");
        let uids = uids_of(&store, INBOX);
        edit_local(&host, async |editor| editor.transfer(INBOX, &uids, OTHER, false).await)
            .unwrap();
        let at = ledger(&store)[1].0;
        assert_eq!(at.mailbox, OTHER);
        assert_eq!(block_on(record::body(&store, at)).unwrap().len(), size);
        let keys = block_on(store.keys(Table::Bodies, &KeyRange::all())).unwrap();
        assert_eq!(keys.len(), size.div_ceil(record::CHUNK) + 2, "no chunk is left over");
        let markers = KeyRange::prefix(crate::store::Key::new().bytes(b"carried-"));
        assert!(block_on(store.keys(Table::Meta, &markers)).unwrap().is_empty());
    }
}

fn uids_of<D: Store>(store: &D, mailbox: MailboxId) -> Vec<u32> {
    block_on(changes::folders::stored_uids(store, mailbox)).unwrap()
}

/// Leaves of a message's record what stands behind the damage in a block.
fn make_unreadable(store: &impl Store, uid: u32) -> MessageId {
    let id = MessageId { mailbox: INBOX, uid };
    let (table, key) = (Table::Messages, record::message_key(id));
    let write = Write::Put { table, key, value: Vec::new() };
    block_on(store.apply(vec![write], Durability::Strict)).unwrap();
    id
}

/// A message whose record can't be read is where it was, with its bytes and its row.
fn assert_left(store: &impl Store, id: MessageId) {
    let records = block_on(store.keys(Table::Messages, &KeyRange::all())).unwrap();
    assert!(records.contains(&record::message_key(id)));
    assert_eq!(block_on(record::body(store, id)).unwrap(), id.uid.to_string().as_bytes());
    assert!(ledger(store).contains(&(id, false)), "nothing is deleted on the server for it");
}

#[test]
fn a_change_of_many_messages_leaves_those_whose_records_can_not_be_read() {
    let host = host(MemoryStore::new());
    let left = make_unreadable(&host.store, 2);
    let all = [1, 2, 3];
    edit_local(&host, async |editor| editor.mark(INBOX, &all, &Mark::Seen, true).await).unwrap();
    let moved = edit_local(&host, async |editor| editor.transfer(INBOX, &all, OTHER, false).await);
    assert_eq!(moved.unwrap().moved.len(), 2);
    let copied = edit_local(&host, async |editor| editor.transfer(INBOX, &all, OTHER, true).await);
    assert_eq!(copied.unwrap().change, None, "there is nothing to be copied");
    edit_local(&host, async |editor| editor.expunge(INBOX, &all).await).unwrap();
    edit_local(&host, async |editor| editor.empty(INBOX).await).unwrap();
    assert_left(&host.store, left);
    edit_local(&host, async |editor| editor.empty(OTHER).await).unwrap();
    let records = block_on(host.store.keys(Table::Messages, &KeyRange::all())).unwrap();
    assert_eq!(records, [record::message_key(left)]);
}

#[test]
fn a_folder_with_a_record_that_can_not_be_read_is_not_deleted() {
    let host = host(MemoryStore::new());
    let own = block_on(record::mailbox(&host.store, INBOX)).unwrap();
    let own = Mailbox { role: None, names: vec!["Trips".into()], path: b"Trips".into(), ..own };
    block_on(host.store.apply(vec![own.put()], Durability::Strict)).unwrap();
    let left = make_unreadable(&host.store, 2);
    let removed = edit_local(&host, async |editor| editor.remove_mailbox(INBOX).await);
    assert!(matches!(removed, Err(MailError::Input(_))), "{:?}", removed.err());
    assert_left(&host.store, left);
    let records = block_on(host.store.keys(Table::Messages, &KeyRange::all())).unwrap();
    assert_eq!(records.len(), 3, "nor are the others in it");
}
