//! A backup is brought back where an account's settings were lost.

use super::{
    beside::file_elsewhere,
    restoring::{accounts, ledger},
    *,
};
use crate::{backup::Backup, pop3::ServerNotes, record::Series, recovery, store::Write};

/// The account's record can't be read any more, and was made anew from what its server is known by.
pub(super) fn lose_settings<D: Store + 'static>(host: &TestStore<D>) {
    let own = account(3, Protocol::Pop3);
    let mut notes = ServerNotes::default();
    notes.keep_mailbox(&own.incoming);
    let (table, key) = (Table::Accounts, record::account_key(own.id));
    let batch = vec![notes.begin(own.id), Write::Put { table, key, value: vec![0xc1] }];
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    block_on(recovery::recover(&host.store)).unwrap();
    assert!(accounts(&host.store)[0].has_lost_its_settings());
}

#[test]
fn an_account_that_has_lost_its_settings_gets_them_back_and_no_mail_twice() {
    let (before, mut file) = written(ExportFormat::Zip);
    let all = everything(&before.store, AccountId(3));
    let rows = ledger(&before.store).len();
    lose_settings(&before);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    assert_eq!(block_on(backup.present(&before.store)).unwrap(), [AccountId(3)]);
    let imported = block_on(backup.restore(&before, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates, imported.added.len()), (0, 7, 1));
    assert_eq!(everything(&before.store, AccountId(3)), all);
    assert_eq!(ledger(&before.store).len(), rows);
    let whole = Account { sealed_password: Vec::new(), ..account(3, Protocol::Pop3) };
    assert_eq!(accounts(&before.store), [whole]);
}

#[test]
fn a_backup_of_an_account_that_has_lost_its_settings_takes_none_away() {
    let before = filled(MemoryStore::new());
    lose_settings(&before);
    let (lost, all) = (accounts(&before.store).remove(0), everything(&before.store, AccountId(3)));
    let mut file = File::named("b.zip", b"");
    let contents = [(lost.clone(), block_on(mailboxes(&before.store, lost.id)).unwrap())];
    let format = ExportFormat::Zip;
    block_on(export(&before, &contents, format, true, &Nowhere, &mut file)).unwrap();
    let own = account(3, Protocol::Pop3);
    for account in [own, lost] {
        block_on(before.store.apply(vec![account.put()], Durability::Strict)).unwrap();
        let backup = block_on(Backup::open(&mut file)).unwrap();
        let imported = block_on(backup.restore(&before, &mut file)).unwrap();
        assert_eq!((imported.messages, imported.duplicates), (0, 7));
        assert_eq!(accounts(&before.store), [account]);
        assert_eq!(everything(&before.store, AccountId(3)), all);
    }
}

/// A zip of accounts with numbers below 5, each with the mailboxes that it has.
pub(super) fn backup_of(host: &TestHost<NoServer>, accounts: &[Account]) -> File {
    block_on(host.store.apply(vec![Series::Account.put(5)], Durability::Strict)).unwrap();
    let mut file = File::named("b.zip", b"");
    let boxes = |own: &Account| block_on(mailboxes(&host.store, own.id)).unwrap();
    let contents: Vec<_> = accounts.iter().map(|own| (own.clone(), boxes(own))).collect();
    let format = ExportFormat::Zip;
    block_on(export(host, &contents, format, true, &Nowhere, &mut file)).unwrap();
    file
}

/// Account 3 as it is once its settings are lost, under another number, with this address.
pub(super) fn lost(id: u32, address: &str) -> Account {
    let mut own = account(id, Protocol::Pop3);
    own.identity.address = address.into();
    for login in [&mut own.incoming, &mut own.outgoing] {
        login.endpoint.host.clear();
        login.username.clear();
    }
    own
}

/// These are the accounts that are here.
fn replace_accounts(host: &TestHost<NoServer>, accounts: &[Account]) {
    let gone = Write::DeleteRange { table: Table::Accounts, range: KeyRange::all() };
    let mut batch = vec![gone];
    batch.extend(accounts.iter().map(Record::put));
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
}

