//! How much a server may make us hold.

/// Bounds on what a server sends. The defaults suit a mailbox of a million messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes that one response may hold in memory: its text and its held literals. More ends the
    /// session.
    pub response: usize,
    /// A literal of more bytes than this is never held but streamed.
    pub held_literal: usize,
    /// Literals in one response. More ends the session.
    pub literals: usize,
    /// Bytes of one streamed literal. More ends the session.
    pub streamed_literal: u64,
    /// How deep lists may be nested. A response that goes deeper is damaged.
    pub depth: usize,
    /// Tokens in one response. A response that has more is damaged.
    pub tokens: usize,
    /// Responses that end no command (untagged, go-aheads, answers to commands that were not given)
    /// while commands are in flight, from the end of one to the end of the next. More ends the
    /// session.
    pub untagged: u64,
    /// The same while no command is in flight. More ends the session.
    pub unasked: u64,
    /// Capabilities, and enabled extensions, that are remembered; the rest are ignored.
    pub capabilities: usize,
    /// Bytes of an enabled extension's name; one with a longer name is ignored.
    pub extension_name: usize,
    /// Bytes of the name of a response that is not known; the rest is not kept.
    pub response_name: usize,
    /// Bytes of what stands behind an unknown response code; the rest is not kept.
    pub payload: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            response: 16 << 20,
            held_literal: 64 << 10,
            literals: 10_000,
            streamed_literal: 1 << 31,
            depth: 100,
            tokens: 1 << 20,
            untagged: 3_000_000,
            unasked: 100_000,
            capabilities: 500,
            extension_name: 100,
            response_name: 100,
            payload: 200,
        }
    }
}
