//! Mailboxes, on a server or local.

use std::collections::BTreeMap;

use postern_bridge::{AccountId, MailboxId, Mark, Role};
use postern_imap::SequenceSet;
use serde::{Deserialize, Serialize};

use super::{Record, all, get, mailbox_key};
use crate::{
    MailError, Store,
    store::{Key, KeyRange, StoreError, Table},
};

/// A mailbox, on a server or local.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Mailbox {
    /// Its number.
    pub id: MailboxId,
    /// Its account.
    pub account: AccountId,
    /// Whether that was guessed.
    #[serde(default, skip_serializing_if = "Owner::is_known")]
    pub owner: Owner,
    /// Its full name: on IMAP exactly as the server spells it, in bytes for the wire.
    #[serde(with = "serde_bytes")]
    pub path: Vec<u8>,
    /// The names on the way to it, decoded for people; the last is its own.
    pub names: Vec<String>,
    /// What it is for.
    pub role: Option<Role>,
    /// False for a name that only holds other mailboxes.
    pub selectable: bool,
    /// What stands between the parts of its name on the server, if names there have parts.
    #[serde(default)]
    pub delimiter: Option<u8>,
    /// Whether others can be made in it.
    #[serde(default = "yes")]
    pub can_nest: bool,
    /// Whether this account may put messages into it.
    #[serde(default = "yes")]
    pub can_take: bool,
    /// Whether this account may mark its messages as read and as unread.
    #[serde(default = "yes")]
    pub can_mark_read: bool,
    /// Whether this account may give its messages other marks, such as stars, tags and that they were
    /// answered, and take them.
    #[serde(default = "yes")]
    pub can_mark: bool,
    /// Whether this account may take messages out of it, to another mailbox or for good.
    #[serde(default = "yes")]
    pub can_remove: bool,
    /// Whether the server opened it for reading alone when it was opened last (READ-ONLY, RFC 9051
    /// section 7.1). That may pass: nothing is marked there by itself, but what a person wants is tried.
    #[serde(default)]
    pub read_only: bool,
    /// Whether the person is subscribed to it.
    #[serde(default = "yes")]
    pub subscribed: bool,
    /// UIDVALIDITY of what is stored (RFC 9051 section 2.3.1.1); 0 before the first sync.
    pub uid_validity: u32,
    /// The smallest UID that was never used; on a local mailbox the next one to assign.
    pub uid_next: u32,
    /// Unread messages, as far as is known.
    pub unread: u32,
    /// All messages, as far as is known.
    pub total: u32,
    /// Whether its list shows conversations.
    #[serde(default)]
    pub conversations: bool,
    /// What the server calls it whatever its name is (MAILBOXID, RFC 8474), if it has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<String>,
    /// How far what is stored follows the server.
    #[serde(default)]
    pub synced: SyncPoint,
    /// Messages whose marks are to be looked at, whatever its mod-sequence says.
    #[serde(default, skip_serializing_if = "Doubts::is_empty")]
    pub doubts: Doubts,
}

/// What is known of whose a mailbox is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Owner {
    /// It is its account's.
    #[default]
    Known,
    /// Its record was made anew, and nothing told whose it was.
    Guessed,
    /// The same, and the person was told of it, but has not looked at the mailbox since.
    Told,
}

impl Owner {
    fn is_known(&self) -> bool {
        *self == Self::Known
    }
}

/// How far the stored messages of a mailbox follow those on the server.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SyncPoint {
    /// HIGHESTMODSEQ (RFC 7162) up to which all changes of the stored messages are stored; 0 if
    /// there is none. It never runs ahead of what is stored.
    pub mod_seq: u64,
    /// How many messages the server had at the end of the last whole sync.
    pub exists: u32,
    /// How many of them were unread.
    pub unseen: u32,
    /// Whether the server may have changes that are not stored.
    #[serde(default)]
    pub stale: bool,
    /// Whether all that is stored has its links, or the server has none to tell.
    #[serde(default)]
    pub linked: bool,
    /// From which UID on all that is stored has its links, while that is being learnt; 0 if nothing was
    /// learnt yet.
    #[serde(default)]
    pub linked_from: u32,
    /// Whether the server has labels, and all that is stored has its own.
    #[serde(default)]
    pub labelled: bool,
    /// From which UID on all that is stored has its labels, while those are being learnt; 0 if none were
    /// learnt yet.
    #[serde(default)]
    pub labelled_from: u32,
    /// From which UID on the flags of all that is stored were looked at, where that was broken off at a
    /// server without mod-sequences; 0 if it was not.
    #[serde(default)]
    pub flagged_from: u32,
    /// UIDVALIDITY and UIDNEXT that the server told with the counts in the list of mailboxes, if it
    /// told them.
    #[serde(default)]
    pub counted: Option<(u32, u32)>,
}

