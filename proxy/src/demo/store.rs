//! The account's mailboxes, in memory, shared by the three servers.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::sync::watch;

/// A message in a mailbox. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its UID (RFC 9051 section 2.3.1.1).
    pub uid: u32,
    /// The whole message as it came, with CRLF line ends.
    pub raw: Bytes,
    /// Its flags, such as `\Seen` and `$Forwarded`.
    pub flags: BTreeSet<String>,
    /// When it arrived, in seconds since 1970.
    pub internal_date: i64,
    /// Grows whenever the flags change.
    pub(super) version: u64,
}

impl Message {
    /// Whether it has a flag; case does not matter.
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own.eq_ignore_ascii_case(flag))
    }
}

/// A mailbox.
#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    /// Its full name in Unicode, with `/` between levels.
    pub(super) name: String,
    /// Unique among all mailboxes that ever were, so that it also serves as identity.
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    /// Its special use, such as `\Sent` (RFC 6154).
    pub(super) special_use: Option<&'static str>,
    pub(super) subscribed: bool,
    /// In the order of their UIDs.
    pub(super) messages: Vec<Message>,
}

impl Mailbox {
    /// Where the message of this UID is.
    pub(super) fn position(&self, uid: u32) -> Option<usize> {
        self.messages.binary_search_by_key(&uid, |message| message.uid).ok()
    }

    /// Adds a message and returns its UID.
    pub(super) fn add(&mut self, raw: Bytes, flags: BTreeSet<String>, internal_date: i64) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.messages.push(Message { uid, raw, flags, internal_date, version: 0 });
        uid
    }
}

/// All mailboxes.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) mailboxes: Vec<Mailbox>,
    last_uid_validity: u32,
}

impl Account {
    /// No mailbox at all. UIDVALIDITY starts from the time, so that a client which knew the
    /// account of an earlier start does not take the new messages for the old ones.
    pub(super) fn new(now: i64) -> Self {
        Self { mailboxes: Vec::new(), last_uid_validity: (now & 0x7fff_ffff) as u32 }
    }

    pub(super) fn mailbox(&self, name: &str) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|mailbox| same_name(&mailbox.name, name))
    }

    pub(super) fn mailbox_mut(&mut self, name: &str) -> Option<&mut Mailbox> {
        self.mailboxes.iter_mut().find(|mailbox| same_name(&mailbox.name, name))
    }

    /// The mailbox of this UIDVALIDITY.
    pub(super) fn by_identity(&self, uid_validity: u32) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|mailbox| mailbox.uid_validity == uid_validity)
    }

    pub(super) fn by_identity_mut(&mut self, uid_validity: u32) -> Option<&mut Mailbox> {
        self.mailboxes.iter_mut().find(|mailbox| mailbox.uid_validity == uid_validity)
    }

    /// Makes an empty mailbox of a name that is not yet taken.
    pub(super) fn create(&mut self, name: &str, special_use: Option<&'static str>) {
        let uid_validity = self.next_uid_validity();
        self.mailboxes.push(Mailbox {
            name: name.to_owned(),
            uid_validity,
            uid_next: 1,
            special_use,
            subscribed: true,
            messages: Vec::new(),
        });
    }

    pub(super) fn next_uid_validity(&mut self) -> u32 {
        self.last_uid_validity += 1;
        self.last_uid_validity
    }
}

/// INBOX is the same in any case (RFC 9051 section 5.1); other names are as they are.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
}

/// The mail of the demo account. Tests use it to look at what the client did, and to change the
/// mail behind its back.
#[derive(Debug)]
pub struct Store {
    account: Mutex<Account>,
    changed: watch::Sender<u64>,
}

impl Store {
    pub(super) fn new(account: Account) -> Self {
        Self { account: Mutex::new(account), changed: watch::Sender::new(0) }
    }

    /// The full names of all mailboxes.
    pub fn mailboxes(&self) -> Vec<String> {
        self.account().mailboxes.iter().map(|mailbox| mailbox.name.clone()).collect()
    }

    /// The messages of a mailbox, oldest UID first; none if there is no such mailbox.
    pub fn messages(&self, mailbox: &str) -> Vec<Message> {
        self.account().mailbox(mailbox).map(|found| found.messages.clone()).unwrap_or_default()
    }

    /// Puts a message in INBOX, as if it had just come, and returns its UID.
    pub fn deliver(&self, raw: impl Into<Bytes>) -> u32 {
        self.append("INBOX", raw, &[], now()).expect("INBOX can't be deleted or renamed")
    }

    /// Puts a message in a mailbox and returns its UID, or nothing if there is no such mailbox.
    /// `internal_date` is in seconds since 1970.
    pub fn append(
        &self,
        mailbox: &str,
        raw: impl Into<Bytes>,
        flags: &[&str],
        internal_date: i64,
    ) -> Option<u32> {
        let flags = flags.iter().copied().map(canonical_flag).collect();
        self.change(|account| {
            Some(account.mailbox_mut(mailbox)?.add(raw.into(), flags, internal_date))
        })
    }

    /// Removes a message, as another client would; says whether it was there.
    pub fn remove(&self, mailbox: &str, uid: u32) -> bool {
        self.change(|account| {
            let Some(mailbox) = account.mailbox_mut(mailbox) else { return false };
            let Some(position) = mailbox.position(uid) else { return false };
            mailbox.messages.remove(position);
            true
        })
    }

    /// Replaces the flags of a message, as another client would; says whether it was there.
    pub fn set_flags(&self, mailbox: &str, uid: u32, flags: &[&str]) -> bool {
        self.change(|account| {
            let Some(mailbox) = account.mailbox_mut(mailbox) else { return false };
            let Some(position) = mailbox.position(uid) else { return false };
            let message = &mut mailbox.messages[position];
            message.flags = flags.iter().copied().map(canonical_flag).collect();
            message.version += 1;
            true
        })
    }

    /// Gives a mailbox a new UIDVALIDITY and numbers its messages anew from 1, as a server does
    /// that has lost its index; says whether there is such a mailbox.
    pub fn renumber(&self, mailbox: &str) -> bool {
        self.change(|account| {
            let uid_validity = account.next_uid_validity();
            let Some(mailbox) = account.mailbox_mut(mailbox) else { return false };
            mailbox.uid_validity = uid_validity;
            for (uid, message) in (1..).zip(&mut mailbox.messages) {
                message.uid = uid;
            }
            mailbox.uid_next = mailbox.messages.last().map_or(1, |last| last.uid + 1);
            true
        })
    }

    /// Lets nothing else touch the mail meanwhile; for reading.
    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the mail and tells everyone who watches.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        let result = change(&mut self.account());
        self.changed.send_modify(|changes| *changes += 1);
        result
    }

    /// Tells when the mail has changed.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// System flags in their usual spelling; keywords as they are.
pub(super) fn canonical_flag(flag: &str) -> String {
    ["\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(flag))
        .unwrap_or(flag)
        .to_owned()
}

/// The time in seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
