//! Addresses of an envelope.

use std::fmt;

use crate::limits::MAX_ADDRESS;

/// An address that can stand between angle brackets without breaking out of them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Address(String);

/// Why a text can't be an envelope's address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// It is not `local@domain`.
    #[error("it is not of the form name@domain")]
    NotAnAddress,
    /// It has a control character, a space or an angle bracket in it.
    #[error("it contains a character that an address can't have")]
    ForbiddenCharacter,
    /// It is longer than [`MAX_ADDRESS`].
    #[error("it is longer than {MAX_ADDRESS} bytes")]
    TooLong,
}

impl Address {
    /// Takes `local@domain`.
    ///
    /// Spaces and angle brackets, legal within a quoted local part, are refused: nobody has them,
    /// and servers differ in how they read them.
    ///
    /// # Errors
    ///
    /// If it can't be sent safely.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        let forbidden = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
        if text.contains(forbidden) {
            return Err(AddressError::ForbiddenCharacter);
        }
        match text.rsplit_once('@') {
            Some((local, domain)) if !local.is_empty() && !domain.is_empty() => {
                Ok(Self(text.into()))
            }
            _ => Err(AddressError::NotAnAddress),
        }
    }

    /// As text, without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_out_of_the_command_is_refused() {
        for text in [
            "a@b\r\nDATA",
            "a@b\n",
            "a@b>\u{20}SIZE=1",
            "a>@b",
            "<a@b",
            "a b@c",
            "a@b\0",
            "a@b\u{85}",
            "a@b\u{2028}RCPT",
        ] {
            assert_eq!(Address::parse(text), Err(AddressError::ForbiddenCharacter), "{text:?}");
        }
    }

    #[test]
    fn an_address_has_two_sides() {
        for text in ["", "a", "@b", "a@", "@"] {
            assert_eq!(Address::parse(text), Err(AddressError::NotAnAddress), "{text:?}");
        }
        for text in ["a@b", "ann+list@example.org", "\"a@b\"@c", "用户@例え.jp", "a@[192.0.2.1]"]
        {
            assert_eq!(Address::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn the_longest_address_is_taken_and_one_byte_more_is_not() {
        let text = format!("{}@b", "a".repeat(MAX_ADDRESS - 2));
        assert!(Address::parse(&text).is_ok());
        assert_eq!(Address::parse(&format!("a{text}")), Err(AddressError::TooLong));
    }
}
