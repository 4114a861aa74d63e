//! How to log in to a server of any protocol.

use postern_bridge::Proof;
use postern_sasl::{Credentials, Mechanism, Nonce, choose};

use crate::{MailError, Random, Secret};

/// A user name and what proves it.
pub(crate) fn credentials(username: &str, secret: &Secret) -> Credentials {
    match secret.proof() {
        Proof::Password => Credentials::new(username, secret.expose()),
        Proof::Token => Credentials::with_token(username, secret.expose()),
    }
}

/// The best of the mechanisms that a server offers, ready to be run once; `None` if these
/// credentials can be used with none of them.
pub(crate) fn mechanism(
    random: &impl Random,
    offered: impl IntoIterator<Item = impl AsRef<str>>,
    credentials: &Credentials,
) -> Option<Mechanism> {
    let mut nonce = [0; Nonce::BYTES];
    random.fill(&mut nonce);
    choose(offered, credentials, Nonce::new(nonce))
}

/// The error where a server offers no way to log in with this.
pub(crate) fn no_way(secret: &Secret) -> MailError {
    MailError::Unsupported(match secret.proof() {
        Proof::Password => "a way to log in with a password",
        Proof::Token => "a way to log in with an access token (OAUTHBEARER or XOAUTH2)",
    })
}

/// What a refused log-in means: it is most often its age that a token is refused for.
pub(crate) fn refused(error: MailError, secret: &Secret) -> MailError {
    match (error, secret.proof()) {
        (MailError::Login(text), Proof::Token) => MailError::Token(text),
        (error, _) => error,
    }
}
