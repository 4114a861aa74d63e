//! A client whose account does nothing by itself; and what its problems lead to.

use postern_bridge::{Address, Intent, OutgoingMessage, Protocol, Role};

use super::*;
use crate::{
    Store,
    changes::tests::mailbox,
    record::Record,
    store::{Durability, Key, MemoryStore, Table, Write},
    testing::{FailingStore, NoServer, Server, TestHost, WriteFault, account, block_on},
};

/// What was told, in order.
pub(super) type Told = Rc<RefCell<Vec<Delta>>>;

/// A client with this account, of which nothing is stored but what the store has of it.
pub(super) fn still<D: Store + 'static>(
    store: D,
    account: Account,
) -> (Client<TestHost<NoServer, D>>, Told) {
    still_at(NoServer, store, account)
}

/// As [`still`], of an account at this server.
pub(super) fn still_at<S: Server + 'static, D: Store + 'static>(
    server: S,
    store: D,
    account: Account,
) -> (Client<TestHost<S, D>>, Told) {
    let told = Told::default();
    let tell = Rc::clone(&told);
    let emit = move |Down { delta, .. }| tell.borrow_mut().push(delta);
    let host = Rc::new(TestHost::with_store(server, store));
    let client = block_on(Client::start(host, emit)).unwrap();
    run(&client, account);
    (client, told)
}

/// The client has this account as well, which does nothing by itself either.
pub(super) fn run<H: Host>(client: &Client<H>, account: Account) {
    let id = account.id;
    let nothing = ServerState { session: None, refused: None };
    let running = Running {
        account,
        incoming: nothing.clone(),
        outgoing: nothing,
        quota: Quota::default(),
        defects: Defects::default(),
        pop3: None,
        connection: Connection::Offline,
        told: None,
        went_on: false,
        lanes: Lanes::stopped(),
    };
    client.inner.accounts.borrow_mut().insert(id, running);
}

#[test]
fn a_message_that_can_not_be_sent_for_its_accounts_settings_leads_there() {
    let mut lost = account(Protocol::Imap);
    lost.outgoing.endpoint.host.clear();
    let address = |address: &str| Address { name: String::new(), address: address.into() };
    for (account, to, settings) in
        [(lost, "bob@example.org", Some(AccountId(1))), (account(Protocol::Imap), "bob", None)]
    {
        let (client, _) = still(MemoryStore::new(), account);
        let to = vec![address(to)];
        let message = OutgoingMessage { to, ..OutgoingMessage::empty(AccountId(1)) };
        let refused = block_on(client.send(ClientId(1), 1, message, None)).unwrap_err();
        assert_eq!(refused.settings, settings, "{}", refused.sentence);
    }
}

/// A client, and its store, of which the records under these keys can't be read any more.
fn damaged(
    account: &Account,
    keys: &[(Table, Key)],
) -> (Client<TestHost<NoServer, FailingStore>>, FailingStore, Told) {
    let store = FailingStore::default();
    let (client, told) = still(store.clone(), account.clone());
    let inbox = Mailbox { uid_validity: 1, ..mailbox(1) };
    let mut batch = vec![account.put(), inbox.put(), mailbox(2).put()];
    let spoilt = |(table, key): &(Table, Key)| Write::Put {
        table: *table,
        key: key.clone(),
        value: vec![0xc1],
    };
    batch.extend(crate::record::put_body(message(2), b"text"));
    batch.extend(keys.iter().map(spoilt));
    block_on(store.apply(batch, Durability::Strict)).unwrap();
    (client, store, told)
}

fn message(mailbox: u32) -> postern_bridge::MessageId {
    postern_bridge::MessageId { mailbox: MailboxId(mailbox), uid: 1 }
}

/// A page opens mailbox 2.
fn open(client: &Client<TestHost<NoServer, FailingStore>>) {
    block_on(client.serve(ClientId(1), Intent::OpenMailbox { mailbox: MailboxId(2) })).unwrap();
}

