//! Messages handed to a scripted server, interrupted wherever they can be.

mod interruptions;
mod outcomes;
pub(crate) mod scripted;

use postern_bridge::{AccountId, Address, ClientId, OutgoingMessage, Protocol, Security};

use super::{Entry, State, enqueue, entries, transmit};
use crate::{
    MailError, Secret, Store,
    record::{Account, Record},
    store::Durability,
    testing::{self, TestHost, block_on},
};
use scripted::Submission;

fn account() -> Account {
    testing::account(Protocol::Pop3)
}

fn address(address: &str) -> Address {
    Address { name: String::new(), address: address.into() }
}

fn draft() -> OutgoingMessage {
    OutgoingMessage {
        account: AccountId(1),
        to: vec![address("ben@example.org")],
        cc: Vec::new(),
        bcc: vec![address("cy@example.org")],
        subject: "Lunch".into(),
        text: "At noon?\n.\nAnn".into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    }
}

fn queue<D: Store + 'static>(host: &TestHost<Submission, D>) -> u32 {
    take(host, &draft()).unwrap()
}

/// Queues a message of an account that is there.
fn take<D: Store + 'static>(
    host: &TestHost<Submission, D>,
    draft: &OutgoingMessage,
) -> Result<u32, MailError> {
    block_on(host.store.apply(vec![account().put()], Durability::Relaxed)).unwrap();
    block_on(enqueue(host, &account(), draft, None))
}

fn send<D: Store + 'static>(host: &TestHost<Submission, D>, id: u32) -> Result<(), MailError> {
    block_on(transmit(host, &account(), &Secret::new("secret"), id, &mut |_| {})).map(drop)
}

/// The only entry, as it is stored.
fn entry<D: Store + 'static>(host: &TestHost<Submission, D>) -> Entry {
    let mut all = block_on(entries(host)).unwrap();
    assert_eq!(all.len(), 1, "the entry is lost");
    all.remove(0)
}
