//! How long a person who types waits for what is found among 100,000 stored messages: in memory once
//! the mailbox was read, and with reading it, from a store in memory.

use std::{hint::black_box, time::Instant};

use anyhow::{Result, ensure};
use postern_bridge::{Address, Flags, MailboxId, MessageId};
use postern_mail::{
    Store,
    record::{Body, Links, Message},
    search::{Catalogue, Query, Reader, Seen},
    store::{Durability, MemoryStore},
};
use postern_tests::report::{RUNS, bounded, deliver, scaled};
use serde_json::Value;

const MAILBOX: MailboxId = MailboxId(1);

/// What a person may type, and how many of a hundred thousand messages are like it.
const QUERIES: [(&str, &str, usize); 3] = [
    ("search/subjects", "subject:\"report 4217 \"", 1),
    ("search/all that rows show", "\"report 4217 \"", 1),
    ("search/with other letters", "grüße is:unread OR from:zoë", 50_000),
];

/// Milliseconds that an answer may take.
const GOAL: f64 = 50.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let messages = scaled(100_000);
    let store = MemoryStore::new();
    store.take_lead().await?;
    let writes = (1..=u32::try_from(messages)?).flat_map(|uid| message(uid).put_listed()).collect();
    store.apply(writes, Durability::Relaxed).await?;
    let catalogue = read(&store).await?;
    ensure!(catalogue.len() == messages, "{} messages were read", catalogue.len());
    let mut figures = Vec::new();
    for (name, typed, found) in QUERIES {
        let query = Query::parse(typed);
        let seen = look(&catalogue, &query);
        let enough = messages < 100_000 || seen.found.len() == found;
        ensure!(enough, "{typed}: {} are found", seen.found.len());
        let timed = (0..RUNS).map(|_| millis(|| drop(black_box(look(&catalogue, &query)))));
        figures.push(bounded(name, GOAL, timed.collect()));
    }
    figures.push(reading(&store).await?);
    deliver(figures)
}

fn look(catalogue: &Catalogue, query: &Query) -> Seen {
    catalogue.look(0..catalogue.len(), query)
}

async fn read(store: &MemoryStore) -> Result<Catalogue> {
    let (mut reader, mut catalogue) = (Reader::new(MAILBOX), Catalogue::default());
    while reader.next(store, &mut catalogue).await? {}
    Ok(catalogue)
}

/// Of the first search in a mailbox, which is told piece by piece, all of it.
async fn reading(store: &MemoryStore) -> Result<Value> {
    let mut timed = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        black_box(read(store).await?);
        timed.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(bounded("search/reading a mailbox, once", 500.0, timed))
}

fn millis(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

/// About as long as messages are, every second one with letters beyond ASCII.
fn message(uid: u32) -> Message {
    let address =
        |name: &str, address: &str| Address { name: name.into(), address: address.into() };
    let is_other = uid.is_multiple_of(2);
    let (name, subject) =
        if is_other { ("Zoë Marsh", "Grüße") } else { ("Ada Hollis", "Figures") };
    Message {
        id: MessageId { mailbox: MAILBOX, uid },
        arrived: 1_700_000_000_000 + i64::from(uid),
        sent: None,
        size: 12_000,
        flags: Flags { seen: uid.is_multiple_of(3), ..Flags::default() },
        keywords: vec!["$label1".into()],
        from: vec![address(name, "marsh@example.org")],
        to: vec![address("Ben Hollis", "ben@example.org"), address("", "garden@lists.example.org")],
        subject: format!("{subject} and report {uid} of the garden committee"),
        message_id: format!("report-{uid}@example.org"),
        links: Some(Links::default()),
        preview: "Dear all, the beans are up, and so are the snails. We meet on Friday to count \
                  them before they count us; bring a lamp and something against the rain."
            .into(),
        has_attachments: false,
        body: Body::Absent,
    }
}
