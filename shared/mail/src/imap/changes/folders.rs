//! Mailboxes made, renamed, deleted and subscribed to.
//!
//! A refusal because it was done already, by an earlier try whose answer was lost, counts as done:
//! the server's list tells.

use postern_bridge::{MailboxId, Role};
use postern_imap::{
    Command, Response,
    command::ListReturn,
    response::{Code, Status, StatusKind},
};

use super::{ImapClient, open::gone};
use crate::{
    Host, MailError, Store, Transport,
    changes::{self, Entry, Task},
    imap::{refusal::refusal, spelling},
    record::{self, Mailbox, Record},
    store::Durability,
};

impl<T: Transport> ImapClient<T> {
    pub(super) async fn make_folder_change<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        task: Task,
    ) -> Result<(), MailError> {
        match task {
            Task::Create { mailbox, role } => self.create(host, mailbox, role).await,
            Task::Rename { mailbox, old, new, .. } => {
                self.rename(host, entry, mailbox, &old, &new).await
            }
            Task::Remove { mailbox } => self.delete(host, &mailbox).await,
            Task::Subscribe { mailbox, subscribed } => {
                let own = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
                let what = "change a subscription";
                self.run(host, self.subscription(&own.path, subscribed)?, what).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    async fn create<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        role: Option<Role>,
    ) -> Result<(), MailError> {
        let own = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
        let top = (own.names.len() == 1).then_some(own.delimiter);
        let path = self.make_mailbox(host, &own.path, top, role).await?;
        if path != own.path {
            self.take_path(host, &own, path).await?;
        }
        Ok(())
    }

    /// Makes a mailbox and subscribes to it, unless it is there; returns where. One at the `top`, of
    /// which the delimiter is given, is made where the server has a person's own mailboxes.
    ///
    /// # Errors
    ///
    /// If the server refuses.
    pub async fn make_mailbox<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
        top: Option<Option<u8>>,
        role: Option<Role>,
    ) -> Result<Vec<u8>, MailError> {
        let mut places = vec![path.to_vec()];
        if let Some(delimiter) = top {
            let prefix = self.own_prefix(host).await?;
            if !path.starts_with(&prefix) {
                places = vec![[&prefix, path].concat()];
            }
            // One that knows only the inbox can't tell that all others are in it.
            let in_inbox = delimiter.map(|delimiter| [&b"INBOX"[..], &[delimiter], path].concat());
            places.extend(in_inbox.filter(|_| prefix.is_empty()));
        }
        let mut refusal = None;
        for place in places {
            let end = self.try_create(host, &place, role).await?;
            if end.kind == StatusKind::Ok || self.is_listed(host, &place).await? {
                // A folder that can't be subscribed to is a folder still.
                self.subscribed(host, &place, true).await?;
                return Ok(place);
            }
            refusal.get_or_insert(end);
        }
        let refusal = refusal.map(|end| refused(end, "make a folder"));
        Err(refusal.unwrap_or(MailError::Gone("folder")))
    }

    async fn try_create<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
        role: Option<Role>,
    ) -> Result<Status, MailError> {
        let special_use = role.and_then(special_use);
        let offered = self.capabilities(host).await?.has("CREATE-SPECIAL-USE");
        if let Some(special_use) = special_use.filter(|_| offered) {
            let end = self.one(host, Command::create_for(&self.named(path), special_use)?).await?;
            if end.kind == StatusKind::Ok {
                return Ok(end);
            }
        }
        self.one(host, Command::create(&self.named(path))?).await
    }

    /// The record of a mailbox learns where the server has really made it.
    async fn take_path<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        own: &Mailbox,
        path: Vec<u8>,
    ) -> Result<(), MailError> {
        let store = host.store();
        let _editing = store.editing().lock().await;
        let mut writes = Vec::new();
        for mailbox in record::mailboxes(store, own.account).await? {
            if let Some(rest) = mailbox.path.strip_prefix(&own.path[..])
                && (mailbox.id == own.id || mailbox.names.starts_with(&own.names))
            {
                let path = [&path, rest].concat();
                writes.push(Mailbox { path, ..mailbox }.put());
            }
        }
        Ok(store.apply(writes, Durability::Strict).await?)
    }

    async fn rename<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        mailbox: MailboxId,
        old: &[u8],
        new: &[u8],
    ) -> Result<(), MailError> {
        self.leave(host).await?;
        let end = self.one(host, Command::rename(&self.named(old), &self.named(new))?).await?;
        let mut done = end.kind == StatusKind::Ok;
        if !done && !self.is_listed(host, old).await? {
            // One that was made with its last name may have been made elsewhere.
            let own = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
            done = self.is_listed(host, new).await? || self.is_listed(host, &own.path).await?;
        }
        if !done {
            return Err(refused(end, "rename a folder"));
        }
        // Subscriptions are to names, and stay behind.
        let mut later = changes::entries(host.store(), entry.account).await?;
        later.retain(|own| own.is_open() && own.number > entry.number);
        for own in record::mailboxes(host.store(), entry.account).await? {
            let path = path_before(&own, &later);
            if let Some(rest) = below(&path, own.delimiter, new)
                && own.subscribed
            {
                self.subscribed(host, &path, true).await?;
                self.subscribed(host, &[old, rest].concat(), false).await?;
            }
        }
        Ok(())
    }

    async fn delete<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
    ) -> Result<(), MailError> {
        self.leave(host).await?;
        let end = self.one(host, Command::delete(&self.named(&mailbox.path))?).await?;
        if end.kind != StatusKind::Ok && self.is_listed(host, &mailbox.path).await? {
            return Err(refused(end, "delete a folder"));
        }
        self.subscribed(host, &mailbox.path, false).await.map(drop)
    }

    /// None but the inbox is open any more while a mailbox gets another name or goes: what a server
    /// makes of one that is open meanwhile, or nested in it, differs, and some refuse or hang up.
    /// Not by CLOSE, which expunges: by UNSELECT, or else the inbox is opened to be read; if that
    /// fails, none is open.
    async fn leave<H: Host<Transport = T>>(&mut self, host: &H) -> Result<(), MailError> {
        if self.selected.is_none() {
            return Ok(());
        }
        (self.selected, self.news) = (None, None);
        let can_unselect = self.capabilities(host).await?.has("UNSELECT");
        if can_unselect && self.one(host, Command::unselect()).await?.kind == StatusKind::Ok {
            return Ok(());
        }
        self.one(host, Command::examine(b"INBOX")?).await.map(drop)
    }

    async fn is_listed<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
    ) -> Result<bool, MailError> {
        let command = Command::list(&self.named(path), &ListReturn::default())?;
        let mut answer = self.run(host, command, "list a mailbox").await?;
        spelling::spell(&mut answer.responses, self.enabled.spelling);
        Ok(answer.responses.iter().any(|response| match response {
            Response::List(entry) => entry.name == path && !entry.has(r"\NonExistent"),
            _ => false,
        }))
    }

    async fn subscribed<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
        subscribed: bool,
    ) -> Result<Status, MailError> {
        self.one(host, self.subscription(path, subscribed)?).await
    }

    fn subscription(&self, path: &[u8], subscribed: bool) -> Result<Command, MailError> {
        let path = self.named(path);
        Ok(if subscribed { Command::subscribe(&path)? } else { Command::unsubscribe(&path)? })
    }

    /// Runs a command that may be refused.
    async fn one<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        command: Command,
    ) -> Result<Status, MailError> {
        let mut answer = self.run_all(host, vec![command], "change a folder").await?;
        answer.ends.pop().ok_or_else(|| MailError::Protocol("a command without an end".into()))
    }
}

