//! ENVELOPE (RFC 9051 section 7.5.2).

use crate::token::Token;

/// The header fields that a list shows, as the server read them; encoded words are not decoded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Envelope {
    /// `Date`.
    pub date: Vec<u8>,
    /// `Subject`.
    pub subject: Vec<u8>,
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
    pub in_reply_to: Vec<u8>,
    /// `Message-ID`, with its angle brackets.
    pub message_id: Vec<u8>,
}

/// A name and an address; the names of groups are left out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EnvelopeAddress {
    /// The display name; may be empty.
    pub name: Vec<u8>,
    /// Before the `@`.
    pub mailbox: Vec<u8>,
    /// Behind the `@`; empty if there was none.
    pub host: Vec<u8>,
}

impl Envelope {
    /// Reads as many fields as there are.
    pub(super) fn parse(token: &Token<'_>) -> Option<Self> {
        let fields = token.list()?;
        let string =
            |at: usize| fields.get(at).and_then(Token::string).unwrap_or_default().to_vec();
        let addresses = |at: usize| fields.get(at).map(addresses).unwrap_or_default();
        Some(Self {
            date: string(0),
            subject: string(1),
            from: addresses(2),
            sender: addresses(3),
            reply_to: addresses(4),
            to: addresses(5),
            cc: addresses(6),
            bcc: addresses(7),
            in_reply_to: string(8),
            message_id: string(9),
        })
    }
}

fn addresses(token: &Token<'_>) -> Vec<EnvelopeAddress> {
    let entries = token.list().unwrap_or_default().iter();
    entries.filter_map(Token::list).filter_map(address).collect()
}

fn address(fields: &[Token<'_>]) -> Option<EnvelopeAddress> {
    let string = |at: usize| fields.get(at).and_then(Token::string);
    // Without a host it is a group's start (with its name) or end.
    let host = string(3)?;
    Some(EnvelopeAddress {
        name: string(0).unwrap_or_default().to_vec(),
        mailbox: string(2).unwrap_or_default().to_vec(),
        host: host.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::Limits,
        token::{Arena, text_tokens},
    };

    fn envelope(text: &str) -> Option<Envelope> {
        Envelope::parse(
            &text_tokens(text.as_bytes(), &Arena::default(), &Limits::default()).items[0],
        )
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
