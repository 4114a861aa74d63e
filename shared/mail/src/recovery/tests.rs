//! Whatever record of an account or a mailbox can't be read, all mail is reached.

mod numbers;
mod protocol;

use postern_bridge::{Address, MessageId, Retention};

use super::*;
use crate::{
    changes::{
        Editor, entries, only_here,
        tests::{mailbox, message},
    },
    pop3::{ServerNotes, create_local_mailboxes},
    record::{Body, Message, put_body},
    store::{MemoryStore, Order},
    testing::{FailingStore, NoServer, TestHost, account, block_on},
};

const POP3: AccountId = AccountId(1);
const IMAP: AccountId = AccountId(2);
/// The person's own folder of the POP3 account, and a mailbox of the IMAP account.
const OWN: MailboxId = MailboxId(10);
const REMOTE: MailboxId = MailboxId(7);

/// A store with both accounts: a message in each mailbox, and one more in the POP3 account's inbox.
fn filled() -> TestHost<NoServer> {
    let host = TestHost::new(NoServer);
    let pop3 = Account { retention: Retention::DeleteAfterDownload, ..account(Protocol::Pop3) };
    let imap = Account { id: IMAP, ..account(Protocol::Imap) };
    let mut batch = vec![pop3.put(), imap.put()];
    batch.extend(block_on(create_local_mailboxes(&host, POP3)).unwrap());
    let remote = Mailbox { account: IMAP, uid_validity: 7, total: 1, ..mailbox(REMOTE.0) };
    let own = Mailbox { uid_validity: 1, names: vec!["Garden".into()], ..mailbox(OWN.0) };
    batch.extend([remote.put(), own.put()]);
    for (mailbox, uid) in
        (1..=7).map(MailboxId).chain([OWN]).map(|id| (id, 4)).chain([(MailboxId(1), 5)])
    {
        let id = MessageId { mailbox, uid };
        let body = if mailbox == REMOTE { Body::Absent } else { Body::Whole { size: 4 } };
        let from = Address { name: "Ann".into(), address: "ann@home.example".into() };
        batch.extend(Message { body, from: vec![from], ..message(id) }.put_listed());
        batch.extend(put_body(id, b"text"));
    }
    put(&host, batch);
    // Others were made and deleted in between.
    put(&host, vec![block_on(record::next_numbers(&host.store, Series::Mailbox, 20)).unwrap().1]);
    host
}

fn put(host: &TestHost<NoServer>, batch: Vec<Write>) {
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
}

fn damage<R: Record>(host: &TestHost<NoServer>, keys: &[Key]) {
    let spoilt = |key: &Key| Write::Put { table: R::TABLE, key: key.clone(), value: vec![0xc1] };
    put(host, keys.iter().map(spoilt).collect());
}

/// Mending such a store is one strict batch: if that fails, all is as it was, and the next start mends it.
fn assert_is_one_strict_batch(spoilt: impl Fn() -> MemoryStore) {
    let whole = |store: &MemoryStore| {
        let all = KeyRange::all();
        Table::ALL.map(|table| block_on(store.scan(table, &all, Order::Ascending, 999)).unwrap())
    };
    let end = spoilt();
    block_on(recover(&end)).unwrap();
    for writes in 0..=1 {
        let inner = spoilt();
        let before = whole(&inner);
        let failing = FailingStore { inner: inner.clone(), ..FailingStore::default() };
        failing.left.set(Some(writes));
        assert_eq!(block_on(recover(&failing)).is_ok(), writes == 1, "one batch has all of it");
        assert_eq!(failing.durability.get(), Some(Durability::Strict));
        if writes == 0 {
            assert_eq!(whole(&inner), before);
        }
        block_on(recover(&inner)).unwrap();
        assert_eq!(whole(&inner), whole(&end));
    }
}

fn accounts(store: &MemoryStore) -> Vec<Account> {
    block_on(record::all(store, &KeyRange::all())).unwrap()
}

