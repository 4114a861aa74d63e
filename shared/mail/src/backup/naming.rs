//! Folders that have lost their names here get back what a backup calls them.
//!
//! Another browser may have given the same number to another folder. So one of the backup is only
//! taken for the one of its number here if that is in the same account, and the messages agree: at
//! least one UID is in both, and under each that is, arrival and size are the same. One message
//! alone tells little: by POP3 or from a file it counts as arrived when it was sent, and another
//! browser may have read the same file.

use std::collections::{BTreeMap, BTreeSet};

use postern_archive::zip::Directory;
use postern_bridge::{AccountId, MailboxId, MessageId, Protocol};

use super::{
    Source,
    archive::Entries,
    manifest::{Manifest, Note, SavedFolder},
};
use crate::{
    Host, MailError, Store,
    changes::Editor,
    record::{self, Account, Body, Mailbox, Message},
    recovery,
    store::{KeyRange, Table},
};

/// Names the folders of which the backup knows the names. One that can't have its name keeps the one that
/// it has. `accounts` are the POP3 accounts here, by their number in the backup.
pub(super) async fn name_again<H: Host>(
    host: &H,
    manifest: &Manifest,
    accounts: &BTreeMap<u32, AccountId>,
    directory: Directory,
    source: &mut impl Source,
) -> Result<(), MailError> {
    let store = host.store();
    let (mailboxes, _) = record::readable::<Mailbox>(store, &KeyRange::all()).await?;
    let nameless = mailboxes.iter().filter(|own| recovery::has_made_up_name(own));
    let nameless: BTreeMap<u32, AccountId> = nameless.map(|own| (own.id.0, own.account)).collect();
    let mut likely: BTreeMap<u32, &SavedFolder> = BTreeMap::new();
    for saved in &manifest.accounts {
        let Some(account) = accounts.get(&saved.number) else { continue };
        let is_its = |own: &&SavedFolder| nameless.get(&own.number) == Some(account);
        let folders = saved.folders.iter().filter(|own| own.role.is_none()).filter(is_its);
        likely.extend(folders.map(|own| (own.number, own)));
    }
    let mut told = BTreeSet::new();
    let mut entries = Entries::of(directory);
    while !likely.is_empty()
        && let Some(entry) = entries.next(source).await?
    {
        let note = Note::decode(&entry.comment).filter(|note| likely.contains_key(&note.folder));
        let Some(note) = note else { continue };
        let id = MessageId { mailbox: MailboxId(note.folder), uid: note.uid };
        let stored = store.get(Table::Messages, &record::message_key(id)).await?;
        let message = stored.and_then(|stored| record::decode::<Message>(&stored).ok());
        match message.map(|own| is_noted(&own, &note, entry.size)) {
            Some(true) => {
                told.insert(note.folder);
            }
            Some(false) => {
                likely.remove(&note.folder);
            }
            None => {}
        }
    }
    likely.retain(|number, _| told.contains(number));
    let mut found: Vec<&SavedFolder> = likely.into_values().collect();
    // What others are nested in comes first.
    found.sort_by_key(|own| own.names.len());
    for folder in found {
        rename(host, folder).await?;
    }
    Ok(())
}

/// Whether a message can be the one of a note, which has this size in the backup. Where it is not
/// there as a whole, here or in the backup, its size tells nothing.
fn is_noted(own: &Message, note: &Note, saved: u64) -> bool {
    let same_size = match own.body {
        Body::Whole { size } if note.header_of.is_none() => size == saved,
        _ => true,
    };
    own.arrived == note.arrived && same_size
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
