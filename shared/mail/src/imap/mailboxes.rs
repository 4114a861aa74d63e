//! The list of mailboxes, reconciled with the stored one.

mod identifiers;
mod known;
mod roles;
mod usual;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use postern_bridge::{AccountId, MailboxId, Role};
use postern_imap::{
    Command, Response,
    command::{ListReturn, StatusItem},
    response::{ListEntry, MailboxStatus, MyRights, StatusKind},
};

use self::{
    known::known,
    roles::{guess_roles, role},
};
use super::{
    ImapClient, labels, limits, plan, refusal::refusal, refused, rights::Rights, spelling,
};
use crate::{
    Host, MailError, Store, Transport,
    changes::{self, Entry, Pending},
    record::{self, Mailbox, Record, Series},
    store::{Durability, KeyRange, Table, Write},
};

impl<T: Transport> ImapClient<T> {
    /// Brings the stored mailboxes of an account up to date, in one batch: those that are known keep
    /// their numbers, new ones get one, those that are gone are removed with their messages, unless a
    /// part of the list could not be read, which may have been about them. Returns all in the order
    /// to show them.
    ///
    /// # Errors
    ///
    /// If the server can't be asked or the store not be written.
    pub async fn sync_mailboxes<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        account: AccountId,
    ) -> Result<Vec<Mailbox>, MailError> {
        let store = host.store();
        let asked = changes::Mailboxes::of(store, account).await?;
        let stored = record::mailboxes(store, account).await?;
        let identified = stored.into_iter().filter(|own| own.server_id.is_some());
        let identified = identified.map(|own| (own.path, own.uid_validity)).collect();
        let mut listed = self.list(host, &identified).await?;
        let _editing = store.editing().lock().await;
        let stored = record::mailboxes(store, account).await?;
        if !asked.allow(&changes::Mailboxes::of(store, account).await?) {
            // What the person has done to mailboxes counts more than what the server listed before.
            return Ok(stored);
        }
        let entries = changes::entries(store, account).await?;
        listed.asked = *listed.asked.start()..=host.now();
        // One that can't be read may be about a message that is here alone.
        listed.is_whole &= !changes::is_damaged(store, account).await?;
        // Where all are known, it does not matter if no number can be had.
        let most = u32::try_from(listed.mailboxes.len()).unwrap_or(u32::MAX);
        let numbers = record::next_numbers(store, Series::Mailbox, most).await;
        let numbers = numbers.map(|(first, _)| first);
        let first_number = numbers.as_ref().copied().unwrap_or_default();
        let Reconciled { mut mailboxes, mut writes, next_number } =
            reconcile(account, &stored, &listed, first_number, &entries);
        if next_number > first_number {
            numbers?;
            writes.push(Series::Mailbox.put(next_number));
        }
        if !writes.is_empty() {
            store.apply(writes, Durability::Relaxed).await?;
        }
        record::sort_mailboxes(&mut mailboxes);
        Ok(mailboxes)
    }

    /// Lists the mailboxes; the paths of those whose identifiers are known are given, with the
    /// UIDVALIDITY of what is stored of them.
    async fn list<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        identified: &BTreeMap<Vec<u8>, u32>,
    ) -> Result<Listing, MailError> {
        let began = host.now();
        let offered = self.capabilities(host).await?;
        let with = ListReturn::offered(&offered);
        let what = "list the mailboxes";
        let mut commands = vec![Command::list(b"*", &with)?];
        if !with.subscribed {
            commands.push(Command::lsub(b"*")?);
        }
        let answer = self.run_all(host, commands, what).await?;
        if let Some(error) = answer.ends.first().and_then(|end| refusal(what, end)) {
            return Err(error);
        }
        let is_whole = !answer.is_damaged;
        let subscriptions = match answer.ends.get(1) {
            None => Subscriptions::Listed,
            // To none at all is, as a rule, who has never thought of it: not who wants to see none.
            Some(end)
                if end.kind == StatusKind::Ok && is_whole && is_subscribed(&answer.responses) =>
            {
                Subscriptions::Apart
            }
            // One that can't tell them is talked to as before.
            Some(_) => Subscriptions::Unknown,
        };
        let mut responses = answer.responses;
        let names = selectable(&responses);
        if with.status.is_empty() {
            let items = StatusItem::offered(&offered);
            let counted = in_turn(names.clone(), &self.counted_to, limits::COUNTED_MAILBOXES);
            responses.extend(self.statuses(host, &counted, &items).await?);
            self.counted_to = counted.last().cloned().unwrap_or_default();
        }
        let mut identifiers = Vec::new();
        if offered.has("OBJECTID") {
            identifiers = self.identifiers(host, &names, &responses, identified).await?;
        }
        spelling::spell(&mut responses, self.enabled.spelling);
        let mailboxes = listed(responses, identifiers, subscriptions);
        if mailboxes.is_empty() {
            // There is always an inbox: what is stored must not go because of a damaged answer.
            return Err(MailError::Protocol("an empty list of mailboxes".into()));
        }
        let has_labels = labels::are_offered(&offered);
        Ok(Listing { mailboxes, is_whole, has_labels, asked: began..=host.now() })
    }

    /// Asks about mailboxes, given by the server's names, one by one.
    async fn statuses<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        names: &[Vec<u8>],
        items: &[StatusItem],
    ) -> Result<Vec<Response>, MailError> {
        let commands: Result<Vec<_>, _> =
            names.iter().map(|name| Command::status_of(name, items)).collect();
        Ok(self.run_all(host, commands?, "ask about the mailboxes").await?.responses)
    }
}