/// Messages that may have other marks on the server than here, although what the server told of them is
/// stored as far as its mod-sequence goes: they were away from their mailbox when it was told, or it was
/// overridden by what was queued and came to nothing.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Doubts {
    /// Ascending ranges of UIDs, the last one of each included.
    ranges: Vec<(u32, u32)>,
    /// How often some were added: one that was known to be doubtful may be so again.
    added: u32,
}

impl Doubts {
    /// How many ranges are kept; where there are more, all messages are looked at.
    const RANGES: usize = 1_000;

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds messages by their UIDs.
    pub fn add(&mut self, uids: impl IntoIterator<Item = u32>) {
        let known = self.ranges.iter().map(|(first, last)| *first..=*last);
        let new = uids.into_iter().map(|uid| uid..=uid);
        let Some(all) = SequenceSet::from_ranges(known.chain(new)) else { return };
        self.ranges = match all.ranges() {
            few if few.len() <= Self::RANGES => {
                few.iter().map(|range| (*range.start(), *range.end())).collect()
            }
            _ => vec![(1, u32::MAX)],
        };
        self.added = self.added.wrapping_add(1);
    }

    /// Those of ascending UIDs that are doubtful.
    pub fn among(&self, uids: &[u32]) -> Vec<u32> {
        let from = |uid: u32| uids.partition_point(|own| *own < uid);
        let within = |(first, last): &(u32, u32)| {
            &uids[from(*first)..last.checked_add(1).map_or(uids.len(), from)]
        };
        self.ranges.iter().flat_map(within).copied().collect()
    }

    /// All of these were looked at, and are doubtful no more; but if others, or the same, were added
    /// since then, which of them were not looked at is not known.
    pub fn settle(&mut self, looked_at: &Self) {
        if self == looked_at {
            *self = Self::default();
        }
    }
}

impl Mailbox {
    /// One without a name, of which nothing is known yet.
    pub fn new(id: MailboxId, account: AccountId) -> Self {
        Self {
            id,
            account,
            owner: Owner::Known,
            path: Vec::new(),
            names: Vec::new(),
            role: None,
            selectable: true,
            delimiter: None,
            can_nest: true,
            can_take: true,
            can_mark_read: true,
            can_mark: true,
            can_remove: true,
            read_only: false,
            subscribed: true,
            uid_validity: 0,
            uid_next: 0,
            unread: 0,
            total: 0,
            conversations: false,
            server_id: None,
            synced: SyncPoint::default(),
            doubts: Doubts::default(),
        }
    }

    /// Whether its messages may get or lose a mark, as far as the rights of this account are known.
    pub fn may_mark(&self, mark: &Mark) -> bool {
        match mark {
            Mark::Seen => self.can_mark_read,
            Mark::Answered | Mark::Flagged | Mark::Keyword(_) => self.can_mark,
        }
    }

    /// Whether messages may be taken out of it, as far as the rights of this account are known.
    pub fn may_remove(&self) -> bool {
        self.can_remove
    }
}

impl Record for Mailbox {
    const TABLE: Table = Table::Mailboxes;

    fn key(&self) -> Key {
        mailbox_key(self.id)
    }
}

/// What earlier versions did not store about mailboxes.
fn yes() -> bool {
    true
}

/// Puts mailboxes in the order to show them: the inbox, those with a role, then by name; each is
/// followed by those nested in it.
pub fn sort_mailboxes(mailboxes: &mut [Mailbox]) {
    let roles: BTreeMap<Vec<String>, Role> = mailboxes
        .iter()
        .filter_map(|mailbox| mailbox.role.map(|role| (mailbox.names.clone(), role)))
        .collect();
    mailboxes.sort_by_cached_key(|mailbox| {
        let ranked = (1..=mailbox.names.len()).map(|depth| {
            let role = roles.get(&mailbox.names[..depth]).copied();
            let name = &mailbox.names[depth - 1];
            (role.is_none(), role, name.to_lowercase(), name.clone())
        });
        ranked.collect::<Vec<_>>()
    });
}

