//! A backup brought back: accounts, folders, messages with their flags, and the ledger.

use std::collections::{BTreeMap, BTreeSet};

use postern_archive::zip::{Directory, Entry, ZipError};
use postern_bridge::{AccountId, Imported, MailboxId, Progress, Protocol, Role, ServerLogin};

use super::{
    Source,
    archive::{self, Budget, Entries},
    import::{count, message, skip},
    known::Known,
    landing::{Landing, discard_partial},
    limits,
    manifest::{LEDGER, MANIFEST, Manifest, Note, SavedAccount, SavedFolder},
    naming::name_again,
    origins::{Origin, note_origin, origins},
    rows::Rows,
};
use crate::{
    Host, MailError, Store,
    changes::Editor,
    pop3,
    record::{self, Account, Mailbox, Record, Series},
    recovery,
    store::{Durability, KeyRange},
};

/// A backup whose manifest has been read.
pub struct Backup {
    directory: Directory,
    manifest: Manifest,
}

impl Backup {
    /// Reads the manifest.
    ///
    /// # Errors
    ///
    /// [`MailError::Input`] if it is no backup of ours.
    pub async fn open(source: &mut impl Source) -> Result<Self, MailError> {
        let none = || MailError::Input("This file is no backup that Postern has made.".into());
        let directory = archive::directory(source).await?.map_err(|_| none())?;
        let mut entries = Entries::of(directory);
        while let Some(entry) = entries.next(source).await? {
            if entry.name == MANIFEST {
                let mut budget = Budget::of_file(source.size());
                let content = whole(source, &entry, &mut budget).await?;
                let manifest = Manifest::decode(&content.map_err(archive::damaged)?)?;
                return Ok(Self { directory, manifest });
            }
        }
        Err(none())
    }

    /// The accounts that are in it and here as well: while they are restored nothing else may be
    /// written for them.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn present(&self, store: &impl Store) -> Result<Vec<AccountId>, MailError> {
        let present: Vec<Account> = record::all(store, &KeyRange::all()).await?;
        let origins = origins(store, &present).await?;
        let is_in = |account: &&Account| {
            let made = origins.get(&account.id);
            made.is_some_and(|own| own.created == self.manifest.created)
                || self.manifest.accounts.iter().any(|own| own.is(account) || own.was(account))
        };
        Ok(present.iter().filter(is_in).map(|account| account.id).collect())
    }

    /// Brings everything back. Mail of IMAP accounts is left to their servers.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or the store not be written: what was restored before stays, and
    /// restoring again goes on.
    pub async fn restore<H: Host>(
        &self,
        host: &H,
        source: &mut impl Source,
    ) -> Result<Imported, MailError> {
        discard_partial(host.store()).await?;
        let mut restore = Restore {
            host,
            created: self.manifest.created,
            accounts: BTreeMap::new(),
            senders: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            left: BTreeSet::new(),
            landings: BTreeMap::new(),
            rows: Rows::of_backup_made(self.manifest.created),
            report: Imported::default(),
        };
        for saved in &self.manifest.accounts {
            restore.account(saved, &self.manifest.accounts).await?;
        }
        name_again(host, &self.manifest, &restore.accounts, self.directory, source).await?;
        for saved in &self.manifest.accounts {
            restore.folders(saved).await?;
        }
        restore.ledgers(self.directory, source).await?;
        restore.unsent(self.directory, source).await?;
        let result = restore.messages(self.directory, source).await;
        // What came before an error is good.
        for landing in restore.landings.values_mut() {
            landing.flush().await?;
        }
        result?;
        Ok(restore.report)
    }
}

pub(super) struct Restore<'a, H: Host> {
    pub(super) host: &'a H,
    /// When the backup was made, in milliseconds since 1970 (UTC).
    created: i64,
    /// The POP3 accounts, by their number in the backup.
    accounts: BTreeMap<u32, AccountId>,
    /// All accounts, by their number in the backup.
    pub(super) senders: BTreeMap<u32, AccountId>,
    /// Their mailboxes, by the number in the backup.
    mailboxes: BTreeMap<u32, MailboxId>,
    /// The mailboxes of IMAP accounts, by the number in the backup.
    left: BTreeSet<u32>,
    landings: BTreeMap<MailboxId, Landing<'a, H::Store>>,
    rows: Rows,
    pub(super) report: Imported,
}

