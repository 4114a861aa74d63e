//! STATUS responses (RFC 9051 section 7.3.4).

use crate::token::Token;

/// The counts of a mailbox; `None` is what the server did not say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MailboxStatus {
    /// The name as the server spells it.
    pub name: Vec<u8>,
    /// MESSAGES.
    pub messages: Option<u32>,
    /// UNSEEN: how many messages are unread.
    pub unseen: Option<u32>,
    /// UIDNEXT.
    pub uid_next: Option<u32>,
    /// UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// HIGHESTMODSEQ (RFC 7162).
    pub highest_mod_seq: Option<u64>,
}

impl MailboxStatus {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [name, items, ..] = arguments else { return None };
        let name = name.atom().or(name.string())?.to_vec();
        let mut status = Self { name, ..Self::default() };
        let (pairs, _) = items.list()?.as_chunks::<2>();
        for [item, value] in pairs {
            match item.text().unwrap_or_default().to_ascii_uppercase().as_str() {
                "MESSAGES" => status.messages = value.number(),
                "UNSEEN" => status.unseen = value.number(),
                "UIDNEXT" => status.uid_next = value.number(),
                "UIDVALIDITY" => status.uid_validity = value.number(),
                "HIGHESTMODSEQ" => status.highest_mod_seq = value.number(),
                _ => {}
            }
        }
        Some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    #[test]
    fn counts_are_read_and_unknown_items_skipped() {
        let line = r#"* STATUS "a b" (MESSAGES 231 X-NEW (1 2) UIDNEXT 44292 UNSEEN 3)"#;
        assert_eq!(
            response(line),
            Response::MailboxStatus(MailboxStatus {
                name: b"a b".to_vec(),
                messages: Some(231),
                unseen: Some(3),
                uid_next: Some(44292),
                ..MailboxStatus::default()
            })
        );
    }
}
