//! mbox files, single messages and zip archives, read into one local mailbox.

use postern_archive::{
    mbox::{Event, Reader, may_be_mail, may_be_message},
    zip::{Entry, ZipError},
};
use postern_bridge::{Imported, MailboxId, Progress};

use super::{
    Source,
    archive::{self, Budget, Entries, changed},
    known::Known,
    landing::{Landed, Landing, discard_partial},
    limits,
    manifest::{LEDGER, MANIFEST, Note},
};
use crate::{Host, MailError, Store};

/// How many bytes tell what stands at a place.
const LOOK: u64 = 16;

/// Reads all messages of a file into a local mailbox; those that are there already are left out.
/// `known` is what the mailbox has, if it was read for another file and has followed what was
/// written since; the next file may have it.
///
/// Must not run twice at a time.
///
/// # Errors
///
/// If the file is no mail, or can't be read, or the store not be written: what was read before stays.
pub async fn import<H: Host>(
    host: &H,
    mailbox: MailboxId,
    known: &mut Option<Known>,
    source: &mut impl Source,
) -> Result<Imported, MailError> {
    let store = host.store();
    discard_partial(store).await?;
    let present = match known.take().filter(|known| known.mailbox() == mailbox) {
        Some(present) => present,
        None => Known::of(store, mailbox).await?,
    };
    let landing = Landing::beside(store, present, false, host.now());
    let mut import = Import { landing, report: Imported::default() };
    let result = match archive::directory(source).await? {
        Ok(directory) => import.zip(Entries::of(directory), source).await,
        // A zip that can't be read to its end is no mail.
        Err(error) if is_zip(source).await? => Err(archive::damaged(error)),
        Err(_) => import.mail(source).await,
    };
    // What came before an error is good.
    import.landing.flush().await?;
    *known = import.landing.into_known();
    result?;
    Ok(import.report)
}

async fn is_zip(source: &mut impl Source) -> Result<bool, MailError> {
    let length = source.size().min(4) as u32;
    Ok(source.read(0, length).await? == b"PK\x03\x04")
}

struct Import<'a, S> {
    landing: Landing<'a, S>,
    report: Imported,
}

