//! Finding messages whose UIDs are not known.

use std::collections::{BTreeMap, BTreeSet};

use postern_imap::{
    SequenceSet,
    command::{FetchItem, SearchKey, SearchReturn},
    quirks::Quirk,
};

use super::ImapClient;
use crate::{
    Host, MailError, Transport,
    changes::{Item, is_provisional},
    imap::{halves::Halving, limits, listing},
};

/// What tells one message from another.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Traits {
    message_id: String,
    size: u64,
    /// Whether the size may be another the next time.
    is_estimate: bool,
    /// When it arrived, in milliseconds since 1970 (UTC), if the server tells.
    arrived: Option<i64>,
}

impl Traits {
    /// Whether this is the message of an item: by its Message-ID, and its size where that counts; or
    /// without a Message-ID by size and arrival.
    fn fit(&self, item: &Item) -> bool {
        let has_id = !item.message_id.is_empty();
        self.message_id == item.message_id
            && (item.size == 0 || self.size == item.size || has_id && self.is_estimate)
            && (has_id || self.arrived == Some(item.arrived))
    }

    /// Whether this is a copy of an item, with which its date is kept (RFC 9051 section 6.4.7).
    /// What also came by way of a list has the same Message-ID, but another size or another date.
    fn is_copy_of(&self, item: &Item) -> bool {
        self.fit(item) && self.arrived == Some(item.arrived)
    }

    /// Whether this may be a copy of an item to which the server has given another date.
    fn may_be_copy_of(&self, item: &Item) -> bool {
        self.fit(item) && self.size == item.size
    }
}

/// Whether a message is in a mailbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// It is, under this UID.
    At(u32),
    /// It is not.
    Nowhere,
    /// Several could be it; the newest of them.
    Several(u32),
    /// None can be told from others.
    Uncertain,
}

impl Found {
    pub(super) fn uid(self) -> Option<u32> {
        match self {
            Self::At(uid) => Some(uid),
            Self::Nowhere | Self::Several(_) | Self::Uncertain => None,
        }
    }
}