fn mailboxes(store: &MemoryStore, account: AccountId) -> Vec<Mailbox> {
    block_on(record::mailboxes(store, account)).unwrap()
}

/// The store once it is mended, which must not change any message.
fn recovered(host: TestHost<NoServer>) -> MemoryStore {
    let store = host.store.clone();
    let whole =
        |table| block_on(store.scan(table, &KeyRange::all(), Order::Ascending, 99)).unwrap();
    let before = [Table::Messages, Table::Arrival, Table::Bodies].map(whole);
    block_on(recover(&store)).unwrap();
    assert_eq!([Table::Messages, Table::Arrival, Table::Bodies].map(whole), before);
    store
}

#[test]
fn an_account_that_can_not_be_read_costs_its_settings_alone() {
    for (id, protocol) in [(POP3, Protocol::Pop3), (IMAP, Protocol::Imap)] {
        let host = filled();
        let before = accounts(&host.store);
        damage::<Account>(&host, &[record::account_key(id)]);
        let all = [POP3, IMAP].map(|account| mailboxes(&host.store, account));
        let store = recovered(host);
        assert_eq!([POP3, IMAP].map(|account| mailboxes(&store, account)), all);
        let after = accounts(&store);
        let at = after.iter().position(|own| own.id == id).unwrap();
        assert_eq!(after[1 - at], before[1 - at], "the other one is as it was");
        assert!(after[at].has_lost_its_settings());
        assert_eq!((after[at].protocol, after[at].retention), (protocol, Retention::Keep));
        let password = block_on(after[at].password(&TestHost::new(NoServer)));
        assert!(matches!(password, Err(crate::MailError::SettingsLost)));
    }
}

#[test]
fn what_else_is_stored_tells_whose_account_it_was() {
    let host = filled();
    let login = account(Protocol::Pop3).incoming;
    let mut notes = ServerNotes::default();
    notes.keep_mailbox(&login);
    put(&host, vec![notes.begin(POP3)]);
    damage::<Account>(&host, &[record::account_key(POP3)]);
    let own = accounts(&recovered(host)).remove(0);
    assert_eq!(own.identity.address, "ann@home.example", "who wrote what is in Sent");
    assert_eq!(own.incoming.username, login.username);
    assert_eq!(own.incoming.endpoint.host, login.endpoint.host);

    // Without anything in Sent, and without an address as user name, it is told by its number.
    let host = filled();
    let sent = record::message_key(MessageId { mailbox: MailboxId(3), uid: 4 });
    put(&host, vec![Write::Delete { table: Table::Messages, key: sent }]);
    damage::<Account>(&host, &[record::account_key(POP3)]);
    let own = accounts(&recovered(host)).remove(0);
    assert_eq!(own.identity.address, "account-1@recovered.invalid");
    assert!(is_made_up(&own.identity));
}

#[test]
fn a_mailbox_that_can_not_be_read_is_made_anew_around_its_messages() {
    for id in (1..=6).map(MailboxId) {
        let host = filled();
        let before = mailboxes(&host.store, POP3);
        damage::<Mailbox>(&host, &[record::mailbox_key(id)]);
        let after = mailboxes(&recovered(host), POP3);
        let names = |all: &[Mailbox]| -> Vec<_> {
            all.iter().map(|own| (own.id, own.role, own.names.clone())).collect()
        };
        assert_eq!(names(&after), names(&before));
        let own = after.iter().find(|own| own.id == id).unwrap();
        let total = if id.0 == 1 { 2 } else { 1 };
        assert_eq!((own.total, own.unread), (total, total));
        assert!(own.uid_next > 5);
    }
}

