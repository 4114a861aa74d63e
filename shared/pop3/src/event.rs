//! What comes out of a session.

use crate::{Capabilities, SessionError};

/// What a session wants next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Bytes to send.
    Send(Vec<u8>),
    /// Something that happened.
    Event(Event),
}

/// Something that happened. The answers come in the order of the commands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The server greets; its words.
    Greeting(String),
    /// The answer to CAPA.
    Capabilities(Capabilities),
    /// The server is ready for the TLS handshake. Do it, then call
    /// [`Session::tls_established`](crate::Session::tls_established).
    StartTls,
    /// The user is logged in.
    LoggedIn,
    /// The answer to STAT.
    Status {
        /// Messages.
        count: u32,
        /// Bytes of all of them.
        size: u64,
    },
    /// The answer to LIST: the messages' sizes in bytes, as the server counts.
    Sizes(Numbered<u64>),
    /// The answer to UIDL: the messages' unique ids. A message whose id can't be used is left out: an
    /// empty or over-long one, or one with control characters.
    UniqueIds(Numbered<Vec<u8>>),
    /// More content of the message asked for with RETR or TOP, never empty.
    Content {
        /// The message's number.
        message: u32,
        /// Its next bytes.
        bytes: Vec<u8>,
    },
    /// The content of this message is complete.
    ContentEnd {
        /// The message's number.
        message: u32,
    },
    /// The message will be deleted when QUIT succeeds.
    MarkedDeleted {
        /// The message's number.
        message: u32,
    },
    /// UTF8, RSET or NOOP succeeded.
    Done,
    /// QUIT succeeded: what was marked is deleted, and the server closes.
    Bye,
    /// The server said `-ERR`.
    Refused {
        /// To what.
        request: Request,
        /// Its answer.
        response: Response,
    },
    /// The server broke the protocol: close the connection.
    Failed(SessionError),
}

/// What a list says of messages, which it names by their numbers in this session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Numbered<T> {
    /// Each number, and what is said of its message.
    pub messages: Vec<(u32, T)>,
    /// Lines that can't be read: what they say of which messages is unknown.
    pub defects: usize,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { messages: Vec::new(), defects: 0 }
    }
}

impl<T> Numbered<T> {
    /// How many lines it was made of.
    pub(crate) fn lines(&self) -> usize {
        self.messages.len() + self.defects
    }
}

/// What a `-ERR` answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request {
    /// The connection itself.
    Connect,
    /// CAPA.
    Capa,
    /// STLS.
    Stls,
    /// UTF8.
    Utf8,
    /// Any way to log in.
    LogIn,
    /// STAT.
    Stat,
    /// LIST.
    List,
    /// UIDL.
    Uidl,
    /// RETR of this message.
    Retr(u32),
    /// TOP of this message.
    Top(u32),
    /// DELE of this message.
    Dele(u32),
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
}

/// A `-ERR` answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// What it says to programs.
    pub code: Option<ResponseCode>,
    /// What it says to people, without the code.
    pub text: String,
}

/// What a `-ERR` says to programs (RFC 2449 section 8, RFC 3206).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResponseCode {
    /// `[IN-USE]`: another session has the mailbox open.
    InUse,
    /// `[LOGIN-DELAY]`: the last log-in was too short a time ago.
    LoginDelay,
    /// `[SYS/TEMP]`: a fault of the server that will probably pass.
    SystemTemporary,
    /// `[SYS/PERM]`: a fault of the server that needs a person.
    SystemPermanent,
    /// `[AUTH]`: user name or password is wrong.
    Auth,
    /// Any other, in upper case.
    Other(String),
}

impl Response {
    /// Reads what follows `-ERR`.
    pub(crate) fn parse(rest: &[u8]) -> Self {
        let text = String::from_utf8_lossy(rest.trim_ascii()).into_owned();
        let Some((code, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']'))
        else {
            return Self { code: None, text };
        };
        let code = code.to_ascii_uppercase();
        let code = match code.as_str() {
            "IN-USE" => ResponseCode::InUse,
            "LOGIN-DELAY" => ResponseCode::LoginDelay,
            "SYS/TEMP" => ResponseCode::SystemTemporary,
            "SYS/PERM" => ResponseCode::SystemPermanent,
            "AUTH" => ResponseCode::Auth,
            _ => ResponseCode::Other(code),
        };
        Self { code: Some(code), text: rest.trim_start().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_codes_are_told_from_the_words() {
        use ResponseCode as C;
        let cases: &[(&str, Option<C>, &str)] = &[
            (
                " [IN-USE] Do you have another POP session?",
                Some(C::InUse),
                "Do you have another POP session?",
            ),
            (" [login-delay] minimum time", Some(C::LoginDelay), "minimum time"),
            (" [SYS/TEMP]", Some(C::SystemTemporary), ""),
            (" [SYS/PERM] Broken", Some(C::SystemPermanent), "Broken"),
            (" [AUTH] Authentication failed.", Some(C::Auth), "Authentication failed."),
            (" [X-NEW] hm", Some(C::Other("X-NEW".into())), "hm"),
            (" no such message", None, "no such message"),
            (" [unclosed", None, "[unclosed"),
            ("", None, ""),
        ];
        for (line, code, text) in cases {
            let response = Response::parse(line.as_bytes());
            assert_eq!((&response.code, response.text.as_str()), (code, *text), "{line}");
        }
    }
}
