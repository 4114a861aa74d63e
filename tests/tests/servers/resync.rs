//! What others do to a mailbox on a real server while, and before, it is looked at.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use postern_bridge::{AccountId, Delta, Intent, MailboxId, Protocol, Role};
use postern_mail::{
    Host, Secret, Store,
    imap::ImapClient,
    record::{self, Message, Record},
    store::{Durability, KeyRange},
};
use postern_tests::{
    dovecot::{Elsewhere, PASSWORD},
    letters,
    native::{NativeHost, NativeTransport},
    pages::Page,
};

use super::{Servers, run};

const INBOX: MailboxId = MailboxId(1);

/// A host that knows the inbox, as if the list of mailboxes had been fetched.
async fn host_with_inbox(servers: &Servers) -> Result<NativeHost> {
    let host = servers.host();
    let mut client = connect(servers, &host).await?;
    let mailboxes = client.sync_mailboxes(&host, AccountId(1)).await?;
    let inbox = mailboxes.into_iter().find(|own| own.role == Some(Role::Inbox));
    let inbox = record::Mailbox { id: INBOX, ..inbox.expect("there is an inbox") };
    host.store().apply(vec![inbox.put()], Durability::Relaxed).await?;
    Ok(host)
}

async fn connect(servers: &Servers, host: &NativeHost) -> Result<ImapClient<NativeTransport>> {
    let login = servers.draft(Protocol::Imap).incoming;
    Ok(ImapClient::connect(host, &login, &Secret::new(PASSWORD)).await?)
}

async fn sync(servers: &Servers, host: &NativeHost) -> Result<()> {
    let mut client = connect(servers, host).await?;
    let mut changed = |_| ControlFlow::Continue(());
    ensure!(client.sync_messages(host, INBOX, &mut changed).await?.is_continue());
    Ok(())
}

/// Subjects and read marks of what is stored, in the order of their UIDs.
async fn stored(host: &NativeHost) -> Result<Vec<(String, bool)>> {
    let range = KeyRange::prefix(record::mailbox_key(INBOX));
    let messages: Vec<Message> = record::all(host.store(), &range).await?;
    Ok(messages.into_iter().map(|own| (own.subject, own.flags.seen)).collect())
}

fn expected(
    letters: impl Iterator<Item = usize>,
    is_read: impl Fn(usize) -> bool,
) -> Vec<(String, bool)> {
    letters.map(|number| (format!("Letter {number}"), is_read(number))).collect()
}

#[test]
fn what_others_changed_in_the_meantime_is_told_by_the_server() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(60))?;
        let host = host_with_inbox(&servers).await?;
        sync(&servers, &host).await?;
        assert_eq!(stored(&host).await?.len(), 60);

        servers.dovecot.change("ben", Elsewhere::Read, |at| at % 3 == 0)?;
        servers.dovecot.change("ben", Elsewhere::Expunged, |at| at % 4 == 0)?;
        servers.dovecot.deliver_all("ben", letters::many(62).skip(60))?;
        sync(&servers, &host).await?;
        let left = (0..62).filter(|number| number % 4 != 0 || *number >= 60);
        let is_read = |number: usize| number.is_multiple_of(3) && number < 60;
        assert_eq!(stored(&host).await?, expected(left, is_read));
        let mailbox = record::mailbox(host.store(), INBOX).await?;
        assert!(mailbox.synced.mod_seq > 0, "Dovecot has mod-sequences");
        assert_eq!((mailbox.total, mailbox.unread), (47, 32));
        Ok(())
    })
}

#[test]
fn a_sync_that_breaks_off_anywhere_goes_on_from_there() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(90))?;
        let host = host_with_inbox(&servers).await?;
        let mut broken = 0;
        for step in 1.. {
            let breaking = host.clone().breaking_after(3_000 + step * 1_500);
            let Ok(mut client) = connect(&servers, &breaking).await else { continue };
            match client.sync_messages(&breaking, INBOX, &mut |_| ControlFlow::Continue(())).await {
                Ok(_) => break,
                Err(_) => broken += 1,
            }
            // Others go on meanwhile: every letter is read once, and some go.
            servers.dovecot.change("ben", Elsewhere::Read, |at| at == step)?;
            if step % 5 == 0 {
                servers.dovecot.change("ben", Elsewhere::Expunged, |at| at == 0)?;
            }
        }
        assert!(broken > 10, "it broke only {broken} times");
        sync(&servers, &host).await?;
        let resumed = stored(&host).await?;

        let fresh = host_with_inbox(&servers).await?;
        sync(&servers, &fresh).await?;
        assert_eq!(resumed, stored(&fresh).await?);
        Ok(())
    })
}

#[test]
fn when_the_server_numbers_a_mailbox_anew_it_is_fetched_anew() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(5))?;
        let host = host_with_inbox(&servers).await?;
        sync(&servers, &host).await?;
        let before = record::mailbox(host.store(), INBOX).await?;
        // UIDVALIDITY is a time in seconds.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        servers.dovecot.renumber("ben")?;
        sync(&servers, &host).await?;
        let after = record::mailbox(host.store(), INBOX).await?;
        assert_ne!(before.uid_validity, after.uid_validity);
        assert_eq!(stored(&host).await?, expected(0..5, |_| false));
        Ok(())
    })
}

#[test]
fn what_others_do_is_told_while_the_inbox_is_watched() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(4))?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 4).await?;
        servers.dovecot.change("ben", Elsewhere::Read, |at| at == 1)?;
        page.wait(|delta| match delta {
            Delta::Rows { rows, .. } if rows.len() == 4 && rows[2].flags.seen => Some(()),
            _ => None,
        })
        .await?;
        servers.dovecot.change("ben", Elsewhere::Expunged, |at| at == 0)?;
        page.wait(|delta| match delta {
            Delta::Rows { total: 3, rows, .. } if rows[2].subject == "Letter 1" => Some(()),
            _ => None,
        })
        .await?;
        servers.dovecot.deliver("ben", &letters::plain(4))?;
        page.wait(|delta| match delta {
            Delta::Rows { total: 4, rows, .. } if rows[0].subject == "Letter 4" => Some(()),
            _ => None,
        })
        .await?;
        page.say(Intent::Hello);
        page.wait(|delta| match delta {
            Delta::Mailboxes { mailboxes, .. } => {
                let inbox = mailboxes.iter().find(|mailbox| mailbox.id == inbox.id)?;
                (inbox.total == 4 && inbox.unread == 3).then_some(())
            }
            _ => None,
        })
        .await
    })
}
