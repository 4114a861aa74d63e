//! What is stored, and under which keys.
//!
//! Records are MessagePack with field names, so that a field can be added (with `serde(default)`)
//! without rewriting what people have stored. Raw message bytes are kept as they came, in chunks
//! of [`CHUNK`] bytes.

use std::collections::BTreeMap;

use postern_bridge::{
    AccountId, Address, Extent, Flags, Identity, MailboxId, MessageId, Protocol, Retention, Role,
    ServerLogin,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    MailError, Secret, Store, Vault,
    store::{Key, KeyRange, Order, StoreError, Table, Write},
    threads,
};

/// The size of a chunk of raw message bytes: small enough to stream, large enough to be quick.
pub const CHUNK: usize = 256 * 1024;

/// Something that has a table and a key.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it lives.
    const TABLE: Table;

    /// Under which key.
    fn key(&self) -> Key;

    /// The write that stores it.
    fn put(&self) -> Write {
        Write::Put { table: Self::TABLE, key: self.key(), value: encode(self) }
    }

    /// The write that removes it.
    fn delete(&self) -> Write {
        Write::Delete { table: Self::TABLE, key: self.key() }
    }
}

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
    /// The password, as [`Vault::seal`](crate::Vault::seal) made it; empty if it is not here, since the
    /// account came from a backup.
    #[serde(with = "serde_bytes")]
    pub sealed_password: Vec<u8>,
}

impl Account {
    /// The password, decrypted.
    ///
    /// # Errors
    ///
    /// [`MailError::PasswordMissing`] if there is none; or if it can't be decrypted.
    pub async fn password(&self, vault: &impl Vault) -> Result<Secret, MailError> {
        if self.sealed_password.is_empty() {
            return Err(MailError::PasswordMissing);
        }
        Ok(vault.unseal(&self.sealed_password).await?)
    }
}

impl Record for Account {
    const TABLE: Table = Table::Accounts;

    fn key(&self) -> Key {
        account_key(self.id)
    }
}

/// A mailbox, on a server or local.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Mailbox {
    /// Its number.
    pub id: MailboxId,
    /// Its account.
    pub account: AccountId,
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
    /// How far what is stored follows the server.
    #[serde(default)]
    pub synced: SyncPoint,
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

/// What is stored of a message's bytes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Body {
    /// Nothing yet.
    #[default]
    Absent,
    /// The message as it came.
    Whole {
        /// Its size in bytes.
        size: u64,
    },
    /// The message with the content of some parts left out.
    Partial {
        /// The size in bytes of what is stored.
        size: u64,
        /// The parts that are left out.
        absent: Vec<AbsentPart>,
    },
    /// The header alone, as POP3's TOP gave it.
    Header {
        /// The size in bytes of what is stored.
        size: u64,
    },
}

impl Body {
    /// How many bytes are stored.
    pub fn stored_size(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Whole { size } | Self::Partial { size, .. } | Self::Header { size } => *size,
        }
    }
}

/// A part whose content was not fetched.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AbsentPart {
    /// The part's number (RFC 9051 section 6.4.5).
    pub section: String,
    /// Its decoded size in bytes, estimated.
    pub size: u64,
}

/// A message's record: what the list shows and what is known of its bytes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Message {
    /// Its place.
    pub id: MessageId,
    /// When it arrived, in milliseconds since 1970 (UTC): IMAP's INTERNALDATE; on POP3 when it was
    /// sent, or else the download.
    pub arrived: i64,
    /// `Date`, in milliseconds since 1970 (UTC), if the header can be read.
    pub sent: Option<i64>,
    /// The message's size in bytes.
    pub size: u64,
    /// Its flags.
    pub flags: Flags,
    /// Its keywords, as they are spelled on the server.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// `From`.
    pub from: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// The subject, decoded.
    pub subject: String,
    /// `Message-ID` without its angle brackets; may be empty.
    pub message_id: String,
    /// What it says of its conversation; `None` if an earlier version, which did not look, stored it.
    #[serde(default)]
    pub links: Option<Links>,
    /// The first words of the text; empty while unknown.
    pub preview: String,
    /// Whether it has attachments, as far as is known.
    pub has_attachments: bool,
    /// What is stored of its bytes.
    pub body: Body,
}

