//! Messages are moved while a file is written.

use super::*;
use crate::{
    backup::Backup,
    changes::{Arrivals, Editor, Removal, done, entries},
    store::Write,
};

/// A file during one write of which the large letter goes from the inbox to the archive. On a server,
/// that is confirmed during the next one, which gives it another UID.
struct Moving<'a> {
    host: &'a TestStore<MemoryStore>,
    file: File,
    protocol: Protocol,
    /// Writes before it.
    left: usize,
}

impl Sink for Moving<'_> {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), MailError> {
        let own = account(3, self.protocol);
        if self.left == 0 {
            let all = mailboxes(&self.host.store, own.id).await?;
            let place = |role| all.iter().find(|own| own.role == Some(role)).unwrap().id;
            let mut editor = Editor::begin(self.host, &own, None).await?;
            editor.transfer(place(Role::Inbox), &[3], place(Role::Archive), false).await?;
            assert_eq!(editor.finish().moved.len(), 1);
        }
        // The write after it.
        if self.left == usize::MAX && self.protocol == Protocol::Imap {
            let entry = entries(&self.host.store, own.id).await?.pop().unwrap();
            let arrivals = Arrivals { uid_validity: 1, uids: vec![70] };
            let settled = done(self.host, &entry, &arrivals, Removal::Whole).await?;
            assert_eq!(settled.moved.len(), 1);
        }
        self.left = self.left.wrapping_sub(1);
        self.file.write(bytes).await
    }

    fn progress(&mut self, _: Progress) {}
}

/// How many lines of the large letter are in a file.
fn large_lines(file: &File) -> usize {
    let lines = file.bytes.split(|byte| *byte == b'\n');
    lines.filter(|line| line.starts_with(b"0123456789abcdef")).count()
}

#[test]
fn a_message_that_is_moved_while_it_is_written_is_written_as_a_whole() {
    let own = account(3, Protocol::Pop3);
    let large = letters().remove(2).3;
    for format in [ExportFormat::Mbox, ExportFormat::Zip] {
        let (_, whole) = written(format);
        let writes = *whole.calls.borrow();
        assert!(writes > 3);
        for left in (0..writes).step_by(if writes > 20 { 4 } else { 1 }) {
            let host = filled(MemoryStore::new());
            let contents = [(own.clone(), block_on(mailboxes(&host.store, own.id)).unwrap())];
            let file = File::named("b", b"");
            let mut sink = Moving { host: &host, file, protocol: own.protocol, left };
            let exported =
                block_on(export(&host, &contents, format, true, &Nowhere, &mut sink)).unwrap();
            // Where it was moved once it was written, it is come by once more.
            let times = exported.messages - 6;
            assert!(matches!(times, 1 | 2), "{format:?}, write {left}");
            let mut file = sink.file;
            if format == ExportFormat::Mbox {
                assert_eq!(large_lines(&file), 90_000 * times as usize, "write {left}");
                continue;
            }
            let fresh = TestHost::with_store(NoServer, MemoryStore::new());
            let backup = block_on(Backup::open(&mut file)).unwrap();
            let added = block_on(backup.restore(&fresh, &mut file)).unwrap().added[0];
            let all = |store: &MemoryStore, id| {
                let letters = everything(store, id).into_values().flatten();
                letters.map(|(raw, ..)| raw).collect::<Vec<_>>()
            };
            let mut expected = all(&host.store, own.id);
            expected.extend((times == 2).then(|| large.clone()));
            let mut restored = all(&fresh.store, added);
            expected.sort();
            restored.sort();
            assert!(restored == expected, "write {left}");
        }
    }
}

