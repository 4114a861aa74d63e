//! Messages on their way out, in a backup.
//!
//! Each is two files side by side: its envelope, and what follows DATA. A backup is older than what
//! happened since, so nobody knows whether the server has got one of them meanwhile: each comes back as
//! one of which that is uncertain, and only the person sends it again. The copy of one that was sent, which
//! the server has refused for Sent, comes back as that.

use postern_archive::zip::{Directory, Writer};
use postern_bridge::AccountId;

use super::{
    Source,
    archive::{Budget, Entries},
    export::failed,
    import::skip,
    limits,
    manifest::UNSENT,
    restore::{Restore, whole},
};
use crate::{
    Host, MailError,
    outbox::{self, Entry, State},
    record,
};

/// What the name of the second file ends with.
const MESSAGE: &str = ".eml";

/// What an account has not sent yet, as far as is known.
pub(super) async fn unsent<H: Host>(host: &H, account: AccountId) -> Result<Vec<Entry>, MailError> {
    let mut entries = outbox::entries(host).await?;
    entries.retain(|entry| entry.account == account && entry.state != State::Sent);
    Ok(entries)
}

/// Writes one of them to an archive, unless it was taken back meanwhile.
pub(super) async fn write<H: Host>(
    host: &H,
    writer: &mut Writer,
    entry: &Entry,
) -> Result<(), MailError> {
    let raw = match outbox::raw(host, entry.id).await {
        Err(MailError::Gone(_)) => return Ok(()),
        raw => raw?,
    };
    let name = format!("{UNSENT}{}-{:06}", entry.account.0, entry.id);
    let time = entry.created / 1000;
    let files = [(name.clone(), record::encode(entry)), (name + MESSAGE, raw)];
    for (name, content) in files {
        writer.start(&name, time, b"").map_err(failed)?;
        writer.write(&content).map_err(failed)?;
    }
    Ok(())
}

impl<H: Host> Restore<'_, H> {
    /// Brings them back. One that is damaged costs itself alone.
    pub(super) async fn unsent(
        &mut self,
        directory: Directory,
        source: &mut impl Source,
    ) -> Result<(), MailError> {
        let mut entries = Entries::of(directory);
        let mut budget = Budget::of_file(source.size());
        let (mut envelope, mut count) = (None, 0);
        while let Some(file) = entries.next(source).await? {
            let Some(name) = file.name.strip_prefix(UNSENT) else { continue };
            let Some(of) = name.strip_suffix(MESSAGE) else {
                // One that is damaged is told with what follows it.
                let content = whole(source, &file, &mut budget).await?.ok();
                let own = content.and_then(|content| record::decode::<Entry>(&content).ok());
                envelope = own.map(|own| (name.to_owned(), own));
                continue;
            };
            let own = envelope.take().filter(|(name, _)| name == of);
            let number = of.split_once('-').and_then(|(number, _)| number.parse().ok());
            let account = number.and_then(|number: u32| self.senders.get(&number)).copied();
            let (Some((_, entry)), Some(account)) = (own, account) else {
                skip(&mut self.report, &file.name, "nothing tells to whom it is to be sent");
                continue;
            };
            count += 1;
            if count > limits::UNSENT {
                skip(&mut self.report, &file.name, "this backup has more unsent mail than can be");
                continue;
            }
            let raw = match whole(source, &file, &mut budget).await? {
                Ok(raw) => raw,
                Err(error) => {
                    skip(&mut self.report, &file.name, &error.to_string());
                    continue;
                }
            };
            match outbox::restore(self.host, Entry { account, ..entry }, &raw).await {
                Ok(true) => self.report.messages += 1,
                Ok(false) => self.report.duplicates += 1,
                Err(MailError::Input(why)) => skip(&mut self.report, &file.name, &why),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
