//! How long it takes to put 100,000 stored messages into conversations: all at once, from a store in
//! memory; and what one more costs.

use std::{hint::black_box, time::Instant};

use anyhow::{Result, ensure};
use postern_bridge::{Address, Flags, MailboxId, MessageId};
use postern_mail::{
    Store,
    record::{Body, Links, Message},
    store::{Durability, MemoryStore},
    threads::{self, Clue, Conversations, limits},
};
use postern_tests::report::{RUNS, bounded, deliver, scaled};

const MAILBOX: MailboxId = MailboxId(1);

/// Messages of one conversation.
const EACH: u32 = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let messages = u32::try_from(scaled(100_000))?;
    let store = MemoryStore::new();
    store.take_lead().await?;
    let writes = (1..=messages).flat_map(|uid| message(uid).put_listed()).collect();
    store.apply(writes, Durability::Relaxed).await?;
    let ids: Vec<MessageId> = (1..=messages).rev().map(id).collect();

    let (mut reading, mut listing, mut joining, mut leaving) = (vec![], vec![], vec![], vec![]);
    let mut summing = vec![];
    for _ in 0..RUNS {
        let start = Instant::now();
        let mut conversations = Conversations::default();
        for piece in ids.chunks(limits::PIECE) {
            threads::read(&store, piece, &mut conversations).await?;
        }
        reading.push(millis(start));

        let start = Instant::now();
        let heads = black_box(conversations.listed(MAILBOX));
        listing.push(millis(start));
        let expected = (messages / EACH) as usize;
        ensure!(heads.len() == expected, "{} conversations, not {expected}", heads.len());

        // A thousand at once, since one is too quick to be timed.
        let new: Vec<MessageId> = (messages + 1..=messages + 1_000).map(id).collect();
        let names: Vec<String> = (0..new.len()).map(|number| name(1 + 5 * number as u32)).collect();
        let start = Instant::now();
        for (own, name) in new.iter().zip(&names) {
            let clue = Clue { references: vec![name], ..Clue::default() };
            conversations.add(*own, &clue);
        }
        joining.push(millis(start));
        let start = Instant::now();
        new.iter().for_each(|own| conversations.remove(&[*own]));
        leaving.push(millis(start));

        // Fifty rows in view, of which none has changed.
        let start = Instant::now();
        for own in heads.iter().rev().take(50) {
            black_box(conversations.sum(own.newest.id, MAILBOX));
        }
        summing.push(millis(start));
    }
    deliver(vec![
        bounded("threads/reading and grouping a mailbox, once", 1_000.0, reading),
        bounded("threads/its rows, after a change", 50.0, listing),
        bounded("threads/a thousand messages that come", 50.0, joining),
        bounded("threads/a thousand messages that go", 50.0, leaving),
        bounded("threads/what fifty rows sum up", 5.0, summing),
    ])
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn id(uid: u32) -> MessageId {
    MessageId { mailbox: MAILBOX, uid }
}

fn name(uid: u32) -> String {
    format!("letter-{uid}.4f0a7c15b9@mail.example.org")
}

/// The first of every five begins, the others follow all before them, as answers do.
fn message(uid: u32) -> Message {
    let first = (uid - 1) / EACH * EACH + 1;
    let address = Address { name: "Ada Marsh".into(), address: "ada@example.org".into() };
    let answers = if uid == first { "" } else { "Re: " };
    Message {
        id: id(uid),
        arrived: 1_700_000_000_000 + i64::from(uid),
        sent: None,
        size: 12_000,
        flags: Flags::default(),
        keywords: Vec::new(),
        from: vec![address.clone()],
        to: vec![address],
        subject: format!("{answers}The figures of the garden committee, {first}"),
        message_id: name(uid),
        links: Some(Links::new((first..uid).map(name).collect(), String::new())),
        preview: "Dear all, the beans are up, and so are the snails.".into(),
        has_attachments: false,
        body: Body::Absent,
    }
}
