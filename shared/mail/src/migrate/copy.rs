//! Copying.

use std::collections::{BTreeSet, HashMap};

use postern_bridge::{AccountId, MailboxId, MessageId, Role};

use super::{Likeness, Present, limits};
use crate::{
    Host, MailError, Store, changes,
    error::Denial,
    imap::ImapClient,
    pop3,
    record::{self, Account, Body, Mailbox, Message},
    store::{KeyRange, Order, StoreError, Table},
};

/// How many places of a list are read at a time.
const WINDOW: usize = 500;

/// How far a copy is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CopyStep {
    /// Messages that were looked at.
    pub done: u32,
    /// Messages to look at.
    pub total: u32,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Copied {
    /// Messages that the server has now and had not before.
    pub copied: u32,
    /// Messages that it had already.
    pub present: u32,
    /// Messages that are not on the server: refused by it, or not stored here as a whole, or not
    /// listed by it after it took them. And those of which that can't be told.
    pub missing: u32,
}

/// Copies all messages of one account's local folders to another account over a connection of that.
/// Can be repeated: what the server has is left out.
///
/// # Errors
///
/// If the server refuses a folder or can't be asked, or the store can't be read.
pub async fn copy<H: Host>(
    host: &H,
    from: AccountId,
    to: AccountId,
    imap: &mut ImapClient<H::Transport>,
    step: &mut dyn FnMut(CopyStep),
) -> Result<Copied, MailError> {
    // A fresh account's are not known yet, and nothing must be made twice.
    imap.sync_mailboxes(host, to).await?;
    let sources = record::mailboxes(host.store(), from).await?;
    let total = sources.iter().map(|own| own.total).fold(0, u32::saturating_add);
    let mut progress = CopyStep { done: 0, total };
    // Several local folders may have one mailbox: they are counted together, or else a message that
    // is in two of them would be found there already after the first.
    let mut targets: Vec<Target> = Vec::new();
    for source in sources.iter().filter(|own| own.selectable && own.total > 0) {
        let mailbox = target(host, to, &sources, source, imap).await?;
        match targets.iter_mut().find(|own| own.mailbox.id == mailbox.id) {
            Some(own) => own.sources.push(source.id),
            None => targets.push(Target { mailbox, sources: vec![source.id] }),
        }
    }
    let downloaded = downloaded(host.store(), from, to).await?;
    let mut report = Copied::default();
    for target in &targets {
        let own = fill(host, imap, target, &downloaded, &mut progress, step).await?;
        report.copied += own.copied;
        report.present += own.present;
        report.missing += own.missing;
    }
    Ok(report)
}

/// A mailbox on the server, and the local ones whose messages go there.
struct Target {
    mailbox: Mailbox,
    sources: Vec<MailboxId>,
}

/// The messages that one account has downloaded from the inbox of the other, as far as the settings
/// tell, and that are there still.
async fn downloaded(
    store: &impl Store,
    from: AccountId,
    to: AccountId,
) -> Result<BTreeSet<MessageId>, MailError> {
    let keys = [from, to].map(record::account_key);
    let accounts: Vec<Option<Account>> = record::get_many_readable(store, &keys).await?;
    match &accounts[..] {
        [Some(from), Some(to)] if from.shares_server_with(to) => {}
        _ => return Ok(BTreeSet::new()),
    }
    let rows = pop3::rows(store, from).await?;
    Ok(rows.iter().filter(|row| row.is_on_server()).map(|row| row.message).collect())
}

/// Copies what a mailbox on the server lacks, and compares.
async fn fill<H: Host>(
    host: &H,
    imap: &mut ImapClient<H::Transport>,
    target: &Target,
    downloaded: &BTreeSet<MessageId>,
    progress: &mut CopyStep,
    step: &mut dyn FnMut(CopyStep),
) -> Result<Copied, MailError> {
    let store = host.store();
    let mut filling = Filling {
        mailbox: &target.mailbox,
        downloaded: (target.mailbox.role == Some(Role::Inbox)).then_some(downloaded),
        at_once: imap.copies_at_once(host).await?,
        present: imap.likenesses(host, &target.mailbox).await?,
        here: HashMap::new(),
        waiting: Vec::new(),
        doubtful: Vec::new(),
        refused: 0,
        missing: 0,
    };
    for source in &target.sources {
        let mut range = KeyRange::prefix(record::mailbox_key(*source));
        loop {
            let window = store.scan(Table::Arrival, &range, Order::Ascending, WINDOW).await?;
            let Some((last, _)) = window.last() else { break };
            range.start = last.clone().bytes(&[0]);
            for (key, _) in &window {
                let id = record::arrived_message(key)?;
                progress.done += 1;
                progress.total = progress.total.max(progress.done);
                if let Some(message) = filling.read(store, id).await? {
                    filling.take(host, imap, message).await?;
                }
                step(*progress);
            }
        }
    }
    filling.send(host, imap).await?;
    filling.settle(host, imap).await?;
    // What it says to have, or to have taken, it must list.
    let listed = imap.likenesses(host, &target.mailbox).await?;
    let mut report = Copied { missing: filling.missing, ..Copied::default() };
    for (like, here) in filling.here {
        let listed = listed.count(&like);
        let present = here.present.min(listed);
        let copied = here.copied.min(listed - present);
        report.present += present;
        report.copied += copied;
        report.missing += here.count() - present - copied;
    }
    Ok(report)
}

