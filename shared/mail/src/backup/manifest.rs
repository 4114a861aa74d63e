//! What a zip of ours says besides its messages: whose they are, in which folders, with which flags,
//! and what the ledger knows. No password is in it.

use postern_bridge::{Extent, Flags, Identity, Proof, Protocol, Retention, Role, ServerLogin};
use serde::{Deserialize, Serialize};

use super::limits;
use crate::{
    MailError,
    changes::is_tag,
    record::{Account, Body, Mailbox, Message},
    recovery,
};

/// The manifest's name in the archive.
pub(super) const MANIFEST: &str = "postern-backup/manifest.json";

/// What the names of the ledger's parts begin with; the account's number follows.
pub(super) const LEDGER: &str = "postern-backup/ledger-";

/// What the names of unsent messages begin with; the account's number follows.
pub(super) const UNSENT: &str = "postern-backup/outbox-";

const FORMAT: &str = "postern-backup";
const VERSION: u32 = 1;

/// The whole.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Manifest {
    format: String,
    version: u32,
    /// When it was written, in milliseconds since 1970 (UTC).
    pub(super) created: i64,
    /// The accounts in it.
    pub(super) accounts: Vec<SavedAccount>,
}

/// An account without its password.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SavedAccount {
    /// Its number where the backup was made.
    pub(super) number: u32,
    pub(super) identity: Identity,
    pub(super) protocol: Protocol,
    pub(super) incoming: ServerLogin,
    pub(super) outgoing: ServerLogin,
    pub(super) retention: Retention,
    #[serde(default)]
    pub(super) extent: Extent,
    #[serde(default)]
    pub(super) proof: Proof,
    pub(super) folders: Vec<SavedFolder>,
}

/// A mailbox.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SavedFolder {
    /// Its number where the backup was made.
    pub(super) number: u32,
    pub(super) names: Vec<String>,
    pub(super) role: Option<Role>,
}

/// What the directory says of a message, in its comment.
#[derive(Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Note {
    /// The number of its folder.
    #[serde(rename = "in")]
    pub(super) folder: u32,
    /// Its UID there.
    pub(super) uid: u32,
    /// When it arrived, in milliseconds since 1970 (UTC).
    #[serde(rename = "at")]
    pub(super) arrived: i64,
    /// Its flags, a letter each: seen, answered, flagged (F), deleted, draft (T).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    flags: String,
    /// Its keywords.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "tags")]
    pub(super) keywords: Vec<String>,
    /// The size of the whole message, if this is its header alone.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "header_of")]
    pub(super) header_of: Option<u64>,
}