/// The path that a mailbox has on the server as long as that has not heard of these entries.
fn path_before(mailbox: &Mailbox, later: &[Entry]) -> Vec<u8> {
    later.iter().rev().fold(mailbox.path.clone(), |path, entry| match &entry.task {
        Task::Rename { old, new, .. } => match below(&path, mailbox.delimiter, new) {
            Some(rest) => [old, rest].concat(),
            None => path,
        },
        _ => path,
    })
}

/// What follows `outer` in the path of a mailbox that is there or nested in it: of "Home" nothing, of
/// "Home/Garden" the end from the delimiter on, and "Homework" is elsewhere.
fn below<'a>(path: &'a [u8], delimiter: Option<u8>, outer: &[u8]) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(outer)?;
    let is_there = rest.is_empty() || rest.first().copied() == delimiter;
    is_there.then_some(rest)
}

fn refused(mut end: Status, what: &'static str) -> MailError {
    if end.code == Some(Code::AlreadyExists) && end.text.is_empty() {
        end.text = "It is there already.".into();
    }
    refusal(what, &end).unwrap_or(MailError::Gone("folder"))
}

fn special_use(role: Role) -> Option<&'static str> {
    match role {
        Role::Inbox => None,
        Role::Drafts => Some(r"\Drafts"),
        Role::Sent => Some(r"\Sent"),
        Role::Archive => Some(r"\Archive"),
        Role::Junk => Some(r"\Junk"),
        Role::Trash => Some(r"\Trash"),
    }
}
