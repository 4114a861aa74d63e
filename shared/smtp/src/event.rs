//! What comes out of a session.

use crate::{Address, Extensions, Reply, SessionError};

/// What a session wants next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Bytes to send.
    Send(Vec<u8>),
    /// Something that happened.
    Event(Event),
}

/// Something that happened. Each command gives one, in their order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The server greets; its words.
    Greeting(Reply),
    /// The server answered EHLO, or HELO if it does not know EHLO.
    Hello(Extensions),
    /// The server is ready for the TLS handshake. Do it, call
    /// [`Session::tls_established`](crate::Session::tls_established), and say EHLO again.
    StartTls,
    /// The user is logged in.
    LoggedIn,
    /// The server takes the sender and every recipient.
    EnvelopeAccepted,
    /// The server takes the sender, but not these recipients.
    RecipientsRefused(Vec<(Address, Reply)>),
    /// The server waits for the message: [`Session::content`](crate::Session::content), then
    /// [`Session::finish`](crate::Session::finish).
    ContentWanted,
    /// The server has taken the message over.
    Accepted(Reply),
    /// RSET succeeded.
    Reset,
    /// QUIT succeeded: the server closes.
    Bye,
    /// The server refused.
    Refused {
        /// What.
        request: Request,
        /// Its answer.
        reply: Reply,
    },
    /// The server broke the protocol: close the connection.
    Failed(SessionError),
}

/// What the server refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request {
    /// The connection: it does not want to talk, or no longer.
    Connect,
    /// EHLO and HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    LogIn,
    /// MAIL FROM.
    Sender,
    /// DATA.
    Data,
    /// The message itself.
    Content,
    /// RSET.
    Rset,
    /// QUIT.
    Quit,
}
