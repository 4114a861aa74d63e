//! What the surroundings must offer: a way to servers, time, randomness, secrets, a store.

use std::{fmt, ops::RangeInclusive, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, ready, select},
};
use postern_bridge::{Discovery, Endpoint, Proof, RefusedCertificate, TlsSession};

use crate::{Detours, MailError, Store};

/// A byte stream to a mail server.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Transport {
    /// Waits for bytes from the server; an empty vector is its orderly end of stream.
    ///
    /// Cancel-safe: a dropped future has taken no byte.
    ///
    /// # Errors
    ///
    /// If the stream broke, or ended without the orderly end that TLS demands.
    async fn read(&mut self) -> Result<Vec<u8>, TransportError>;

    /// Sends bytes; returns when they are on their way and more would be welcome.
    ///
    /// # Errors
    ///
    /// If the stream broke.
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError>;

    /// Upgrades a clear-text stream to TLS after the server's go-ahead (STARTTLS).
    ///
    /// # Errors
    ///
    /// If the handshake fails, or if bytes had arrived before it began.
    async fn start_tls(&mut self) -> Result<(), TransportError>;

    /// What protects the stream; `None` while it is clear text.
    fn tls(&self) -> Option<TlsSession>;

    /// Says goodbye; the stream is gone afterwards.
    async fn close(&mut self);
}

/// Opens byte streams to mail servers.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Connector {
    /// The stream.
    type Transport: Transport;

    /// Connects; with [`Security::Tls`](postern_bridge::Security::Tls), TLS is up when it returns.
    ///
    /// # Errors
    ///
    /// If the server can't be reached or its certificate does not verify.
    async fn connect(&self, endpoint: &Endpoint) -> Result<Self::Transport, TransportError>;
}

/// Finds out which servers a mail address has.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Discover {
    /// What can be found out without a password; nothing is an answer as well.
    ///
    /// # Errors
    ///
    /// If nobody could look, or it is no address.
    async fn discover(&self, address: &str) -> Result<Discovery, MailError>;
}

/// The way into a proxy, which may be private. What is here is for a host without one.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Admission {
    /// Presents this access key from now on, or none.
    fn present(&self, _key: Option<Secret>) {}

    /// Asks to be let in, with the key that was presented.
    ///
    /// # Errors
    ///
    /// [`TransportError::KeyNeeded`] or [`TransportError::KeyRefused`] if the proxy is private; or
    /// whatever else is in the way.
    async fn admit(&self) -> Result<(), TransportError> {
        Ok(())
    }
}

/// How the store's surroundings keep what is in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StorageState {
    /// Whether it is kept until the person removes it, and nobody else drops it to make room.
    pub persistent: bool,
    /// Bytes in use, estimated; `None` if nobody knows.
    pub usage: Option<u64>,
    /// Bytes that may be in use; `None` if nobody knows.
    pub quota: Option<u64>,
}

impl StorageState {
    /// In such pieces Chromium rounds up what the disk has.
    const GIB: u64 = 1 << 30;

    /// So many of those, at most, it tells every site that it may use beyond what it does.
    const MADE_UP: RangeInclusive<u64> = 1..=10;

    /// What a browser tells; what it only makes up counts as not told.
    pub fn of_browser(persistent: bool, usage: Option<u64>, quota: Option<u64>) -> Self {
        let room = quota.zip(usage).and_then(|(quota, usage)| quota.checked_sub(usage));
        let is_made_up = room.is_some_and(|room| {
            room.is_multiple_of(Self::GIB) && Self::MADE_UP.contains(&(room / Self::GIB))
        });
        Self { persistent, usage, quota: quota.filter(|_| !is_made_up) }
    }
}

/// Tells how safe what is stored is, and how much room there is. What is here is for a host that
/// keeps everything and has room without end.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Storage {
    /// The state now; it changes without notice.
    async fn storage(&self) -> StorageState {
        StorageState { persistent: true, usage: None, quota: None }
    }
}

