//! How to log in to a server of any protocol.

use std::{
    cell::RefCell,
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use postern_bridge::{Proof, Security, ServerLogin};
use postern_sasl::{Credentials, Mechanism, Nonce, choose};

use crate::{Host, MailError, Random, Secret};

/// The log-ins of which the first way was refused and the other taken. The next connection goes that way
/// at once: else a server would count a refusal of the right password each time. What is known of one
/// ends with the program, and when that way fails; another server, name or password makes another log-in.
#[derive(Default)]
pub struct Detours {
    hashing: RandomState,
    /// Their hashes, since they have passwords in them.
    known: RefCell<HashSet<u64>>,
}

impl Detours {
    /// The way to log in, and the other one that is tried if it is refused.
    pub(crate) fn in_order<W>(
        &self,
        login: &ServerLogin,
        password: &Secret,
        first: W,
        other: Option<W>,
    ) -> (W, Option<W>) {
        match other {
            Some(other) if self.known.borrow().contains(&self.hash(login, password)) => {
                (other, None)
            }
            other => (first, other),
        }
    }

    /// Notes that the first way was refused and the other taken.
    pub(crate) fn note(&self, login: &ServerLogin, password: &Secret) {
        self.known.borrow_mut().insert(self.hash(login, password));
    }

    /// Notes that the other way was not taken now, whatever the reason.
    pub(crate) fn forget(&self, login: &ServerLogin, password: &Secret) {
        self.known.borrow_mut().remove(&self.hash(login, password));
    }

    fn hash(&self, login: &ServerLogin, password: &Secret) -> u64 {
        self.hashing.hash_one((&login.endpoint, &login.username, password.expose()))
    }
}

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

/// What a refused log-in means: it is most often its age that a token is refused for. No other way is noted
/// for it any more.
pub(crate) fn refused(
    host: &impl Host,
    login: &ServerLogin,
    secret: &Secret,
    error: MailError,
) -> MailError {
    host.detours().forget(login, secret);
    match (error, secret.proof()) {
        (MailError::Login(text), Proof::Token) => MailError::Token(text),
        (error, _) => error,
    }
}
