//! Parses messages, as long as that is safe.

use mail_parser::{Message, MessageParser, MessagePart};

use super::limits;

/// Parses a message, unless it may hold so many messages within messages that dropping the
/// parsed tree, which is recursive, could exhaust the stack. Then only its header is parsed.
pub(super) fn parse(raw: &[u8]) -> Message<'_> {
    let parser = MessageParser::default();
    let parsed =
        if may_nest_too_deeply(raw) { parser.parse_headers(raw) } else { parser.parse(raw) };
    parsed.unwrap_or_default()
}

/// Parses a message's header alone.
pub(super) fn parse_header(raw: &[u8]) -> Message<'_> {
    with_root(MessageParser::default().parse_headers(raw))
}

/// Gives a message a root part if it has none, as an empty one does: the parser's accessors rely
/// on it.
fn with_root(parsed: Option<Message<'_>>) -> Message<'_> {
    let mut message = parsed.unwrap_or_default();
    if message.parts.is_empty() {
        message.parts.push(MessagePart::default());
    }
    message
}

/// A nested message is announced by its type, or by that of the digest it is in.
fn may_nest_too_deeply(raw: &[u8]) -> bool {
    let announces = |word: &[u8]| {
        [&b"rfc822"[..], b"global", b"digest"].iter().any(|known| known.eq_ignore_ascii_case(word))
    };
    let words = raw.windows(6).filter(|window| announces(window));
    words.take(limits::EMBEDDED_MESSAGES + 1).count() > limits::EMBEDDED_MESSAGES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        [b"Content-Type: message/rfc822\r\n\r\n".repeat(depth), b"\r\nend\r\n".to_vec()].concat()
    }

    #[test]
    fn messages_within_messages_are_parsed_up_to_the_limit() {
        let raw = nested(limits::EMBEDDED_MESSAGES);
        assert!(!parse(&raw).parts.is_empty());
        let raw = nested(limits::EMBEDDED_MESSAGES + 1);
        assert!(parse(&raw).parts.iter().all(|part| !part.is_message()));
    }

    #[test]
    fn a_message_nested_beyond_all_reason_does_no_harm() {
        let raw = nested(200_000);
        assert!(parse(&raw).parts.len() <= 1);
    }
}