/// Why a byte stream could not be opened or broke.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransportError {
    /// The page has no network, or the proxy is away.
    #[error("no connection to the network")]
    Offline,
    /// The proxy does not relay to this destination; its reason.
    #[error("the proxy does not connect there: {0}")]
    NotAllowed(String),
    /// The proxy is private, and no key was presented to it.
    #[error("the proxy asks for an access key")]
    KeyNeeded,
    /// The proxy is private, and does not take the key that was presented to it.
    #[error("the proxy does not accept the access key")]
    KeyRefused,
    /// The proxy does not take this page for one of its own, even with a new token; its reason.
    #[error("the proxy did not let the page in: {0}")]
    Denied(String),
    /// The proxy (or its guard) asks for patience; its reason.
    #[error("the proxy is busy: {0}")]
    Busy(String),
    /// The host name has no address.
    #[error("there is no server of that name")]
    UnknownHost,
    /// Nobody could tell whether the host name has an address.
    #[error("the name of the server can't be looked up")]
    LookupFailed,
    /// Nobody listens there, or the way is blocked.
    #[error("the server does not accept connections there")]
    ConnectFailed,
    /// No answer in time.
    #[error("the server does not answer")]
    TimedOut,
    /// The server's certificate does not verify.
    #[error("the certificate of {} was refused", .0.host)]
    Certificate(Box<RefusedCertificate>),
    /// TLS could not be agreed on, for another reason than the certificate.
    #[error("no secure connection could be made: {0}")]
    Tls(String),
    /// The stream ended or broke.
    #[error("the connection was lost")]
    Lost,
}

/// Time.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Clock {
    /// Milliseconds since 1970 (UTC).
    fn now(&self) -> i64;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}

/// Waits for `future`, but no longer than `patience`; `None` if it took longer.
pub async fn within<C: Clock + ?Sized, T>(
    clock: &C,
    patience: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let sleep = std::pin::pin!(clock.sleep(patience));
    match select(std::pin::pin!(future), sleep).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

/// Randomness fit for cryptography.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Makes digests while this thread does other things. What is here is for a host that can't.
pub trait Digests {
    /// Begins to make SHA-256 (FIPS 180-4) of bytes, which it does not need any more when it returns.
    /// `None` if nothing comes of it: then whoever wants it makes it.
    fn sha256(&self, bytes: &[u8]) -> LocalBoxFuture<'static, Option<[u8; 32]>> {
        let _ = bytes;
        ready(None).boxed_local()
    }
}

/// A password or token; `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret {
    text: String,
    proof: Proof,
}

impl Secret {
    /// Wraps a secret: a password, if it logs in somewhere.
    pub fn new(secret: impl Into<String>) -> Self {
        Self { text: secret.into(), proof: Proof::Password }
    }

    /// The same secret as what logs in in this way.
    #[must_use]
    pub fn proving_by(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// What it is for a server that one logs in to.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Encrypts secrets under a key that can't be taken out of this browser.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Vault {
    /// Encrypts.
    ///
    /// # Errors
    ///
    /// If the key can't be made or used.
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError>;

    /// Decrypts.
    ///
    /// # Errors
    ///
    /// If the key is gone, or the bytes are not what [`seal`](Vault::seal) made.
    async fn unseal(&self, sealed: &[u8]) -> Result<Secret, VaultError>;
}

/// A secret could not be encrypted or decrypted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the stored password can't be used: {0}")]
pub struct VaultError(pub String);

/// Everything that the client's logic needs from outside.
pub trait Host:
    Connector + Discover + Admission + Storage + Clock + Random + Digests + Vault + 'static
{
    /// The store.
    type Store: Store;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// Which log-ins go another way than the first, as long as this host is there.
    fn detours(&self) -> &Detours;

    /// Runs a task beside the others, on this thread.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_is_made_up_counts_as_not_told() {
        let quota = |usage, quota| StorageState::of_browser(true, usage, quota).quota;
        let sham = 10 << 30;
        assert_eq!(quota(Some(5), Some(sham + 5)), None);
        assert_eq!(quota(Some(5), Some((8 << 30) + 5)), None);
        assert_eq!(quota(Some(5), Some(5)), Some(5));
        assert_eq!(quota(Some(5), Some((11 << 30) + 5)), Some((11 << 30) + 5));
        assert_eq!(quota(Some(5), Some(sham)), Some(sham));
        assert_eq!(quota(None, Some(sham)), Some(sham));
        assert_eq!(quota(None, None), None);
        assert_eq!(quota(Some(u64::MAX), Some(5)), Some(5));
    }
}
