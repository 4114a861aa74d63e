//! Local mailboxes of a POP3 account: everything at once, and the ledger follows.

use super::*;
use crate::{
    changes::undo,
    pop3::LedgerRow,
    store::Table,
    testing::{FailingStore, YieldingStore, give_way},
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
        partial: false,
        wanted: false,
        first_seen: 0,
        stored: 0,
        verified: Some(0),
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
