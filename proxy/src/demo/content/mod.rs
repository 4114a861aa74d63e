//! The mail that the demo account starts with.

mod generated;
mod template;

use std::io;

use rust_embed::RustEmbed;

use self::template::Template;
use super::store::Account;

/// The mail that is there at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Some sixty messages of a small circle of people, for a newcomer to look around in.
    #[default]
    Believable,
    /// No message at all.
    Empty,
    /// So many short messages in INBOX, the same at each start but for the dates.
    Generated(usize),
}

/// The believable messages; `mail/README.md` tells how they are written.
#[derive(RustEmbed)]
#[folder = "src/demo/mail"]
struct Mail;

/// Every account has these, with their special uses (RFC 6154).
const MAILBOXES: [(&str, Option<&str>); 6] = [
    ("INBOX", None),
    ("Drafts", Some("\\Drafts")),
    ("Sent", Some("\\Sent")),
    ("Archive", Some("\\Archive")),
    ("Junk", Some("\\Junk")),
    ("Trash", Some("\\Trash")),
];

/// The believable account has these as well.
const MORE_MAILBOXES: [&str; 4] =
    ["Projects", "Projects/Garden", "Projects/Workshop", "Familie & Küche"];

/// Makes the mailboxes and fills them. `now` is in seconds since 1970.
pub(super) fn fill(content: &Content, address: &str, now: i64) -> io::Result<Account> {
    let mut account = Account::new(now);
    for (name, special_use) in MAILBOXES {
        account.create(name, special_use);
    }
    match content {
        Content::Empty => {}
        Content::Generated(count) => generated::fill(&mut account, address, *count, now),
        Content::Believable => {
            for name in MORE_MAILBOXES {
                account.create(name, None);
            }
            believable(&mut account, address, now)?;
        }
    }
    Ok(account)
}

fn believable(account: &mut Account, address: &str, now: i64) -> io::Result<()> {
    let mut templates = Vec::new();
    for path in Mail::iter().filter(|path| path.ends_with(".eml")) {
        let file = Mail::get(&path).ok_or(io::ErrorKind::NotFound)?;
        let text = String::from_utf8(file.data.into_owned()).map_err(io::Error::other)?;
        let template = Template::parse(&text, now);
        templates.push(template.map_err(|error| io::Error::other(format!("{path}: {error}")))?);
    }
    // UIDs grow with the time of arrival, as they do in life.
    templates.sort_by_key(|template| template.arrived);
    for template in templates {
        let raw = template.render(address).map_err(io::Error::other)?;
        let mailbox = account
            .mailbox_mut(&template.mailbox)
            .ok_or_else(|| io::Error::other(format!("no mailbox {}", template.mailbox)))?;
        mailbox.add(raw.into(), template.flags, template.arrived);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;
    use crate::demo::store::Message;

    const NOW: i64 = 1_770_458_400;

    fn believable() -> Account {
        fill(&Content::Believable, "robin@demo.postern.example", NOW).unwrap()
    }

    fn messages(account: &Account) -> impl Iterator<Item = &Message> {
        account.mailboxes.iter().flat_map(|mailbox| &mailbox.messages)
    }

    #[test]
    fn every_message_parses_and_has_what_a_list_shows() {
        let account = believable();
        for message in messages(&account) {
            let text = String::from_utf8_lossy(&message.raw);
            let parsed = MessageParser::default().parse(&message.raw[..]).unwrap();
            let subject = parsed.subject();
            assert!(parsed.from().is_some() && subject.is_some(), "{text}");
            let date = parsed.date().unwrap();
            assert!(date.is_valid() && date.to_timestamp() <= NOW, "{subject:?} {date}");
            assert!(parsed.message_id().is_some(), "{subject:?}");
            assert!(parsed.parts.iter().all(|part| !part.is_encoding_problem), "{subject:?}");
            assert!(!text.contains("{{"), "{subject:?} has a directive left");
        }
    }

    #[test]
    fn every_line_ends_in_crlf_and_is_short_enough() {
        for message in messages(&believable()) {
            for line in message.raw.split_inclusive(|byte| *byte == b'\n') {
                assert!(line.ends_with(b"\r\n"), "{}", String::from_utf8_lossy(line));
                assert!(line.len() <= 1000, "{}", String::from_utf8_lossy(line));
            }
        }
    }

    #[test]
    fn message_ids_are_unique_within_a_mailbox_and_answers_have_their_question() {
        let account = believable();
        let mut ids = std::collections::BTreeSet::new();
        let mut answers = Vec::new();
        for message in messages(&account) {
            let parsed = MessageParser::default().parse(&message.raw[..]).unwrap();
            assert!(
                ids.insert(parsed.message_id().unwrap().to_owned()),
                "{:?}",
                parsed.message_id()
            );
            answers.extend(parsed.in_reply_to().as_text().map(str::to_owned));
        }
        for answer in answers {
            assert!(ids.contains(&answer), "{answer} is not there");
        }
    }

    #[test]
    fn the_inbox_has_a_believable_number_of_unread_messages() {
        let account = believable();
        let inbox = account.mailbox("INBOX").unwrap();
        let unread = inbox.messages.iter().filter(|message| !message.has_flag("\\Seen")).count();
        assert!((8..=10).contains(&unread), "{unread}");
    }

    #[test]
    fn generated_mail_has_as_many_messages_as_asked() {
        let account = fill(&Content::Generated(250), "robin@demo.postern.example", NOW).unwrap();
        let inbox = account.mailbox("INBOX").unwrap();
        assert_eq!(inbox.messages.len(), 250);
        for message in &inbox.messages {
            let parsed = MessageParser::default().parse(&message.raw[..]).unwrap();
            assert!(parsed.date().unwrap().to_timestamp() <= NOW);
        }
    }
}
