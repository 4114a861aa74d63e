//! Folders that have lost their names here get back what a backup calls them.
//!
//! Another browser may have given the same number to another folder: so one of the backup is only taken for
//! the one of its number here if a message in both has the same UID, and came at the same moment.

use std::collections::{BTreeMap, BTreeSet};

use postern_archive::zip::Directory;
use postern_bridge::{MailboxId, MessageId, Protocol};

use super::{
    Source,
    archive::Entries,
    manifest::{Manifest, Note, SavedFolder},
};
use crate::{
    Host, MailError, Store,
    changes::Editor,
    record::{self, Account, Mailbox, Message},
    recovery,
    store::{KeyRange, Table},
};

/// Names the folders of which the backup knows the names. One that can't have its name keeps the one that
/// it has.
pub(super) async fn name_again<H: Host>(
    host: &H,
    manifest: &Manifest,
    directory: Directory,
    source: &mut impl Source,
) -> Result<(), MailError> {
    let store = host.store();
    let (mailboxes, _) = record::readable::<Mailbox>(store, &KeyRange::all()).await?;
    let nameless = mailboxes.iter().filter(|own| recovery::has_made_up_name(own));
    let nameless: BTreeSet<u32> = nameless.map(|own| own.id.0).collect();
    let local = manifest.accounts.iter().filter(|own| own.protocol == Protocol::Pop3);
    let saved = local.flat_map(|own| &own.folders);
    let saved = saved.filter(|own| own.role.is_none() && nameless.contains(&own.number));
    let mut saved: BTreeMap<u32, &SavedFolder> = saved.map(|own| (own.number, own)).collect();
    let mut found = Vec::new();
    let mut entries = Entries::of(directory);
    while !saved.is_empty()
        && let Some(entry) = entries.next(source).await?
    {
        let note = Note::decode(&entry.comment).filter(|note| saved.contains_key(&note.folder));
        let Some(note) = note else { continue };
        let id = MessageId { mailbox: MailboxId(note.folder), uid: note.uid };
        let stored = store.get(Table::Messages, &record::message_key(id)).await?;
        let message = stored.and_then(|stored| record::decode::<Message>(&stored).ok());
        if message.is_some_and(|own| own.arrived == note.arrived) {
            found.extend(saved.remove(&note.folder));
        }
    }
    // What others are nested in comes first.
    found.sort_by_key(|own| own.names.len());
    for folder in found {
        rename(host, folder).await?;
    }
    Ok(())
}

async fn rename<H: Host>(host: &H, saved: &SavedFolder) -> Result<(), MailError> {
    let store = host.store();
    let own = record::mailbox(store, MailboxId(saved.number)).await?;
    let account: Option<Account> = record::get(store, &record::account_key(own.account)).await?;
    let account = account.filter(|account| account.protocol == Protocol::Pop3);
    let (Some(account), Some((name, above))) = (account, saved.names.split_last()) else {
        return Ok(());
    };
    let all = record::mailboxes(store, account.id).await?;
    let parent = all.iter().find(|own| own.names == above).map(|own| own.id);
    if parent.is_none() && !above.is_empty() {
        return Ok(());
    }
    let mut editor = Editor::begin(host, &account, None).await?;
    match editor.move_mailbox(own.id, parent, name).await {
        Err(MailError::Input(_)) => Ok(()),
        renamed => renamed,
    }
}
