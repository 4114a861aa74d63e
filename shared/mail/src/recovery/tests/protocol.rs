//! Whatever protocol an account was taken for, it comes back, and nothing that was stored meanwhile goes.

use super::*;
use crate::changes::is_damaged;

/// The account of a server is lost, with all its mailboxes.
fn lose_imap(host: &TestHost<NoServer>) {
    swap(host, IMAP, b"of another version");
    damage::<Mailbox>(host, &[record::mailbox_key(REMOTE)]);
}

/// Nothing is stored of these mailboxes.
fn empty(host: &TestHost<NoServer>, mailboxes: &[MailboxId]) {
    let all = |id: &MailboxId| {
        let range = KeyRange::prefix(record::mailbox_key(*id));
        let tables = [Table::Messages, Table::Arrival, Table::Bodies];
        tables.map(|table| Write::DeleteRange { table, range: range.clone() })
    };
    put(host, mailboxes.iter().flat_map(all).collect());
}

fn save_draft(host: &TestHost<NoServer>, account: &Account, mailbox: MailboxId) -> MessageId {
    block_on(async {
        let mut editor = Editor::begin(host, account, None).await.unwrap();
        editor.save_draft(mailbox, b"Subject: x\r\n\r\ntext", None).await.unwrap()
    })
}

fn account_of(store: &MemoryStore, id: AccountId) -> Account {
    accounts(store).into_iter().find(|own| own.id == id).unwrap()
}

/// The account's record can be read again.
fn find_again(host: &TestHost<NoServer>, before: &Account) {
    let key = Key::new().bytes(b"unreadable-account-").u32(before.id.0);
    put(host, vec![Write::Put { table: Table::Meta, key, value: record::encode(before) }]);
}

/// An account of a server of which nothing is left, which counts as one with local mailboxes by now; and
/// what it was.
fn mistaken() -> (TestHost<NoServer>, Account) {
    let host = filled();
    let before = account_of(&host.store, IMAP);
    lose_imap(&host);
    empty(&host, &[REMOTE]);
    block_on(recover(&host.store)).unwrap();
    assert_eq!(account_of(&host.store, IMAP).protocol, Protocol::Pop3);
    assert_eq!(mailboxes(&host.store, IMAP).len(), LOCAL.len());
    (host, before)
}

#[test]
fn messages_and_changes_tell_of_a_server() {
    // Its message has no bytes here.
    let host = filled();
    lose_imap(&host);
    block_on(recover(&host.store)).unwrap();
    assert_eq!(account_of(&host.store, IMAP).protocol, Protocol::Imap);
    assert_eq!(mailboxes(&host.store, IMAP).len(), 1);

    // There was another account of a server, of which it might be; but what was changed here tells.
    for changed in [true, false] {
        let host = filled();
        let other = Account { id: AccountId(3), ..account(Protocol::Imap) };
        put(&host, vec![other.put()]);
        if changed {
            save_draft(&host, &account_of(&host.store, IMAP), REMOTE);
        }
        lose_imap(&host);
        block_on(recover(&host.store)).unwrap();
        let expected = if changed { Protocol::Imap } else { Protocol::Pop3 };
        assert_eq!(account_of(&host.store, IMAP).protocol, expected);
    }
}

#[test]
fn changes_of_local_mailboxes_tell_of_none() {
    let host = filled();
    save_draft(&host, &account_of(&host.store, POP3), MailboxId(2));
    damage::<Account>(&host, &[record::account_key(POP3)]);
    block_on(recover(&host.store)).unwrap();
    assert_eq!(account_of(&host.store, POP3).protocol, Protocol::Pop3);
}

#[test]
fn an_account_that_was_mistaken_comes_back_alone_if_nothing_was_stored_for_it() {
    let (host, before) = mistaken();
    find_again(&host, &before);
    block_on(recover(&host.store)).unwrap();
    assert_eq!(account_of(&host.store, IMAP), before);
    assert_eq!((accounts(&host.store).len(), mailboxes(&host.store, IMAP).len()), (2, 0));
    assert_eq!(aside(&host.store), Vec::<Vec<u8>>::new());
}

#[test]
fn what_was_stored_for_a_mistaken_account_goes_to_one_of_its_own() {
    let (host, before) = mistaken();
    let own = mailboxes(&host.store, IMAP);
    let drafts = own.iter().find(|own| own.role == Some(Role::Drafts)).unwrap();
    let saved = save_draft(&host, &account_of(&host.store, IMAP), drafts.id);
    find_again(&host, &before);
    let store = recovered(host);
    assert_eq!(account_of(&store, IMAP), before);
    let [_, _, apart] = &accounts(&store)[..] else { panic!("three accounts") };
    assert_eq!((apart.protocol, apart.has_lost_its_settings()), (Protocol::Pop3, true));
    let moved = mailboxes(&store, apart.id);
    assert_eq!((moved.len(), mailboxes(&store, IMAP).len()), (LOCAL.len(), 0));
    assert!(moved.iter().any(|own| own.id == saved.mailbox && own.total == 1));
    let (next, _) = block_on(record::next_number(&store, Series::Account)).unwrap();
    assert!(next > apart.id.0);
    // The server's list of mailboxes is not held up by changes of what went.
    assert_eq!(block_on(entries(&store, IMAP)).unwrap(), []);
    let again = FailingStore { inner: store, ..FailingStore::default() };
    block_on(recover(&again)).unwrap();
    assert_eq!(again.writes.get(), 0);
}

#[test]
fn a_local_account_that_was_taken_for_a_servers_gets_mailboxes_of_its_own() {
    let host = filled();
    let mut taken = account_of(&host.store, IMAP);
    let before = Account { protocol: Protocol::Pop3, ..taken.clone() };
    taken.outgoing.endpoint.host.clear();
    put(&host, vec![taken.put()]);
    save_draft(&host, &taken, REMOTE);
    damage::<Entry>(&host, &[record::account_key(IMAP).u32(900)]);
    find_again(&host, &before);
    let store = recovered(host);
    assert_eq!(account_of(&store, IMAP), before);
    let apart = accounts(&store).remove(2);
    // No server's list may remove what is in there.
    let queue = block_on(entries(&store, apart.id)).unwrap();
    assert!(only_here(&queue).contains(&REMOTE));
    assert!(block_on(is_damaged(&store, apart.id)).unwrap());
    assert_eq!(block_on(entries(&store, IMAP)).unwrap(), []);
    assert!(!block_on(is_damaged(&store, IMAP)).unwrap());
    assert_eq!((apart.protocol, mailboxes(&store, apart.id)[0].id), (Protocol::Imap, REMOTE));
    assert_eq!(mailboxes(&store, IMAP).len(), LOCAL.len());
}

#[test]
fn an_account_comes_back_in_one_strict_batch() {
    let found_again = || {
        let (host, before) = mistaken();
        let drafts = mailboxes(&host.store, IMAP).remove(1);
        save_draft(&host, &account_of(&host.store, IMAP), drafts.id);
        find_again(&host, &before);
        host.store.clone()
    };
    assert_is_one_strict_batch(found_again);
}