#[test]
fn records_that_are_damaged_meanwhile_keep_no_list_from_the_pages() {
    let own = account(Protocol::Pop3);
    let damaged_keys =
        [(Table::Mailboxes, record::mailbox_key(MailboxId(2))), (Table::Accounts, own.key())];
    let (client, store, told) = damaged(&own, &damaged_keys);
    block_on(client.serve(ClientId(1), Intent::Hello)).unwrap();
    let told = told.borrow();
    let lists: Vec<_> = told
        .iter()
        .filter_map(|delta| match delta {
            Delta::Mailboxes { mailboxes, .. } => Some(mailboxes),
            _ => None,
        })
        .collect();
    assert!(lists.iter().all(|own| own.iter().any(|own| own.id == MailboxId(2))));
    assert!(!lists.is_empty());
    // The account is at work, so that its settings are known.
    let stored: Account = block_on(record::get(&store, &own.key())).unwrap().unwrap();
    assert_eq!(stored, own);
    assert_eq!(block_on(record::body(&store, message(2))).unwrap(), b"text");
}

#[test]
fn records_that_are_damaged_meanwhile_are_mended_by_the_next_try_if_there_was_no_room() {
    let own = account(Protocol::Pop3);
    let damaged_keys =
        [(Table::Mailboxes, record::mailbox_key(MailboxId(2))), (Table::Accounts, own.key())];
    let (client, store, _) = damaged(&own, &damaged_keys);
    for left in 0..2 {
        store.left.set(Some(left));
        assert!(block_on(client.mailboxes(own.id)).is_err());
    }
    store.left.set(None);
    assert_eq!(block_on(client.mailboxes(own.id)).unwrap().len(), 2);
    assert_eq!(block_on(record::get(&store, &own.key())).unwrap(), Some(own));
}

#[test]
fn a_mailbox_that_is_damaged_meanwhile_can_be_opened() {
    let own = account(Protocol::Pop3);
    let (client, _, told) = damaged(&own, &[(Table::Mailboxes, record::mailbox_key(MailboxId(2)))]);
    open(&client);
    let is_told = |delta: &Delta| matches!(delta, Delta::Rows { mailbox: MailboxId(2), .. });
    assert!(told.borrow().iter().any(is_told));
}

#[test]
fn a_message_that_is_damaged_meanwhile_keeps_its_place_and_its_date() {
    let arrived = 1_700_000_000_000;
    let place = record::mailbox_key(MailboxId(2)).i64(arrived).u32(1);
    let lost = [(Table::Messages, record::message_key(message(2))), (Table::Arrival, place)];
    let (client, _, told) = damaged(&account(Protocol::Pop3), &lost);
    open(&client);
    let rows: Vec<_> = told
        .borrow()
        .iter()
        .filter_map(|delta| match delta {
            Delta::Rows { rows, .. } => rows.first().cloned(),
            _ => None,
        })
        .collect();
    let row = rows.last().expect("the message has a row");
    assert_eq!((row.id, row.date), (message(2), arrived));
    assert!(row.subject.contains("can't be read"), "{}", row.subject);
}

#[test]
fn a_mailbox_that_is_damaged_meanwhile_is_there_for_whatever_a_page_asks() {
    let id = MailboxId(2);
    let page = ClientId(1);
    let own = account(Protocol::Pop3);
    for way in 0..6 {
        let (client, store, _) = damaged(&own, &[(Table::Mailboxes, record::mailbox_key(id))]);
        let done = block_on(async {
            match way {
                0 => client.mailbox_changed(id, lists::Change::Order).await,
                1 => client.show_rows(page, id, 0..9).await,
                2 => client.group_conversations(page, id, true, None).await,
                3 => client.all_and_those(id, &[]).await.map(drop),
                4 => client.measure_storage(page).await,
                _ => {
                    let mut editor =
                        changes::Editor::begin(&*client.inner.host, &own, None).await?;
                    let messages = postern_bridge::Selection::Messages(vec![message(2)]);
                    client.selected(&mut editor, &own, messages).await.map(drop)
                }
            }
        });
        assert_eq!(done, Ok(()), "{way}");
        assert_eq!(block_on(record::mailbox(&store, id)).unwrap().account, own.id, "{way}");
    }
}