/// Finds a mailbox by its number.
///
/// # Errors
///
/// [`MailError::Gone`] if there is none.
pub async fn mailbox(store: &impl Store, id: MailboxId) -> Result<Mailbox, MailError> {
    get(store, &mailbox_key(id)).await?.ok_or(MailError::Gone("mailbox"))
}

/// All mailboxes of an account, in the order to show them.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn mailboxes(store: &impl Store, account: AccountId) -> Result<Vec<Mailbox>, StoreError> {
    let mut mailboxes: Vec<Mailbox> = all(store, &KeyRange::all()).await?;
    mailboxes.retain(|mailbox| mailbox.account == account);
    sort_mailboxes(&mut mailboxes);
    Ok(mailboxes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(names: &[&str], role: Option<Role>) -> Mailbox {
        Mailbox {
            names: names.iter().map(|name| (*name).into()).collect(),
            role,
            uid_next: 1,
            ..Mailbox::new(MailboxId(1), AccountId(1))
        }
    }

    #[test]
    fn a_mailbox_that_an_earlier_version_has_stored_may_be_changed() {
        // As version 0.1.0 has stored it.
        #[derive(Serialize)]
        struct Earlier {
            id: MailboxId,
            account: AccountId,
            #[serde(with = "serde_bytes")]
            path: Vec<u8>,
            names: Vec<String>,
            role: Option<Role>,
            selectable: bool,
            uid_validity: u32,
            uid_next: u32,
            unread: u32,
            total: u32,
        }
        let new = mailbox(&["x"], None);
        let earlier = Earlier {
            id: new.id,
            account: new.account,
            path: new.path.clone(),
            names: new.names.clone(),
            role: None,
            selectable: true,
            uid_validity: 0,
            uid_next: 1,
            unread: 0,
            total: 0,
        };
        let read: Mailbox = crate::record::decode(&crate::record::encode(&earlier)).unwrap();
        assert_eq!(read, new);
        assert!(read.may_mark(&Mark::Seen) && read.may_mark(&Mark::Flagged) && read.may_remove());
    }

    #[test]
    fn what_is_doubtful_is_so_until_it_was_looked_at() {
        let stored: Vec<u32> = (1..=3_000).collect();
        let mut doubts = Doubts::default();
        assert!(doubts.is_empty() && doubts.among(&stored).is_empty());
        doubts.add([7, 5, 6]);
        doubts.add([9, 5, 4_000]);
        assert_eq!(doubts.among(&stored), [5, 6, 7, 9]);
        assert_eq!(doubts.among(&[1, 6, 8]), [6]);
        let looked_at = doubts.clone();
        doubts.add([6]);
        doubts.settle(&looked_at);
        assert_eq!(doubts.among(&stored), [5, 6, 7, 9], "one of them is doubtful again");
        let looked_at = doubts.clone();
        doubts.settle(&looked_at);
        assert!(doubts.is_empty());
        doubts.add((1..=2 * Doubts::RANGES as u32).step_by(2));
        assert_eq!(doubts.among(&stored).len(), Doubts::RANGES);
        doubts.add([2_999]);
        assert_eq!(doubts.among(&stored), stored, "too many to be told apart");
        assert_eq!(doubts.among(&[u32::MAX]), [u32::MAX]);
    }

    #[test]
    fn the_inbox_comes_first_then_roles_then_names_each_with_what_is_nested_in_it() {
        let mut mailboxes = [
            mailbox(&["zebra"], None),
            mailbox(&["Archive", "2024"], None),
            mailbox(&["Apple"], None),
            mailbox(&["Trash"], Some(Role::Trash)),
            mailbox(&["Archive"], Some(Role::Archive)),
            mailbox(&["INBOX"], Some(Role::Inbox)),
            mailbox(&["Sent"], Some(Role::Sent)),
        ];
        sort_mailboxes(&mut mailboxes);
        let order: Vec<_> = mailboxes.iter().map(|mailbox| mailbox.names.join("/")).collect();
        assert_eq!(order, ["INBOX", "Sent", "Archive", "Archive/2024", "Trash", "Apple", "zebra"]);
    }
}
