//! One authentication in progress, and the choice of how to authenticate.

use crate::{
    Credentials, Nonce, SaslError,
    bearer::{Bearer, Form},
    credentials::SecretKind,
    encode,
    login::Login,
    plain::Plain,
    scram::{Hash, Scram},
    wire::decode,
};

/// One authentication in progress; `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct Mechanism(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Plain(Plain),
    Login(Login),
    Scram(Scram),
    Bearer(Bearer),
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

    /// SCRAM-SHA-1 (RFC 5802).
    pub fn scram_sha_1(credentials: Credentials, nonce: Nonce) -> Self {
        Self(Kind::Scram(Scram::new(Hash::Sha1, credentials, nonce)))
    }

    /// SCRAM-SHA-256 (RFC 7677).
    pub fn scram_sha_256(credentials: Credentials, nonce: Nonce) -> Self {
        Self(Kind::Scram(Scram::new(Hash::Sha256, credentials, nonce)))
    }

    /// OAUTHBEARER (RFC 7628); the secret is a token.
    pub fn oauth_bearer(credentials: Credentials) -> Self {
        Self(Kind::Bearer(Bearer::new(Form::OauthBearer, credentials)))
    }

    /// XOAUTH2 (Google, Microsoft); the secret is a token.
    pub fn xoauth2(credentials: Credentials) -> Self {
        Self(Kind::Bearer(Bearer::new(Form::Xoauth2, credentials)))
    }

    /// Its registered name, in upper case.
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Kind::Plain(_) => "PLAIN",
            Kind::Login(_) => "LOGIN",
            Kind::Scram(scram) => scram.name(),
            Kind::Bearer(bearer) => bearer.name(),
        }
    }

    /// What the client says before it is asked; `None` if the server speaks first.
    ///
    /// Where the protocol has no room for it, leave it out: the server then sends an empty
    /// challenge, and [`answer`](Self::answer) says the same.
    pub fn initial_response(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Plain(plain) => Some(plain.message()),
            Kind::Login(_) => None,
            Kind::Scram(scram) => Some(scram.first_message()),
            Kind::Bearer(bearer) => Some(bearer.message()),
        }
    }

    /// What to say to a challenge; both are as IMAP, POP3 and SMTP carry them, in base64. If there is no
    /// answer to it, that is an asterisk: it ends the exchange, and the server then refuses the log-in.
    ///
    /// # Errors
    ///
    /// If the server is not the one that knows the password: nothing more is to be told to it.
    pub fn answer(&mut self, challenge: impl AsRef<[u8]>) -> Result<String, SaslError> {
        let awaits_proof = matches!(&self.0, Kind::Scram(scram) if scram.awaits_proof());
        match decode(challenge).and_then(|challenge| self.respond(&challenge)) {
            Ok(response) => Ok(encode(response)),
            Err(_) if awaits_proof => Err(SaslError::ServerUnproven),
            Err(error) if error.is_of_impostor() => Err(error),
            Err(_) => Ok("*".into()),
        }
    }

    /// Answers a challenge; both are raw bytes, not base64.
    ///
    /// # Errors
    ///
    /// If the mechanism has no answer to it, or the server is not to be trusted.
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, SaslError> {
        match &mut self.0 {
            Kind::Plain(plain) => plain.respond(challenge),
            Kind::Login(login) => login.respond(),
            Kind::Scram(scram) => scram.respond(challenge),
            Kind::Bearer(bearer) => bearer.respond(challenge),
        }
    }

    /// Whether the exchange may end in success now. A server that says so before it has proven what
    /// the mechanism asks of it must not be believed.
    pub fn is_verified(&self) -> bool {
        match &self.0 {
            Kind::Plain(_) | Kind::Login(_) | Kind::Bearer(_) => true,
            Kind::Scram(scram) => scram.is_verified(),
        }
    }
}

