//! Where submitted mail goes: into INBOX if it is for the demo's domain; otherwise nowhere, and
//! a friendly answer comes back after a moment, so that a newcomer sees a thread grow.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use mail_parser::{HeaderName, Message};

use super::{DOMAIN, Shared, date, mime, store};

/// How long a stranger takes to answer.
const PAUSE: Duration = Duration::from_secs(2);

/// At most this many strangers answer one message.
const ANSWERS: usize = 3;

/// A message as the submission server took it.
pub(super) struct Submitted<'a> {
    /// What the client called itself in EHLO.
    pub(super) client: &'a str,
    /// The protocol's name for the Received header (RFC 3848).
    pub(super) protocol: &'a str,
    /// The envelope's sender.
    pub(super) sender: &'a str,
    /// The envelope's recipients.
    pub(super) recipients: &'a [String],
    /// The message, with CRLF line ends.
    pub(super) body: &'a [u8],
}

/// Delivers a message to those of its recipients that live here, and lets the others answer.
pub(super) fn accept(shared: &Arc<Shared>, submitted: Submitted<'_>) {
    let (ours, strangers): (Vec<_>, Vec<_>) =
        submitted.recipients.iter().partition(|recipient| is_ours(shared, recipient));
    if let Some(recipient) = ours.first() {
        shared.store.deliver(with_trace(&submitted, recipient));
    }
    let message = mime::parse(submitted.body);
    if is_automatic(&message) {
        return;
    }
    let answers: Vec<_> = strangers
        .into_iter()
        .take(ANSWERS)
        .map(|stranger| answer(&message, stranger, submitted.sender))
        .collect();
    if answers.is_empty() {
        return;
    }
    // A weak reference, so that an answer under way does not keep a closed server's mail alive.
    let store = Arc::downgrade(&shared.store);
    tokio::spawn(async move {
        for answer in answers {
            tokio::time::sleep(PAUSE).await;
            let Some(store) = store.upgrade() else { return };
            store.deliver(answer);
        }
    });
}

fn is_ours(shared: &Shared, recipient: &str) -> bool {
    recipient.eq_ignore_ascii_case(&shared.address)
        || recipient.rsplit_once('@').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(DOMAIN))
}

/// Whether the message was not written by a person, so that no one answers it (RFC 3834).
fn is_automatic(message: &Message<'_>) -> bool {
    message
        .header_raw(HeaderName::Other("Auto-Submitted".into()))
        .is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"))
}

/// The message under the trace headers of its delivery (RFC 5321 section 4.4).
fn with_trace(submitted: &Submitted<'_>, recipient: &str) -> Vec<u8> {
    let client: String = submitted
        .client
        .chars()
        .filter(|character| character.is_ascii_graphic() && !"()<>".contains(*character))
        .take(255)
        .collect();
    let mut message = format!(
        "Return-Path: <{}>\r\nDelivered-To: {recipient}\r\nReceived: from {client} ([127.0.0.1])\r\n \
         by {DOMAIN} with {};\r\n {}\r\n",
        submitted.sender,
        submitted.protocol,
        date::message_date(store::now()),
    )
    .into_bytes();
    message.extend_from_slice(submitted.body);
    message
}

