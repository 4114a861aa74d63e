//! OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's and Microsoft's): a token instead of a password.
//! Only under TLS.

use crate::{Credentials, SaslError};

/// An exchange with a bearer token.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    form: Form,
    credentials: Credentials,
    state: State,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    OauthBearer,
    Xoauth2,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing was said, or the message was sent unasked.
    First,
    /// The message was asked for and sent.
    Sent,
    /// The server told why it refuses.
    Refused,
}

impl Bearer {
    pub(crate) fn new(form: Form, credentials: Credentials) -> Self {
        Self { form, credentials, state: State::First }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.form {
            Form::OauthBearer => "OAUTHBEARER",
            Form::Xoauth2 => "XOAUTH2",
        }
    }

    /// Who logs in, and the token.
    pub(crate) fn message(&self) -> Vec<u8> {
        let Credentials { username, secret, .. } = &self.credentials;
        let message = match self.form {
            Form::OauthBearer => {
                let username = username.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={username},\x01auth=Bearer {secret}\x01\x01")
            }
            Form::Xoauth2 => format!("user={username}\x01auth=Bearer {secret}\x01\x01"),
        };
        message.into_bytes()
    }

    /// A server that refuses says why in a challenge, and wants one more answer before it refuses
    /// the command.
    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, SaslError> {
        match self.state {
            State::First if challenge.is_empty() => {
                self.state = State::Sent;
                Ok(self.message())
            }
            State::First | State::Sent => {
                self.state = State::Refused;
                Ok(match self.form {
                    Form::OauthBearer => b"\x01".to_vec(),
                    Form::Xoauth2 => Vec::new(),
                })
            }
            State::Refused => Err(SaslError::UnexpectedChallenge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;

    fn bearer(form: Form) -> Bearer {
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        Bearer::new(form, Credentials::with_token("user@example.com", token))
    }

    #[test]
    fn oauthbearer_is_the_message_of_rfc_7628_section_4_without_host_and_port() {
        let message = String::from_utf8(bearer(Form::OauthBearer).message()).unwrap();
        assert_eq!(
            message,
            "n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
        );
    }

    #[test]
    fn xoauth2_is_the_message_of_googles_example() {
        let credentials = Credentials::with_token(
            "someuser@example.com",
            "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
        );
        assert_eq!(
            encode(Bearer::new(Form::Xoauth2, credentials).message()),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhk\
             SFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
    }

    #[test]
    fn a_refusal_is_heard_to_its_end() {
        for (form, last) in [(Form::OauthBearer, &b"\x01"[..]), (Form::Xoauth2, b"")] {
            let mut exchange = bearer(form);
            assert_eq!(exchange.respond(b"").unwrap(), exchange.message());
            assert_eq!(exchange.respond(br#"{"status":"401"}"#).unwrap(), last);
            assert_eq!(exchange.respond(b"{}"), Err(SaslError::UnexpectedChallenge));
        }
    }

    #[test]
    fn a_user_name_can_not_break_out() {
        let exchange = Bearer::new(Form::OauthBearer, Credentials::with_token("a,b=c", "t"));
        assert!(exchange.message().starts_with(b"n,a=a=2Cb=3Dc,\x01auth"));
    }
}