#[test]
fn an_account_stays_if_it_was_guessed_whose_a_damaged_mailbox_is() {
    let other = Account { id: AccountId(2), ..account(Protocol::Pop3) };
    let address = &*other.identity.address;
    // A folder of whole messages is taken for a local one.
    for (protocol, named, is_others) in [
        (Protocol::Imap, ["“Recovered folder 2”", address], true),
        (Protocol::Pop3, ["of this account now", "of another one"], false),
    ] {
        let own = account(protocol);
        let (client, store, _) =
            damaged(&own, &[(Table::Mailboxes, record::mailbox_key(MailboxId(2)))]);
        let inbox = Mailbox { account: other.id, role: Some(Role::Inbox), ..mailbox(9) };
        block_on(store.apply(vec![other.put(), inbox.put()], Durability::Strict)).unwrap();
        let refused = block_on(client.forget_account(&own)).unwrap_err();
        let sentence = refused.problem("").sentence;
        for named in named {
            assert!(sentence.contains(named), "{sentence}");
        }
        assert_eq!(block_on(record::get(&store, &own.key())).unwrap(), Some(own.clone()));
        assert_eq!(block_on(record::body(&store, message(2))).unwrap(), b"text");
        // Whoever has looked at it can go on.
        block_on(client.forget_account(&own)).unwrap_err();
        open(&client);
        block_on(client.forget_account(&own)).unwrap();
        let left = block_on(record::mailboxes(&store, other.id)).unwrap();
        assert_eq!(left.iter().any(|own| own.id == MailboxId(2)), is_others);
        let text: &[u8] = if is_others { b"text" } else { b"" };
        assert_eq!(block_on(record::body(&store, message(2))).unwrap(), text);
        assert_eq!(block_on(record::get::<Account>(&store, &own.key())).unwrap(), None);
    }
}

/// That it was guessed is noted when the mailbox is mended, that it was told when the account
/// stays, and that nobody needs to be told any more when it is opened.
#[test]
fn a_guess_holds_an_account_until_it_was_told_and_looked_at_whatever_write_fails() {
    let own = account(Protocol::Imap);
    let other = Account { id: AccountId(2), ..account(Protocol::Pop3) };
    let open = Intent::OpenMailbox { mailbox: MailboxId(2) };
    for fault in [WriteFault::Full, WriteFault::Aborted, WriteFault::Doubtful] {
        for at in 0.. {
            let (client, store, _) =
                damaged(&own, &[(Table::Mailboxes, record::mailbox_key(MailboxId(2)))]);
            let inbox = Mailbox { account: other.id, role: Some(Role::Inbox), ..mailbox(9) };
            block_on(store.apply(vec![other.put(), inbox.put()], Durability::Strict)).unwrap();
            let is_there =
                || block_on(record::get::<Account>(&store, &own.key())).unwrap().is_some();
            let owner = || block_on(record::mailbox(&store, MailboxId(2))).map(|own| own.owner);
            store.fault.set(Some((at, fault)));
            assert!(block_on(client.forget_account(&own)).is_err(), "{fault:?} of write {at}");
            assert!(is_there());
            let mut tries = 0;
            while is_there() {
                // What can't be noted is no reason to open nothing.
                let _ = block_on(client.serve(ClientId(1), open.clone()));
                let was_known = owner() == Ok(record::Owner::Known);
                let removed = block_on(client.forget_account(&own));
                assert!(was_known || is_there(), "{fault:?} of write {at}: {removed:?}");
                assert_eq!(block_on(record::body(&store, message(2))).unwrap(), b"text");
                tries += 1;
                assert!(tries < 4, "{fault:?} of write {at}: {removed:?}");
            }
            if store.fault.take().is_some() {
                assert!(at > 3, "{at}");
                break;
            }
        }
    }
}

/// Mending it goes by without a word.
#[test]
fn an_account_stays_as_well_if_the_mailbox_was_mended_before() {
    let own = account(Protocol::Pop3);
    for opens in [false, true] {
        let (client, store, _) =
            damaged(&own, &[(Table::Mailboxes, record::mailbox_key(MailboxId(2)))]);
        let other = Account { id: AccountId(2), ..own.clone() };
        block_on(store.apply(vec![other.put()], Durability::Strict)).unwrap();
        match opens {
            true => open(&client),
            false => block_on(recovery::recover(&store)).unwrap(),
        }
        block_on(client.forget_account(&own)).unwrap_err();
        open(&client);
        block_on(client.forget_account(&own)).unwrap();
    }
}

#[test]
fn an_account_is_removed_with_a_mailbox_that_was_damaged_meanwhile() {
    let own = account(Protocol::Pop3);
    let (client, store, _) =
        damaged(&own, &[(Table::Mailboxes, record::mailbox_key(MailboxId(2)))]);
    block_on(client.remove_account(own.id)).unwrap();
    for table in [Table::Accounts, Table::Mailboxes, Table::Bodies] {
        assert_eq!(block_on(store.keys(table, &KeyRange::all())).unwrap(), [], "{table:?}");
    }
}