#[test]
fn of_several_accounts_that_can_be_meant_none_is() {
    let own = account(3, Protocol::Pop3);
    let address = own.identity.address.clone();
    let other = {
        let mut other = account(4, Protocol::Pop3);
        other.identity.address.clone_from(&address);
        other.incoming.endpoint.host = "pop.example.com".into();
        other
    };
    let hidden = |id| lost(id, &address);
    // What is in the backup, what is here, and how many of the former are added.
    let cases: [(Vec<Account>, Vec<Account>, usize); 6] = [
        (vec![own.clone()], vec![hidden(3)], 1),
        (vec![own.clone()], vec![hidden(3), hidden(4)], 1),
        (vec![own.clone(), other.clone()], vec![hidden(3)], 2),
        (vec![hidden(3)], vec![own.clone(), other.clone()], 1),
        (vec![hidden(3)], vec![hidden(3), hidden(4)], 1),
        (vec![hidden(3), other.clone()], vec![other.clone()], 1),
    ];
    for (at, (saved, present, added)) in cases.into_iter().enumerate() {
        let host = filled(MemoryStore::new());
        let mut file = backup_of(&host, &saved);
        replace_accounts(&host, &present);
        let backup = block_on(Backup::open(&mut file)).unwrap();
        let imported = block_on(backup.restore(&host, &mut file)).unwrap();
        assert_eq!(imported.added.len(), added, "case {at}");
        let now = accounts(&host.store);
        // The only one that can be meant gets the settings; others stay as they are.
        let settled = usize::from(at == 0);
        assert_eq!(now.len(), present.len() + added - settled, "case {at}");
        if settled == 0 {
            assert_eq!(now[..present.len()], present, "case {at}");
        }
    }
}

#[test]
fn two_accounts_of_a_backup_do_not_become_one_and_each_is_found_by_a_second_restore() {
    let address = account(3, Protocol::Pop3).identity.address;
    for address in [&*address, "account-3@recovered.invalid"] {
        let host = filled(MemoryStore::new());
        let mut file = backup_of(&host, &[lost(3, address), lost(4, address)]);
        replace_accounts(&host, &[]);
        let backup = block_on(Backup::open(&mut file)).unwrap();
        let added = block_on(backup.restore(&host, &mut file)).unwrap().added;
        let all = |ids: &[AccountId]| -> Vec<_> {
            ids.iter().map(|id| everything(&host.store, *id)).collect()
        };
        let (before, made) = (accounts(&host.store), all(&added));
        assert_eq!((before.len(), &added[..]), (2, &[before[0].id, before[1].id][..]));
        assert_ne!(made[0], made[1]);
        assert_eq!(block_on(backup.present(&host.store)).unwrap(), added);
        let again = block_on(backup.restore(&host, &mut file)).unwrap();
        assert_eq!((again.added, again.messages, again.duplicates), (vec![], 0, 7));
        assert_eq!((accounts(&host.store), all(&added)), (before.clone(), made.clone()));
        // Where one of them is gone, or is for another mailbox by now, it comes again, and the other stays.
        let other = Account { id: added[0], ..account(3, Protocol::Imap) };
        for present in [vec![before[1].clone()], vec![other, before[1].clone()]] {
            replace_accounts(&host, &present);
            let again = block_on(backup.restore(&host, &mut file)).unwrap();
            assert_eq!((again.added.len(), again.messages), (1, 7));
            assert_eq!(all(&added[1..]), made[1..]);
        }
    }
}

#[test]
fn an_account_that_was_made_of_another_one_and_is_exactly_the_saved_one_by_now_is_found() {
    let (own, mut other) = (account(3, Protocol::Pop3), account(4, Protocol::Pop3));
    other.incoming.endpoint.host = "pop.example.com".into();
    let host = filled(MemoryStore::new());
    let mut file = backup_of(&host, &[own, other.clone()]);
    replace_accounts(&host, &[]);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let id = block_on(backup.restore(&host, &mut file)).unwrap().added[0];
    // The one that was made of the first has the mailbox of the second, of which nothing is left.
    let changed = Account { id, ..other };
    replace_accounts(&host, std::slice::from_ref(&changed));
    let again = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!(again.added.len(), 1);
    let now = accounts(&host.store);
    assert_eq!((now.len(), &now[0]), (2, &changed));
    assert_eq!(now[1].incoming, account(3, Protocol::Pop3).incoming);
    let once_more = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!((once_more.added, once_more.messages), (vec![], 0));
    assert_eq!(accounts(&host.store), now);
}