impl Manifest {
    pub(super) fn of(created: i64, accounts: Vec<SavedAccount>) -> Self {
        Self { format: FORMAT.into(), version: VERSION, created, accounts }
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// If it would not be read again.
    pub(super) fn encode(&self) -> Result<Vec<u8>, MailError> {
        let bytes = serde_json::to_vec_pretty(self).expect("a manifest can be encoded");
        if self.fits() && bytes.len() as u64 <= limits::RECORDS {
            return Ok(bytes);
        }
        let sentence = format!(
            "The accounts and folders are more than one backup can hold: {} accounts at most, and {} \
             folders of each. Save one account at a time, or folders on their own.",
            limits::ACCOUNTS,
            limits::FOLDERS,
        );
        Err(MailError::Input(sentence))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, MailError> {
        let input = |sentence: &str| MailError::Input(sentence.into());
        let unreadable = |_| input("This backup's list of contents can't be read.");
        let manifest: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if manifest.format != FORMAT || manifest.version > VERSION {
            return Err(input("This backup was made by a newer version of Postern."));
        }
        if !manifest.fits() {
            return Err(input("This backup has more accounts or folders than can be."));
        }
        Ok(manifest)
    }

    fn fits(&self) -> bool {
        let fits = |account: &SavedAccount| account.folders.len() <= limits::FOLDERS;
        self.accounts.len() <= limits::ACCOUNTS && self.accounts.iter().all(fits)
    }
}

impl SavedAccount {
    pub(super) fn of(account: &Account, mailboxes: &[Mailbox]) -> Self {
        let folder = |mailbox: &Mailbox| SavedFolder {
            number: mailbox.id.0,
            names: mailbox.names.clone(),
            role: mailbox.role,
        };
        Self {
            number: account.id.0,
            identity: account.identity.clone(),
            protocol: account.protocol,
            incoming: account.incoming.clone(),
            outgoing: account.outgoing.clone(),
            retention: account.retention,
            extent: account.extent,
            proof: account.proof,
            folders: mailboxes.iter().map(folder).collect(),
        }
    }

    /// Whether this account is that one: the same mail at the same server.
    pub(super) fn is(&self, account: &Account) -> bool {
        self.has_same_address(account) && self.has_same_mailbox(account)
    }

    /// Whether this account is probably that one, of which the settings were lost, here or where the backup
    /// was made: what is left of them agrees.
    pub(super) fn was(&self, account: &Account) -> bool {
        let is_lost = self.has_lost_its_settings() || account.has_lost_its_settings();
        let hosts = [&self.incoming, &account.incoming].map(|login| &login.endpoint.host);
        let agrees = if hosts.iter().any(|host| host.is_empty()) {
            self.protocol == account.protocol
                && self.has_same_address(account)
                && !recovery::is_made_up(&account.identity)
        } else {
            self.has_same_mailbox(account)
        };
        is_lost && agrees
    }

    /// Whether this account, which was made of that one, still stands for it: it was not given the mail of
    /// another server or user since.
    pub(super) fn became(&self, account: &Account) -> bool {
        let is_known = |login: &ServerLogin| !login.endpoint.host.is_empty();
        let are_known = is_known(&self.incoming) && is_known(&account.incoming);
        self.protocol == account.protocol && (!are_known || self.has_same_mailbox(account))
    }

    /// As [`Account::has_lost_its_settings`].
    pub(super) fn has_lost_its_settings(&self) -> bool {
        self.outgoing.endpoint.host.is_empty()
    }

    fn has_same_address(&self, account: &Account) -> bool {
        self.identity.address.eq_ignore_ascii_case(&account.identity.address)
    }

    /// Whether both are for the same mailbox at the same server.
    pub(super) fn has_same_mailbox(&self, account: &Account) -> bool {
        let (own, other) = (&self.incoming, &account.incoming);
        self.protocol == account.protocol
            && own.endpoint.host.eq_ignore_ascii_case(&other.endpoint.host)
            && own.username == other.username
    }
}

const LETTERS: [char; 5] = ['S', 'A', 'F', 'D', 'T'];

impl Note {
    pub(super) fn of(message: &Message) -> Self {
        let Flags { seen, answered, flagged, deleted, draft } = message.flags;
        let set = [seen, answered, flagged, deleted, draft];
        Self {
            folder: message.id.mailbox.0,
            uid: message.id.uid,
            arrived: message.arrived,
            flags: LETTERS.iter().zip(set).filter_map(|(c, set)| set.then_some(*c)).collect(),
            keywords: message.keywords.iter().filter(|name| is_tag(name)).cloned().collect(),
            header_of: matches!(message.body, Body::Header { .. }).then_some(message.size),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a note can be encoded")
    }

    /// A note of ours; `None` for any other comment.
    pub(super) fn decode(comment: &[u8]) -> Option<Self> {
        serde_json::from_slice(comment).ok()
    }

    pub(super) fn flags(&self) -> Flags {
        let [seen, answered, flagged, deleted, draft] =
            LETTERS.map(|letter| self.flags.contains(letter));
        Flags { seen, answered, flagged, deleted, draft }
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{AccountId, MailboxId};

    use super::*;
    use crate::{changes::tests::mailbox, testing::account};

    #[test]
    fn a_manifest_that_is_too_large_to_be_read_is_not_written() {
        let own = Account { id: AccountId(1), ..account(Protocol::Pop3) };
        let with_name = |length: u64| {
            let names = vec!["x".repeat(length as usize)];
            let folder = Mailbox { id: MailboxId(1), names, ..mailbox(1) };
            Manifest::of(0, vec![SavedAccount::of(&own, &[folder])]).encode()
        };
        let rest = with_name(0).unwrap().len() as u64;
        assert_eq!(with_name(limits::RECORDS - rest).unwrap().len() as u64, limits::RECORDS);
        assert!(matches!(with_name(limits::RECORDS - rest + 1), Err(MailError::Input(_))));
    }
}
