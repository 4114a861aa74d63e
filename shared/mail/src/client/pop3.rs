//! POP3 accounts: what their servers are known for, and what is downloaded and deleted there.

use postern_bridge::{
    AccountId, ClientId, Connection, DeletionPreview, Delta, MessageId, Moved, Problem,
    ProblemKind, Protocol, Retention, ServerLogin, Withheld,
};

use super::Client;
use crate::{
    Host, MailError,
    error::Closed,
    pop3::{self, Safety, ServerNotes},
    record::{Account, Body, Message},
};

impl<H: Host> Client<H> {
    /// What a POP3 account would delete on its server with another setting.
    pub(super) async fn preview_retention(
        &self,
        id: AccountId,
        retention: Retention,
    ) -> Result<DeletionPreview, Problem> {
        let preview = async {
            let inbox = self.inbox(id).await?;
            let rows = pop3::rows(self.store(), id).await?;
            let ServerNotes { elapsed, .. } = ServerNotes::load(self.store(), id).await?;
            let now = self.inner.host.now();
            Ok(pop3::preview(
                retention,
                &rows,
                inbox,
                now,
                Safety::of(&*self.inner.host).await,
                &elapsed,
            ))
        };
        preview.await.map_err(|error| self.problem(id, &error))
    }

    /// Has the whole of a message downloaded of which only the header is here. The wish is stored, so
    /// that it outlives the page, and comes true with the next download.
    pub(super) async fn download_whole(
        &self,
        page: ClientId,
        id: MessageId,
    ) -> Result<(), MailError> {
        let id = self.current(id);
        let account = self.account_of(id.mailbox).await?;
        pop3::want_whole(self.store(), account.id, id).await?;
        self.tell(Some(page), Delta::Message(Box::new(self.message_view(id).await?)));
        self.refresh(account.id)
    }

    /// What of a message was not downloaded, if only its header was.
    pub(super) async fn withheld(&self, message: &Message) -> Result<Option<Withheld>, MailError> {
        if !matches!(message.body, Body::Header { .. }) {
            return Ok(None);
        }
        let account = self.account_of(message.id.mailbox).await?;
        let row = pop3::row_of(self.store(), account.id, message.id).await?;
        Ok(Some(Withheld {
            size: message.size,
            nothing: message.body == Body::Header { size: 0 },
            wanted: row.as_ref().is_some_and(|row| row.wanted),
            // A copy has no row of its own, so that nothing tells where the rest is.
            gone: !row.is_some_and(|row| row.is_on_server()),
        }))
    }

    /// Shows messages that are here as a whole now, to whoever has one of them open.
    pub(super) fn show_completed(&self, moved: Vec<Moved>) {
        let steps: Vec<Moved> = moved.iter().filter(|step| step.from != step.to).copied().collect();
        self.tell_moved(&steps);
        let client = self.clone();
        self.inner.host.spawn(async move {
            for step in moved {
                // One that was moved or deleted at once is told of by whoever did.
                if let Ok(view) = client.message_view(client.current(step.to)).await {
                    client.tell(None, Delta::Message(Box::new(view)));
                }
            }
        });
    }

    /// Tells what a download has found out about its server, and, once, that somebody else removes
    /// mail there: another program, or the person in an IMAP account of the same mailbox.
    pub(super) async fn note_download(&self, account: &Account) -> Result<(), MailError> {
        let notes = ServerNotes::load(self.store(), account.id).await?;
        self.show_server(account.id, &notes);
        if notes.removed_elsewhere > 0 && !notes.told {
            let host = &account.incoming.endpoint.host;
            let imap = self.sharing_mailbox(account);
            let sentence = removed_elsewhere(host, notes.removed_elsewhere, imap.as_deref());
            self.tell(None, Delta::Problem(Problem::new(ProblemKind::Server, sentence)));
            // If this ends in between, it is told once more.
            ServerNotes::edit(self.store(), account.id, |notes| notes.told = true).await?;
        }
        Ok(())
    }

    /// The address of an account that is about the same mailbox over IMAP.
    fn sharing_mailbox(&self, pop3: &Account) -> Option<String> {
        let accounts = self.inner.accounts.borrow();
        let mut all = accounts.values().map(|running| &running.account);
        let imap = all.find(|other| pop3.shares_mailbox_with(other))?;
        Some(imap.identity.address.clone())
    }

    /// Notes what a test of an account's settings has found out about its server.
    pub(super) async fn note_test(
        &self,
        id: AccountId,
        test: Option<ServerNotes>,
    ) -> Result<(), MailError> {
        if let Some(test) = test {
            let notes = ServerNotes::edit(self.store(), id, |notes| notes.tested(&test)).await?;
            self.show_server(id, &notes);
        }
        Ok(())
    }

    /// The person asks for mail: the next download looks at all there is.
    pub(super) async fn ask_for_all(&self, id: AccountId) -> Result<(), MailError> {
        if self.account(id)?.protocol == Protocol::Pop3 {
            ServerNotes::edit(self.store(), id, ServerNotes::ask_for_all).await?;
        }
        Ok(())
    }

