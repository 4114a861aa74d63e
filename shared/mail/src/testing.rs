//! A host for native tests: time that passes by itself, a scripted server, a store in memory.
//!
//! Nothing here waits for real: a future that can make no progress lets every sleep end at once,
//! so that a server's silence shows as a time-out without delay.

mod moments;
mod stores;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{pending, poll_fn},
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_channel::oneshot;
use futures_util::{FutureExt, future::LocalBoxFuture};
use postern_bridge::{
    AccountId, Discovery, Endpoint, Identity, Protocol, Retention, Security, ServerLogin, TlsEnd,
    TlsSession,
};
use sha2::{Digest, Sha256};

use crate::{
    Admission, Clock, Connector, Detours, Digests, Discover, Host, MailError, Random, Secret,
    Storage, Store, Transport, TransportError, Vault,
    host::{StorageState, VaultError},
    record::Account,
    store::MemoryStore,
};

pub use moments::{Making, Moments};
pub use stores::{FailingStore, WriteFault, YieldingStore, give_way};

/// A server as its clients see it: bytes in, bytes out.
pub trait Server {
    /// A client has connected; what the server says first.
    fn connected(&mut self) -> Vec<u8>;

    /// Bytes of the client; what the server answers.
    fn received(&mut self, bytes: &[u8]) -> Vec<u8>;

    /// The connection ended, in whatever way.
    fn disconnected(&mut self);
}

/// Account 1, Ann's, without a password.
pub fn account(protocol: Protocol) -> Account {
    let login = ServerLogin {
        endpoint: Endpoint {
            host: "mail.example.org".into(),
            port: 993,
            security: Security::Tls,
            tls_end: TlsEnd::Proxy,
            trusted: None,
        },
        username: "ann".into(),
    };
    Account {
        id: AccountId(1),
        identity: Identity { name: "Ann".into(), address: "ann@example.org".into() },
        protocol,
        incoming: login.clone(),
        outgoing: login,
        retention: Retention::Keep,
        extent: Default::default(),
        proof: Default::default(),
        sealed_password: Vec::new(),
    }
}

/// Nobody connects in here.
pub struct NoServer;

impl Server for NoServer {
    fn connected(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn received(&mut self, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn disconnected(&mut self) {}
}

/// A host whose only server is `S`.
pub struct TestHost<S, D = MemoryStore> {
    /// The server that every connection reaches.
    pub server: Rc<RefCell<S>>,
    /// The store.
    pub store: D,
    /// After how many bytes, both ways together, the next connection breaks.
    pub cut: Cell<Option<usize>>,
    /// Whether one that breaks does so without a word: neither side hears of it.
    pub breaks_silently: Cell<bool>,
    /// How many bytes the last connection carried, both ways together.
    pub carried: Rc<Cell<usize>>,
    /// The access key that the proxy asks for, if any.
    pub asked_key: RefCell<Option<Secret>>,
    /// The access key that was presented.
    pub presented_key: RefCell<Option<Secret>>,
    /// What the next search for an address's servers waits for; without it nothing is found at once.
    pub search: Cell<Option<oneshot::Receiver<Discovery>>>,
    /// The most bytes that one read gives.
    pub read_size: Cell<usize>,
    /// How the store's surroundings keep what is in it.
    pub storage: Cell<StorageState>,
    /// The moments at which it waits for the connection or for the clock.
    pub moments: Moments,
    /// The time, in milliseconds since 1970 (UTC).
    pub now: Rc<Cell<i64>>,
    /// The digests that are in the making.
    pub digests: Making,
    random: Cell<u8>,
    detours: Detours,
}

impl<S: Server> TestHost<S> {
    /// A host with an empty store.
    pub fn new(server: S) -> Self {
        Self::with_store(server, MemoryStore::new())
    }
}

impl<S: Server, D: Store> TestHost<S, D> {
    /// A host with this store.
    pub fn with_store(server: S, store: D) -> Self {
        Self {
            server: Rc::new(RefCell::new(server)),
            store,
            cut: Cell::new(None),
            breaks_silently: Cell::new(false),
            carried: Rc::default(),
            asked_key: RefCell::default(),
            presented_key: RefCell::default(),
            search: Cell::default(),
            read_size: Cell::new(usize::MAX),
            storage: Cell::new(StorageState { persistent: true, ..StorageState::default() }),
            moments: Moments::default(),
            now: Rc::new(Cell::new(1_700_000_000_000)),
            digests: Making::default(),
            random: Cell::new(0),
            detours: Detours::default(),
        }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.now.set(self.now.get() + i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    }
}

/// Runs a future to its end.
///
/// # Panics
///
/// If it waits for something that can't happen.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        // What is pending waits beside a sleep; polled again, the sleep has passed.
        let goes_on = PENDING.take() | woken.0.swap(false, Ordering::Relaxed);
        assert!(goes_on, "the future waits for something that can't happen");
    }
}

/// Whether one of two futures that run together has woken the other.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    /// Whether a sleep has begun since the last look.
    static PENDING: Cell<bool> = const { Cell::new(false) };
}

