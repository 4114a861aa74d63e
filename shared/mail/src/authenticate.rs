//! How to log in to a server of any protocol.

use postern_bridge::{Proof, Security};
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

/// The way that is tried once more, if this one is refused: some servers offer SCRAM also to users of whom
/// they keep nothing that it could be checked with, and then say that the password is wrong. `None` if
/// this one is not SCRAM, no other is offered, or others could listen.
///
/// This tells the password to a server that has refused without a proof that it knows it, be it after
/// ours: that it is the right one is what TLS says, and nothing else. One that tries to prove it and
/// can't does not get here.
pub(crate) fn other_way(
    mechanism: &Mechanism,
    offered: impl IntoIterator<Item = impl AsRef<str>>,
    credentials: &Credentials,
    security: Security,
) -> Option<Mechanism> {
    if security == Security::Plain || !is_scram(mechanism.name()) {
        return None;
    }
    let offered = offered.into_iter().filter(|name| !is_scram(name.as_ref()));
    // What is left needs no nonce.
    choose(offered, credentials, Nonce::new([0; Nonce::BYTES]))
}

/// Whether a mechanism, in any case, proves the password without telling it.
pub(crate) fn is_scram(mechanism: &str) -> bool {
    let prefix = mechanism.get(..6).unwrap_or_default();
    prefix.eq_ignore_ascii_case("SCRAM-")
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