/// What a message, and its server, say of the conversation that it belongs to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Links {
    /// The ids of the messages that it follows, oldest first, without their angle brackets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The server's name for the conversation; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thread: String,
    /// The server's name for the message, which is the same in every mailbox; empty where it has none,
    /// or was not asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl Links {
    /// Of what it follows the first, which names the conversation, and as many of the latest as fit
    /// into [`threads::limits::REFERENCES`] bytes are kept.
    pub fn new(mut references: Vec<String>, mut thread: String) -> Self {
        let mut left =
            threads::limits::REFERENCES.saturating_sub(references.first().map_or(0, String::len));
        let fits = |id: &&String| {
            let fits = id.len() <= left;
            left = left.saturating_sub(id.len());
            fits
        };
        let kept = references.iter().skip(1).rev().take_while(fits).count();
        let surplus = references.len().saturating_sub(1 + kept);
        references.drain(1.min(references.len())..1.min(references.len()) + surplus);
        if thread.len() > threads::limits::REFERENCES {
            thread.clear();
        }
        Self { references, thread, message: String::new() }
    }
}

impl Record for Message {
    const TABLE: Table = Table::Messages;

    fn key(&self) -> Key {
        message_key(self.id)
    }
}

/// Where a message stands in its mailbox's list: by arrival, then by UID.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// When it arrived, as [`Message::arrived`].
    pub arrived: i64,
    /// Its UID.
    pub uid: u32,
}

impl Message {
    /// Where it stands in its mailbox's list.
    pub fn place(&self) -> Place {
        Place { arrived: self.arrived, uid: self.id.uid }
    }

    /// The key that orders it in its mailbox.
    pub fn arrival_key(&self) -> Key {
        mailbox_key(self.id.mailbox).i64(self.arrived).u32(self.id.uid)
    }

    /// The writes that store the record and its place in the list.
    pub fn put_listed(&self) -> [Write; 2] {
        let place =
            Write::Put { table: Table::Arrival, key: self.arrival_key(), value: Vec::new() };
        [self.put(), place]
    }

    /// The writes that remove the record, its place and its bytes.
    pub fn delete_whole(&self) -> [Write; 3] {
        let place = Write::Delete { table: Table::Arrival, key: self.arrival_key() };
        let bytes =
            Write::DeleteRange { table: Table::Bodies, range: KeyRange::prefix(self.key()) };
        [self.delete(), place, bytes]
    }
}

/// An account's key, and the prefix of its ledger's keys.
pub fn account_key(account: AccountId) -> Key {
    Key::new().u32(account.0)
}

/// A mailbox's key, and the prefix of all keys of its messages, list places and chunks.
pub fn mailbox_key(mailbox: MailboxId) -> Key {
    Key::new().u32(mailbox.0)
}

/// A message's key, and the prefix of its chunks' keys.
pub fn message_key(message: MessageId) -> Key {
    mailbox_key(message.mailbox).u32(message.uid)
}

/// The message that a key of [`message_key`] stands for; none if it is another kind of key.
pub fn keyed_message(key: &Key) -> Option<MessageId> {
    let (mailbox, uid) = key.0.split_first_chunk::<4>()?;
    let number = |bytes| u32::from_be_bytes(bytes);
    let uid = number(uid.try_into().ok()?);
    Some(MessageId { mailbox: MailboxId(number(*mailbox)), uid })
}

/// The message that an arrival key stands for.
///
/// # Errors
///
/// If the key is not what [`Message::arrival_key`] makes.
pub fn arrived_message(key: &Key) -> Result<MessageId, StoreError> {
    let number = |at: usize| {
        let bytes = key.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes)
    };
    match (number(0), number(12)) {
        (Some(mailbox), Some(uid)) => Ok(MessageId { mailbox: MailboxId(mailbox), uid }),
        _ => Err(StoreError::Damaged("a list key".into())),
    }
}

/// The place that an arrival key stands for.
///
/// # Errors
///
/// If the key is not what [`Message::arrival_key`] makes.
pub fn listed_place(key: &Key) -> Result<Place, StoreError> {
    let uid = arrived_message(key)?.uid;
    let arrived = key.0.get(4..12).and_then(|bytes| bytes.try_into().ok());
    let arrived = arrived.ok_or_else(|| StoreError::Damaged("a list key".into()))?;
    Ok(Place { arrived: i64::from_be_bytes(arrived) ^ i64::MIN, uid })
}

/// The writes that store a message's bytes in chunks, replacing what was there.
pub fn put_body(message: MessageId, raw: &[u8]) -> Vec<Write> {
    let prefix = message_key(message);
    let clear = Write::DeleteRange { table: Table::Bodies, range: chunks(message) };
    let chunks = raw.chunks(CHUNK).zip(0..).map(|(chunk, number)| Write::Put {
        table: Table::Bodies,
        key: prefix.clone().u32(number),
        value: chunk.to_vec(),
    });
    std::iter::once(clear).chain(chunks).collect()
}

/// Reads a message's stored bytes; empty if there are none.
///
/// # Errors
///
/// If the store can't be read.
pub async fn body(store: &impl Store, message: MessageId) -> Result<Vec<u8>, StoreError> {
    beginning(store, message, usize::MAX).await
}