#[test]
fn a_folder_of_the_persons_own_gets_another_name() {
    let host = filled();
    damage::<Mailbox>(&host, &[record::mailbox_key(OWN)]);
    let store = recovered(host);
    let own = mailboxes(&store, POP3).into_iter().find(|own| own.id == OWN).unwrap();
    assert_eq!((own.names, own.role, own.total), (vec!["Recovered folder 10".to_owned()], None, 1));
    assert_eq!(mailboxes(&store, IMAP).len(), 1);
}

#[test]
fn all_records_can_be_lost_and_no_message_is() {
    let host = filled();
    let every: Vec<_> =
        (1..=6).chain([OWN.0]).map(|id| record::mailbox_key(MailboxId(id))).collect();
    damage::<Mailbox>(&host, &every);
    damage::<Account>(&host, &[POP3, IMAP].map(record::account_key));
    let store = recovered(host);
    let own = mailboxes(&store, POP3);
    assert_eq!(own.iter().map(|own| own.total).sum::<u32>(), 8);
    let inboxes: Vec<_> = own.iter().filter(|own| own.role == Some(Role::Inbox)).collect();
    assert!(matches!(inboxes[..], [inbox] if inbox.id == MailboxId(1)));
    assert_eq!(mailboxes(&store, IMAP).len(), 1);
}

#[test]
fn a_mailbox_of_a_server_is_not_taken_for_a_local_one_nor_the_other_way_round() {
    let host = filled();
    damage::<Mailbox>(&host, &[REMOTE, OWN].map(record::mailbox_key));
    let store = recovered(host);
    let [remote] = &mailboxes(&store, IMAP)[..] else { panic!("one mailbox") };
    assert_eq!((remote.id, remote.uid_validity), (REMOTE, 0), "nothing is in step with the server");
    assert!(mailboxes(&store, POP3).iter().any(|own| own.id == OWN));
}

#[test]
fn a_mailbox_that_a_queue_names_is_its_accounts() {
    // The mailbox before it is another one's, whose server would not list it.
    let host = filled();
    let other = Account { id: AccountId(3), ..account(Protocol::Imap) };
    let neighbour = Mailbox { account: other.id, uid_validity: 7, ..mailbox(14) };
    let drafts = Mailbox { account: IMAP, uid_validity: 7, ..mailbox(15) };
    put(&host, vec![other.put(), neighbour.put(), drafts.put()]);
    let own = accounts(&host.store).remove(1);
    block_on(async {
        let mut editor = Editor::begin(&host, &own, None).await.unwrap();
        editor.save_draft(drafts.id, b"Subject: x\r\n\r\ntext", None).await.unwrap();
    });
    damage::<Mailbox>(&host, &[record::mailbox_key(drafts.id)]);
    let store = recovered(host);
    assert!(mailboxes(&store, IMAP).iter().any(|own| own.id == drafts.id));
    assert!(only_here(&block_on(entries(&store, IMAP)).unwrap()).contains(&drafts.id));
}

#[test]
fn an_empty_mailbox_of_which_nothing_is_known_goes() {
    let host = filled();
    let id = MailboxId(20);
    damage::<Mailbox>(&host, &[record::mailbox_key(id)]);
    let store = recovered(host);
    let all = [POP3, IMAP].map(|account| mailboxes(&store, account)).concat();
    assert!(all.iter().all(|own| own.id != id));
    assert_eq!(all.len(), 8);
}

