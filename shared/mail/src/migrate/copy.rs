//! Copying.

use std::collections::HashMap;

use postern_bridge::AccountId;

use super::{Likeness, limits};
use crate::{
    Host, MailError, Store, changes,
    imap::ImapClient,
    record::{self, Body, Mailbox, Message},
    store::{KeyRange, Order, Table},
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
    /// Messages that are not on the server: too large, or not stored here as a whole, or not listed
    /// by the server after it took them.
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
    let store = host.store();
    let sources = record::mailboxes(store, from).await?;
    let total = sources.iter().map(|own| own.total).fold(0, u32::saturating_add);
    let mut report = Copied::default();
    let mut progress = CopyStep { done: 0, total };
    for source in sources.iter().filter(|own| own.selectable && own.total > 0) {
        let target = target(host, to, &sources, source, imap).await?;
        let mut present = imap.likenesses(host, &target).await?;
        let mut here: HashMap<Likeness, u32> = HashMap::new();
        let mut range = KeyRange::prefix(record::mailbox_key(source.id));
        loop {
            let window = store.scan(Table::Arrival, &range, Order::Ascending, WINDOW).await?;
            let Some((last, _)) = window.last() else { break };
            range.start = last.clone().bytes(&[0]);
            for (key, _) in &window {
                let id = record::arrived_message(key)?;
                progress.done += 1;
                progress.total = progress.total.max(progress.done);
                let message: Option<Message> = record::get(store, &record::message_key(id)).await?;
                let Some(message) = message else { continue };
                let whole = matches!(message.body, Body::Whole { size } if size <= limits::MESSAGE);
                if !whole {
                    report.missing += 1;
                    continue;
                }
                let like = Likeness::of(&message.message_id, message.arrived.max(0) / 1000);
                let nth = here.entry(like.clone()).or_default();
                *nth += 1;
                if *nth <= present.get(&like).copied().unwrap_or(0) {
                    report.present += 1;
                } else {
                    let raw = record::body(store, id).await?;
                    imap.append_copy(host, &target, &message, raw).await?;
                    *present.entry(like).or_default() += 1;
                    report.copied += 1;
                }
                step(progress);
            }
        }
        // What it says to have taken it must list.
        let listed = imap.likenesses(host, &target).await?;
        for (like, count) in here {
            let missing = count.saturating_sub(listed.get(&like).copied().unwrap_or(0));
            report.missing += missing;
            report.copied = report.copied.saturating_sub(missing);
        }
    }
    Ok(report)
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
