//! Faults that the demo server plays on request, so that tests can see how a client takes them.
//!
//! A fault is deterministic: it counts bytes and commands, never chance. The counts of a
//! connection start when it opens, and start again whenever [`Demo::set_faults`] is called.
//!
//! [`Demo::set_faults`]: super::Demo::set_faults

use std::time::Duration;

/// The faults of each protocol. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Faults of the IMAP server.
    pub imap: Fault,
    /// Faults of the POP3 server.
    pub pop3: Fault,
    /// Faults of the submission server.
    pub submission: Fault,
}

/// The faults of one protocol. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    /// The connections that meet the fault.
    pub connections: Connections,
    /// Closes a new connection before the greeting (and before TLS).
    pub refuse: bool,
    /// Drops the connection once this many bytes were sent to the client; the bytes up to there
    /// do arrive. Counted inside TLS.
    pub drop_after_sent: Option<u64>,
    /// Drops the connection once this many bytes were received from the client. Counted inside
    /// TLS.
    pub drop_after_received: Option<u64>,
    /// How long to wait before each answer.
    pub delay: Duration,
    /// Never answers again from this command on. The greeting is 0, the first command 1.
    pub hang_from: Option<usize>,
    /// Answers that are given instead of the right ones.
    pub answers: Vec<WrongAnswer>,
}

/// The connections that meet a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connections {
    /// Every connection, also those already open.
    #[default]
    Every,
    /// Only the connection of this number, counted per protocol from 1 since the start.
    Only(usize),
}

/// An answer that is given instead of executing a command.
#[derive(Clone, Debug)]
pub struct WrongAnswer {
    /// The command in capitals, such as `FETCH`, `UID FETCH`, `RETR` or `RCPT`. The empty name
    /// is the greeting; `DATA.` is the end of an SMTP message.
    pub command: String,
    /// What is sent. In IMAP, `{tag}` stands for the command's tag.
    pub answer: Vec<u8>,
}

impl Fault {
    pub(super) fn strikes(&self, connection: usize) -> bool {
        match self.connections {
            Connections::Every => true,
            Connections::Only(number) => number == connection,
        }
    }

    pub(super) fn wrong_answer(&self, command: &str) -> Option<&[u8]> {
        self.answers
            .iter()
            .find(|wrong| wrong.command.eq_ignore_ascii_case(command))
            .map(|wrong| wrong.answer.as_slice())
    }
}