/// Reads the beginning of a message's stored bytes: so many, or some more up to the end of a chunk.
///
/// # Errors
///
/// If the store can't be read.
pub async fn beginning(
    store: &impl Store,
    message: MessageId,
    bytes: usize,
) -> Result<Vec<u8>, StoreError> {
    let most = bytes.div_ceil(CHUNK);
    let chunks = store.scan(Table::Bodies, &chunks(message), Order::Ascending, most).await?;
    let chunks: Vec<&[u8]> = chunks.iter().map(|(_, chunk)| &chunk[..]).collect();
    Ok(chunks.concat())
}

/// Where the numbers of chunks end and parts that were fetched by themselves begin.
const PARTS: u32 = 1 << 31;

/// The keys of a message's own chunks.
pub(crate) fn chunks(message: MessageId) -> KeyRange {
    let start = message_key(message);
    KeyRange { end: Some(start.clone().u32(PARTS)), start }
}

/// That a part is stored as a whole, under the number that follows those of its windows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PartEnd {
    /// Its transfer encoding, in lower case.
    pub encoding: String,
    /// Its encoded size in bytes.
    pub size: u64,
}

/// The prefix of the keys of a part that was fetched by itself, in windows numbered from 0.
pub fn part_key(message: MessageId, section: &str) -> Key {
    // A section has no zero byte, so that none begins like another one's windows.
    message_key(message).u32(PARTS).bytes(section.as_bytes()).bytes(&[0])
}

/// Whether a part is stored as a whole, and how it is encoded.
///
/// # Errors
///
/// If the store can't be read or the record is damaged.
pub async fn part_end(
    store: &impl Store,
    message: MessageId,
    section: &str,
) -> Result<Option<PartEnd>, StoreError> {
    let key = part_key(message, section).u32(u32::MAX);
    store.get(Table::Bodies, &key).await?.map(|value| decode(&value)).transpose()
}

/// Reads one record.
///
/// # Errors
///
/// If the store can't be read or the record is damaged.
pub async fn get<R: Record>(store: &impl Store, key: &Key) -> Result<Option<R>, StoreError> {
    store.get(R::TABLE, key).await?.map(|value| decode(&value)).transpose()
}

/// Reads the records with these keys, in their order: one question for all of them.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn get_many<R: Record>(
    store: &impl Store,
    keys: &[Key],
) -> Result<Vec<Option<R>>, StoreError> {
    let values = store.get_many(R::TABLE, keys).await?;
    values.into_iter().map(|value| value.map(|value| decode(&value)).transpose()).collect()
}

/// Reads all records of a range, ascending.
///
/// # Errors
///
/// If the store can't be read or a record is damaged.
pub async fn all<R: Record>(store: &impl Store, range: &KeyRange) -> Result<Vec<R>, StoreError> {
    let entries = store.scan(R::TABLE, range, Order::Ascending, usize::MAX).await?;
    entries.iter().map(|(_, value)| decode(value)).collect()
}

/// Reads those records of a range that can be read, ascending; and the keys of the others.
///
/// # Errors
///
/// If the store can't be read.
pub async fn readable<R: Record>(
    store: &impl Store,
    range: &KeyRange,
) -> Result<(Vec<R>, Vec<Key>), StoreError> {
    let entries = store.scan(R::TABLE, range, Order::Ascending, usize::MAX).await?;
    let (mut records, mut damaged) = (Vec::with_capacity(entries.len()), Vec::new());
    for (key, value) in entries {
        match decode(&value) {
            Ok(record) => records.push(record),
            Err(_) => damaged.push(key),
        }
    }
    Ok((records, damaged))
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

/// Takes the next unused number of a series (such as `"account"` or `"mailbox"`); the write that
/// remembers it belongs into the batch that uses it.
///
/// # Errors
///
/// If the store can't be read.
pub async fn next_number(store: &impl Store, series: &str) -> Result<(u32, Write), StoreError> {
    next_numbers(store, series, 1).await
}

/// Takes the next `count` unused numbers of a series, of which the first is returned; the write
/// that remembers them belongs into the batch that uses them.
///
/// # Errors
///
/// If the store can't be read.
pub async fn next_numbers(
    store: &impl Store,
    series: &str,
    count: u32,
) -> Result<(u32, Write), StoreError> {
    let key = Key::new().bytes(b"next-").bytes(series.as_bytes());
    let number: u32 = match store.get(Table::Meta, &key).await? {
        Some(value) => decode(&value)?,
        None => 1,
    };
    Ok((number, Write::Put { table: Table::Meta, key, value: encode(&(number + count)) }))
}

/// Addresses as records and views have them.
pub fn addresses(addresses: Vec<postern_mime::Address>) -> Vec<Address> {
    let own = |postern_mime::Address { name, address }| Address { name, address };
    addresses.into_iter().map(own).collect()
}

/// A value as it is stored.
///
/// # Panics
///
/// Never for this crate's records: all of them can be encoded, and writing to memory can't fail.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("records can be encoded")
}

