//! IMAP against Dovecot.

use std::time::Duration;

use anyhow::Result;
use postern_bridge::{BodyView, Change, Delta, Intent, Mark, Protocol, Role, Security};
use postern_mail::{
    Host,
    record::{self, Body, Message},
    store::KeyRange,
};
use postern_tests::{
    letters,
    native::endpoint,
    pages::{PATIENCE, Page},
};
use tokio::time::{sleep, timeout};

use super::{Servers, run};

#[test]
fn an_inbox_is_listed_newest_first_and_read() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(250))?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 250).await?;
        assert_eq!(rows[0].subject, "Letter 249");
        assert_eq!(rows[0].correspondents, "Ada Marsh");
        assert!(!rows[0].flags.seen);

        let view = page.read(rows[0].id).await?;
        let BodyView::Text(text) = view.body else { panic!("a plain message is shown as text") };
        assert!(text.starts_with("This is letter number 249."), "{text}");
        assert!(text.contains("\n.a line that begins with a dot"), "{text}");

        let counts = |delta| match delta {
            Delta::Counts { mailbox, unread: 249, .. } if mailbox == inbox.id => Some(()),
            _ => None,
        };
        page.wait(counts).await
    })
}

#[test]
fn the_read_mark_reaches_the_server_and_another_browser() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(2))?;
        let mut here = Page::open(servers.host()).await?;
        here.add(servers.draft(Protocol::Imap)).await?;
        let inbox = here.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = here.list(inbox.id, 2).await?;
        here.read(rows[1].id).await?;
        servers.dovecot.wait_for_flags("ben", "S").await?;

        let mut there = Page::open(servers.host()).await?;
        there.add(servers.draft(Protocol::Imap)).await?;
        let inbox = there.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = there.list(inbox.id, 2).await?;
        assert_eq!([rows[0].flags.seen, rows[1].flags.seen], [false, true]);
        Ok(())
    })
}

#[test]
fn mail_that_arrives_and_mail_that_goes_is_noticed() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        let mut page = Page::open(servers.host()).await?;
        let account = page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 3).await?;
        servers.dovecot.deliver("ben", &letters::plain(3))?;
        page.say(Intent::Refresh { account });
        let rows = page.list(inbox.id, 4).await?;
        assert_eq!(rows[0].subject, "Letter 3");
        servers.dovecot.expunge_all("ben")?;
        page.list(inbox.id, 0).await?;
        Ok(())
    })
}

#[test]
fn what_was_read_can_be_read_offline() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(40))?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 40).await?;
        page.read(rows[30].id).await?;
        drop(servers);

        let mut later = Page::open(host).await?;
        later.say(Intent::Network { online: false });
        later.say(Intent::OpenMailbox { mailbox: inbox.id });
        let stored = later.wait(|delta| match delta {
            Delta::Rows { rows, .. } => Some(rows),
            _ => None,
        });
        assert_eq!(stored.await?.len(), 40);
        assert_eq!(later.read(rows[30].id).await?.subject, "Letter 9");
        let sentence = later.read(rows[39].id).await.unwrap_err().to_string();
        assert!(sentence.contains("no connection to the network"), "{sentence}");
        Ok(())
    })
}

#[test]
fn starttls_protects_a_connection_that_began_in_clear_text() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver("ben", &letters::plain(7))?;
        let mut draft = servers.draft(Protocol::Imap);
        draft.incoming.endpoint = endpoint(servers.dovecot.imap, Security::StartTls);
        let mut page = Page::open(servers.host()).await?;
        page.add(draft).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        assert_eq!(page.list(inbox.id, 1).await?[0].subject, "Letter 7");
        Ok(())
    })
}

#[test]
fn folders_come_with_their_roles_the_inbox_first() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        page.say(Intent::Hello);
        let roles = page.wait(|delta| match delta {
            Delta::Mailboxes { mailboxes, .. } if mailboxes.len() >= 4 => {
                Some(mailboxes.iter().map(|mailbox| mailbox.role).collect::<Vec<_>>())
            }
            _ => None,
        });
        let expected = [Role::Inbox, Role::Drafts, Role::Sent, Role::Trash].map(Some);
        assert_eq!(roles.await?, expected);
        Ok(())
    })
}