impl<H: Host> Restore<'_, H> {
    /// Finds an account, or adds it.
    async fn account(
        &mut self,
        saved: &SavedAccount,
        all: &[SavedAccount],
    ) -> Result<(), MailError> {
        let store = self.host.store();
        let mut present: Vec<Account> = record::all(store, &KeyRange::all()).await?;
        // No two of a backup are the same one here.
        present.retain(|own| !self.senders.values().any(|given| *given == own.id));
        let origins = origins(store, &present).await?;
        let origin = self.origin(saved);
        let made = |own: &&Account| origins.get(&own.id) == Some(&origin) && saved.became(own);
        let made = present.iter().filter(made);
        let made = made.min_by_key(|own| !saved.has_same_mailbox(own)).cloned();
        // What was made of another one of them, and still stands for that, is not meant.
        let stands_for = |made: &Origin, own: &Account| {
            all.iter().any(|other| other.number == made.number && other.became(own))
        };
        let is_other = |own: &Account| {
            origins.get(&own.id).is_some_and(|made| {
                made.created == origin.created && *made != origin && stands_for(made, own)
            })
        };
        present.retain(|own| !is_other(own));
        let account = match made.as_ref().or_else(|| meant(saved, all, &present)) {
            Some(account) if account.has_lost_its_settings() => {
                self.settle(saved, account.id).await?
            }
            known => known.cloned(),
        };
        let account = match account {
            Some(account) => account,
            None => self.add(saved).await?,
        };
        self.senders.insert(saved.number, account.id);
        if account.protocol == Protocol::Imap {
            self.left.extend(saved.folders.iter().map(|folder| folder.number));
            return Ok(());
        }
        self.accounts.insert(saved.number, account.id);
        Ok(())
    }

    /// Finds the folders of a POP3 account, or adds them.
    async fn folders(&mut self, saved: &SavedAccount) -> Result<(), MailError> {
        let Some(id) = self.accounts.get(&saved.number).copied() else { return Ok(()) };
        let account: Option<Account> =
            record::get(self.host.store(), &record::account_key(id)).await?;
        let account = account.ok_or(MailError::Gone("account"))?;
        let mut folders: Vec<&SavedFolder> = saved.folders.iter().collect();
        // What others are nested in comes first.
        folders.sort_by_key(|folder| folder.names.len());
        for folder in folders {
            let mailbox = self.folder(&account, folder).await?;
            self.mailboxes.insert(folder.number, mailbox);
        }
        Ok(())
    }

    fn origin(&self, saved: &SavedAccount) -> Origin {
        Origin { created: self.created, number: saved.number }
    }

    async fn add(&mut self, saved: &SavedAccount) -> Result<Account, MailError> {
        let store = self.host.store();
        let _editing = store.editing().lock().await;
        let (number, numbered) = record::next_number(store, Series::Account).await?;
        let account = account(saved, AccountId(number));
        let origin = note_origin(account.id, self.origin(saved));
        let mut batch = vec![numbered, account.put(), origin];
        if account.protocol == Protocol::Pop3 {
            batch.extend(pop3::create_local_mailboxes(self.host, account.id).await?);
        }
        store.apply(batch, Durability::Strict).await?;
        self.report.added.push(account.id);
        Ok(account)
    }

    /// Gives an account that has lost its settings those of the backup, if that has them and nobody has
    /// entered them meanwhile. `None` if the account has been removed.
    async fn settle(
        &mut self,
        saved: &SavedAccount,
        id: AccountId,
    ) -> Result<Option<Account>, MailError> {
        let store = self.host.store();
        let _editing = store.editing().lock().await;
        let now: Option<Account> = record::get(store, &record::account_key(id)).await?;
        if saved.has_lost_its_settings()
            || now.as_ref().is_none_or(|own| !own.has_lost_its_settings())
        {
            return Ok(now);
        }
        let account = account(saved, id);
        store.apply(vec![account.put()], Durability::Strict).await?;
        self.report.added.push(id);
        Ok(Some(account))
    }

    async fn folder(
        &mut self,
        account: &Account,
        saved: &SavedFolder,
    ) -> Result<MailboxId, MailError> {
        let all = record::mailboxes(self.host.store(), account.id).await?;
        let same = |own: &&Mailbox| match saved.role {
            Some(role) => own.role == Some(role),
            None => own.role.is_none() && own.names == saved.names,
        };
        if let Some(own) = all.iter().find(same) {
            return Ok(own.id);
        }
        let mut editor = Editor::begin(self.host, account, None).await?;
        let (name, above) =
            saved.names.split_last().map_or(("", &[][..]), |(last, above)| (last, above));
        let parent = all.iter().find(|own| !above.is_empty() && own.names == above);
        match editor.create_mailbox(parent.map(|own| own.id), name, None).await {
            Ok(made) => Ok(made),
            // A name that can't be here: its mail is kept all the same.
            Err(MailError::Input(why)) => {
                skip(&mut self.report, &saved.names.join("/"), &why);
                let kept = |own: &&Mailbox| own.role == Some(Role::Archive);
                let kept = all.iter().find(kept).or(all.first());
                Ok(kept.ok_or(MailError::Gone("folder"))?.id)
            }
            Err(error) => Err(error),
        }
    }

    async fn messages(
        &mut self,
        directory: Directory,
        source: &mut impl Source,
    ) -> Result<(), MailError> {
        let store = self.host.store();
        let mut entries = Entries::of(directory);
        let mut budget = Budget::of_file(source.size());
        let mut last = None;
        while let Some(entry) = entries.next(source).await? {
            let Some(note) = Note::decode(&entry.comment) else { continue };
            // Of what was left on the server as a whole nothing was here: it is listed there again.
            if note.header_of.is_some() && entry.size == 0 {
                continue;
            }
            let Some(mailbox) = self.mailboxes.get(&note.folder).copied() else {
                self.report.left += u32::from(self.left.contains(&note.folder));
                continue;
            };
            // One mailbox after the other: what waits for the one before is stored first.
            if let Some(before) = last.replace(mailbox).filter(|before| *before != mailbox)
                && let Some(landing) = self.landings.get_mut(&before)
            {
                landing.flush().await?;
            }
            let landing = match self.landings.entry(mailbox) {
                std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => {
                    let known = Known::of(store, mailbox).await?;
                    free.insert(Landing::beside(store, known, true, self.host.now()))
                }
            };
            let rows = self.rows.take(&note);
            landing.start_saved(note, rows);
            match message(landing, &entry, source, &mut budget).await? {
                Ok(landed) => count(&mut self.report, landed, &entry.name),
                Err(error) => skip(&mut self.report, &entry.name, &error.to_string()),
            }
            source.progress(Progress::of_bytes("Restoring", entry.start, source.size()));
        }
        Ok(())
    }

    /// Reads what the ledgers say. A part that is damaged costs itself alone: what the server still has
    /// of its messages comes a second time.
    async fn ledgers(
        &mut self,
        directory: Directory,
        source: &mut impl Source,
    ) -> Result<(), MailError> {
        let mut entries = Entries::of(directory);
        let mut budget = Budget::of_file(source.size());
        while let Some(entry) = entries.next(source).await? {
            let Some(name) = entry.name.strip_prefix(LEDGER) else { continue };
            let number = name.split_once('-').and_then(|(number, _)| number.parse().ok());
            let account = number.and_then(|number: u32| self.accounts.get(&number)).copied();
            let Some(account) = account else { continue };
            let content = whole(source, &entry, &mut budget).await?.ok();
            let fits = match content.and_then(|content| record::decode(&content).ok()) {
                Some(rows) => Some(self.rows.learn(self.host.store(), account, rows).await?),
                None => None,
            };
            let why = match fits {
                Some(true) => continue,
                Some(false) => {
                    "this backup knows more mail than can be; what the server still has of it will \
                     come a second time"
                }
                None => {
                    "it is damaged; what the server still has of its mail will come a second time"
                }
            };
            skip(&mut self.report, &entry.name, why);
        }
        Ok(())
    }
}

