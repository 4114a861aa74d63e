//! What a client asks.

use postern_sasl::Mechanism;

use crate::{Address, Extensions, limits::MAX_ADDRESS};

/// What to ask the server. `Debug` shows no password.
#[derive(Clone, Debug)]
pub enum Command {
    /// EHLO, or HELO if the server does not know it.
    Hello(HelloName),
    /// Upgrade to TLS.
    StartTls,
    /// Log in.
    Auth(Mechanism),
    /// MAIL FROM and RCPT TO.
    Envelope(Envelope),
    /// Ask to send the message.
    Data,
    /// Forget the envelope.
    Rset,
    /// Say goodbye.
    Quit,
}

impl Command {
    /// A hello with this name.
    ///
    /// # Errors
    ///
    /// If the name can't be sent safely.
    pub fn hello(name: &str) -> Result<Self, CommandError> {
        let sendable = |byte: u8| byte.is_ascii_graphic();
        if name.is_empty() || name.len() > MAX_ADDRESS || !name.bytes().all(sendable) {
            return Err(CommandError::HelloName);
        }
        Ok(Self::Hello(HelloName(name.into())))
    }
}

/// The client's name: a domain, or an address literal such as `[127.0.0.1]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HelloName(pub(crate) String);

/// From whom, to whom, and what kind of message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Envelope {
    /// Who gets the message back if it can't be delivered.
    pub sender: Address,
    /// Who gets it.
    pub recipients: Vec<Address>,
    /// The message's size in bytes.
    pub size: u64,
    /// Whether the message has bytes above 127.
    pub eight_bit: bool,
}

/// A command that can't be given.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// The client's name is empty, too long, or has a character that can't be sent.
    #[error("the name for EHLO can't be sent")]
    HelloName,
    /// An envelope without recipients.
    #[error("the message has no recipients")]
    NoRecipients,
    /// The server does not take messages of this size.
    #[error("the message is larger than the server's limit of {limit} bytes")]
    TooLarge {
        /// The largest message in bytes.
        limit: u64,
    },
    /// The address has letters that the server does not know (RFC 6531).
    #[error("the server can't handle the address {0}")]
    NeedsSmtpUtf8(Address),
    /// Content was given when the server did not wait for it.
    #[error("the server does not wait for a message")]
    NoContentWanted,
}

impl Envelope {
    /// Refuses what this server is known not to take.
    pub(crate) fn check(&self, extensions: &Extensions) -> Result<(), CommandError> {
        if self.recipients.is_empty() {
            return Err(CommandError::NoRecipients);
        }
        if let Some(limit) = extensions.max_size.filter(|limit| self.size > *limit) {
            return Err(CommandError::TooLarge { limit });
        }
        match self.international() {
            Some(address) if !extensions.smtp_utf8 => {
                Err(CommandError::NeedsSmtpUtf8(address.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The MAIL command, without its end, with the parameters that the server knows.
    pub(crate) fn mail_line(&self, extensions: &Extensions) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.sender);
        if extensions.size {
            line += &format!(" SIZE={}", self.size);
        }
        if self.eight_bit && extensions.eight_bit_mime {
            line += " BODY=8BITMIME";
        }
        if self.international().is_some() {
            line += " SMTPUTF8";
        }
        line
    }

    /// An address that is not ASCII.
    fn international(&self) -> Option<&Address> {
        std::iter::once(&self.sender)
            .chain(&self.recipients)
            .find(|address| !address.as_str().is_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(recipient: &str) -> Envelope {
        Envelope {
            sender: Address::parse("ann@example.org").unwrap(),
            recipients: vec![Address::parse(recipient).unwrap()],
            size: 1000,
            eight_bit: true,
        }
    }

    #[test]
    fn parameters_are_named_only_if_the_server_knows_them() {
        let none = Extensions::default();
        let all = Extensions {
            size: true,
            eight_bit_mime: true,
            smtp_utf8: true,
            ..Extensions::default()
        };
        let plain = envelope("ben@example.org");
        assert_eq!(plain.mail_line(&none), "MAIL FROM:<ann@example.org>");
        assert_eq!(plain.mail_line(&all), "MAIL FROM:<ann@example.org> SIZE=1000 BODY=8BITMIME");
        assert_eq!(
            envelope("bên@example.org").mail_line(&all),
            "MAIL FROM:<ann@example.org> SIZE=1000 BODY=8BITMIME SMTPUTF8"
        );
    }

    #[test]
    fn an_international_address_needs_a_server_that_knows_them() {
        let envelope = envelope("bên@example.org");
        let refused = CommandError::NeedsSmtpUtf8(envelope.recipients[0].clone());
        assert_eq!(envelope.check(&Extensions::default()), Err(refused));
        let extensions = Extensions { smtp_utf8: true, ..Extensions::default() };
        assert_eq!(envelope.check(&extensions), Ok(()));
    }

    #[test]
    fn the_largest_message_is_offered_and_one_byte_more_is_not() {
        let limit = |limit| Extensions { max_size: Some(limit), ..Extensions::default() };
        assert_eq!(envelope("b@c").check(&limit(1000)), Ok(()));
        let refused = Err(CommandError::TooLarge { limit: 999 });
        assert_eq!(envelope("b@c").check(&limit(999)), refused);
    }

    #[test]
    fn a_hello_name_can_not_end_its_line() {
        for name in ["", "a b", "a\r\nMAIL", "é"] {
            assert_eq!(Command::hello(name).unwrap_err(), CommandError::HelloName);
        }
    }
}
