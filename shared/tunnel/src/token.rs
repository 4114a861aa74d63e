//! What a page must show to open a tunnel.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Decode, MAX_CONTROL};

/// The right to open tunnels for some minutes. `Debug` leaves the token out.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct Token {
    /// The token, for [`Open::token`](crate::Open::token); nobody but the proxy reads it.
    pub token: String,
    /// For how many seconds from now the proxy accepts it.
    pub expires_in: u32,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

impl Token {
    /// The proxy's answer.
    ///
    /// # Panics
    ///
    /// Never: a text and a number can be written as JSON.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers can be encoded")
    }

    /// Reads the proxy's answer.
    ///
    /// # Errors
    ///
    /// If it is too long or not a token.
    pub fn from_text(text: &str) -> Result<Self, Decode> {
        if text.len() > MAX_CONTROL {
            return Err(Decode::TooLong(text.len()));
        }
        Ok(serde_json::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_fixed_and_its_token_never_shown() {
        let token = Token { token: "hush".into(), expires_in: 600 };
        assert_eq!(token.to_text(), r#"{"token":"hush","expires_in":600}"#);
        assert_eq!(Token::from_text(&token.to_text()).unwrap(), token);
        assert!(!format!("{token:?}").contains("hush"));
    }

    #[test]
    fn the_longest_answer_is_read_and_one_byte_more_is_not() {
        let rest = Token { token: String::new(), expires_in: 1 }.to_text().len();
        let mut token = Token { token: "a".repeat(MAX_CONTROL - rest), expires_in: 1 };
        assert!(Token::from_text(&token.to_text()).is_ok());
        token.token.push('a');
        assert!(matches!(Token::from_text(&token.to_text()), Err(Decode::TooLong(_))));
    }
}
