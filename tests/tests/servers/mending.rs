//! Messages of which bytes are missing in the store.

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    AccountChange, AccountId, BodyView, Delta, Intent, MessageId, MessageView, Protocol, Role,
};
use postern_mail::{
    Host, Store,
    record::{account_key, mailbox_key, message_key},
    store::{Durability, Key, KeyRange, Table, Write},
};
use postern_tests::{letters, pages::Page};

use super::{Servers, run};

/// Some letters, in a mailbox that was downloaded; and the place of the one with the given number.
async fn stored(servers: &Servers, protocol: Protocol, number: usize) -> Result<(Page, MessageId)> {
    servers.dovecot.deliver_all("ben", letters::many(3))?;
    let mut page = Page::open(servers.host()).await?;
    page.add(servers.draft(protocol)).await?;
    let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
    let rows = page.list(inbox.id, 3).await?;
    let subject = format!("Letter {number}");
    let row = rows.into_iter().find(|row| row.subject == subject).context("no such letter")?;
    shows(page.read(row.id).await?, number)?;
    Ok((page, row.id))
}

fn shows(view: MessageView, number: usize) -> Result<()> {
    let BodyView::Text(text) = view.body else { panic!("a plain message is shown as text") };
    ensure!(text.contains(&format!("letter number {number}")), "{text}");
    Ok(())
}

/// Removes the stored bytes of a message, as a browser that lost a file.
async fn lose(page: &Page, message: MessageId) -> Result<()> {
    let range = KeyRange::prefix(message_key(message));
    let gone = Write::DeleteRange { table: Table::Bodies, range };
    Ok(page.host.store().apply(vec![gone], Durability::Strict).await?)
}

async fn told(page: &mut Page, message: MessageId) -> Result<String> {
    page.say(Intent::OpenMessage { message });
    page.wait(|delta| match delta {
        Delta::MessageFailed { message: of, problem } => {
            (of == message).then_some(problem.sentence)
        }
        _ => None,
    })
    .await
}

#[test]
fn over_pop3_it_is_told_and_downloaded_again() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let (mut page, id) = stored(&servers, Protocol::Pop3, 1).await?;
        lose(&page, id).await?;
        let sentence = told(&mut page, id).await?;
        ensure!(sentence.contains("fetched again"), "{sentence}");
        let view = page.wait(|delta| match delta {
            Delta::Message(view) if view.id == id => Some(*view),
            _ => None,
        });
        shows(view.await?, 1)
    })
}

#[test]
fn what_no_server_has_any_more_is_told_and_stays_in_the_list() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let (mut page, id) = stored(&servers, Protocol::Pop3, 1).await?;
        let account = page.mailbox(|mailbox| mailbox.id == id.mailbox).await?.account;
        servers.dovecot.expunge_all("ben")?;
        page.say(Intent::Refresh { account });
        page.wait(|delta| match delta {
            Delta::Problem(problem) => problem.sentence.contains("removing mail").then_some(()),
            _ => None,
        })
        .await?;
        lose(&page, id).await?;
        let sentence = told(&mut page, id).await?;
        ensure!(sentence.contains("backup"), "{sentence}");
        ensure!(page.list(id.mailbox, 3).await?.iter().any(|row| row.id == id), "it is not listed");
        Ok(())
    })
}

#[test]
fn over_imap_it_is_fetched_again_at_once() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let (mut page, id) = stored(&servers, Protocol::Imap, 1).await?;
        lose(&page, id).await?;
        shows(page.read(id).await?, 1)
    })
}

/// Cuts the stored bytes of a message off.
async fn lose_the_rest(page: &Page, message: MessageId) -> Result<()> {
    let key = message_key(message).u32(0);
    let value = page.host.store().get(Table::Bodies, &key).await?.context("it is not stored")?;
    let end = value.windows(7).position(|own| own == b"number ").context("no text")?;
    let cut = Write::Put { table: Table::Bodies, key, value: value[..end].to_vec() };
    Ok(page.host.store().apply(vec![cut], Durability::Strict).await?)
}

