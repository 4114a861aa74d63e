//! Accounts.

use postern_bridge::{
    AccountId, Extent, Identity, Proof, Protocol, Retention, ServerLogin, is_same_mailbox,
    is_same_site,
};
use serde::{Deserialize, Serialize};

use super::{Record, account_key};
use crate::{
    MailError, Secret, Vault,
    store::{Key, Table},
};

/// An account's settings, with its password encrypted.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Name and address for writing.
    pub identity: Identity,
    /// How mail comes in.
    pub protocol: Protocol,
    /// The IMAP or POP3 server.
    pub incoming: ServerLogin,
    /// The submission server.
    pub outgoing: ServerLogin,
    /// What a POP3 account does on the server after a download.
    pub retention: Retention,
    /// How much of each message a POP3 account downloads.
    #[serde(default)]
    pub extent: Extent,
    /// What the password is.
    #[serde(default)]
    pub proof: Proof,
    /// The password, as [`Vault::seal`](crate::Vault::seal) made it; empty if it is not here, since the
    /// account came from a backup.
    #[serde(with = "serde_bytes")]
    pub sealed_password: Vec<u8>,
}

impl Account {
    /// The password, or what stands for it, decrypted.
    ///
    /// # Errors
    ///
    /// [`MailError::SettingsLost`] or [`MailError::PasswordMissing`] if there is none; or if it can't be
    /// decrypted.
    pub async fn password(&self, vault: &impl Vault) -> Result<Secret, MailError> {
        if self.has_lost_its_settings() {
            return Err(MailError::SettingsLost);
        }
        if self.sealed_password.is_empty() {
            return Err(MailError::PasswordMissing);
        }
        let text = vault.unseal(&self.sealed_password).await?;
        Ok(text.proving_by(self.proof))
    }
}

impl Account {
    /// Whether this stands for an account whose record could not be read any more, until its settings are
    /// entered again: no other is without an outgoing server.
    pub fn has_lost_its_settings(&self) -> bool {
        self.outgoing.endpoint.host.is_empty()
    }

    /// Whether another account gets the mail of the same mailbox over another protocol, as far as
    /// the settings tell.
    pub fn shares_mailbox_with(&self, other: &Self) -> bool {
        self.protocol != other.protocol
            && is_same_mailbox(
                (&self.identity.address, &self.incoming),
                (&other.identity.address, &other.incoming),
            )
    }

    /// Whether that is so for their servers' hosts as well, as it is not after a change of provider: then
    /// what the one account has left on its server is in the other.
    pub fn shares_server_with(&self, other: &Self) -> bool {
        let hosts = [self, other].map(|own| &*own.incoming.endpoint.host);
        self.shares_mailbox_with(other) && is_same_site(hosts[0], hosts[1])
    }
}

impl Record for Account {
    const TABLE: Table = Table::Accounts;

    fn key(&self) -> Key {
        account_key(self.id)
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Endpoint, Security, TlsEnd};

    use super::*;
    use crate::{record::decode, testing};

    /// An account as version 0.1.0 has stored it.
    const EARLIER_ACCOUNT: &[u8] = b"\x87\xa2id\x03\xa8identity\x82\xa4name\xa3Ada\
        \xa7address\xafada@example.org\xa8protocol\xa4Imap\
        \xa8incoming\x82\xa8endpoint\x84\xa4host\xb0imap.example.org\xa4port\xcd\x03\xe1\
        \xa8security\xa3Tls\xa7tls_end\xa5Proxy\xa8username\xafada@example.org\
        \xa8outgoing\x82\xa8endpoint\x84\xa4host\xb0smtp.example.org\xa4port\xcd\x02\x4b\
        \xa8security\xa8StartTls\xa7tls_end\xa7Browser\xa8username\xafada@example.org\
        \xa9retention\xa4Keep\xafsealed_password\xc4\x02\x01\x02";

    #[test]
    fn a_mailbox_is_at_one_server_if_the_hosts_are_of_one_domain() {
        let account = |protocol, host: &str| {
            let mut account = testing::account(protocol);
            account.incoming.endpoint.host = host.into();
            account
        };
        let pop3 = account(Protocol::Pop3, "pop.example.org");
        for (protocol, host, expected) in [
            (Protocol::Imap, "imap.example.org", (true, true)),
            (Protocol::Imap, "example.org", (true, true)),
            (Protocol::Imap, "imap.example.net", (true, false)),
            (Protocol::Imap, "example.net", (true, false)),
            (Protocol::Pop3, "pop.example.org", (false, false)),
        ] {
            let other = account(protocol, host);
            let told = (pop3.shares_mailbox_with(&other), pop3.shares_server_with(&other));
            assert_eq!(told, expected, "{host}");
        }
    }

    #[test]
    fn an_account_of_an_earlier_version_is_read_and_trusts_no_certificate() {
        let endpoint = |host: &str, port, security, tls_end| Endpoint {
            host: host.into(),
            port,
            security,
            tls_end,
            trusted: None,
        };
        let login = |endpoint| ServerLogin { endpoint, username: "ada@example.org".into() };
        let account = Account {
            id: AccountId(3),
            identity: Identity { name: "Ada".into(), address: "ada@example.org".into() },
            protocol: Protocol::Imap,
            incoming: login(endpoint("imap.example.org", 993, Security::Tls, TlsEnd::Proxy)),
            outgoing: login(endpoint("smtp.example.org", 587, Security::StartTls, TlsEnd::Browser)),
            retention: Retention::Keep,
            extent: Extent::Whole,
            proof: Proof::Password,
            sealed_password: vec![1, 2],
        };
        assert_eq!(decode(EARLIER_ACCOUNT), Ok(account));
    }
}