impl<S, D> Clock for TestHost<S, D> {
    fn now(&self) -> i64 {
        self.now.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.moments.next().await;
        let mut polled = false;
        poll_fn(|_| {
            if polled {
                return Poll::Ready(());
            }
            polled = true;
            PENDING.set(true);
            Poll::Pending
        })
        .await;
        self.now.set(self.now.get() + i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
    }
}

impl<S, D> Random for TestHost<S, D> {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            self.random.set(self.random.get().wrapping_add(1));
            *byte = self.random.get();
        }
    }
}

impl<S, D> Digests for TestHost<S, D> {
    /// Takes a moment; comes to nothing for those of odd length.
    fn sha256(&self, bytes: &[u8]) -> LocalBoxFuture<'static, Option<[u8; 32]>> {
        let (moments, digests) = (self.moments.clone(), self.digests.clone());
        let made = bytes.len().is_multiple_of(2).then(|| Sha256::digest(bytes).into());
        digests.begin();
        async move {
            moments.next().await;
            give_way().await;
            digests.end();
            made
        }
        .boxed_local()
    }
}

impl<S, D> Vault for TestHost<S, D> {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        Ok(secret.expose().into())
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<Secret, VaultError> {
        Ok(Secret::new(String::from_utf8_lossy(sealed)))
    }
}

impl<S, D> Admission for TestHost<S, D> {
    fn present(&self, key: Option<Secret>) {
        self.presented_key.replace(key);
    }

    async fn admit(&self) -> Result<(), TransportError> {
        match (&*self.asked_key.borrow(), &*self.presented_key.borrow()) {
            (None, _) => Ok(()),
            (Some(asked), Some(presented)) if asked == presented => Ok(()),
            (Some(_), Some(_)) => Err(TransportError::KeyRefused),
            (Some(_), None) => Err(TransportError::KeyNeeded),
        }
    }
}

impl<S, D> Storage for TestHost<S, D> {
    async fn storage(&self) -> StorageState {
        self.storage.get()
    }
}

impl<S: Server, D> Connector for TestHost<S, D> {
    type Transport = Pipe<S>;

    async fn connect(&self, _endpoint: &Endpoint) -> Result<Pipe<S>, TransportError> {
        self.moments.next().await;
        self.admit().await?;
        self.carried.set(0);
        let said = self.server.borrow_mut().connected();
        Ok(Pipe {
            server: Rc::clone(&self.server),
            arriving: said.into(),
            left: self.cut.get().unwrap_or(usize::MAX),
            breaks_silently: self.breaks_silently.get(),
            carried: Rc::clone(&self.carried),
            read_size: self.read_size.get(),
            moments: self.moments.clone(),
        })
    }
}

impl<S, D> Discover for TestHost<S, D> {
    /// The proxy that searches may ask for a key.
    async fn discover(&self, _address: &str) -> Result<Discovery, MailError> {
        self.admit().await?;
        match self.search.take() {
            Some(search) => Ok(search.await.map_err(|_| TransportError::Offline)?),
            None => Ok(Discovery::default()),
        }
    }
}

impl<S: Server + 'static, D: Store + 'static> Host for TestHost<S, D> {
    type Store = D;

    fn store(&self) -> &D {
        &self.store
    }

    fn detours(&self) -> &Detours {
        &self.detours
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        block_on(task);
    }
}

/// A connection to the scripted server.
pub struct Pipe<S: Server> {
    server: Rc<RefCell<S>>,
    arriving: VecDeque<u8>,
    left: usize,
    breaks_silently: bool,
    carried: Rc<Cell<usize>>,
    read_size: usize,
    moments: Moments,
}

impl<S: Server> Pipe<S> {
    /// How many of so many bytes still pass.
    fn carry(&mut self, wanted: usize) -> usize {
        let passing = wanted.min(self.left);
        self.left -= passing;
        self.carried.set(self.carried.get() + passing);
        passing
    }

    /// What comes of it when nothing passes any more.
    async fn lost(&self) -> TransportError {
        if self.breaks_silently {
            pending::<()>().await;
        }
        TransportError::Lost
    }
}

impl<S: Server> Transport for Pipe<S> {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        self.moments.next().await;
        if self.arriving.is_empty() && self.left > 0 {
            pending::<()>().await;
        }
        let bytes = self.carry(self.arriving.len().min(self.read_size));
        if bytes == 0 {
            return Err(self.lost().await);
        }
        Ok(self.arriving.drain(..bytes).collect())
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        self.moments.next().await;
        let passing = self.carry(bytes.len());
        let answer = self.server.borrow_mut().received(&bytes[..passing]);
        self.arriving.extend(answer);
        if passing < bytes.len() { Err(self.lost().await) } else { Ok(()) }
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        if self.arriving.is_empty() {
            Ok(())
        } else {
            Err(TransportError::Tls("unprotected bytes".into()))
        }
    }

    fn tls(&self) -> Option<TlsSession> {
        None
    }

    async fn close(&mut self) {
        self.moments.next().await;
    }
}

impl<S: Server> Drop for Pipe<S> {
    fn drop(&mut self) {
        self.server.borrow_mut().disconnected();
    }
}