#[test]
fn what_is_left_is_shown_while_the_server_can_not_be_asked_and_told_to_be_a_part() -> Result<()> {
    run(async || {
        for protocol in [Protocol::Imap, Protocol::Pop3] {
            let servers = Servers::start().await?;
            let (mut page, id) = stored(&servers, protocol, 1).await?;
            page.say(Intent::Network { online: false });
            lose_the_rest(&page, id).await?;
            page.say(Intent::OpenMessage { message: id });
            let sentence = page.wait(|delta| match delta {
                Delta::Problem(problem) => Some(problem.sentence),
                _ => None,
            });
            let sentence = sentence.await?;
            let words = match protocol {
                Protocol::Imap => "no connection",
                Protocol::Pop3 => "fetched again",
            };
            ensure!(sentence.contains(words), "{sentence}");
            let view = page.wait(|delta| match delta {
                Delta::Message(view) if view.id == id => Some(*view),
                _ => None,
            });
            let BodyView::Text(text) = view.await?.body else { panic!("it is shown as text") };
            ensure!(text.contains("This is letter") && !text.contains("number"), "{text}");
            page.say(Intent::Network { online: true });
            match protocol {
                Protocol::Imap => shows(page.read(id).await?, 1)?,
                Protocol::Pop3 => {
                    let whole = page.wait(|delta| match delta {
                        Delta::Message(view) if view.id == id => Some(*view),
                        _ => None,
                    });
                    shows(whole.await?, 1)?;
                }
            }
        }
        Ok(())
    })
}

#[test]
fn small_records_that_can_not_be_read_keep_no_mail_from_the_person() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let (page, id) = stored(&servers, Protocol::Pop3, 1).await?;
        let host = page.host.clone();
        drop(page);
        // What is to be told the server, to be sent, to be copied; a session that was seen; a backup.
        let account = AccountId(1);
        let spoilt = [
            (Table::Changes, account_key(account).u32(1)),
            (Table::Outbox, Key::new().u32(1).u32(0)),
            (Table::Meta, Key::new().bytes(b"copy-").bytes(&account_key(account).0)),
            (Table::Meta, Key::new().bytes(b"tls-session-").u32(account.0).u32(0)),
            (Table::Meta, Key::new().bytes(b"backup-").bytes(&account_key(account).0)),
        ];
        let writes = spoilt.into_iter().map(|(table, key)| spoil(table, key)).collect();
        host.store().apply(writes, Durability::Strict).await?;
        let mut page = Page::open(host).await?;
        page.say(Intent::Hello);
        page.wait_until_online(account).await?;
        shows(page.read(id).await?, 1)
    })
}

/// Has the record under a key say nothing.
fn spoil(table: Table, key: Key) -> Write {
    Write::Put { table, key, value: vec![0xc1] }
}

#[test]
fn an_account_whose_record_is_damaged_keeps_its_mail_and_goes_on_once_its_settings_are_entered()
-> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let (page, id) = stored(&servers, Protocol::Pop3, 1).await?;
        let host = page.host.clone();
        drop(page);
        let account = AccountId(1);
        let damage = vec![
            spoil(Table::Accounts, account_key(account)),
            spoil(Table::Mailboxes, mailbox_key(id.mailbox)),
        ];
        host.store().apply(damage, Durability::Strict).await?;
        let mut page = Page::open(host).await?;
        page.say(Intent::Hello);
        let told = page.wait(|delta| match delta {
            Delta::Problem(problem) => Some(problem.sentence),
            _ => None,
        });
        let told = told.await?;
        ensure!(told.contains("were damaged") && told.contains("its mail is here"), "{told}");
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        ensure!(inbox.id == id.mailbox, "the inbox is another one");
        ensure!(inbox.total == 3, "{} messages are in it", inbox.total);
        shows(page.read(id).await?, 1)?;

        let draft = servers.draft(Protocol::Pop3);
        let change = AccountChange {
            name: "Ben".into(),
            incoming: draft.incoming,
            outgoing: draft.outgoing,
            password: Some(draft.password),
            proof: draft.proof,
            retention: draft.retention,
            extent: draft.extent,
        };
        page.say(Intent::ChangeAccount { request: 99, account, change });
        let result = page.wait(|delta| match delta {
            Delta::AccountChanged { request: 99, result } => Some(result),
            _ => None,
        });
        result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))?;
        // Nothing is downloaded twice, and what is new comes.
        servers.dovecot.deliver("ben", &letters::plain(7))?;
        page.wait_until_online(account).await?;
        page.say(Intent::Refresh { account });
        page.list(inbox.id, 4).await.map(drop)
    })
}
