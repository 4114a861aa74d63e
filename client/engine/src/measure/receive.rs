//! Mail from a POP3 server into IndexedDB, as the client downloads it.

use postern_bridge::{AccountId, Extent, Identity, Protocol, Retention, Role, ServerLogin};
use postern_mail::{
    Clock, Host, MailError, Secret, Store,
    pop3::{Job, Safety, create_local_mailboxes, download},
    record::{self, Account, Mailbox},
    store::{Durability, KeyRange},
};

use crate::{clock::BrowserClock, worker::Worker};

use super::{Measured, host, login, memory};

/// Downloads the `MESSAGES` that are in the mailbox of `HOST,PORT,END,USER,PASSWORD,MESSAGES` into an
/// empty database.
pub(super) async fn run(worker: &Worker, asked: &str) -> Result<Measured, String> {
    let (login, rest) = login(asked)?;
    let [password, messages] = rest[..] else { return Err("MESSAGES is missing".into()) };
    let (measured, downloaded) =
        receive(worker, login, password).await.map_err(|error: MailError| error.to_string())?;
    if downloaded.to_string() != messages {
        return Err(format!("{downloaded} of {messages} messages are stored"));
    }
    Ok(measured)
}

/// From the connection to the goodbye; and how many messages have come.
async fn receive(
    worker: &Worker,
    login: ServerLogin,
    password: &str,
) -> Result<(Measured, u32), MailError> {
    let host = host(worker).await?;
    let store = host.store();
    let account = Account {
        id: AccountId(1),
        identity: Identity { name: String::new(), address: login.username.clone() },
        protocol: Protocol::Pop3,
        incoming: login.clone(),
        outgoing: login,
        retention: Retention::Keep,
        extent: Extent::Whole,
        proof: Default::default(),
        sealed_password: Vec::new(),
    };
    let writes = create_local_mailboxes(&host, account.id).await?;
    store.apply(writes, Durability::Relaxed).await?;
    let mailboxes: Vec<Mailbox> = record::all(store, &KeyRange::all()).await?;
    let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
    let inbox = inbox.ok_or(MailError::Gone("inbox"))?.id;

    let password = Secret::new(password);
    let safety = Safety { persistent: true, public_computer: false };
    let job = Job { account: &account, password: &password, inbox, safety };
    let (idle, start) = (memory(), BrowserClock.now());
    let report = download(&host, job, &mut |_| {}).await?;
    Ok((Measured { millis: BrowserClock.now() - start, idle }, report.downloaded))
}