/// The names of mailboxes that can be opened, as the server lists them.
fn selectable(list: &[Response]) -> Vec<Vec<u8>> {
    let name = |response: &Response| match response {
        Response::List(entry) if is_selectable(entry) => Some(entry.name.clone()),
        _ => None,
    };
    list.iter().filter_map(name).collect()
}

/// As many of the names as there may be: where there are more, those that follow the one that was the
/// last before, so that all have their turn.
fn in_turn(mut names: Vec<Vec<u8>>, last: &[u8], most: usize) -> Vec<Vec<u8>> {
    if names.len() > most {
        names.sort_unstable();
        let next = names.partition_point(|name| **name <= *last);
        names.rotate_left(next);
        names.truncate(most);
    }
    names
}

/// How a server has told which mailboxes a person is subscribed to.
enum Subscriptions {
    /// With each mailbox, in the list.
    Listed,
    /// Apart from it, by LSUB.
    Apart,
    /// Not at all.
    Unknown,
}

/// The mailboxes that the server listed.
struct Listing {
    mailboxes: Vec<Listed>,
    /// Whether that is all of them.
    is_whole: bool,
    /// Whether the server has labels.
    has_labels: bool,
    /// Since when it was asked, and until when what is queued is known, in milliseconds since 1970 (UTC).
    asked: RangeInclusive<i64>,
}

/// A mailbox as the server lists it.
#[derive(Clone, Debug, PartialEq)]
struct Listed {
    path: Vec<u8>,
    names: Vec<String>,
    role: Option<Role>,
    selectable: bool,
    delimiter: Option<u8>,
    can_nest: bool,
    can_take: bool,
    /// What may be done with its messages, if the server told.
    rights: Option<Rights>,
    /// Whether the person is subscribed to it, if the server told.
    subscribed: Option<bool>,
    /// The counts, if the server told.
    status: Option<MailboxStatus>,
    /// Its identifier (MAILBOXID), and the UIDVALIDITY with which it was told, if it was.
    identity: Option<(String, u32)>,
}

struct Reconciled {
    mailboxes: Vec<Mailbox>,
    writes: Vec<Write>,
    next_number: u32,
}

fn reconcile(
    account: AccountId,
    stored: &[Mailbox],
    listing: &Listing,
    mut next_number: u32,
    entries: &[Entry],
) -> Reconciled {
    let Listing { mailboxes: listed, is_whole, has_labels, asked } = listing;
    let known = known(stored, listed);
    let mut writes = Vec::new();
    let mut mailboxes = Vec::new();
    for own in listed {
        let before = known.get(&*own.path).copied();
        let mut mailbox = before.cloned().unwrap_or_else(|| {
            let id = MailboxId(next_number);
            next_number += 1;
            let mut new = Mailbox::new(id, account);
            // Nothing is stored that could lack its labels.
            new.synced.labelled = *has_labels;
            new
        });
        mailbox.path.clone_from(&own.path);
        mailbox.names.clone_from(&own.names);
        mailbox.role = own.role;
        mailbox.selectable = own.selectable;
        mailbox.delimiter = own.delimiter;
        mailbox.can_nest = own.can_nest;
        mailbox.can_take = own.can_take;
        if let Some(rights) = own.rights {
            rights.note(&mut mailbox);
        }
        mailbox.subscribed = own.subscribed.unwrap_or(mailbox.subscribed);
        if let Some((identifier, _)) = &own.identity {
            mailbox.server_id = Some(identifier.clone());
        }
        // An earlier version did not ask for labels: no count tells that they are missing.
        let lacks_labels = *has_labels && !mailbox.synced.labelled;
        mailbox.synced.stale |= lacks_labels || plan::is_stale(&mailbox, own.status.as_ref());
        let counts = own.status.as_ref().and_then(|own| own.unseen.zip(own.messages));
        if let Some((unread, total)) = counts {
            // What the server has heard of meanwhile is in its counts or not, and in those here once. What
            // is not shown nobody knows of, so that it does not go if the mailbox is to be emptied.
            let id = mailbox.id;
            if !entries.iter().any(|own| own.has_messages_of(id) && own.may_be_done_in(asked)) {
                mailbox.synced.counted =
                    own.status.as_ref().and_then(|own| own.uid_validity.zip(own.uid_next));
                let pending = Pending::from_entries(entries, &mailbox, i64::MAX);
                mailbox.unread = pending.unread(unread);
                mailbox.total = pending.total(total);
            }
        }
        if before != Some(&mailbox) {
            writes.push(mailbox.put());
        }
        mailboxes.push(mailbox);
    }
    let known: BTreeSet<MailboxId> = known.values().map(|mailbox| mailbox.id).collect();
    let only_here = changes::only_here(entries);
    for gone in stored.iter().filter(|mailbox| !known.contains(&mailbox.id)) {
        if !is_whole || only_here.contains(&gone.id) {
            mailboxes.push(gone.clone());
            continue;
        }
        writes.push(gone.delete());
        writes.extend(forget_messages(gone.id));
    }
    Reconciled { mailboxes, writes, next_number }
}