#[test]
fn a_pop3_account_of_which_all_mailboxes_are_lost_and_empty_gets_those_it_began_with() {
    // Also where nothing says which numbers were given.
    let key = Series::Mailbox.key();
    let spoilt = Write::Put { table: Table::Meta, key: key.clone(), value: vec![0xc1] };
    let gone = Write::Delete { table: Table::Meta, key };
    let counters = [Vec::new(), vec![spoilt], vec![gone]];
    for (own_is_there, counter) in
        [true, false].into_iter().flat_map(|is| counters.clone().map(|own| (is, own)))
    {
        let host = filled();
        put(&host, counter);
        let mut first: Vec<MailboxId> = (1..=6).map(MailboxId).collect();
        if !own_is_there {
            first.push(OWN);
        }
        let empty = |id: &MailboxId| {
            let tables = [Table::Messages, Table::Arrival, Table::Bodies];
            let range = KeyRange::prefix(record::mailbox_key(*id));
            tables.map(|table| Write::DeleteRange { table, range: range.clone() })
        };
        put(&host, first.iter().flat_map(empty).collect());
        let lost: Vec<Key> = first.iter().map(|id| record::mailbox_key(*id)).collect();
        damage::<Mailbox>(&host, &lost);
        let store = recovered(host);
        let own = mailboxes(&store, POP3);
        let has = |role| own.iter().filter(|own| own.role == Some(role)).count() == 1;
        assert!(LOCAL.iter().all(|(_, role)| has(*role)));
        assert_eq!(own.len(), 6 + usize::from(own_is_there));
        assert!(own.iter().all(|own| !first.contains(&own.id)), "numbers are given once");
        assert_eq!(mailboxes(&store, IMAP).len(), 1);
        let next = block_on(record::next_number(&store, Series::Mailbox)).unwrap().0;
        assert!(own.iter().all(|own| own.id.0 < next));
    }
}

/// The record of an account as only another version can read it, and as this one can.
fn swap(host: &TestHost<NoServer>, id: AccountId, record: &[u8]) {
    let key = record::account_key(id);
    put(host, vec![Write::Put { table: Table::Accounts, key, value: record.into() }]);
}

fn aside(store: &MemoryStore) -> Vec<Vec<u8>> {
    let all = KeyRange::prefix(Key::new().bytes(b"unreadable-account-"));
    let kept = block_on(store.scan(Table::Meta, &all, Order::Ascending, 99)).unwrap();
    kept.into_iter().map(|(_, value)| value).collect()
}

#[test]
fn settings_that_can_be_read_again_are_put_back() {
    let host = filled();
    let before = accounts(&host.store);
    let record = record::encode(&before[0]);
    swap(&host, POP3, b"of another version");
    let store = host.store.clone();
    block_on(recover(&store)).unwrap();
    block_on(recover(&store)).unwrap();
    assert!(accounts(&store)[0].has_lost_its_settings());
    assert_eq!(aside(&store), [b"of another version"]);
    // What the other version reads is put in place of what only it can read.
    let key = Key::new().bytes(b"unreadable-account-").u32(POP3.0);
    put(&host, vec![Write::Put { table: Table::Meta, key, value: record }]);
    block_on(recover(&store)).unwrap();
    assert_eq!((accounts(&store), aside(&store)), (before, vec![]));
}

#[test]
fn settings_that_were_entered_again_stay_and_what_is_too_large_is_not_kept() {
    let host = filled();
    let before = accounts(&host.store);
    swap(&host, POP3, b"of another version");
    let store = host.store.clone();
    block_on(recover(&store)).unwrap();
    let entered = Account { retention: Retention::Secondary, ..before[0].clone() };
    swap(&host, POP3, &record::encode(&entered));
    block_on(recover(&store)).unwrap();
    assert_eq!((&accounts(&store)[0], aside(&store)), (&entered, vec![]));
    swap(&host, POP3, &vec![0xc1; (64 << 10) + 1]);
    block_on(recover(&store)).unwrap();
    assert!(accounts(&store)[0].has_lost_its_settings() && aside(&store).is_empty());
}

#[test]
fn a_store_that_fails_at_any_write_is_as_it_was_and_is_mended_by_the_next_start() {
    let spoilt = || {
        let host = filled();
        damage::<Account>(&host, &[POP3, IMAP].map(record::account_key));
        let lost = [1, 3, 20, OWN.0, REMOTE.0].map(|id| record::mailbox_key(MailboxId(id)));
        damage::<Mailbox>(&host, &lost);
        host.store.clone()
    };
    assert_is_one_strict_batch(spoilt);
}
