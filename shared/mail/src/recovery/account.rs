//! An account's record, as far as what else is stored tells.

use postern_bridge::{
    AccountId, Endpoint, Identity, Protocol, Retention, Role, Security, ServerLogin,
};

use super::Known;
use crate::{
    Store,
    changes::Entry,
    pop3::ServerNotes,
    record::{self, Account, Mailbox, Message, mailbox_key},
    store::{KeyRange, Order, StoreError, Table},
};

/// Where addresses are that were made up.
const MADE_UP: &str = "@recovered.invalid";

/// Whether an account's address was made up, since nothing told it.
pub(crate) fn is_made_up(identity: &Identity) -> bool {
    identity.address.ends_with(MADE_UP)
}

/// The record, without password and outgoing server: until the person enters them, the account connects
/// to nothing. Nothing is deleted on its server by itself, whatever was chosen.
pub(super) async fn rebuilt(
    store: &impl Store,
    id: AccountId,
    known: &Known,
) -> Result<Account, StoreError> {
    let notes = ServerNotes::load(store, id).await?;
    let has_downloaded =
        notes.mailbox().is_some() || known.ledger.values().any(|(account, _)| *account == id);
    let is_imap = !has_downloaded && known.tells_of_imap(id);
    let (host, username) = notes.mailbox().unwrap_or_default();
    let (protocol, port) = if is_imap { (Protocol::Imap, 993) } else { (Protocol::Pop3, 995) };
    let login = |host: &str, port| ServerLogin {
        endpoint: Endpoint {
            host: host.into(),
            port,
            security: Security::Tls,
            tls_end: Default::default(),
            trusted: None,
        },
        username: username.into(),
    };
    Ok(Account {
        id,
        identity: identity(store, id, known, username).await?,
        protocol,
        incoming: login(host, port),
        outgoing: login("", 465),
        retention: Retention::Keep,
        extent: Default::default(),
        proof: Default::default(),
        sealed_password: Vec::new(),
    })
}

impl Known {
    /// Whether an account, of which the ledger knows nothing, has what only one with a mailbox on a server
    /// has. Where nothing tells, it counts as one with local mailboxes, which no server's list removes.
    fn tells_of_imap(&self, id: AccountId) -> bool {
        let of_server = |own: &Entry| own.account == id && own.is_of_server();
        self.changes.iter().any(of_server)
            || !self.of(id).all(is_local)
            || (self.has_lost_imap && self.of(id).next().is_none())
    }
}

/// Whether it is as local mailboxes are: one of a server has another UIDVALIDITY, or was synced.
fn is_local(mailbox: &Mailbox) -> bool {
    let synced = mailbox.synced;
    mailbox.uid_validity == 1 && (synced.mod_seq, synced.exists) == (0, 0)
}

/// Who logged in, if that is an address; else who wrote the latest message in Sent; else a name by which
/// it is told from others.
async fn identity(
    store: &impl Store,
    id: AccountId,
    known: &Known,
    username: &str,
) -> Result<Identity, StoreError> {
    if username.contains('@') {
        return Ok(Identity { name: String::new(), address: username.into() });
    }
    if let Some(sent) = known.of(id).find(|own| own.role == Some(Role::Sent)) {
        let all = KeyRange::prefix(mailbox_key(sent.id));
        let last = store.scan(Table::Messages, &all, Order::Descending, 1).await?;
        let message = last.first().and_then(|(_, value)| record::decode::<Message>(value).ok());
        if let Some(from) = message.and_then(|message| message.from.into_iter().next()) {
            return Ok(Identity { name: from.name, address: from.address });
        }
    }
    Ok(Identity { name: String::new(), address: format!("account-{}{MADE_UP}", id.0) })
}