impl<T: Transport> ImapClient<T> {
    /// Looks for a message in the selected mailbox.
    pub(super) async fn find_one<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        item: &Item,
    ) -> Result<Found, MailError> {
        if item.message_id.is_empty() {
            return Ok(Found::Uncertain);
        }
        let candidates = self.search_message_id(host, &item.message_id, 1).await?;
        let (traits, refusal) = self.traits(host, candidates).await?;
        if refusal.is_some() {
            return Ok(Found::Uncertain);
        }
        let fitting = traits.iter().filter(|(_, traits)| traits.fit(item));
        let fitting: Vec<u32> = fitting.map(|(uid, _)| *uid).collect();
        Ok(match fitting[..] {
            [] => Found::Nowhere,
            [uid] => Found::At(uid),
            [.., newest] => Found::Several(newest),
        })
    }

    /// The UID of a message that was put into the selected mailbox under this Message-ID; the
    /// newest if it is there more than once. A search may name others as well, where header fields
    /// are compared loosely or not at all: it is the one that tells this Message-ID. Where none
    /// does, it is the one that came `since` it was first put there and of which the server refuses
    /// to tell more, if that is one alone.
    pub(in crate::imap) async fn find_put<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        message_id: &str,
        since: Option<u32>,
    ) -> Result<Option<u32>, MailError> {
        if message_id.is_empty() {
            return Ok(None);
        }
        let mut found = self.search_message_id(host, message_id, 1).await?;
        let (traits, _) = self.traits(host, found.iter().copied()).await?;
        let same = traits.iter().filter(|(_, own)| own.message_id == message_id);
        if let Some(uid) = same.map(|(uid, _)| *uid).max() {
            return Ok(Some(uid));
        }
        found.retain(|uid| since.is_some_and(|since| *uid >= since) && !traits.contains_key(uid));
        let [uid] = found[..] else { return Ok(None) };
        // Nothing is told of one that is not there either, but that is not refused.
        let (told, refusal) = self.traits(host, [uid]).await?;
        Ok(refusal.filter(|_| told.is_empty()).map(|_| uid))
    }

    /// Messages of the selected mailbox with the sizes and dates that the server tells of them now,
    /// as it does of their copies: what was made here may have others. One that it does not tell is
    /// as it is known.
    pub(super) async fn as_told<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        items: &[Item],
    ) -> Result<Vec<Item>, MailError> {
        let (told, _) = self.traits(host, items.iter().map(|item| item.uid)).await?;
        let as_told = |item: &Item| {
            let own = told.get(&item.uid).filter(|own| own.message_id == item.message_id);
            let (size, arrived) = own.map_or((item.size, None), |own| (own.size, own.arrived));
            Item { size, arrived: arrived.unwrap_or(item.arrived), ..item.clone() }
        };
        Ok(items.iter().map(as_told).collect())
    }

    /// The UIDs of messages that came into the selected mailbox, from a UID on, in the order of the
    /// items; 0 where none or more than one could be it. Each message is found once, and none of
    /// those that are known to be others. Where the server has said that they came just now, one
    /// may have another date than its item.
    pub(super) async fn find_arrivals<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        items: &[Item],
        from: u32,
        others: &BTreeSet<u32>,
        is_said: bool,
    ) -> Result<Vec<u32>, MailError> {
        let mut candidates = BTreeSet::new();
        for item in items.iter().filter(|item| !item.message_id.is_empty()) {
            candidates.extend(self.search_message_id(host, &item.message_id, from).await?);
        }
        // Without a Message-ID only what came lately is looked at.
        if from > 1 && items.iter().any(|item| item.message_id.is_empty()) {
            candidates.extend(self.search_from(host, from, None).await?);
        }
        candidates.retain(|uid| !others.contains(uid));
        let (mut traits, _) = self.traits(host, candidates).await?;
        let mut found = vec![0; items.len()];
        let ways = [Traits::is_copy_of, Traits::may_be_copy_of];
        for fits in &ways[..if is_said && from > 1 { 2 } else { 1 }] {
            for (item, found) in items.iter().zip(&mut found).filter(|(_, found)| **found == 0) {
                let fitting = traits.iter().filter(|(_, own)| fits(own, item));
                let fitting: Vec<u32> = fitting.map(|(uid, _)| *uid).collect();
                // Several that came just now came in the order of the items; of old ones nobody
                // knows.
                *found = match fitting[..] {
                    [uid] => uid,
                    [oldest, ..] if from > 1 => oldest,
                    _ => continue,
                };
                traits.remove(&*found);
            }
        }
        Ok(found)
    }

    /// Whether the selected mailbox has these messages under these UIDs; nothing of those that it has not,
    /// and of those that can't be looked at.
    pub(super) async fn same_at<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        known: BTreeMap<u32, &Item>,
    ) -> Result<BTreeMap<u32, bool>, MailError> {
        let (traits, refusal) = self.traits(host, known.keys().copied()).await?;
        // One that can't be looked at is what it is thought to be, if others are.
        if let Some(refusal) = refusal.filter(|_| traits.is_empty()) {
            return Err(refusal);
        }
        // The size of one that was made here may be counted in another way, or be an estimate.
        let has_size =
            |own: &Traits, item: &Item| own.is_estimate || item.size == 0 || own.size == item.size;
        let is_same = |uid: u32, own: &Traits| {
            let item = known[&uid];
            own.message_id == item.message_id
                && (!item.message_id.is_empty()
                    || own.arrived == Some(item.arrived) && has_size(own, item))
        };
        Ok(traits.iter().map(|(uid, own)| (*uid, is_same(*uid, own))).collect())
    }

    /// The UIDs of messages of the selected mailbox that the server finds by a Message-ID, from a
    /// UID on.
    async fn search_message_id<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        message_id: &str,
        from: u32,
    ) -> Result<Vec<u32>, MailError> {
        let key = SearchKey::Header { name: "Message-ID".into(), value: message_id.into() };
        self.search_from(host, from, Some(key)).await
    }

    async fn search_from<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        from: u32,
        key: Option<SearchKey>,
    ) -> Result<Vec<u32>, MailError> {
        // `n:*` would also name the last message if all UIDs are below n.
        let range = SequenceSet::from_ranges([from.max(1)..=u32::MAX]);
        let keys = range.filter(|_| from > 1).map(SearchKey::Uid).into_iter().chain(key).collect();
        let found = self.search_all(host, keys, SearchReturn::All).await?;
        let Some(uids) = found.all else { return Ok(Vec::new()) };
        if uids.count() > limits::CANDIDATES {
            return Ok(Vec::new());
        }
        // One that looks like a message on its way could be taken for another.
        Ok(uids.numbers().filter(|uid| *uid >= from && !is_provisional(*uid)).collect())
    }

    /// What the server tells of these messages of the selected mailbox; and why it has refused to
    /// tell it of some, if it has. One of those, such as a damaged message, keeps no other from it.
    async fn traits<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        uids: impl IntoIterator<Item = u32>,
    ) -> Result<(BTreeMap<u32, Traits>, Option<MailError>), MailError> {
        let uids: BTreeSet<u32> = uids.into_iter().collect();
        let Some(set) = SequenceSet::from_numbers(uids.iter().copied()) else {
            return Ok((BTreeMap::new(), None));
        };
        let items = vec![FetchItem::Envelope, FetchItem::Size, FetchItem::InternalDate];
        let mut halving = Halving::new(items, "look for a message");
        let came = self.fetch_window(host, &set, &mut halving).await?;
        let is_estimate = self.has_quirk(Quirk::EstimatesSizes);
        let known = came.into_iter().filter_map(|fetch| {
            let traits = Traits {
                message_id: listing::message_id(fetch.envelope.as_ref()?),
                size: fetch.size?,
                is_estimate,
                arrived: fetch.internal_date.map(|seconds| seconds * 1000),
            };
            Some((fetch.uid.filter(|uid| uids.contains(uid))?, traits))
        });
        Ok((known.collect(), halving.left_out()))
    }
}