/// A stored value.
///
/// # Errors
///
/// If the bytes are not a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(bytes).map_err(|error| StoreError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Endpoint, Security, TlsEnd};

    use super::*;

    fn mailbox(names: &[&str], role: Option<Role>) -> Mailbox {
        Mailbox {
            id: MailboxId(1),
            account: AccountId(1),
            path: Vec::new(),
            names: names.iter().map(|name| (*name).into()).collect(),
            role,
            selectable: true,
            delimiter: None,
            can_nest: true,
            subscribed: true,
            uid_validity: 0,
            uid_next: 1,
            unread: 0,
            total: 0,
            conversations: false,
            synced: SyncPoint::default(),
        }
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

    /// An account as version 0.1.0 has stored it.
    const EARLIER_ACCOUNT: &[u8] = b"\x87\xa2id\x03\xa8identity\x82\xa4name\xa3Ada\
        \xa7address\xafada@example.org\xa8protocol\xa4Imap\
        \xa8incoming\x82\xa8endpoint\x84\xa4host\xb0imap.example.org\xa4port\xcd\x03\xe1\
        \xa8security\xa3Tls\xa7tls_end\xa5Proxy\xa8username\xafada@example.org\
        \xa8outgoing\x82\xa8endpoint\x84\xa4host\xb0smtp.example.org\xa4port\xcd\x02\x4b\
        \xa8security\xa8StartTls\xa7tls_end\xa7Browser\xa8username\xafada@example.org\
        \xa9retention\xa4Keep\xafsealed_password\xc4\x02\x01\x02";

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
            sealed_password: vec![1, 2],
        };
        assert_eq!(decode(EARLIER_ACCOUNT), Ok(account));
    }

    #[test]
    fn of_what_a_message_follows_the_first_and_the_latest_are_kept() {
        let limit = threads::limits::REFERENCES;
        let id = |first: &str, length| format!("{first}{}", "x".repeat(length - 1));
        let kept = |lengths: &[usize]| {
            let ids = lengths.iter().zip('a'..).map(|(length, own)| id(&own.to_string(), *length));
            let links = Links::new(ids.collect(), String::new());
            links.references.iter().map(|id| id[..1].to_owned()).collect::<String>()
        };
        assert_eq!(kept(&[]), "");
        assert_eq!(kept(&[10, 20, 30]), "abc");
        assert_eq!(kept(&[10, 20, 30, limit - 10 - 30]), "acd");
        assert_eq!(kept(&[10, 20, 30, limit - 10 - 29]), "ad");
        assert_eq!(kept(&[limit + 1, 20, 30]), "a");
    }

    #[test]
    fn a_message_of_an_earlier_version_has_no_links() {
        #[derive(Serialize)]
        struct Earlier {
            id: MessageId,
            arrived: i64,
            sent: Option<i64>,
            size: u64,
            flags: Flags,
            from: Vec<Address>,
            to: Vec<Address>,
            subject: String,
            message_id: String,
            preview: String,
            has_attachments: bool,
            body: Body,
        }
        let id = MessageId { mailbox: MailboxId(7), uid: 3 };
        let earlier = Earlier {
            id,
            arrived: 5,
            sent: None,
            size: 9,
            flags: Flags::default(),
            from: Vec::new(),
            to: Vec::new(),
            subject: "Figs".into(),
            message_id: "a@b".into(),
            preview: String::new(),
            has_attachments: false,
            body: Body::Absent,
        };
        let read: Message = decode(&encode(&earlier)).unwrap();
        assert_eq!((read.id, read.subject.as_str(), &read.links), (id, "Figs", &None));
        let links = Links::new(vec!["x@y".into()], "T1".into());
        let now = Message { links: Some(links.clone()), ..read };
        assert_eq!(decode::<Message>(&encode(&now)).unwrap().links, Some(links));
    }

    #[test]
    fn an_arrival_key_names_its_message() {
        let id = MessageId { mailbox: MailboxId(7), uid: u32::MAX };
        for arrived in [i64::MIN, -1, 0, 1_700_000_000_000] {
            let key = mailbox_key(id.mailbox).i64(arrived).u32(id.uid);
            assert_eq!(arrived_message(&key), Ok(id));
            assert_eq!(listed_place(&key), Ok(Place { arrived, uid: id.uid }));
        }
        assert!(arrived_message(&Key::new().u32(7)).is_err());
    }
}
