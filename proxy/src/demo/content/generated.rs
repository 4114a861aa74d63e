//! Any number of short messages, for tests and benchmarks that need many.

use crate::demo::{date, store::Account};

const PEOPLE: [&str; 6] =
    ["Mina Holt", "Tom Berger", "Aisha Noor", "Leo Park", "Ines Duarte", "Jonas Lind"];
const TOPICS: [&str; 7] =
    ["Seed list", "Bench plans", "Water rota", "Tool share", "Minutes", "Compost", "Open day"];

/// A message each half hour, back from `now`.
const INTERVAL: i64 = 30 * 60;

/// Fills INBOX. The last message is the newest; every fourth is unread.
pub(super) fn fill(account: &mut Account, address: &str, count: usize, now: i64) {
    let Some(inbox) = account.mailbox_mut("INBOX") else { return };
    for index in 0..count {
        let arrived = now - INTERVAL * (count - index) as i64;
        let person = PEOPLE[index % PEOPLE.len()];
        let topic = TOPICS[index % TOPICS.len()];
        let sender = person.to_lowercase().replace(' ', ".");
        let lines = "The beds along the south wall are ready, and so is the kettle.\r\n"
            .repeat(3 + index % 12);
        let message = format!(
            "From: {person} <{sender}@example.org>\r\nTo: <{address}>\r\n\
             Subject: {topic} {number}\r\nDate: {date}\r\n\
             Message-ID: <generated-{number}@example.org>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n\
             Message {number}.\r\n\r\n{lines}",
            number = index + 1,
            date = date::message_date(arrived),
        );
        let seen = (index % 4 != 0).then(|| "\\Seen".to_owned());
        inbox.add(message.into(), seen.into_iter().collect(), arrived);
    }
}