#[test]
fn a_removed_account_leaves_nothing_behind() -> Result<()> {
    run(async || {
        use postern_mail::{
            Host, Store,
            store::{KeyRange, Table},
        };

        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(5))?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        let account = page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 5).await?;
        page.read(rows[0].id).await?;
        page.say(Intent::RemoveAccount { account });
        page.wait(|delta| matches!(delta, Delta::Accounts(left) if left.is_empty()).then_some(()))
            .await?;
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Meta) {
            let left = host.store().keys(table, &KeyRange::all()).await?;
            assert!(left.is_empty(), "{} keys are left in {}", left.len(), table.name());
        }
        Ok(())
    })
}

#[test]
fn a_wrong_password_is_a_sentence_and_adds_nothing() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let mut draft = servers.draft(Protocol::Imap);
        draft.password = "wrong".into();
        let mut page = Page::open(servers.host()).await?;
        let sentence = page.add(draft).await.unwrap_err().to_string();
        assert!(sentence.contains("did not accept the user name or the password"), "{sentence}");
        Ok(())
    })
}

#[test]
fn mail_that_arrives_is_told_without_asking() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(2))?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 2).await?;
        servers.dovecot.deliver("ben", &letters::plain(2))?;
        page.wait(|delta| match delta {
            Delta::Rows { total: 3, rows, .. } if rows[0].subject == "Letter 2" => Some(()),
            _ => None,
        })
        .await
    })
}

#[test]
fn the_newest_messages_are_fetched_before_anybody_asks() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(30))?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.say(Intent::OpenMailbox { mailbox: inbox.id });
        // The server says how messages begin before they are here.
        let previews = page.wait(|delta| match delta {
            Delta::Rows { rows, .. } => {
                let known = rows.iter().all(|row| !row.preview.is_empty());
                (known && rows.len() == 30).then(|| rows[0].preview.clone())
            }
            _ => None,
        });
        assert!(previews.await?.starts_with("This is letter number 29."));
        let is_here = |message: &Message| message.body != Body::Absent;
        let newest = async || -> Result<usize> {
            let messages: Vec<Message> = record::all(host.store(), &KeyRange::all()).await?;
            Ok(messages.iter().rev().take_while(|message| is_here(message)).count())
        };
        let fetched = async {
            while newest().await? < 20 {
                sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        timeout(PATIENCE, fetched).await??;
        Ok(())
    })
}

#[test]
fn a_read_mark_made_offline_reaches_the_server_later() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(2))?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 2).await?;
        page.read(rows[0].id).await?;
        servers.dovecot.wait_for_flags("ben", "S").await?;
        page.say(Intent::Network { online: false });
        let messages = rows[0].id.into();
        let change = Change::Mark { messages, mark: Mark::Seen, set: false };
        let request = page.request();
        page.say(Intent::Change { request, change });
        // Which of the two is told first is left open.
        let (mut is_changed, mut is_counted) = (false, false);
        page.wait(|delta| {
            is_changed |= matches!(delta, Delta::Changed { result: Ok(_), .. });
            is_counted |= matches!(delta, Delta::Counts { unread: 2, .. });
            (is_changed && is_counted).then_some(())
        })
        .await?;
        page.say(Intent::Network { online: true });
        servers.dovecot.wait_for_flags("ben", "").await?;
        let rows = page.list(inbox.id, 2).await?;
        assert!(!rows[0].flags.seen, "what the server said before does not count");
        Ok(())
    })
}