/// The best mechanism that the server offers (names in any case) and that these credentials can be
/// used with; `None` if there is none. The nonce is for the mechanisms that need one.
pub fn choose(
    offered: impl IntoIterator<Item = impl AsRef<str>>,
    credentials: &Credentials,
    nonce: Nonce,
) -> Option<Mechanism> {
    let offered: Vec<_> =
        offered.into_iter().map(|name| name.as_ref().to_ascii_uppercase()).collect();
    let offers = |name: &str| offered.iter().any(|own| own == name);
    let own = || credentials.clone();
    match credentials.kind {
        SecretKind::Token if credentials.contain_control() => None,
        SecretKind::Token if offers("OAUTHBEARER") => Some(Mechanism::oauth_bearer(own())),
        SecretKind::Token if offers("XOAUTH2") => Some(Mechanism::xoauth2(own())),
        SecretKind::Token => None,
        SecretKind::Password if credentials.contain_nul() => {
            offers("LOGIN").then(|| Mechanism::login(own()))
        }
        SecretKind::Password if offers("SCRAM-SHA-256") => {
            Some(Mechanism::scram_sha_256(own(), nonce))
        }
        SecretKind::Password if offers("SCRAM-SHA-1") => Some(Mechanism::scram_sha_1(own(), nonce)),
        SecretKind::Password if offers("PLAIN") => Some(Mechanism::plain(own())),
        SecretKind::Password => offers("LOGIN").then(|| Mechanism::login(own())),
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

    fn nonce() -> Nonce {
        Nonce::new([7; Nonce::BYTES])
    }

    #[test]
    fn the_safest_is_preferred_and_names_are_compared_without_case() {
        let cases: &[(&[&str], Option<&str>)] = &[
            (&["LOGIN", "PLAIN"], Some("PLAIN")),
            (&["plain"], Some("PLAIN")),
            (&["XOAUTH2", "Login"], Some("LOGIN")),
            (&["PLAIN", "SCRAM-SHA-1"], Some("SCRAM-SHA-1")),
            (&["SCRAM-SHA-1", "scram-sha-256", "PLAIN"], Some("SCRAM-SHA-256")),
            (&["SCRAM-SHA-256-PLUS", "SCRAM-SHA-512"], None),
            (&["GSSAPI", "XOAUTH2"], None),
            (&[], None),
        ];
        for (offered, chosen) in cases {
            let mechanism = choose(*offered, &tim(), nonce());
            assert_eq!(mechanism.as_ref().map(Mechanism::name), *chosen, "{offered:?}");
        }
    }

    #[test]
    fn a_password_with_a_nul_byte_never_goes_into_plain() {
        let odd = Credentials::new("tim", "a\0b");
        assert!(choose(["PLAIN", "SCRAM-SHA-1"], &odd, nonce()).is_none());
        assert_eq!(choose(["PLAIN", "LOGIN"], &odd, nonce()).unwrap().name(), "LOGIN");
    }

    #[test]
    fn a_token_goes_only_where_a_token_is_taken() {
        let token = Credentials::with_token("tim", "ya29");
        let cases: &[(&[&str], Option<&str>)] = &[
            (&["PLAIN", "LOGIN", "SCRAM-SHA-256"], None),
            (&["PLAIN", "XOAUTH2"], Some("XOAUTH2")),
            (&["XOAUTH2", "oauthbearer"], Some("OAUTHBEARER")),
        ];
        for (offered, chosen) in cases {
            let mechanism = choose(*offered, &token, nonce());
            assert_eq!(mechanism.as_ref().map(Mechanism::name), *chosen, "{offered:?}");
        }
        let odd = Credentials::with_token("tim\x01auth=Bearer x", "y");
        assert!(choose(["XOAUTH2", "OAUTHBEARER"], &odd, nonce()).is_none());
    }

    #[test]
    fn only_scram_asks_the_server_for_a_proof() {
        let proves = [
            Mechanism::plain(tim()),
            Mechanism::login(tim()),
            Mechanism::xoauth2(tim()),
            Mechanism::oauth_bearer(tim()),
        ];
        assert!(proves.iter().all(Mechanism::is_verified));
        assert!(!Mechanism::scram_sha_1(tim(), nonce()).is_verified());
        assert!(!Mechanism::scram_sha_256(tim(), nonce()).is_verified());
    }

    #[test]
    fn debug_does_not_show_the_password() {
        for mechanism in [
            Mechanism::plain(tim()),
            Mechanism::login(tim()),
            Mechanism::scram_sha_256(tim(), nonce()),
            Mechanism::xoauth2(tim()),
        ] {
            assert!(!format!("{mechanism:?}").contains("tanstaaf"));
        }
    }
}