/// What a stranger answers.
fn answer(message: &Message<'_>, stranger: &str, sender: &str) -> Vec<u8> {
    let now = store::now();
    let name = display_name(stranger);
    let subject = message.subject().unwrap_or("your message");
    let subject = match subject.split_at_checked(3) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("re:") => rest.trim_start(),
        _ => subject,
    };
    let mut header = format!(
        "From: {} <{stranger}>\r\nTo: <{sender}>\r\nSubject: Re: {}\r\nDate: {}\r\n\
         Message-ID: <answer-{now}-{:016x}@{DOMAIN}>\r\nAuto-Submitted: auto-replied\r\n",
        encoded(&name),
        encoded(subject),
        date::message_date(now),
        fingerprint(message.raw_message(), stranger),
    );
    if let Some(id) = message.message_id() {
        let id: String = id.chars().filter(char::is_ascii_graphic).take(900).collect();
        header.push_str(&format!("In-Reply-To: <{id}>\r\n"));
        let mut references: Vec<&str> = match message.references() {
            mail_parser::HeaderValue::Text(one) => vec![one.as_ref()],
            mail_parser::HeaderValue::TextList(many) => many.iter().map(AsRef::as_ref).collect(),
            _ => Vec::new(),
        };
        references.retain(|reference| reference.chars().all(|c| c.is_ascii_graphic()));
        references.push(&id);
        let skipped = references.len().saturating_sub(20);
        let references: Vec<_> = references[skipped..].iter().map(|id| format!("<{id}>")).collect();
        header.push_str(&format!("References: {}\r\n", references.join("\r\n ")));
    }
    header.push_str(
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
    );
    let text = format!(
        "Hello,\r\n\r\nthank you for your message. It arrived here safely, and I will read it \
         with a cup of tea.\r\n\r\n(To be honest, I am only the demo server: what you send to it \
         never leaves your\r\ncomputer, and I answer for everyone. Add an account of your own to \
         write to\r\nreal people.)\r\n\r\nKind regards,\r\n{name}\r\n\r\n{}",
        quoted(message)
    );
    header.push_str(&folded_base64(text.as_bytes()));
    header.into_bytes()
}

/// The first lines of the message, quoted.
fn quoted(message: &Message<'_>) -> String {
    const LINES: usize = 12;
    let text = message.body_text(0).unwrap_or_default();
    let lines = text.lines().take(LINES).map(|line| {
        let line: String = line.chars().take(200).collect();
        format!("> {line}\r\n")
    });
    lines.collect()
}

/// `mina.holt@example.org` is probably called Mina Holt.
fn display_name(address: &str) -> String {
    let local = address.split('@').next().unwrap_or_default();
    let words = local.split(['.', '_', '-', '+']).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    });
    words.flatten().collect::<Vec<_>>().join(" ")
}

/// A header's text as encoded words where it needs them (RFC 2047).
pub(super) fn encoded(text: &str) -> String {
    // Without the characters that would need quotes in a phrase.
    let plain = |character: char| {
        character.is_ascii_alphanumeric() || " !#$%&'*+-/=?^_`{|}~".contains(character)
    };
    if text.len() < 900 && text.chars().all(plain) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut chunk = String::new();
    for character in text.chars() {
        if chunk.len() + character.len_utf8() > 42 {
            words.push(std::mem::take(&mut chunk));
        }
        chunk.push(character);
    }
    words.push(chunk);
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// Base64 in lines of 76 characters.
pub(super) fn folded_base64(bytes: &[u8]) -> String {
    let mut folded = String::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 4);
    for chunk in bytes.chunks(57) {
        BASE64_STANDARD.encode_string(chunk, &mut folded);
        folded.push_str("\r\n");
    }
    folded
}

/// Tells messages apart in a Message-ID (FNV-1a).
fn fingerprint(message: &[u8], salt: &str) -> u64 {
    message.iter().chain(salt.as_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn an_answer_joins_the_thread() {
        let question = b"From: r@demo.postern.example\r\nSubject: Seeds\r\n\
            Message-ID: <3@here>\r\nReferences: <1@here> <2@here>\r\n\r\nAny left?\r\n";
        let question = MessageParser::default().parse(question).unwrap();
        let answer = answer(&question, "mina.holt@example.org", "r@demo.postern.example");
        let answer = MessageParser::default().parse(&answer).unwrap();
        assert_eq!(answer.subject(), Some("Re: Seeds"));
        assert_eq!(answer.in_reply_to().as_text(), Some("3@here"));
        let references = answer.references().as_text_list().unwrap();
        assert_eq!(references, ["1@here", "2@here", "3@here"]);
        let from = answer.from().and_then(|from| from.first()).unwrap();
        assert_eq!(from.name(), Some("Mina Holt"));
        assert!(answer.body_text(0).unwrap().contains("> Any left?"));
    }

    #[test]
    fn encoded_words_are_read_back_as_they_were() {
        for text in ["plain", "Grüße", "a, b (c)", "=?x?=", &"长".repeat(200)] {
            let raw = format!("Subject: {}\r\n\r\n", encoded(text));
            let message = MessageParser::default().parse(raw.as_bytes()).unwrap();
            assert_eq!(message.subject(), Some(text));
        }
    }
}