    /// Before an account gets other servers: notes whose mailbox the ledger is about, so that the next
    /// download notices that it is another one's.
    pub(super) async fn note_mailbox(&self, account: &Account) -> Result<(), MailError> {
        if account.protocol == Protocol::Pop3 {
            let note = |notes: &mut ServerNotes| notes.keep_mailbox(&account.incoming);
            ServerNotes::edit(self.store(), account.id, note).await?;
        }
        Ok(())
    }

    /// After an account was changed: what was told of other settings is of no interest any more, and
    /// more may be wanted now. `before` is the account as it was.
    pub(super) async fn policy_changed(&self, before: &Account) -> Result<(), MailError> {
        let account = self.account(before.id)?;
        if account.protocol != Protocol::Pop3 {
            return Ok(());
        }
        if account.retention != before.retention {
            let now = self.inner.host.now();
            let decided = |notes: &mut ServerNotes| notes.decided(now);
            let notes = ServerNotes::edit(self.store(), account.id, decided).await?;
            self.show_server(account.id, &notes);
        }
        if account.extent != before.extent {
            self.refresh(account.id)?;
        }
        Ok(())
    }

    /// Refuses to log in to a server that wants more time between two log-ins.
    pub(super) async fn must_wait(&self, login: &ServerLogin) -> Result<(), MailError> {
        let same = |account: &Account| {
            account.protocol == Protocol::Pop3
                && account.incoming.username == login.username
                && account.incoming.endpoint.host.eq_ignore_ascii_case(&login.endpoint.host)
        };
        for id in self.account_ids() {
            if same(&self.account(id)?) {
                ServerNotes::load(self.store(), id).await?.check(self.inner.host.now())?;
            }
        }
        Ok(())
    }

    /// Shows that the server wants to be asked later.
    pub(super) fn show_waiting(&self, id: AccountId, error: &MailError) {
        let sentence = self.problem(id, error).sentence;
        self.set_connection(id, Connection::Waiting(sentence));
    }

    fn show_server(&self, id: AccountId, notes: &ServerNotes) {
        let view = Some(notes.view());
        let changed = {
            let mut accounts = self.inner.accounts.borrow_mut();
            let Some(running) = accounts.get_mut(&id) else { return };
            std::mem::replace(&mut running.pop3, view.clone()) != view
        };
        if changed {
            self.tell(None, Delta::Accounts(self.account_views()));
        }
    }
}

/// How long a server wants to be left alone, if that is why it was not asked.
pub(super) fn waiting(result: &Result<(), MailError>) -> Option<u32> {
    match result {
        Err(MailError::Closed(Closed::TooSoon { wait, .. })) => Some(*wait),
        _ => None,
    }
}

/// That messages have vanished from the server; `imap` is the address of an account that is about
/// the same mailbox over IMAP.
fn removed_elsewhere(host: &str, messages: u32, imap: Option<&str>) -> String {
    let what = match messages {
        1 => "1 message is gone".to_owned(),
        messages => format!("{messages} messages are gone"),
    };
    match imap {
        None => format!(
            "{what} from {host}: another program is removing mail from this mailbox. What was \
             downloaded stays here. Set the other program to leave mail there, or make this the \
             secondary computer in the account's settings."
        ),
        Some(imap) => format!(
            "{what} from {host}: deleted or moved in the account {imap}, which has the same \
             mailbox over IMAP, or by another program. What was downloaded stays here. If it was \
             not you, set the other program to leave mail there. To hear no more of it, make this \
             the secondary computer in the POP3 account's settings."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::tests::{run, still},
        store::MemoryStore,
        testing::{account, block_on},
    };

    #[test]
    fn what_is_gone_may_have_been_deleted_in_an_own_imap_account_of_the_same_mailbox() {
        let elsewhere = || {
            let mut other = account(Protocol::Imap);
            other.identity.address = "info@example.com".into();
            other.incoming.username = "info".into();
            other
        };
        let in_imap = "deleted or moved in the account ann@example.org";
        for (other, expected) in [
            (account(Protocol::Imap), in_imap),
            (elsewhere(), "another program is removing mail"),
            (account(Protocol::Pop3), "another program is removing mail"),
        ] {
            let own = account(Protocol::Pop3);
            let (client, told) = still(MemoryStore::new(), own.clone());
            run(&client, Account { id: AccountId(2), ..other });
            let gone = |notes: &mut ServerNotes| notes.removed_elsewhere = 2;
            block_on(ServerNotes::edit(client.store(), own.id, gone)).unwrap();
            for _ in 0..2 {
                block_on(client.note_download(&own)).unwrap();
            }
            let told = told.borrow();
            let problems = told.iter().filter_map(|delta| match delta {
                Delta::Problem(problem) => Some(&problem.sentence),
                _ => None,
            });
            let sentences: Vec<&String> = problems.collect();
            assert_eq!(sentences.len(), 1, "{sentences:?}");
            assert!(sentences[0].starts_with("2 messages are gone from mail.example.org"));
            assert!(sentences[0].contains(expected), "{}", sentences[0]);
        }
    }
}