#[test]
fn a_large_attachment_does_not_hold_up_a_small_one() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let letters = [letters::with_file(13_500), letters::with_attachments()];
        servers.dovecot.deliver_all("ben", letters)?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 2).await?;
        let mut asked = Vec::new();
        for row in [&rows[1], &rows[0]] {
            let view = page.read(row.id).await?;
            let (request, section) = (page.request(), view.attachments[0].section.clone());
            asked.push((request, Intent::FetchAttachment { request, message: row.id, section }));
        }
        let [(large, _), (small, _)] = asked[..] else { unreachable!("there are two") };
        asked.into_iter().for_each(|(_, intent)| page.say(intent));
        let mut order = Vec::new();
        while order.len() < 2 {
            let (request, result) = page
                .wait(|delta| match delta {
                    Delta::Attachment { request, result } => Some((request, result)),
                    _ => None,
                })
                .await?;
            assert!(result.is_ok(), "{result:?}");
            order.push(request);
        }
        assert_eq!(order, [small, large]);
        Ok(())
    })
}

#[test]
fn an_attachment_comes_although_its_message_is_moved_meanwhile() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", [letters::with_file(13_500)])?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let trash = page.mailbox(|mailbox| mailbox.role == Some(Role::Trash)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let message = page.list(inbox.id, 1).await?[0].id;
        let section = page.read(message).await?.attachments[0].section.clone();
        let (fetching, moving) = (page.request(), page.request());
        page.say(Intent::FetchAttachment { request: fetching, message, section });
        let begun = |delta| match delta {
            Delta::Progress { progress: Some(progress), .. } => (progress.done > 0).then_some(()),
            _ => None,
        };
        page.wait(begun).await?;
        let change = Change::Move { messages: message.into(), to: trash.id };
        page.say(Intent::Change { request: moving, change });
        let mut content = Vec::new();
        let mut is_moved = false;
        let result = page.wait(|delta| match delta {
            Delta::Changed { request, result: Ok(_) } if request == moving => {
                is_moved = true;
                None
            }
            Delta::AttachmentData { request, offset, bytes } if request == fetching => {
                content.truncate(usize::try_from(offset).unwrap_or(usize::MAX));
                content.extend(bytes);
                None
            }
            Delta::Attachment { request, result } if request == fetching => Some(result),
            _ => None,
        });
        let view = result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))?;
        assert!(is_moved, "it had come before");
        assert_eq!((view.size, content.len()), (13_500 * 672, 13_500 * 672));
        Ok(())
    })
}

#[test]
fn a_large_message_that_is_no_multipart_comes_in_pieces_as_well() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let (file, text) = (letters::only_a_file(70_000), letters::long(1, 40_000));
        servers.dovecot.deliver_all("ben", [file, text.clone()])?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 2).await?;
        let find = |subject: &str| rows.iter().find(|row| row.subject == subject).map(|row| row.id);
        let (file, letter) = (find("A scan").unwrap(), find("Letter 1").unwrap());

        let view = page.read(file).await?;
        let stored: Option<Message> = record::get(host.store(), &record::message_key(file)).await?;
        let body = stored.expect("it is listed").body;
        assert!(matches!(body, Body::Partial { size: 0..1_000, .. }), "{body:?}");
        let [scan] = &view.attachments[..] else { panic!("{:?}", view.attachments) };
        assert_eq!((&*scan.name, &*scan.media_type), ("scan.pdf", "application/pdf"));
        let content = page.attachment(file, &scan.section).await?;
        assert_eq!((content.len(), view.cut), (70_000 * 57, None));
        assert!(content.starts_with(b"The beans are up") && content.ends_with(b"up"));

        let view = page.read(letter).await?;
        assert!(view.text.starts_with("This is letter number 1."));
        assert!((1 << 20) - 100_000 < view.text.len() && view.text.len() <= 1 << 20);
        let content = page.attachment(letter, &view.cut.expect("it is cut")).await?;
        assert!(text.ends_with(&content) && content.starts_with(b"This is letter"));
        let sentence = page.open_draft(letter).await.unwrap_err().to_string();
        assert!(sentence.contains("too long to be written on"), "{sentence}");
        Ok(())
    })
}