/// The account that a saved one is. Where settings were lost, it is the one that it can have been, if
/// nothing else can be meant: the mail of two accounts must not be mixed. An address that was made up says
/// nothing: another browser makes up the same.
fn meant<'a>(
    saved: &SavedAccount,
    all: &[SavedAccount],
    present: &'a [Account],
) -> Option<&'a Account> {
    let is_only = |of: &[&Account]| of.len() == 1;
    let same: Vec<&Account> = present.iter().filter(|own| saved.is(own)).collect();
    if let Some(first) = same.first() {
        let is_known = !first.incoming.endpoint.host.is_empty();
        let is_told = is_only(&same) && !recovery::is_made_up(&first.identity);
        return (is_known || is_told).then_some(first);
    }
    let likely: Vec<&Account> = present.iter().filter(|own| saved.was(own)).collect();
    let claims = |own: &Account| all.iter().filter(|saved| saved.is(own) || saved.was(own)).count();
    likely.first().copied().filter(|first| is_only(&likely) && claims(first) == 1)
}

/// A saved account under a number of this store; its password is in no file.
fn account(saved: &SavedAccount, id: AccountId) -> Account {
    Account {
        id,
        identity: saved.identity.clone(),
        protocol: saved.protocol,
        incoming: untrusting(&saved.incoming),
        outgoing: untrusting(&saved.outgoing),
        retention: saved.retention,
        extent: saved.extent,
        proof: saved.proof,
        sealed_password: Vec::new(),
    }
}

/// A server as it is in a file, which must not say whom to trust: the person is asked once more.
fn untrusting(saved: &ServerLogin) -> ServerLogin {
    let mut login = saved.clone();
    login.endpoint.trusted = None;
    login
}

/// An entry's whole content. What is wrong with the entry alone is told as [`ZipError`].
pub(super) async fn whole(
    source: &mut impl Source,
    entry: &Entry,
    budget: &mut Budget,
) -> Result<Result<Vec<u8>, ZipError>, MailError> {
    let mut all = Vec::new();
    let read = archive::content(source, entry, limits::RECORDS, budget, async |bytes| {
        all.extend(bytes);
        Ok(())
    });
    Ok(read.await?.map(|()| all))
}