/// The writes that remove all that is stored of a mailbox's messages.
pub(crate) fn forget_messages(mailbox: MailboxId) -> [Write; 4] {
    let prefix = KeyRange::prefix(record::mailbox_key(mailbox));
    let range = |table| Write::DeleteRange { table, range: prefix.clone() };
    [range(Table::Messages), range(Table::Arrival), range(Table::Bodies), refused::forget(mailbox)]
}

/// What the server listed, with the identifiers that it told apart.
fn listed(
    responses: Vec<Response>,
    identifiers: Vec<Response>,
    subscriptions: Subscriptions,
) -> Vec<Listed> {
    let mut identities: BTreeMap<Vec<u8>, (String, u32)> = BTreeMap::new();
    for response in identifiers {
        if let Response::MailboxStatus(status) = response
            && let Some(identity) = status.mailbox_id.zip(status.uid_validity)
        {
            identities.insert(status.name, identity);
        }
    }
    let mut entries: BTreeMap<Vec<u8>, ListEntry> = BTreeMap::new();
    let mut counts: BTreeMap<Vec<u8>, MailboxStatus> = BTreeMap::new();
    let mut rights: BTreeMap<Vec<u8>, MyRights> = BTreeMap::new();
    let mut subscribed: BTreeSet<Vec<u8>> = BTreeSet::new();
    for response in responses {
        match response {
            Response::List(entry) => {
                entries.insert(entry.name.clone(), entry);
            }
            Response::MailboxStatus(status) => {
                counts.insert(status.name.clone(), status);
            }
            // A name that is told only since one below it is subscribed to is not (RFC 3501 section 6.3.9).
            Response::Subscribed(entry) if !entry.has(r"\Noselect") => {
                subscribed.insert(canonical(entry.name));
            }
            Response::MyRights(own) if !own.rights.is_empty() => {
                rights.insert(own.mailbox.clone(), own);
            }
            _ => {}
        }
    }
    // What is not told may be allowed (RFC 4314 section 2.1).
    let may = |entry: &ListEntry, right| rights.get(&entry.name).is_none_or(|own| own.has(right));
    let is_there = |entry: &ListEntry| !entry.has(r"\NonExistent") || entry.has(r"\HasChildren");
    let mut entries: Vec<ListEntry> = entries.into_values().filter(is_there).collect();
    // Whatever is left out of too many, it is not the inbox.
    entries.sort_by_key(|entry| role(entry) != Some(Role::Inbox));
    let mut listed: Vec<Listed> = entries
        .into_iter()
        .take(limits::MAILBOXES)
        .map(|entry| Listed {
            names: names(&entry),
            role: role(&entry),
            selectable: is_selectable(&entry),
            delimiter: entry.delimiter,
            can_nest: entry.delimiter.is_some() && !entry.has(r"\NoInferiors") && may(&entry, 'k'),
            can_take: may(&entry, 'i'),
            rights: rights.get(&entry.name).map(Rights::from),
            subscribed: match subscriptions {
                Subscriptions::Listed => Some(entry.has(r"\Subscribed")),
                Subscriptions::Apart => Some(subscribed.contains(&canonical(entry.name.clone()))),
                Subscriptions::Unknown => None,
            },
            status: counts.remove(&entry.name),
            identity: identities.remove(&entry.name),
            path: entry.name,
        })
        .collect();
    guess_roles(&mut listed);
    listed
}

/// Whether the person is subscribed to any mailbox.
fn is_subscribed(responses: &[Response]) -> bool {
    responses.iter().any(|response| matches!(response, Response::Subscribed(_)))
}

/// A name by which the inbox is the same however it is spelled (RFC 9051 section 5.1).
fn canonical(name: Vec<u8>) -> Vec<u8> {
    if name.eq_ignore_ascii_case(b"INBOX") { b"INBOX".to_vec() } else { name }
}

fn names(entry: &ListEntry) -> Vec<String> {
    let mut names: Vec<String> = entry.path();
    // A name that ends in its delimiter has an empty last part.
    names.retain(|name| !name.is_empty());
    if names.len() > limits::MAILBOX_DEPTH {
        let deep = names.split_off(limits::MAILBOX_DEPTH - 1);
        names.push(deep.join("/"));
    }
    if names.is_empty() { vec![String::from_utf8_lossy(&entry.name).into_owned()] } else { names }
}

fn is_selectable(entry: &ListEntry) -> bool {
    !entry.has(r"\Noselect") && !entry.has(r"\NonExistent")
}

#[cfg(test)]
mod tests;
