//! Everything that the client's logic needs, from the browser.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use postern_bridge::{Discovery, Endpoint};
use postern_mail::{
    Admission, Clock, Connector, Detours, Digests, Discover, Host, MailError, Random, Secret,
    Storage, TransportError, Vault,
    host::{StorageState, VaultError},
};
use web_sys::{Crypto, WorkerNavigator};

use crate::{
    access::Access,
    clock::BrowserClock,
    digests::BrowserDigests,
    discovery::ProxyDiscovery,
    random::BrowserRandom,
    storage::BrowserStorage,
    store::BrowserStore,
    transport::{MailTransport, TunnelConnector},
    vault::BrowserVault,
};

/// The browser, as the client's logic sees it.
pub(crate) struct BrowserHost {
    store: BrowserStore,
    storage: BrowserStorage,
    access: Access,
    connector: TunnelConnector,
    discovery: ProxyDiscovery,
    random: BrowserRandom,
    digests: BrowserDigests,
    vault: BrowserVault,
    detours: Detours,
}

impl BrowserHost {
    /// `origin` is the page's.
    pub(crate) fn new(
        store: BrowserStore,
        navigator: &WorkerNavigator,
        crypto: Crypto,
        origin: &str,
    ) -> Self {
        let access = Access::of_proxy();
        Self {
            store,
            storage: BrowserStorage::new(navigator),
            connector: TunnelConnector::new(origin, access.clone()),
            discovery: ProxyDiscovery::new(access.clone()),
            access,
            random: BrowserRandom(crypto.clone()),
            digests: BrowserDigests(crypto.clone()),
            vault: BrowserVault::new(crypto),
            detours: Detours::default(),
        }
    }
}

impl Host for BrowserHost {
    type Store = BrowserStore;

    fn store(&self) -> &BrowserStore {
        &self.store
    }

    fn detours(&self) -> &Detours {
        &self.detours
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        wasm_bindgen_futures::spawn_local(task);
    }
}

impl Connector for BrowserHost {
    type Transport = MailTransport;

    async fn connect(&self, endpoint: &Endpoint) -> Result<MailTransport, TransportError> {
        self.connector.connect(endpoint).await
    }
}

impl Discover for BrowserHost {
    async fn discover(&self, address: &str) -> Result<Discovery, MailError> {
        self.discovery.discover(address).await
    }
}

impl Admission for BrowserHost {
    fn present(&self, key: Option<Secret>) {
        self.access.present(key);
    }

    async fn admit(&self) -> Result<(), TransportError> {
        self.access.token().await.map(drop)
    }
}

impl Storage for BrowserHost {
    async fn storage(&self) -> StorageState {
        self.storage.state().await
    }
}

impl Clock for BrowserHost {
    fn now(&self) -> i64 {
        BrowserClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        BrowserClock.sleep(duration).await;
    }
}

impl Random for BrowserHost {
    fn fill(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }
}

impl Digests for BrowserHost {
    fn sha256(&self, bytes: &[u8]) -> LocalBoxFuture<'static, Option<[u8; 32]>> {
        self.digests.sha256(bytes)
    }
}

impl Vault for BrowserHost {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        self.vault.seal(secret).await
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<Secret, VaultError> {
        self.vault.unseal(sealed).await
    }
}
