//! Which message it is that has come: a function of what is known of it, listing and ledger.

use std::collections::BTreeSet;

use super::{
    ledger::Ledger,
    limits::MAX_ALIKE,
    listing::{Listed, Listing},
    plan::Part,
    row::{LedgerRow, RowChange, nameless},
};

/// What is known of something that has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) listed: &'a Listed,
    pub(super) part: Part,
    pub(super) sha256: [u8; 32],
    pub(super) header: Option<[u8; 32]>,
    pub(super) text_size: Option<u64>,
    /// SHA-256 of its text, if it has no unique id.
    pub(super) text: Option<[u8; 32]>,
    /// Whether its header has a Message-ID, so that no other message has the same header.
    pub(super) is_unique: bool,
    /// The names of rows whose messages differ from it in nothing but what servers change in a
    /// header; found by comparing the two.
    pub(super) remarked: &'a BTreeSet<Vec<u8>>,
}

/// Which message it is that has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Identity {
    /// One that was never stored. If a row has its unique id, the server has given it to another
    /// message.
    New,
    /// One that is stored, though listed with another size, id or fate; how its row changes.
    Known(Box<RowChange>),
    /// The rest of one whose header is stored, or one that is damaged here; its row as it was.
    Completes(Box<LedgerRow>),
    /// One whose row can't be read.
    Unreadable,
}

/// Finds out which message it is that has come.
///
/// It is the same as a stored one if every byte is the same but for what servers change in a header;
/// where only a header is there, or has come, if the header is the same. Under its unique id that is
/// all. Without one, or under a new one, the stored one must not be listed as it was: servers that
/// are moved give new ids to all messages, and some give them in turn.
pub(super) fn identify(facts: Facts<'_>, listing: &Listing, ledger: &Ledger) -> Identity {
    let Some(uidl) = &facts.listed.uidl else {
        return identify_unnamed(facts, listing, ledger);
    };
    if let Some(row) = ledger.by_uidl(uidl).filter(|row| is_same(row, facts)) {
        return known(row, facts);
    }
    let placeholder = || {
        let same = |row: &&LedgerRow| row.listed_size == facts.listed.size && !listing.has(row);
        ledger.placeholders().find(same)
    };
    let candidate = alike(facts, ledger, true).find(|row| !listing.has(row)).or_else(placeholder);
    candidate.map_or(Identity::New, |row| known(row, facts))
}

/// The same for one without a unique id that can be used.
fn identify_unnamed(facts: Facts<'_>, listing: &Listing, ledger: &Ledger) -> Identity {
    // A row with a unique id that the server lists is about the message of that.
    let completes = |row: &&LedgerRow| lacks(row, facts) && !listing.tells(&row.uidl);
    let same_size = |row: &&LedgerRow| row.listed_size == facts.listed.size;
    // Once a server has marked its header, a message is listed with another size.
    let is_sized = facts.part == Part::Whole && facts.listed.size > 0;
    let same = |row: &LedgerRow| {
        let is_told = is_sized && row.uidl.is_empty();
        let listed_size = if is_told { facts.listed.size } else { row.listed_size };
        let now = LedgerRow { listed_size, ..row.clone() };
        Identity::Known(Box::new(RowChange { before: row.clone(), now }))
    };
    let here = alike(facts, ledger, false).find(|row| !lacks(row, facts) && !row.partial);
    if let Some(row) = here {
        return same(row);
    }
    let partial = || alike(facts, ledger, false).find(completes);
    let placeholder = || ledger.placeholders().filter(same_size).find(completes);
    if let Some(row) = partial().or_else(placeholder) {
        return Identity::Completes(Box::new(row.clone()));
    }
    if let Some(row) = alike(facts, ledger, false).next() {
        return same(row);
    }
    if ledger.is_unreadable(&nameless(&facts.sha256, 0)) {
        Identity::Unreadable
    } else {
        Identity::New
    }
}

