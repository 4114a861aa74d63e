//! One authentication in progress, and the choice of how to authenticate.

use crate::{Credentials, SaslError, login::Login, plain::Plain};

/// One authentication in progress; `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct Mechanism(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Plain(Plain),
    Login(Login),
}

impl Mechanism {
    /// PLAIN (RFC 4616).
    pub fn plain(credentials: Credentials) -> Self {
        Self(Kind::Plain(Plain::new(credentials)))
    }

    /// LOGIN (obsolete).
    pub fn login(credentials: Credentials) -> Self {
        Self(Kind::Login(Login::new(credentials)))
    }

    /// Its registered name, in upper case.
    pub fn name(&self) -> &'static str {
        match self.0 {
            Kind::Plain(_) => "PLAIN",
            Kind::Login(_) => "LOGIN",
        }
    }

    /// What the client says before it is asked; `None` if the server speaks first.
    ///
    /// Where the protocol has no room for it, leave it out: the server then sends an empty
    /// challenge, and [`respond`](Self::respond) gives the same bytes.
    pub fn initial_response(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Plain(plain) => Some(plain.message()),
            Kind::Login(_) => None,
        }
    }

    /// Answers a challenge; both are raw bytes, not base64.
    ///
    /// # Errors
    ///
    /// [`SaslError::UnexpectedChallenge`] if the mechanism has no answer to it.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, SaslError> {
        match &mut self.0 {
            Kind::Plain(plain) => plain.respond(challenge),
            Kind::Login(login) => login.respond(),
        }
    }
}

/// The best mechanism that the server offers (names in any case) and that these credentials can be
/// used with; `None` if there is none.
pub fn choose(
    offered: impl IntoIterator<Item = impl AsRef<str>>,
    credentials: &Credentials,
) -> Option<Mechanism> {
    let mut plain = false;
    let mut login = false;
    for name in offered {
        plain |= name.as_ref().eq_ignore_ascii_case("PLAIN");
        login |= name.as_ref().eq_ignore_ascii_case("LOGIN");
    }
    if plain && !credentials.contain_nul() {
        Some(Mechanism::plain(credentials.clone()))
    } else if login {
        Some(Mechanism::login(credentials.clone()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tim() -> Credentials {
        Credentials::new("tim", "tanstaaftanstaaf")
    }

    #[test]
    fn plain_is_the_message_of_rfc_4616_section_4() {
        let mechanism = Mechanism::plain(tim());
        assert_eq!(mechanism.initial_response().unwrap(), b"\0tim\0tanstaaftanstaaf");
    }

    #[test]
    fn plain_says_the_same_when_it_is_asked_and_says_it_once() {
        let mut mechanism = Mechanism::plain(tim());
        assert_eq!(mechanism.respond(b"").unwrap(), b"\0tim\0tanstaaftanstaaf");
        assert_eq!(mechanism.respond(b""), Err(SaslError::UnexpectedChallenge));
    }

    #[test]
    fn plain_does_not_answer_a_challenge_that_it_does_not_have() {
        let mut mechanism = Mechanism::plain(tim());
        assert_eq!(mechanism.respond(b"nonce"), Err(SaslError::UnexpectedChallenge));
    }

    #[test]
    fn login_answers_user_name_then_password_whatever_the_prompts_say() {
        for prompts in [["Username:", "Password:"], ["User Name\0", "Password\0"], ["", ""]] {
            let mut mechanism = Mechanism::login(tim());
            assert_eq!(mechanism.initial_response(), None);
            assert_eq!(mechanism.respond(prompts[0].as_bytes()).unwrap(), b"tim");
            assert_eq!(mechanism.respond(prompts[1].as_bytes()).unwrap(), b"tanstaaftanstaaf");
            assert_eq!(mechanism.respond(b"again"), Err(SaslError::UnexpectedChallenge));
        }
    }

    #[test]
    fn plain_is_preferred_to_login_and_names_are_compared_without_case() {
        let cases: &[(&[&str], Option<&str>)] = &[
            (&["LOGIN", "PLAIN"], Some("PLAIN")),
            (&["plain"], Some("PLAIN")),
            (&["XOAUTH2", "Login"], Some("LOGIN")),
            (&["GSSAPI", "XOAUTH2"], None),
            (&[], None),
        ];
        for (offered, chosen) in cases {
            let mechanism = choose(*offered, &tim());
            assert_eq!(mechanism.as_ref().map(Mechanism::name), *chosen, "{offered:?}");
        }
    }

    #[test]
    fn a_password_with_a_nul_byte_never_goes_into_plain() {
        let odd = Credentials::new("tim", "a\0b");
        assert!(choose(["PLAIN"], &odd).is_none());
        assert_eq!(choose(["PLAIN", "LOGIN"], &odd).unwrap().name(), "LOGIN");
    }

    #[test]
    fn debug_does_not_show_the_password() {
        for mechanism in [Mechanism::plain(tim()), Mechanism::login(tim())] {
            assert!(!format!("{mechanism:?}").contains("tanstaaf"));
        }
    }
}
