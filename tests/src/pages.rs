//! What a page does: intents in, deltas out.

use std::{rc::Rc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use postern_bridge::{
    AccountDraft, AccountId, Change, ChangeId, ClientId, Connection, Delta, Done, Down,
    ExportFormat, ExportScope, Intent, MailboxId, MailboxView, MessageId, MessageView,
    OutgoingMessage, Row, SavedDraft, SearchScope, SearchState, Up,
};
use postern_mail::client::Client;
use tokio::sync::mpsc;

use crate::native::NativeHost;

/// How long a test waits for something that must happen; far longer than it takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A page on a natively running client.
pub struct Page {
    /// What the client stands on; it leads as that does.
    pub host: NativeHost,
    client: Client<NativeHost>,
    deltas: mpsc::UnboundedReceiver<Delta>,
    requests: u32,
    /// The sentences of all problems that were told so far.
    pub problems: Vec<String>,
}

impl Page {
    const ID: ClientId = ClientId(1);

    /// Starts a client and opens a page on it; must run inside a `LocalSet`.
    ///
    /// # Errors
    ///
    /// If the client does not start.
    pub async fn open(host: NativeHost) -> Result<Self> {
        use postern_mail::{Host, Store};

        host.store().take_lead().await?;
        let (sender, deltas) = mpsc::unbounded_channel();
        let emit = move |down: Down| {
            // A test that has ended listens no more.
            let _ = sender.send(down.delta);
        };
        let client = Client::start(Rc::new(host.clone()), emit).await?;
        Ok(Self { host, client, deltas, requests: 0, problems: Vec::new() })
    }

    /// Says what the person wants.
    pub fn say(&self, intent: Intent) {
        self.client.handle(Up { client: Self::ID, intent });
    }

    /// A fresh request number.
    pub fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// Waits for the first delta that `pick` makes something of.
    ///
    /// # Errors
    ///
    /// If none comes.
    pub async fn wait<T>(&mut self, mut pick: impl FnMut(Delta) -> Option<T>) -> Result<T> {
        let mut seen = Vec::new();
        let found = tokio::time::timeout(PATIENCE, async {
            while let Some(delta) = self.deltas.recv().await {
                seen.push(format!("{delta:.200?}"));
                if let Delta::Problem(problem) = &delta {
                    self.problems.push(problem.sentence.clone());
                }
                if let Some(found) = pick(delta) {
                    return Some(found);
                }
            }
            None
        });
        match found.await {
            Ok(Some(found)) => Ok(found),
            _ => bail!("what was waited for did not come; instead:\n{}", seen.join("\n")),
        }
    }

    /// Adds an account.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn add(&mut self, draft: AccountDraft) -> Result<AccountId> {
        let number = self.request();
        self.say(Intent::AddAccount { request: number, draft });
        let result = self.wait(|delta| match delta {
            Delta::AccountAdded { request, result } if request == number => Some(result),
            _ => None,
        });
        result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))
    }

    /// Waits until an account's mailboxes are told and one of them satisfies `pick`.
    ///
    /// # Errors
    ///
    /// If none does.
    pub async fn mailbox(&mut self, pick: impl Fn(&MailboxView) -> bool) -> Result<MailboxView> {
        self.say(Intent::Hello);
        self.wait(|delta| match delta {
            Delta::Mailboxes { mailboxes, .. } => mailboxes.into_iter().find(|m| pick(m)),
            _ => None,
        })
        .await
        .context("no such mailbox")
    }

    /// Opens a mailbox and waits until its list has `total` rows; returns the first of them.
    ///
    /// # Errors
    ///
    /// If it does not come to have them.
    pub async fn list(&mut self, mailbox: MailboxId, total: u32) -> Result<Vec<Row>> {
        self.say(Intent::OpenMailbox { mailbox });
        self.wait(|delta| match delta {
            Delta::Rows { mailbox: of, total: now, rows, fresh: true, .. }
                if of == mailbox && now == total =>
            {
                Some(rows)
            }
            _ => None,
        })
        .await
    }

    /// Searches to the end; returns which that is, and the first rows of what was found.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub async fn search(
        &mut self,
        mailbox: MailboxId,
        scope: SearchScope,
        query: &str,
    ) -> Result<(SearchState, Vec<Row>)> {
        let number = self.request();
        self.say(Intent::Search { request: number, mailbox, scope, query: query.into() });
        let found = self.wait(|delta| match delta {
            Delta::Rows { rows, search: Some(search), .. }
                if search.request == number && search.state != SearchState::Searching =>
            {
                Some((search.state, rows))
            }
            _ => None,
        });
        found.await.with_context(|| query.to_owned())
    }

    /// Opens a message.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn read(&mut self, message: MessageId) -> Result<MessageView> {
        self.say(Intent::OpenMessage { message });
        let result = self.wait(|delta| match delta {
            Delta::Message(view) if view.id == message => Some(Ok(*view)),
            Delta::MessageFailed { message: of, problem } if of == message => Some(Err(problem)),
            _ => None,
        });
        result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))
    }

    /// Fetches an attachment; its content.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn attachment(&mut self, message: MessageId, section: &str) -> Result<Vec<u8>> {
        let number = self.request();
        let section = section.to_owned();
        self.say(Intent::FetchAttachment { request: number, message, section });
        let mut content = Vec::new();
        let result = self.wait(|delta| match delta {
            Delta::AttachmentData { request, offset, bytes } if request == number => {
                content.truncate(usize::try_from(offset).unwrap_or(usize::MAX));
                content.extend(bytes);
                None
            }
            Delta::Attachment { request, result } if request == number => Some(result),
            _ => None,
        });
        let view = result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))?;
        ensure!(view.size == content.len() as u64, "{view:?} came with {} bytes", content.len());
        Ok(content)
    }

    /// Changes messages or mailboxes.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn change(&mut self, change: Change) -> Result<Done> {
        let number = self.request();
        self.say(Intent::Change { request: number, change });
        let result = self.wait(|delta| match delta {
            Delta::Changed { request, result } if request == number => Some(result),
            _ => None,
        });
        result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))
    }

    /// Takes a change back; what was done.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn undo(&mut self, change: ChangeId) -> Result<String> {
        let number = self.request();
        self.say(Intent::Undo { request: number, change });
        let result = self.wait(|delta| match delta {
            Delta::Undone { request, result, .. } if request == number => Some(result),
            _ => None,
        });
        result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))
    }

    /// Saves a draft.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn save_draft(
        &mut self,
        message: OutgoingMessage,
        draft: Option<MessageId>,
    ) -> Result<MessageId> {
        let number = self.request();
        self.say(Intent::SaveDraft { request: number, message, draft });
        let result = self.wait(|delta| match delta {
            Delta::DraftSaved { request, result } if request == number => Some(result),
            _ => None,
        });
        result.await?.map_err(|problem| anyhow::anyhow!(problem.sentence))
    }

    /// Opens a draft to write on.
    ///
    /// # Errors
    ///
    /// The sentence that the person would read.
    pub async fn open_draft(&mut self, message: MessageId) -> Result<SavedDraft> {
        let number = self.request();
        self.say(Intent::OpenDraft { request: number, message });
        let result = self.wait(|delta| match delta {
            Delta::Draft { request, result } if request == number => Some(result),
            _ => None,
        });
        result.await?.map(|draft| *draft).map_err(|problem| anyhow::anyhow!(problem.sentence))
    }

    /// Has mail written to a file; its bytes.
    ///
    /// # Errors
    ///
    /// If nothing of the kind comes in time.
    pub async fn export(&mut self, scope: ExportScope, format: ExportFormat) -> Result<Vec<u8>> {
        let request = self.request();
        self.say(Intent::Export { request, scope, format });
        let mut file = Vec::new();
        loop {
            let piece = self.wait(|delta| match delta {
                Delta::ExportData { bytes, .. } => Some(bytes),
                _ => None,
            });
            let piece = piece.await?;
            if piece.is_empty() {
                break;
            }
            file.extend(&piece[..]);
            self.say(Intent::ExportTaken { request, bytes: file.len() as u64 });
        }
        self.say(Intent::ExportSaved { request });
        self.wait(|delta| matches!(delta, Delta::Exported { .. }).then_some(())).await?;
        Ok(file)
    }

    /// Opens a mailbox and waits until the server has told what is in it; returns the first rows.
    ///
    /// # Errors
    ///
    /// If it does not tell.
    pub async fn rows(&mut self, mailbox: MailboxId) -> Result<Vec<Row>> {
        self.say(Intent::OpenMailbox { mailbox });
        self.wait(|delta| match delta {
            Delta::Rows { mailbox: of, rows, fresh: true, .. } => (of == mailbox).then_some(rows),
            _ => None,
        })
        .await
    }

    /// Opens a mailbox and waits until its list has `total` rows, whatever the server says.
    ///
    /// # Errors
    ///
    /// If it does not come to have them.
    pub async fn rows_now(&mut self, mailbox: MailboxId, total: u32) -> Result<Vec<Row>> {
        self.say(Intent::OpenMailbox { mailbox });
        self.wait(|delta| match delta {
            Delta::Rows { mailbox: of, total: now, rows, .. } => {
                (of == mailbox && now == total).then_some(rows)
            }
            _ => None,
        })
        .await
    }

    /// Waits until an account is connected and up to date.
    ///
    /// # Errors
    ///
    /// If it does not come to be.
    pub async fn wait_until_online(&mut self, account: AccountId) -> Result<()> {
        self.wait(|delta| match delta {
            Delta::Connection { account: of, state: Connection::Online } => {
                (of == account).then_some(())
            }
            _ => None,
        })
        .await
    }
}
