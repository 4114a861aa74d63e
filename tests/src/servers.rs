//! The real mail servers that everything must work with.

use anyhow::{Context, Result};

use crate::{
    certificate::Authority, courier::Courier, cyrus::Cyrus, dovecot::Dovecot, ports::Addresses,
};

/// A kind of mail server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The most common one.
    Dovecot,
    /// The one with the most extensions beside it, which keeps mail in a way of its own.
    Cyrus,
    /// The one that does without most extensions.
    Courier,
}

/// A running mail server of any kind, on loopback; ended when dropped.
pub enum Server {
    /// See [`Kind`].
    Dovecot(Dovecot),
    /// See [`Kind`].
    Cyrus(Cyrus),
    /// See [`Kind`].
    Courier(Courier),
}

impl Server {
    /// Starts one that knows these users, with [`PASSWORD`](crate::dovecot::PASSWORD) each.
    ///
    /// # Errors
    ///
    /// If it is not there or does not come up.
    pub fn start(kind: Kind, users: &[&str]) -> Result<Self> {
        let server = match kind {
            Kind::Dovecot => Dovecot::start().map(Self::Dovecot),
            Kind::Cyrus => Cyrus::start(users).map(Self::Cyrus),
            Kind::Courier => Courier::start(users).map(Self::Courier),
        };
        server.with_context(|| format!("{kind:?} did not start"))
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Dovecot(_) => Kind::Dovecot,
            Self::Cyrus(_) => Kind::Cyrus,
            Self::Courier(_) => Kind::Courier,
        }
    }

    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        match self {
            Self::Dovecot(own) => {
                Addresses { imap: own.imap, imaps: own.imaps, pop3: own.pop3, pop3s: own.pop3s }
            }
            Self::Cyrus(own) => own.addresses,
            Self::Courier(own) => own.addresses,
        }
    }

    /// Who signed its certificate, which is for `localhost`.
    pub fn authority(&self) -> &Authority {
        match self {
            Self::Dovecot(own) => &own.authority,
            Self::Cyrus(own) => &own.authority,
            Self::Courier(own) => &own.authority,
        }
    }

    /// What it logged, for a failing test.
    pub fn log(&self) -> String {
        match self {
            Self::Dovecot(own) => own.log(),
            Self::Cyrus(own) => own.log(),
            Self::Courier(own) => own.log(),
        }
    }

    /// What it keeps of a user beside the messages, for a failing test; only Courier's can be read.
    pub fn home(&self, user: &str) -> String {
        match self {
            Self::Courier(own) => own.home(user),
            Self::Dovecot(_) | Self::Cyrus(_) => String::new(),
        }
    }

    /// A folder's name as the server has it, from its name for people; that of one in another is
    /// told as `Outer/Inner`.
    pub fn folder(&self, name: &str) -> String {
        match self {
            Self::Courier(_) => format!("INBOX.{}", name.replace('/', ".")),
            Self::Dovecot(_) | Self::Cyrus(_) => name.to_owned(),
        }
    }
}
