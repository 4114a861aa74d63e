//! Conversations.

pub(crate) const GROUP: &str = "Show conversations";
pub(crate) const UNGROUP: &str = "Show single messages";

/// How many messages a conversation has.
pub(crate) fn count(messages: usize) -> String {
    match messages {
        1 => "1 message".to_owned(),
        messages => format!("{messages} messages"),
    }
}

/// What a row's number of messages means.
pub(crate) fn in_row(messages: u32) -> String {
    format!("{messages} messages in this conversation")
}

/// How many messages of it are not shown.
pub(crate) fn more(messages: u32) -> String {
    format!(", and {messages} more that are older or not here yet")
}