#[test]
fn a_message_whose_move_the_server_confirms_while_it_is_written_is_written_as_a_whole() {
    let own = account(3, Protocol::Imap);
    let (_, whole) = written(ExportFormat::Mbox);
    let writes = *whole.calls.borrow();
    for left in (0..writes).step_by(3) {
        let host = filled(MemoryStore::new());
        let contents = [(own.clone(), block_on(mailboxes(&host.store, own.id)).unwrap())];
        let file = File::named("b", b"");
        let mut sink = Moving { host: &host, file, protocol: own.protocol, left };
        let exported = export(&host, &contents, ExportFormat::Mbox, true, &Nowhere, &mut sink);
        let times = block_on(exported).unwrap().messages - 6;
        assert!(matches!(times, 1 | 2), "write {left}");
        assert_eq!(large_lines(&sink.file), 90_000 * times as usize, "write {left}");
    }
}

/// A server that has the large letter, which is stored in windows to be written.
struct InWindows<'a>(&'a TestStore<MemoryStore>);

impl Fetch for InWindows<'_> {
    async fn whole(&self, message: &Message) -> Option<Raw> {
        let raw = letters().remove(2).3;
        let put = |(number, window): (u32, &[u8])| Write::Put {
            table: Table::Bodies,
            key: record::part_key(message.id, "").u32(number),
            value: window.to_vec(),
        };
        let windows = (0..).zip(raw.chunks(300_000)).map(put).collect();
        self.0.store.apply(windows, Durability::Strict).await.unwrap();
        Some(Raw::Stored { size: raw.len() as u64 })
    }
}

/// A file during one write of which the large letter is opened: its windows become its own bytes.
struct Opening<'a> {
    host: &'a TestStore<MemoryStore>,
    file: File,
    id: MessageId,
    /// Writes before it.
    left: usize,
    /// What is stored of it then.
    body: Body,
}

impl Sink for Opening<'_> {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), MailError> {
        if self.left == 0 {
            let raw = letters().remove(2).3;
            let range = KeyRange::prefix(record::part_key(self.id, ""));
            let mut batch = put_body(self.id, &raw);
            batch.push(Write::DeleteRange { table: Table::Bodies, range });
            batch.push(Message { body: self.body.clone(), ..large(self.host) }.put());
            self.host.store.apply(batch, Durability::Strict).await?;
        }
        self.left = self.left.wrapping_sub(1);
        self.file.write(bytes).await
    }

    fn progress(&mut self, _: Progress) {}
}

/// The large letter's record.
fn large(host: &TestStore<MemoryStore>) -> Message {
    let all: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    all.into_iter().max_by_key(|message| message.size).unwrap()
}

#[test]
fn a_message_that_is_opened_while_it_is_written_is_written_as_a_whole() {
    let (_, whole) = written(ExportFormat::Mbox);
    let own = account(3, Protocol::Pop3);
    let mut broken = 0;
    let size = large(&written(ExportFormat::Mbox).0).size;
    for body in [Body::Whole { size }, Body::Partial { size, absent: vec![] }] {
        for left in 0..12 {
            let host = filled(MemoryStore::new());
            let absent = Message { body: Body::Absent, ..large(&host) };
            let mut batch = vec![absent.put()];
            let range = KeyRange::prefix(record::message_key(absent.id));
            batch.insert(0, Write::DeleteRange { table: Table::Bodies, range });
            block_on(host.store.apply(batch, Durability::Strict)).unwrap();
            let contents = [(own.clone(), block_on(mailboxes(&host.store, own.id)).unwrap())];
            let (file, body) = (File::named("b", b""), body.clone());
            let mut sink = Opening { host: &host, file, id: absent.id, left, body };
            let fetch = InWindows(&host);
            let exported = export(&host, &contents, ExportFormat::Mbox, true, &fetch, &mut sink);
            match block_on(exported) {
                Ok(_) => assert!(sink.file.bytes == whole.bytes, "write {left}"),
                // What is stored is another text than the message.
                Err(error) => {
                    assert!(matches!(sink.body, Body::Partial { .. }), "write {left}: {error:?}");
                    broken += 1;
                }
            }
        }
    }
    assert!(broken > 0);
}