#[test]
fn of_several_that_were_made_of_an_account_the_one_with_its_mailbox_is_meant() {
    let own = account(3, Protocol::Pop3);
    let host = filled(MemoryStore::new());
    let mut file = backup_of(&host, std::slice::from_ref(&own));
    replace_accounts(&host, &[]);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let first = block_on(backup.restore(&host, &mut file)).unwrap().added[0];
    let mut other = Account { id: first, ..own.clone() };
    other.incoming.endpoint.host = "pop.example.com".into();
    replace_accounts(&host, &[other]);
    let second = block_on(backup.restore(&host, &mut file)).unwrap().added;
    assert_eq!(second.len(), 1);
    let whole = accounts(&host.store).pop().unwrap();
    let present = [lost(first.0, &own.identity.address), whole];
    replace_accounts(&host, &present);
    let again = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!((again.added, again.messages, again.duplicates), (vec![], 0, 7));
    assert_eq!(accounts(&host.store), present);
}

#[test]
fn an_account_whose_settings_were_entered_since_it_was_restored_is_found() {
    let made_up = "account-3@recovered.invalid";
    let host = filled(MemoryStore::new());
    let mut file = backup_of(&host, &[lost(3, made_up)]);
    replace_accounts(&host, &[]);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let id = block_on(backup.restore(&host, &mut file)).unwrap().added[0];
    let entered = Account { id, ..account(3, Protocol::Pop3) };
    block_on(host.store.apply(vec![entered.put()], Durability::Strict)).unwrap();
    assert_eq!(block_on(backup.present(&host.store)).unwrap(), [id]);
    assert_eq!(block_on(backup.restore(&host, &mut file)).unwrap().added, []);
    assert_eq!(accounts(&host.store), [entered]);
}

#[test]
fn an_account_with_a_made_up_address_fits_none() {
    let made_up = "account-3@recovered.invalid";
    let mut named = account(3, Protocol::Pop3);
    named.identity.address = made_up.into();
    named.outgoing.endpoint.host.clear();
    // Each browser makes up the same.
    for (saved, present) in [
        (lost(3, made_up), named.clone()),
        (named, lost(3, made_up)),
        (lost(3, made_up), lost(3, made_up)),
    ] {
        let host = filled(MemoryStore::new());
        let mut file = backup_of(&host, &[saved]);
        replace_accounts(&host, std::slice::from_ref(&present));
        let before = everything(&host.store, AccountId(3));
        let backup = block_on(Backup::open(&mut file)).unwrap();
        let imported = block_on(backup.restore(&host, &mut file)).unwrap();
        assert_eq!(imported.added.len(), 1);
        assert_eq!(accounts(&host.store)[0], present);
        assert_eq!(everything(&host.store, AccountId(3)), before);
    }
}

#[test]
fn an_account_that_has_lost_its_settings_is_not_taken_for_one_of_another_user_or_server() {
    let others: [fn(&mut Account); 3] = [
        |own| own.incoming.username = "bob".into(),
        |own| own.incoming.endpoint.host = "pop.example.com".into(),
        |own| own.protocol = Protocol::Imap,
    ];
    for change in others {
        let host = filled(MemoryStore::new());
        let mut own = account(3, Protocol::Pop3);
        change(&mut own);
        let boxes = block_on(mailboxes(&host.store, own.id)).unwrap();
        let mut file = File::named("b.zip", b"");
        let contents = [(own, boxes)];
        let format = ExportFormat::Zip;
        block_on(export(&host, &contents, format, true, &Nowhere, &mut file)).unwrap();
        lose_settings(&host);
        let backup = block_on(Backup::open(&mut file)).unwrap();
        assert_eq!(block_on(backup.restore(&host, &mut file)).unwrap().added.len(), 1);
        let accounts = accounts(&host.store);
        let lost: Vec<_> = accounts.iter().filter(|own| own.has_lost_its_settings()).collect();
        assert!(matches!(lost[..], [own] if own.id == AccountId(3)));
    }
}

