//! Several files are read one after the other; a file is written at the speed of its page.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use postern_bridge::{MessageId, Selection};

use super::*;
use crate::{
    Store,
    backup::tests::File,
    changes::tests::{mailbox, message},
    client::tests::{Told, still},
    record::{Body, Record},
    store::{Durability, MemoryStore, Table, Write},
    testing::{FailingStore, NoServer, TestHost, account, block_on},
};

type Reading = Client<TestHost<NoServer, FailingStore>>;

const FOLDER: MailboxId = MailboxId(1);

/// How many messages are in the folder at first.
const MANY: usize = 1200;

fn begun() -> (Reading, FailingStore) {
    let (own, store) = (account(Protocol::Pop3), FailingStore::default());
    let count = u32::try_from(MANY).unwrap();
    let folder = Mailbox { total: count, uid_next: count + 1, ..mailbox(FOLDER.0) };
    let mut batch = vec![own.put(), folder.put()];
    for uid in 1..=count {
        let id = MessageId { mailbox: FOLDER, uid };
        let (message_id, body) = (format!("{uid}@there"), Body::Whole { size: 4 });
        batch.extend(Message { message_id, body, ..message(id) }.put_listed());
        batch.extend(record::put_body(id, b"text"));
    }
    let (client, _) = still(store.clone(), own);
    block_on(store.apply(batch, Durability::Strict)).unwrap();
    (client, store)
}

/// A letter: its bytes.
fn letter(number: u32) -> Vec<u8> {
    format!("Message-ID: <{number}@x>\r\nSubject: {number}\r\n\r\n{number}\r\n").into_bytes()
}

/// Reads a file with a letter; how many are new, and how many records were read for it as ranges.
fn read(client: &Reading, number: u32, more: bool) -> (u32, usize) {
    let scanned = || client.inner.host.store.scanned.get();
    let before = scanned();
    let mut file = File::named("x.eml", &letter(number));
    let imported = block_on(client.read_into(FOLDER, &mut file, more)).unwrap();
    assert_eq!(imported.messages + imported.duplicates, 1);
    (imported.messages, scanned() - before)
}

#[test]
fn a_folder_is_read_once_for_several_files() {
    let (client, _) = begun();
    assert_eq!(read(&client, 0, true), (1, MANY));
    // One that is refused changes nothing.
    let mut other = File::named("x.pdf", b"%PDF-1.7\n");
    assert!(block_on(client.read_into(FOLDER, &mut other, true)).is_err());
    for number in 1..20 {
        assert_eq!(read(&client, number, true), (1, 0));
        assert_eq!(read(&client, number, true), (0, 0));
    }
    // With the last one it is let go.
    assert_eq!(read(&client, 7, false), (0, 0));
    assert_eq!(read(&client, 7, true), (0, MANY + 20));
    client.stop_transfers(ClientId(1));
    assert_eq!(read(&client, 7, true), (0, MANY + 20));
    // The person stops between two.
    client.stop_transfer(ClientId(1), 1);
    assert_eq!(read(&client, 7, false), (0, MANY + 20));
}

#[test]
fn what_happens_to_the_folder_between_two_files_counts() {
    let (client, store) = begun();
    for number in 0..2 {
        assert_eq!(read(&client, number, true).0, 1);
    }
    let all: Vec<Message> =
        block_on(record::all(&store, &KeyRange::prefix(record::mailbox_key(FOLDER)))).unwrap();
    // The person deletes one of them.
    let own = all.iter().find(|own| own.subject == "1").unwrap();
    let change =
        postern_bridge::Change::DeleteForGood { messages: Selection::Messages(vec![own.id]) };
    block_on(client.change((ClientId(1), 1), change)).unwrap();
    assert_eq!(read(&client, 0, true), (0, 0));
    assert_eq!(read(&client, 1, true), (1, 0), "it is not there any more");
    // One arrives by itself.
    let raw = letter(2);
    let id = MessageId { mailbox: FOLDER, uid: 5_000 };
    let message_id = postern_mime::summary(&raw).message_id;
    let body = Body::Whole { size: raw.len() as u64 };
    let mut batch = Message { message_id, body, ..message(id) }.put_listed().to_vec();
    batch.extend(record::put_body(id, &raw));
    block_on(store.apply(batch, Durability::Strict)).unwrap();
    assert_eq!(read(&client, 2, true), (0, 0));
    // Whatever may have been written, it is right.
    let range = KeyRange::prefix(record::mailbox_key(MailboxId(9)));
    let clear = Write::DeleteRange { table: Table::Messages, range };
    block_on(store.apply(vec![clear], Durability::Strict)).unwrap();
    assert_eq!(read(&client, 2, true), (0, MANY + 3));
}

/// The sizes of the pieces of a file that a page was given.
fn pieces(told: &Told) -> Vec<u64> {
    let size = |delta: &Delta| match delta {
        Delta::ExportData { bytes, .. } => Some(bytes.len() as u64),
        _ => None,
    };
    told.borrow().iter().filter_map(size).collect()
}

#[test]
fn no_more_of_a_file_is_on_its_way_than_its_page_has_room_for_and_it_comes_to_its_end() {
    let (client, told) = still(MemoryStore::new(), account(Protocol::Pop3));
    let mut batch = vec![Mailbox { total: 9, ..mailbox(FOLDER.0) }.put()];
    for uid in 1..=9 {
        let id = MessageId { mailbox: FOLDER, uid };
        let body = Body::Whole { size: 1 << 20 };
        batch.extend(Message { body, ..message(id) }.put_listed());
        batch.extend(record::put_body(id, &b"1234567\n".repeat(1 << 17)));
    }
    block_on(client.store().apply(batch, Durability::Strict)).unwrap();
    let (input, heard) = mpsc::unbounded();
    let link = Link::new(client.clone(), (ClientId(1), 1), heard);
    let mut export = pin!(client.export(link, ExportScope::Mailbox(FOLDER), ExportFormat::Mbox));
    let mut go_on = || export.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let mut taken = 0;
    let mut pauses = 0;
    let exported = loop {
        if let Poll::Ready(exported) = go_on() {
            break exported.unwrap();
        }
        let given = pieces(&told);
        let (last, all) = (*given.last().unwrap(), given.iter().sum::<u64>());
        if last == 0 {
            input.unbounded_send(Input::Saved).unwrap();
            continue;
        }
        assert!(all - taken > page::WINDOW, "it waits for no reason");
        assert!(all - taken <= page::WINDOW + last, "{} bytes are on their way", all - taken);
        assert!(go_on().is_pending(), "nobody took any");
        assert_eq!(pieces(&told), given);
        pauses += 1;
        taken = all;
        input.unbounded_send(Input::Taken(taken)).unwrap();
    };
    assert_eq!((exported.messages, exported.bytes), (9, pieces(&told).iter().sum()));
    assert!(pauses >= 2, "{pauses}");
}
