//! Sending, through the demo server's submission.

use anyhow::Result;
use postern_bridge::{
    AccountId, Address, Attachment, Delta, Intent, OutgoingMessage, Protocol, Role, SendState,
};
use postern_tests::pages::Page;

use super::{Servers, run};

fn message(account: AccountId, to: &str) -> OutgoingMessage {
    OutgoingMessage {
        account,
        to: vec![Address { name: "Ada".into(), address: to.into() }],
        cc: Vec::new(),
        bcc: vec![Address { name: String::new(), address: "carol@example.org".into() }],
        subject: "Saatgut für März".into(),
        text: "Hello Ada,\n.\n..and a dot.\n".into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: vec![Attachment {
            name: "plan.bin".into(),
            media_type: "application/octet-stream".into(),
            content: (0..=255).cycle().take(300_000).collect(),
        }],
    }
}

async fn send(page: &mut Page, message: OutgoingMessage) -> Result<()> {
    let request = page.request();
    page.say(Intent::Send { request, message, draft: None });
    page.wait(|delta| match delta {
        Delta::Outbox { state: SendState::Sent, .. } => Some(()),
        _ => None,
    })
    .await
}

#[test]
fn a_sent_message_arrives_and_its_copy_is_filed_on_the_imap_server() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let mut page = Page::open(servers.host()).await?;
        let account = page.add(servers.draft(Protocol::Imap)).await?;
        let sent = page.mailbox(|mailbox| mailbox.role == Some(Role::Sent)).await?;
        send(&mut page, message(account, &servers.demo.address)).await?;
        let rows = page.list(sent.id, 1).await?;
        assert_eq!(rows[0].subject, "Saatgut für März");
        assert_eq!(rows[0].correspondents, "Ada");
        let copy = page.read(rows[0].id).await?;
        assert_eq!(copy.text.trim_end(), "Hello Ada,\n.\n..and a dot.");
        let content = page.attachment(copy.id, &copy.attachments[0].section).await?;
        assert_eq!(content.len(), 300_000);
        Ok(())
    })
}

#[test]
fn the_copy_of_a_pop3_account_is_filed_here() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let mut page = Page::open(servers.host()).await?;
        let account = page.add(servers.draft(Protocol::Pop3)).await?;
        let sent = page.mailbox(|mailbox| mailbox.role == Some(Role::Sent)).await?;
        send(&mut page, message(account, &servers.demo.address)).await?;
        let rows = page.list(sent.id, 1).await?;
        assert_eq!(page.read(rows[0].id).await?.subject, "Saatgut für März");
        Ok(())
    })
}