/// The records of these folders can't be read any more, and were made anew.
fn lose_names(host: &TestStore<MemoryStore>, are_lost: impl Fn(&Mailbox) -> bool) {
    let all = block_on(mailboxes(&host.store, AccountId(3))).unwrap();
    let spoilt = all.iter().filter(|own| are_lost(own)).map(|own| {
        let (table, key) = (Table::Mailboxes, record::mailbox_key(own.id));
        Write::Put { table, key, value: vec![0xc1] }
    });
    block_on(host.store.apply(spoilt.collect(), Durability::Strict)).unwrap();
    block_on(recovery::recover(&host.store)).unwrap();
}

#[test]
fn folders_that_have_lost_their_names_get_them_back_and_no_mail_twice() {
    let (host, mut file) = written(ExportFormat::Zip);
    let all = everything(&host.store, AccountId(3));
    lose_names(&host, |own| own.names[0] == "Letters");
    assert_ne!(everything(&host.store, AccountId(3)), all);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let imported = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates), (0, 7));
    assert_eq!(everything(&host.store, AccountId(3)), all);
}

#[test]
fn a_folder_that_has_another_ones_number_keeps_its_name() {
    let (host, mut file) = written(ExportFormat::Zip);
    let all = everything(&host.store, AccountId(3));
    let own = account(3, Protocol::Pop3);
    let id = folder(&host, &own, &["Letters".into()]).id;
    lose_names(&host, |own| own.id == id);
    let message = MessageId { mailbox: id, uid: 1 };
    let own: Message =
        block_on(record::get(&host.store, &record::message_key(message))).unwrap().unwrap();
    let mut batch = own.delete_whole().to_vec();
    let raw = b"Subject: another\r\n\r\n";
    batch.extend(put_body(message, raw));
    let body = Body::Whole { size: raw.len() as u64 };
    let other = Message { arrived: own.arrived + 1, body, ..own };
    batch.extend(other.put_listed());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    let before = block_on(record::mailbox(&host.store, id)).unwrap();
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let imported = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates), (1, 6));
    assert_eq!(block_on(record::mailbox(&host.store, id)).unwrap(), before);
    let letters = vec!["Letters".to_owned()];
    assert_eq!(everything(&host.store, AccountId(3))[&letters], all[&letters]);
}

#[test]
fn a_folder_of_which_one_message_is_another_one_keeps_its_name_though_others_agree() {
    let changes: [fn(&mut Message); 2] =
        [|own| own.arrived += 1, |own| own.body = Body::Whole { size: own.size + 1 }];
    for change in changes {
        let host = filled(MemoryStore::new());
        file_elsewhere(&host, 2);
        let (_, mut file) = saved(&host, ExportFormat::Zip);
        let id = folder(&host, &account(3, Protocol::Pop3), &["Letters".into()]).id;
        lose_names(&host, |own| own.id == id);
        let name = block_on(record::mailbox(&host.store, id)).unwrap().names;
        let key = record::message_key(MessageId { mailbox: id, uid: 2 });
        let was: Message = block_on(record::get(&host.store, &key)).unwrap().unwrap();
        let mut own = was.clone();
        change(&mut own);
        let raw = block_on(body(&host.store, was.id)).unwrap();
        let mut batch = was.delete_whole().to_vec();
        batch.extend(put_body(was.id, &raw));
        batch.extend(own.put_listed());
        block_on(host.store.apply(batch, Durability::Strict)).unwrap();
        let backup = block_on(Backup::open(&mut file)).unwrap();
        block_on(backup.restore(&host, &mut file)).unwrap();
        assert_eq!(block_on(record::mailbox(&host.store, id)).unwrap().names, name);
    }
}

#[test]
fn a_folder_of_another_account_keeps_its_name_though_its_messages_agree() {
    let (host, mut file) = written(ExportFormat::Zip);
    let all = everything(&host.store, AccountId(3));
    let id = folder(&host, &account(3, Protocol::Pop3), &["Letters".into()]).id;
    lose_names(&host, |own| own.id == id);
    let mut other = account(4, Protocol::Pop3);
    other.incoming.endpoint.host = "pop.example.com".into();
    let mut own = block_on(record::mailbox(&host.store, id)).unwrap();
    own.account = other.id;
    let batch = vec![other.put(), own.put()];
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let imported = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.added), (1, vec![]));
    assert_eq!(block_on(record::mailbox(&host.store, id)).unwrap(), own);
    assert_eq!(everything(&host.store, AccountId(3)), all);
}
