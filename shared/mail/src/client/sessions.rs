//! The last TLS sessions with an account's servers, as they are stored.

use postern_bridge::{AccountId, ServerRole, TlsSession};
use serde::{Deserialize, Serialize};

use crate::{
    Store,
    record::{self, Record},
    store::{Key, KeyRange, StoreError, Table, Write},
};

/// The last TLS session with one server of an account, as it is stored.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct SeenSession {
    pub(super) account: AccountId,
    pub(super) server: ServerRole,
    pub(super) session: TlsSession,
}

impl Record for SeenSession {
    const TABLE: Table = Table::Meta;

    fn key(&self) -> Key {
        session_key(self.account, self.server)
    }
}

fn sessions_key(account: AccountId) -> Key {
    Key::new().bytes(b"tls-session-").u32(account.0)
}

fn session_key(account: AccountId, server: ServerRole) -> Key {
    sessions_key(account).u32(match server {
        ServerRole::Incoming => 0,
        ServerRole::Outgoing => 1,
    })
}

/// The last TLS sessions with an account's servers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sessions {
    pub(super) incoming: Option<TlsSession>,
    pub(super) outgoing: Option<TlsSession>,
}

/// The sessions that are stored for an account.
pub(super) async fn sessions(
    store: &impl Store,
    account: AccountId,
) -> Result<Sessions, StoreError> {
    let mut sessions = Sessions::default();
    // One that can't be read is seen again at the next log-in.
    let range = KeyRange::prefix(sessions_key(account));
    let (stored, _): (Vec<SeenSession>, _) = record::readable(store, &range).await?;
    for SeenSession { server, session, .. } in stored {
        match server {
            ServerRole::Incoming => sessions.incoming = Some(session),
            ServerRole::Outgoing => sessions.outgoing = Some(session),
        }
    }
    Ok(sessions)
}

/// The write that removes an account's stored sessions.
pub(super) fn forget_sessions(account: AccountId) -> Write {
    Write::DeleteRange { table: Table::Meta, range: KeyRange::prefix(sessions_key(account)) }
}

/// The write that removes the stored session with one of an account's servers.
pub(super) fn forget_session(account: AccountId, server: ServerRole) -> Write {
    Write::Delete { table: Table::Meta, key: session_key(account, server) }
}
