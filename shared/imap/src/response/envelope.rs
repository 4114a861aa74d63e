//! ENVELOPE (RFC 9051 section 7.5.2).

use super::Text;
use crate::cursor::{Cursor, Item};

/// The header fields that a list shows, as the server read them; encoded words are not decoded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Envelope {
    /// `Date`.
    pub date: Text,
    /// `Subject`.
    pub subject: Text,
    /// `From`.
    pub from: Vec<EnvelopeAddress>,
    /// `Sender`.
    pub sender: Vec<EnvelopeAddress>,
    /// `Reply-To`.
    pub reply_to: Vec<EnvelopeAddress>,
    /// `To`.
    pub to: Vec<EnvelopeAddress>,
    /// `Cc`.
    pub cc: Vec<EnvelopeAddress>,
    /// `Bcc`.
    pub bcc: Vec<EnvelopeAddress>,
    /// `In-Reply-To`.
    pub in_reply_to: Text,
    /// `Message-ID`, with its angle brackets.
    pub message_id: Text,
}

/// A name and an address; the names of groups are left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EnvelopeAddress {
    /// The display name; may be empty.
    pub name: Text,
    /// Before the `@`.
    pub mailbox: Text,
    /// Behind the `@`; empty if there was none.
    pub host: Text,
}

impl Envelope {
    /// Reads as many fields as there are.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.list(|fields| Self {
            date: fields.text(),
            subject: fields.text(),
            from: addresses(fields),
            sender: addresses(fields),
            reply_to: addresses(fields),
            to: addresses(fields),
            cc: addresses(fields),
            bcc: addresses(fields),
            in_reply_to: fields.text(),
            message_id: fields.text(),
        })
    }
}

fn addresses(cursor: &mut Cursor<'_>) -> Vec<EnvelopeAddress> {
    let mut addresses = Vec::new();
    cursor.list(|entries| {
        while let Some(item) = entries.next() {
            if item == Item::List {
                let address = address(entries);
                entries.leave();
                if addresses.is_empty() {
                    // Most have one and no more.
                    addresses.reserve_exact(1);
                }
                addresses.extend(address);
            }
        }
    });
    addresses
}

fn address(fields: &mut Cursor<'_>) -> Option<EnvelopeAddress> {
    let name = fields.text();
    fields.skip();
    let mailbox = fields.text();
    // Without a host it is a group's start (with its name) or end.
    let host = fields.string()?;
    Some(EnvelopeAddress { name, mailbox, host: Text::from(&*host) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests::fetch;

    fn envelope(text: &str) -> Option<Envelope> {
        fetch(&format!("* 1 FETCH (ENVELOPE {text})")).envelope
    }

    #[test]
    fn the_example_of_rfc_9051_is_read() {
        let envelope = envelope(
            r#"("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes"
            (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray"
            "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu"))
            ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")
            ("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL
            "<B27397-0100000@cac.washington.edu>")"#
                .replace('\n', "")
                .as_str(),
        )
        .unwrap();
        assert_eq!(envelope.subject, b"IMAP4rev2 WG mtg summary and minutes");
        assert_eq!(envelope.from[0].name, b"Terry Gray");
        assert_eq!(envelope.to[0].mailbox, b"imap");
        assert_eq!(envelope.cc.len(), 2);
        assert_eq!(envelope.bcc, []);
        assert_eq!(envelope.message_id, b"<B27397-0100000@cac.washington.edu>");
    }

    #[test]
    fn the_marks_of_a_group_are_left_out() {
        let text = r#"(NIL NIL ((NIL NIL "friends" NIL)(NIL NIL "a" "b.c")(NIL NIL NIL NIL)))"#;
        let from = envelope(text).unwrap().from;
        assert_eq!(from.len(), 1);
        assert_eq!((&*from[0].mailbox, &*from[0].host), (&b"a"[..], &b"b.c"[..]));
    }

    #[test]
    fn missing_fields_are_empty() {
        assert_eq!(envelope("()"), Some(Envelope::default()));
        assert_eq!(envelope("NIL"), None);
    }
}
