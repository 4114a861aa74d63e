//! STATUS responses (RFC 9051 section 7.3.5; RFC 7162, RFC 7889, RFC 8438, RFC 8474, RFC 9208).

use crate::token::Token;

/// The counts of a mailbox; `None` is what the server did not say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MailboxStatus {
    /// The name as the server spells it.
    pub name: Vec<u8>,
    /// MESSAGES.
    pub messages: Option<u32>,
    /// RECENT.
    pub recent: Option<u32>,
    /// UNSEEN: how many messages are unread.
    pub unseen: Option<u32>,
    /// UIDNEXT.
    pub uid_next: Option<u32>,
    /// UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// HIGHESTMODSEQ; zero if the mailbox has no mod-sequences.
    pub highest_mod_seq: Option<u64>,
    /// SIZE: all messages together, in bytes.
    pub size: Option<u64>,
    /// DELETED: how many messages are marked as deleted.
    pub deleted: Option<u32>,
    /// DELETED-STORAGE: how many bytes an expunge would free.
    pub deleted_storage: Option<u64>,
    /// MAILBOXID: what tells the mailbox from all others whatever its name is (RFC 8474).
    pub mailbox_id: Option<String>,
    /// APPENDLIMIT.
    pub append_limit: Option<AppendLimit>,
}

/// How large a message may be that is put into a mailbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AppendLimit {
    /// As large as one likes.
    None,
    /// So many bytes.
    Bytes(u64),
}

impl MailboxStatus {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [name, items, ..] = arguments else { return None };
        let mut status = Self { name: name.name()?.to_vec(), ..Self::default() };
        let (pairs, _) = items.list()?.as_chunks::<2>();
        for [item, value] in pairs {
            match item.text().unwrap_or_default().to_ascii_uppercase().as_str() {
                "MESSAGES" => status.messages = value.number(),
                "RECENT" => status.recent = value.number(),
                "UNSEEN" => status.unseen = value.number(),
                "UIDNEXT" => status.uid_next = value.number(),
                "UIDVALIDITY" => status.uid_validity = value.number(),
                "HIGHESTMODSEQ" => status.highest_mod_seq = value.number(),
                "SIZE" => status.size = value.number(),
                "DELETED" => status.deleted = value.number(),
                "DELETED-STORAGE" => status.deleted_storage = value.number(),
                "MAILBOXID" => {
                    let id = value.list().and_then(|id| id.first()?.text());
                    status.mailbox_id = id.filter(|id| is_object_id(id));
                }
                "APPENDLIMIT" => status.append_limit = append_limit(value),
                _ => {}
            }
        }
        Some(status)
    }
}

/// Whether it can be an object identifier (RFC 8474 section 7).
pub(super) fn is_object_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=255).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn append_limit(value: &Token<'_>) -> Option<AppendLimit> {
    if value.is("NIL") { Some(AppendLimit::None) } else { value.number().map(AppendLimit::Bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    fn status(line: &str) -> MailboxStatus {
        match response(line) {
            Response::MailboxStatus(status) => status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn counts_are_read_and_unknown_items_skipped() {
        assert_eq!(
            status(r#"* STATUS "a b" (MESSAGES 231 X-NEW (1 2) UIDNEXT 44292 UNSEEN 3)"#),
            MailboxStatus {
                name: b"a b".to_vec(),
                messages: Some(231),
                unseen: Some(3),
                uid_next: Some(44292),
                ..MailboxStatus::default()
            }
        );
    }

    #[test]
    fn the_items_of_extensions_are_read() {
        assert_eq!(
            status(
                "* STATUS INBOX (SIZE 44421 HIGHESTMODSEQ 7011231777 DELETED 3 DELETED-STORAGE 9 \
                 MAILBOXID (F2212ea87) RECENT 1 UIDVALIDITY 5 APPENDLIMIT 257890)"
            ),
            MailboxStatus {
                name: b"INBOX".to_vec(),
                size: Some(44421),
                highest_mod_seq: Some(7_011_231_777),
                deleted: Some(3),
                deleted_storage: Some(9),
                mailbox_id: Some("F2212ea87".into()),
                recent: Some(1),
                uid_validity: Some(5),
                append_limit: Some(AppendLimit::Bytes(257_890)),
                ..MailboxStatus::default()
            }
        );
        assert_eq!(status("* STATUS a (MAILBOXID (\u{fffd}:xU))").mailbox_id, None, "it is none");
        assert_eq!(status("* STATUS a (APPENDLIMIT NIL)").append_limit, Some(AppendLimit::None));
    }
}