impl<S: Store> Import<'_, S> {
    async fn mail(&mut self, source: &mut impl Source) -> Result<(), MailError> {
        let start = source.size().min(limits::START as u64) as u32;
        let start = source.read(0, start).await?;
        if !begins_like_mail(source.name(), &start) {
            let sentence = "This is no mail: it begins neither like an mbox file nor like a message. \
                            Save your mail in the other program as mbox, .eml or zip, and choose \
                            that file.";
            return Err(MailError::Input(sentence.into()));
        }
        self.mbox(source).await
    }

    async fn mbox(&mut self, source: &mut impl Source) -> Result<(), MailError> {
        let mut reader = reader_of(source.name());
        let size = source.size();
        let mut at = 0;
        while at < size {
            let length = (size - at).min(limits::PIECE.into());
            let piece = source.read(at, length as u32).await?;
            if piece.is_empty() {
                return Err(changed());
            }
            let mut taken = 0;
            while taken < piece.len() {
                taken += reader.handle_input(&piece[taken..]);
                if let Some(place) = self.take(&mut reader).await? {
                    let found = match size.checked_sub(place) {
                        Some(0) => Some(Vec::new()),
                        Some(left) => Some(source.read(place, left.min(LOOK) as u32).await?),
                        None => None,
                    };
                    reader.looked(found.as_deref());
                }
            }
            at += piece.len() as u64;
            source.progress(Progress::of_bytes("Reading", at, size));
        }
        reader.finish();
        self.take(&mut reader).await.map(drop)
    }

    /// Takes what the reader has; the place at which it wants to look, if any.
    async fn take(&mut self, reader: &mut Reader) -> Result<Option<u64>, MailError> {
        while let Some(event) = reader.poll_event() {
            match event {
                Event::Start => self.landing.start(),
                Event::Bytes(bytes) => self.landing.push(&bytes).await?,
                Event::End => {
                    let landed = self.landing.end().await?;
                    self.count(landed, "a message");
                }
                Event::Look { at } => return Ok(Some(at)),
            }
        }
        Ok(None)
    }

    async fn zip(
        &mut self,
        mut entries: Entries,
        source: &mut impl Source,
    ) -> Result<(), MailError> {
        let mut budget = Budget::of_file(source.size());
        while let Some(entry) = entries.next(source).await? {
            if entry.is_folder() || entry.name == MANIFEST || entry.name.starts_with(LEDGER) {
                continue;
            }
            self.entry(&entry, source, &mut budget).await?;
            source.progress(Progress::of_bytes("Reading", entry.start, source.size()));
        }
        Ok(())
    }

    async fn entry(
        &mut self,
        entry: &Entry,
        source: &mut impl Source,
        budget: &mut Budget,
    ) -> Result<(), MailError> {
        if let Some(note) = Note::decode(&entry.comment) {
            if note.header_of.is_some() {
                self.skip(&entry.name, "only its header was ever downloaded");
                return Ok(());
            }
            self.landing.start_saved(note, Vec::new());
            let landed = message(&mut self.landing, entry, source, budget).await?;
            self.landed(landed, &entry.name);
            return Ok(());
        }
        if !is_mail(&entry.name) {
            self.skip(&entry.name, "it is no mail");
            return Ok(());
        }
        let mut reader = reader_of(&entry.name);
        let mut start = Vec::new();
        let mut is_mail = None;
        let read = archive::content(source, entry, u64::MAX, budget, async |mut bytes| {
            if is_mail.is_none() {
                start.extend(bytes);
                if start.len() < limits::START && (start.len() as u64) < entry.size {
                    return Ok(());
                }
                is_mail = Some(begins_like_mail(&entry.name, &start));
                bytes = std::mem::take(&mut start);
            }
            if is_mail == Some(false) {
                return Ok(());
            }
            let mut taken = 0;
            while taken < bytes.len() {
                taken += reader.handle_input(&bytes[taken..]);
                // Nobody can look ahead within an archive.
                if self.take(&mut reader).await?.is_some() {
                    reader.looked(None);
                }
            }
            Ok(())
        });
        match read.await? {
            Ok(()) if is_mail == Some(false) => self.skip(&entry.name, "it is no mail"),
            Ok(()) => {
                reader.finish();
                self.take(&mut reader).await?;
            }
            Err(error) => {
                self.landing.cancel().await?;
                self.skip(&entry.name, &error.to_string());
            }
        }
        Ok(())
    }

    fn landed(&mut self, landed: Result<Landed, ZipError>, name: &str) {
        match landed {
            Ok(landed) => self.count(landed, name),
            Err(error) => self.skip(name, &error.to_string()),
        }
    }

    fn count(&mut self, landed: Landed, name: &str) {
        count(&mut self.report, landed, name);
    }

    fn skip(&mut self, name: &str, why: &str) {
        skip(&mut self.report, name, why);
    }
}

/// Brings a message of one of our archives into a mailbox, where it has begun.
pub(super) async fn message<S: Store>(
    landing: &mut Landing<'_, S>,
    entry: &Entry,
    source: &mut impl Source,
    budget: &mut Budget,
) -> Result<Result<Landed, ZipError>, MailError> {
    let take = async |bytes: Vec<u8>| landing.push(&bytes).await;
    match archive::content(source, entry, limits::MESSAGE, budget, take).await? {
        Ok(()) => Ok(Ok(landing.end().await?)),
        Err(error) => {
            landing.cancel().await?;
            Ok(Err(error))
        }
    }
}

/// Counts a message.
pub(super) fn count(report: &mut Imported, landed: Landed, name: &str) {
    match landed {
        Landed::New => report.messages += 1,
        Landed::Known => report.duplicates += 1,
        Landed::Refused => skip(report, name, "it is empty or larger than 1 GB"),
        Landed::Expunged => skip(report, name, "it was deleted before the file was saved"),
    }
}

/// Counts something that could not be read.
pub(super) fn skip(report: &mut Imported, name: &str, why: &str) {
    report.skipped += 1;
    if report.problems.len() < limits::PROBLEMS {
        report.problems.push(format!("{}: {why}", shown(name)));
    }
}

/// A name as a person can be shown it.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Single messages have an ending of their own; all else is taken for mbox.
fn reader_of(name: &str) -> Reader {
    if has_ending(name, &["eml", "msg"]) { Reader::of_message() } else { Reader::new() }
}

/// Whether a file of this name that begins with these bytes may be mail. What is named like a
/// message is one if it is text.
fn begins_like_mail(name: &str, start: &[u8]) -> bool {
    may_be_mail(start) || (has_ending(name, &["eml"]) && may_be_message(start))
}

/// Whether a file in an archive may be mail: by its ending, or because it has none.
fn is_mail(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    has_ending(file, &["eml", "mbox", "mbx", "mboxrd", "mboxcl", "mboxcl2", "mboxo"])
        || !file.contains('.')
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    endings.iter().any(|own| ending.eq_ignore_ascii_case(own))
}
