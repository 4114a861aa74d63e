//! What a client asks.

use std::fmt;

use postern_sasl::{Credentials, Mechanism, encode};

use crate::Request;

/// RFC 5034 section 4: an initial response that makes the command longer waits for the challenge.
const MAX_INITIAL_RESPONSE_LINE: usize = 255;

/// What to ask the server. `Debug` shows no password.
#[derive(Clone, Debug)]
pub enum Command {
    /// What can the server do?
    Capa,
    /// Upgrade to TLS.
    Stls,
    /// Take messages with headers in UTF-8 from now on; only before the log-in (RFC 6856).
    Utf8,
    /// Log in with USER and PASS.
    UserPass(Credentials),
    /// Log in without showing the password; [`Session::apop`](crate::Session::apop) makes it.
    Apop(Apop),
    /// Log in with SASL.
    Auth(Mechanism),
    /// How many messages, how many bytes?
    Stat,
    /// The sizes of all messages.
    List,
    /// The unique ids of all messages.
    Uidl,
    /// A whole message.
    Retr(u32),
    /// A message's header and the first lines of its body.
    Top {
        /// The message's number.
        message: u32,
        /// How many lines.
        lines: u32,
    },
    /// Mark a message as deleted.
    Dele(u32),
    /// Unmark all messages.
    Rset,
    /// Nothing.
    Noop,
    /// Delete what is marked and say goodbye.
    Quit,
}

/// A log-in with APOP for one server; `Debug` does not show it.
#[derive(Clone)]
pub struct Apop(pub(crate) String);

impl fmt::Debug for Apop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Apop(…)")
    }
}

/// A command that can't be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// The user name or the password has a line break or a NUL in it, which would end the command.
    #[error("user name or password contains a control character")]
    ControlCharacter,
    /// A token, which must not be sent as a password.
    #[error("a token can't be used where a password is asked for")]
    Token,
}

impl Command {
    /// Refuses what would break out of its line.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        match self {
            Self::UserPass(credentials) => {
                let password = credentials.password().ok_or(CommandError::Token)?;
                let breaks_out = |text: &str| text.contains(['\r', '\n', '\0']);
                if breaks_out(&credentials.username) || breaks_out(password) {
                    return Err(CommandError::ControlCharacter);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The line to send, without its end.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Capa => "CAPA".into(),
            Self::Stls => "STLS".into(),
            Self::Utf8 => "UTF8".into(),
            Self::UserPass(credentials) => format!("USER {}", credentials.username),
            Self::Apop(Apop(line)) => line.clone(),
            Self::Auth(mechanism) => auth_line(mechanism),
            Self::Stat => "STAT".into(),
            Self::List => "LIST".into(),
            Self::Uidl => "UIDL".into(),
            Self::Retr(message) => format!("RETR {message}"),
            Self::Top { message, lines } => format!("TOP {message} {lines}"),
            Self::Dele(message) => format!("DELE {message}"),
            Self::Rset => "RSET".into(),
            Self::Noop => "NOOP".into(),
            Self::Quit => "QUIT".into(),
        }
    }

    /// Whether nothing may follow it before it is answered: it changes the state of the session,
    /// or is a conversation of its own.
    pub(crate) fn is_turning_point(&self) -> bool {
        matches!(self, Self::Stls | Self::UserPass(_) | Self::Apop(_) | Self::Auth(_) | Self::Quit)
    }

    /// What a refusal of it is called.
    pub(crate) fn request(&self) -> Request {
        match self {
            Self::Capa => Request::Capa,
            Self::Stls => Request::Stls,
            Self::Utf8 => Request::Utf8,
            Self::UserPass(_) | Self::Apop(_) | Self::Auth(_) => Request::LogIn,
            Self::Stat => Request::Stat,
            Self::List => Request::List,
            Self::Uidl => Request::Uidl,
            Self::Retr(message) => Request::Retr(*message),
            Self::Top { message, .. } => Request::Top(*message),
            Self::Dele(message) => Request::Dele(*message),
            Self::Rset => Request::Rset,
            Self::Noop => Request::Noop,
            Self::Quit => Request::Quit,
        }
    }
}

fn auth_line(mechanism: &Mechanism) -> String {
    let name = mechanism.name();
    let with_response = mechanism.initial_response().map(|response| {
        // An empty response is spelled "=", so that it is not taken for a missing one.
        let response = if response.is_empty() { "=".into() } else { encode(response) };
        format!("AUTH {name} {response}")
    });
    with_response
        .filter(|line| line.len() + 2 <= MAX_INITIAL_RESPONSE_LINE)
        .unwrap_or_else(|| format!("AUTH {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_name_or_password_is_refused() {
        for (username, password) in [("a\r\nDELE 1", "p"), ("a", "p\n"), ("a\0", "p")] {
            let command = Command::UserPass(Credentials::new(username, password));
            assert_eq!(command.check(), Err(CommandError::ControlCharacter));
        }
        assert_eq!(Command::UserPass(Credentials::new("ann", "a b")).check(), Ok(()));
        let token = Command::UserPass(Credentials::with_token("ann", "ya29"));
        assert_eq!(token.check(), Err(CommandError::Token));
    }

    #[test]
    fn an_initial_response_goes_along_if_the_line_stays_within_255_bytes() {
        // "AUTH PLAIN " and CRLF leave 242 bytes, which is 180 bytes before base64.
        let mechanism =
            |length: usize| Mechanism::plain(Credentials::new("u", "p".repeat(length - 3)));
        assert_eq!(Command::Auth(mechanism(180)).line().len(), 11 + 240);
        assert_eq!(Command::Auth(mechanism(181)).line(), "AUTH PLAIN");
    }
}