/// Whether what has come under a row's unique id is the row's message.
fn is_same(row: &LedgerRow, facts: Facts<'_>) -> bool {
    if has_same_bytes(row, facts) || row.is_placeholder() {
        return true;
    }
    let same_header = row.header.is_some() && row.header == facts.header;
    if row.partial || facts.part == Part::Header {
        // What has no header is told by its id alone.
        return same_header || (row.partial && row.header.is_none() && facts.header.is_none());
    }
    // Of what was deleted here, or is damaged, nothing is left to compare.
    let has_nothing = row.deleted_here.is_some() || row.is_damaged();
    facts.remarked.contains(&row.name()) || (has_nothing && has_same_outline(row, facts))
}

/// Whether what has come is just what was stored.
fn has_same_bytes(row: &LedgerRow, facts: Facts<'_>) -> bool {
    row.partial == (facts.part == Part::Header) && row.sha256 == facts.sha256
}

/// Whether what has come has the header of what was stored, and a text of the same size.
fn has_same_outline(row: &LedgerRow, facts: Facts<'_>) -> bool {
    let same_header = row.header.is_some() && row.header == facts.header;
    same_header && row.text_size.is_some() && row.text_size == facts.text_size
}

/// The rows of messages that can't be told from a new one, and are listed as they were, as many as are
/// looked at: it is a copy of one of them, or another message has that one's id by now.
pub(super) fn listed_alike<'a>(
    facts: Facts<'a>,
    listing: &'a Listing,
    ledger: &'a Ledger,
) -> impl Iterator<Item = &'a LedgerRow> {
    alike(facts, ledger, false).filter(|row| listing.has(row)).take(MAX_ALIKE)
}

/// The rows of messages that can't be told from this one; `unlisted` for those alone that the server
/// does not list as they were.
fn alike<'a>(
    facts: Facts<'a>,
    ledger: &'a Ledger,
    unlisted: bool,
) -> impl Iterator<Item = &'a LedgerRow> {
    let is_whole = facts.part == Part::Whole;
    let bytes = ledger.with_content(facts.sha256, unlisted).filter(move |_| is_whole);
    let remarked = facts.remarked.iter().filter_map(|name| ledger.named(name));
    let header = move |partial| {
        let header = facts.header.into_iter();
        header.flat_map(move |header| ledger.with_header(header, partial, unlisted))
    };
    let whole = header(false).take(MAX_ALIKE).filter(move |row| {
        // What an earlier version has stored, or what had a unique id then, has no digest of its text.
        let same_text = || row.text.is_none() || facts.text.is_none() || row.text == facts.text;
        let is_deleted =
            || row.deleted_here.is_some() && has_same_outline(row, facts) && same_text();
        !is_whole || (facts.is_unique && is_deleted())
    });
    bytes.chain(remarked).chain(whole).chain(header(true))
}

/// Whether this is what a row's message lacks.
fn lacks(row: &LedgerRow, facts: Facts<'_>) -> bool {
    let brings = match facts.part {
        Part::Whole => row.partial || row.is_damaged(),
        Part::Header => row.partial && (row.is_damaged() || row.is_placeholder()),
    };
    brings && row.deleted_here.is_none()
}

fn known(row: &LedgerRow, facts: Facts<'_>) -> Identity {
    if lacks(row, facts) {
        return Identity::Completes(Box::new(row.clone()));
    }
    // A header says nothing of the text: with another size all of it has to be compared once more.
    let is_certain = facts.part == Part::Whole || row.partial;
    let now = LedgerRow {
        uidl: facts.listed.uidl.clone().unwrap_or_default(),
        copy: 0,
        listed_size: if is_certain { facts.listed.size } else { row.listed_size },
        // An earlier version may have left other fields out of the digest.
        header: if has_same_bytes(row, facts) { facts.header } else { row.header },
        // The server has not deleted it after all.
        delete_asked: None,
        delete_confirmed: None,
        gone: None,
        ..row.clone()
    };
    Identity::Known(Box::new(RowChange { before: row.clone(), now }))
}

#[cfg(test)]
mod tests;
