//! Messages are moved while a file is written.

use super::*;
use crate::{backup::Backup, changes::Editor};

/// A file during one write of which the large letter goes from the inbox to the archive.
struct Moving<'a> {
    host: &'a TestStore<MemoryStore>,
    file: File,
    /// Writes before it.
    left: usize,
}

impl Sink for Moving<'_> {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), MailError> {
        if self.left == 0 {
            let own = account(3, Protocol::Pop3);
            let all = mailboxes(&self.host.store, own.id).await?;
            let place = |role| all.iter().find(|own| own.role == Some(role)).unwrap().id;
            let mut editor = Editor::begin(self.host, &own, None).await?;
            editor.transfer(place(Role::Inbox), &[3], place(Role::Archive), false).await?;
            assert_eq!(editor.finish().moved.len(), 1);
        }
        self.left = self.left.wrapping_sub(1);
        self.file.write(bytes).await
    }

    fn progress(&mut self, _: Progress) {}
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
            let mut sink = Moving { host: &host, file: File::named("b", b""), left };
            let exported =
                block_on(export(&host, &contents, format, true, &Nowhere, &mut sink)).unwrap();
            // Where it was moved once it was written, it is come by once more.
            let times = exported.messages - 6;
            assert!(matches!(times, 1 | 2), "{format:?}, write {left}");
            let mut file = sink.file;
            if format == ExportFormat::Mbox {
                let lines = file.bytes.split(|byte| *byte == b'\n');
                let lines = lines.filter(|line| line.starts_with(b"0123456789abcdef")).count();
                assert_eq!(lines, 90_000 * times as usize, "write {left}");
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
