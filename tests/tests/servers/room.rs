//! A store that is full, of an IMAP account beside a POP3 account; and how much is stored of each.

use anyhow::{Context, Result, ensure};
use postern_bridge::{Delta, Intent, MailboxView, Protocol, Role, StoredBytes};
use postern_mail::{
    Host,
    record::{self, Body, Message, message_key},
};
use postern_tests::{letters, pages::Page};

use super::{Servers, run};

/// How many letters of a megabyte are read over IMAP: more than is dropped in one go.
const READ: usize = 20;

/// How many come over POP3.
const DOWNLOADED: usize = 10;

/// For how many bytes of them there is room at first.
const ROOM: usize = 5 << 20;

#[test]
fn bodies_that_an_imap_server_has_make_room_for_mail_from_pop3_which_goes_on_at_once() -> Result<()>
{
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("cleo", (0..READ).map(letters::large))?;
        let downloaded = READ..READ + DOWNLOADED;
        servers.dovecot.deliver_all("ben", downloaded.clone().map(letters::large))?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        let mut draft = servers.draft(Protocol::Imap);
        draft.identity.address = "cleo@example.org".into();
        draft.incoming.username = "cleo".into();
        let imap = page.add(draft).await?;
        let inbox = |account| {
            move |own: &MailboxView| own.account == account && own.role == Some(Role::Inbox)
        };
        let kept = page.mailbox(inbox(imap)).await?;
        let read = page.list(kept.id, READ as u32).await?;
        for row in &read {
            page.read(row.id).await?;
        }

        host.inner().give_room(ROOM);
        let pop3 = page.add(servers.draft(Protocol::Pop3)).await?;
        let filled = page.mailbox(inbox(pop3)).await?;
        let rows = page.list(filled.id, DOWNLOADED as u32).await?;
        let mut here = Vec::new();
        for row in &rows {
            here.push(record::body(host.store(), row.id).await?);
        }
        here.sort_unstable();
        let mut letters: Vec<_> = downloaded.map(letters::large).collect();
        letters.sort_unstable();
        ensure!(here == letters, "{} letters came, or others", here.len());

        let mut dropped = None;
        for row in read {
            let message: Option<Message> = record::get(host.store(), &message_key(row.id)).await?;
            let message = message.context("a message is gone")?;
            dropped = dropped.or((message.body == Body::Absent).then_some(row));
        }
        let row = dropped.context("nothing was dropped")?;
        ensure!(page.read(row.id).await?.subject == row.subject, "it is fetched again");
        Ok(())
    })
}

#[test]
fn what_is_stored_is_added_up_for_each_account() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let mut page = Page::open(servers.host()).await?;
        let mut expected = Vec::new();
        for (user, letters) in [("ben", 0..3), ("cleo", 3..8)] {
            let letters: Vec<_> = letters.map(letters::plain).collect();
            servers.dovecot.deliver_all(user, &letters)?;
            let mut draft = servers.draft(Protocol::Pop3);
            draft.identity.address = format!("{user}@example.org");
            draft.incoming.username = user.into();
            let account = page.add(draft).await?;
            let inbox = |own: &MailboxView| own.account == account && own.role == Some(Role::Inbox);
            let inbox = page.mailbox(inbox).await?;
            let messages = u32::try_from(letters.len())?;
            page.list(inbox.id, messages).await?;
            let bytes = letters.iter().map(|letter| letter.len() as u64).sum();
            expected.push(StoredBytes { account, messages, bytes });
        }
        page.say(Intent::MeasureStorage);
        let stored = page.wait(|delta| match delta {
            Delta::StoredByAccount(stored) => Some(stored),
            _ => None,
        });
        let stored = stored.await?;
        ensure!(stored == expected, "{stored:?}, not {expected:?}");
        Ok(())
    })
}
