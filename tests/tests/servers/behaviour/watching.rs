//! News that come while something else is done, on every kind of mail server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use postern_bridge::{Delta, Intent, MailboxId, Protocol, Security};
use postern_mail::{
    Host,
    record::{self, Message},
    store::KeyRange,
};
use postern_tests::{letters, native::endpoint, pages::Page, wiretap::Wiretap};

use super::{Scene, Step};

/// What a server must tell beside the answer to another command.
pub(super) const INBOX_ITSELF: &str =
    "new mail is told while the inbox itself is fetched for the first time";

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "new mail is told while a large folder is fetched, which loses nothing by it",
        check: |scene| Box::pin(beside_a_large_folder(scene)),
    },
    Step { behaviour: INBOX_ITSELF, check: |scene| Box::pin(behind_a_large_inbox(scene)) },
];

/// How many messages the large folder or inbox has: some windows more than are asked for at once.
const MANY: u32 = 1_500;

async fn behind_a_large_inbox(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(MANY as usize)).await?;
    let wiretap = Wiretap::start(scene.server.addresses().imap).await?;
    // Only the first window is fetched before the new message comes.
    wiretap.hold("BODYSTRUCTURE ENVELOPE", 1);
    let mut draft = scene.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(wiretap.address, Security::Plain);
    let (mut page, inbox) = scene.page_with(draft).await?;
    page.say(Intent::OpenMailbox { mailbox: inbox.id });
    let begun = page.wait(|delta| match delta {
        Delta::Rows { mailbox, total: 50.., fresh, .. } if mailbox == inbox.id => Some(!fresh),
        _ => None,
    });
    ensure!(begun.await?, "the inbox came at once");
    wiretap.held().await?;
    other.append("INBOX", [letters::answer("late", "Just now", &[], "Ada")]).await?;
    wiretap.release();
    let is_first = page.wait(|delta| match delta {
        Delta::Counts { mailbox, total, .. } if mailbox == inbox.id && total > MANY => Some(true),
        Delta::Rows { mailbox, fresh: true, .. } if mailbox == inbox.id => Some(false),
        _ => None,
    });
    ensure!(is_first.await?, "new mail waited for the older messages");
    let newest = page.list(inbox.id, MANY + 1).await?.swap_remove(0);
    ensure!(newest.subject == "Just now", "{newest:?}");
    let here = stored(&page, inbox.id).await?;
    ensure!(here == MANY as usize + 1, "{here}");
    Ok(())
}

async fn beside_a_large_folder(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(2)).await?;
    let garden = scene.server.folder("Garden");
    other.ask(&format!("CREATE {garden}")).await?;
    other.append(&garden, letters::many(MANY as usize)).await?;
    let wiretap = Wiretap::start(scene.server.addresses().imap).await?;
    let mut draft = scene.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(wiretap.address, Security::Plain);
    let (mut page, inbox) = scene.page_with(draft).await?;
    page.list(inbox.id, 2).await?;
    let garden = page.mailbox(|own| own.name == "Garden").await?.id;
    silence(&wiretap).await;

    // So that the folder takes some seconds.
    wiretap.delay(Duration::from_millis(40));
    page.say(Intent::OpenMailbox { mailbox: garden });
    let begun = page.wait(|delta| match delta {
        Delta::Rows { mailbox, total: 50.., fresh, .. } if mailbox == garden => Some(!fresh),
        _ => None,
    });
    ensure!(begun.await?, "the folder came at once");
    other.append("INBOX", [letters::plain(2)]).await?;
    let is_first = page.wait(|delta| match delta {
        Delta::Counts { mailbox, total: 3, .. } if mailbox == inbox.id => Some(true),
        Delta::Rows { mailbox, fresh: true, .. } if mailbox == garden => Some(false),
        _ => None,
    });
    ensure!(is_first.await?, "new mail waited for the folder");
    ensure!(stored(&page, inbox.id).await? == 3, "it is told, and not stored");

    let whole = page.wait(|delta| match delta {
        Delta::Rows { mailbox, total, fresh: true, .. } if mailbox == garden => Some(total),
        _ => None,
    });
    let whole = whole.await.context("the folder")?;
    let here = (whole, stored(&page, garden).await?, stored(&page, inbox.id).await?);
    ensure!(here == (MANY, MANY as usize, 3), "{here:?}");
    Ok(())
}

/// How many messages of a mailbox are stored.
async fn stored(page: &Page, mailbox: MailboxId) -> Result<usize> {
    let range = KeyRange::prefix(record::mailbox_key(mailbox));
    let messages: Vec<Message> = record::all(page.host.store(), &range).await?;
    Ok(messages.len())
}

/// Waits until nothing is said for a while: nothing waits to be done.
pub(super) async fn silence(wiretap: &Wiretap) {
    let said = || wiretap.conversations().iter().map(Vec::len).sum::<usize>();
    let mut before = 0;
    while said() != before {
        before = said();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