/// A mailbox on the server that is being filled.
struct Filling<'a> {
    mailbox: &'a Mailbox,
    /// What it has, if POP3 tells that. Which one is which need not show.
    downloaded: Option<&'a BTreeSet<MessageId>>,
    /// How many messages it takes at once.
    at_once: usize,
    /// What it has.
    present: Present,
    /// What is here of that which it has.
    here: HashMap<Likeness, Here>,
    /// Messages to send, and their sizes in bytes.
    waiting: Vec<(Message, u64)>,
    /// Messages that it may have, unless what is told of those is told of others.
    doubtful: Vec<MessageId>,
    /// How many it refused, one after the other.
    refused: u32,
    /// How many it does not get.
    missing: u32,
}

/// How many messages of one likeness are here and there.
#[derive(Default)]
struct Here {
    /// It had them.
    present: u32,
    /// It was given them.
    copied: u32,
}

impl Here {
    fn count(&self) -> u32 {
        self.present + self.copied
    }
}

impl Filling<'_> {
    /// A message's record, if it is there still. One that can't be read is not copied.
    async fn read(
        &mut self,
        store: &impl Store,
        id: MessageId,
    ) -> Result<Option<Message>, MailError> {
        let stored = store.get(Table::Messages, &record::message_key(id)).await?;
        let read = stored.map(|stored| record::decode(&stored));
        self.missing += u32::from(matches!(read, Some(Err(_))));
        Ok(read.and_then(Result::ok))
    }

    /// Sends a message unless the server has it, perhaps only together with others that follow.
    async fn take<H: Host>(
        &mut self,
        host: &H,
        imap: &mut ImapClient<H::Transport>,
        message: Message,
    ) -> Result<(), MailError> {
        let Body::Whole { size } = message.body else {
            self.missing += 1;
            return Ok(());
        };
        let like = Likeness::of(&message);
        let waiting = self.waiting.iter().filter(|(own, _)| Likeness::of(own) == like);
        if self.has(&like, waiting.count()) {
            self.here.entry(like).or_default().present += 1;
            return Ok(());
        }
        let is_downloaded = self.downloaded.is_some_and(|all| all.contains(&message.id));
        if is_downloaded && message.message_id.is_empty() {
            // It is there under another time: it would stand beside itself, and come again over
            // POP3.
            self.missing += 1;
            return Ok(());
        }
        if self.is_doubtful(&message) {
            self.doubtful.push(message.id);
            return Ok(());
        }
        self.offer(host, imap, message, size).await
    }

    /// Has a message wait until it is sent.
    async fn offer<H: Host>(
        &mut self,
        host: &H,
        imap: &mut ImapClient<H::Transport>,
        message: Message,
        size: u64,
    ) -> Result<(), MailError> {
        let bytes: u64 = self.waiting.iter().map(|(_, size)| size).sum();
        if bytes + size > limits::TOGETHER_BYTES {
            self.send(host, imap).await?;
        }
        self.waiting.push((message, size));
        if self.waiting.len() >= self.at_once { self.send(host, imap).await } else { Ok(()) }
    }

    /// Whether the server has one more message that looks like this than those that are accounted for
    /// and so many that wait.
    fn has(&self, like: &Likeness, waiting: usize) -> bool {
        let here = self.here.get(like).map_or(0, Here::count) as usize + waiting;
        here < self.present.count(like) as usize
    }

    /// Whether the server has a message that is nobody's yet and may be this one.
    fn is_doubtful(&self, message: &Message) -> bool {
        self.present.doubtful(message).any(|like| self.has(like, 0))
    }

    /// Sends those of which the server might have had one, where that has turned out to be
    /// another's. All that it tells as it is here are known by now.
    async fn settle<H: Host>(
        &mut self,
        host: &H,
        imap: &mut ImapClient<H::Transport>,
    ) -> Result<(), MailError> {
        for id in std::mem::take(&mut self.doubtful) {
            let Some(message) = self.read(host.store(), id).await? else { continue };
            match message.body {
                // What may be another's as well lifts no doubt.
                Body::Whole { size } if !self.is_doubtful(&message) => {
                    self.offer(host, imap, message, size).await?;
                }
                _ => self.missing += 1,
            }
        }
        self.send(host, imap).await
    }

    /// Sends what waits: all of it together, or one by one if the server refuses that, as it then does
    /// with all that follows. What is larger than it says that it takes is left out.
    async fn send<H: Host>(
        &mut self,
        host: &H,
        imap: &mut ImapClient<H::Transport>,
    ) -> Result<(), MailError> {
        let mut waiting = std::mem::take(&mut self.waiting);
        while waiting.len() > 1 {
            match imap.append_copies(host, self.mailbox, &waiting).await {
                Ok(()) => {
                    for (message, _) in &waiting {
                        self.note_sent(message);
                    }
                    return Ok(());
                }
                // Nothing was sent: the others still go together.
                Err(MailError::TooLarge { limit, .. }) => {
                    let all = waiting.len();
                    waiting.retain(|(_, size)| *size <= limit);
                    self.missing += (all - waiting.len()) as u32;
                }
                // One of them is to blame, or that there are several. It should have taken none.
                Err(error) if is_of_one_message(&error) => {
                    self.at_once = 1;
                    self.present = imap.likenesses(host, self.mailbox).await?;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        for one in waiting {
            let (message, _) = &one;
            let like = Likeness::of(message);
            if self.has(&like, 0) {
                self.here.entry(like).or_default().copied += 1;
                continue;
            }
            if self.is_doubtful(message) {
                self.missing += 1;
                continue;
            }
            match imap.append_copies(host, self.mailbox, std::slice::from_ref(&one)).await {
                Ok(()) => self.note_sent(message),
                // That says nothing of the others, however many there are.
                Err(MailError::TooLarge { .. }) => self.missing += 1,
                Err(error) if is_of_one_message(&error) && self.refused < limits::REFUSALS => {
                    self.refused += 1;
                    self.missing += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn note_sent(&mut self, message: &Message) {
        let like = Likeness::of(message);
        self.present.add(message);
        self.here.entry(like).or_default().copied += 1;
        self.refused = 0;
    }
}

/// Whether it is about one message, which the server refuses for what it is or which can't be read
/// here: others it may take.
fn is_of_one_message(error: &MailError) -> bool {
    matches!(
        error,
        MailError::Refused { .. }
            | MailError::Store(StoreError::Damaged(_))
            | MailError::Unsupported(_)
            | MailError::Denied { why: Denial::TooMuch, .. }
    )
}

/// The mailbox on the server that a local one is copied to; made if there is none.
async fn target<H: Host>(
    host: &H,
    to: AccountId,
    sources: &[Mailbox],
    source: &Mailbox,
    imap: &mut ImapClient<H::Transport>,
) -> Result<Mailbox, MailError> {
    let mut all = record::mailboxes(host.store(), to).await?;
    if let Some(own) = all.iter().find(|own| source.role.is_some() && own.role == source.role) {
        return Ok(own.clone());
    }
    let delimiter = all.iter().find_map(|own| own.delimiter).map_or('/', char::from);
    let mut parent: Option<Mailbox> = None;
    for depth in 1..=source.names.len() {
        let names = &source.names[..depth];
        // What is nested in a folder with a role is nested in that of the server.
        let role = sources.iter().find(|own| own.names == names).and_then(|own| own.role);
        let role = role.or_else(|| is_inbox(names).then_some(Role::Inbox));
        if let Some(own) = all.iter().find(|own| role.is_some() && own.role == role) {
            parent = Some(own.clone());
            continue;
        }
        let name = names[depth - 1].replace([delimiter, '%', '*'], "_");
        let mut wanted = parent.as_ref().map(|own| own.names.clone()).unwrap_or_default();
        wanted.push(name.clone());
        let found = match all.iter().find(|own| own.names == wanted) {
            Some(own) => own.clone(),
            None => {
                let path = changes::new_path(&all, parent.as_ref().map(|own| own.id), &name)?;
                let top = parent.is_none().then_some(u8::try_from(delimiter).ok());
                let path = imap.make_mailbox(host, &path, top, None).await?;
                all = imap.sync_mailboxes(host, to).await?;
                let made = all.iter().find(|own| own.path == path);
                made.ok_or(MailError::Unsupported("folders of such names"))?.clone()
            }
        };
        parent = Some(found);
    }
    parent.filter(|own| own.selectable).ok_or(MailError::Gone("folder"))
}

/// Whether a server takes this name for that of the inbox, however it is written (RFC 9051 section
/// 5.1).
fn is_inbox(names: &[String]) -> bool {
    matches!(names, [name] if name.eq_ignore_ascii_case("inbox"))
}
