//! Secrets under a key that never leaves the browser.
//!
//! The key is AES-256-GCM, made once and not extractable: IndexedDB keeps it as the browser's own
//! object, whose bytes no script can read. A sealed secret is the format's number, the nonce, and
//! the ciphertext with its tag.

use indexed_db_futures::{
    Build, BuildPrimitive,
    database::Database,
    error::{Error, OpenDbError},
    prelude::QuerySource,
    transaction::TransactionMode,
};
use js_sys::{Array, Promise, Uint8Array};
use postern_mail::{Random, Secret, Vault, host::VaultError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, AesKeyGenParams, Crypto, CryptoKey, SubtleCrypto};

use crate::random::BrowserRandom;

/// The format of a sealed secret, its first byte.
const FORMAT: u8 = 1;

/// The length of AES-GCM's nonce in bytes; random, never used twice (NIST SP 800-38D).
const NONCE: usize = 12;

const ALGORITHM: &str = "AES-GCM";
const DATABASE: &str = "postern-vault";
const KEYS: &str = "keys";
const KEY: &str = "secrets";

/// The vault of this browser profile.
pub(crate) struct BrowserVault {
    crypto: Crypto,
}

impl BrowserVault {
    pub(crate) fn new(crypto: Crypto) -> Self {
        Self { crypto }
    }

    fn subtle(&self) -> Result<SubtleCrypto, VaultError> {
        let subtle = self.crypto.subtle();
        if subtle.is_undefined() {
            let reason = "the browser encrypts only for pages that came over HTTPS";
            return Err(VaultError(reason.into()));
        }
        Ok(subtle)
    }

    /// The key, made if there is none yet and `make` says so.
    async fn key(&self, make: bool) -> Result<CryptoKey, VaultError> {
        let database = open().await.map_err(|error| VaultError(error.to_string()))?;
        let key = match stored(&database).await.map_err(unusable)? {
            Some(key) => key,
            None if make => {
                let fresh = self.make_key().await?;
                keep(&database, fresh).await.map_err(unusable)?
            }
            None => return Err(VaultError("its key is gone".into())),
        };
        database.close();
        key.dyn_into().map_err(|_| VaultError("its key is damaged".into()))
    }

    async fn make_key(&self) -> Result<JsValue, VaultError> {
        let parameters = AesKeyGenParams::new(ALGORITHM, 256);
        let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
        settle(self.subtle()?.generate_key_with_object(&parameters, false, &usages)).await
    }
}

impl Vault for BrowserVault {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        let key = self.key(true).await?;
        let mut nonce = [0; NONCE];
        BrowserRandom(self.crypto.clone()).fill(&mut nonce);
        let parameters = AesGcmParams::new_with_u8_array(ALGORITHM, &nonce[..].into());
        let clear = Uint8Array::from(secret.expose().as_bytes());
        let subtle = self.subtle()?;
        let ciphertext =
            settle(subtle.encrypt_with_object_and_js_u8_array(&parameters, &key, &clear)).await?;
        let mut sealed = vec![FORMAT];
        sealed.extend(nonce);
        sealed.extend(Uint8Array::new(&ciphertext).to_vec());
        Ok(sealed)
    }

    async fn unseal(&self, sealed: &[u8]) -> Result<Secret, VaultError> {
        let damaged = || VaultError("it is damaged".into());
        let (&[FORMAT], sealed) = sealed.split_first_chunk().ok_or_else(damaged)? else {
            return Err(damaged());
        };
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let key = self.key(false).await?;
        let parameters = AesGcmParams::new_with_u8_array(ALGORITHM, &nonce[..].into());
        let subtle = self.subtle()?;
        let clear = settle(subtle.decrypt_with_object_and_js_u8_array(
            &parameters,
            &key,
            &Uint8Array::from(ciphertext),
        ))
        .await?;
        let clear = String::from_utf8(Uint8Array::new(&clear).to_vec()).map_err(|_| damaged())?;
        Ok(Secret::new(clear))
    }
}

async fn open() -> Result<Database, OpenDbError> {
    Database::open(DATABASE)
        .with_version(1_u32)
        .with_on_upgrade_needed(|_, database| {
            database.create_object_store(KEYS).build()?;
            Ok(())
        })
        .await
}

async fn stored(database: &Database) -> Result<Option<JsValue>, Error> {
    let transaction = database.transaction(KEYS).build()?;
    let key = transaction.object_store(KEYS)?.get(KEY).primitive()?.await?;
    Ok(key)
}

/// Keeps a fresh key, unless another page was quicker; returns the one that is kept.
async fn keep(database: &Database, fresh: JsValue) -> Result<JsValue, Error> {
    let transaction = database.transaction(KEYS).with_mode(TransactionMode::Readwrite).build()?;
    let keys = transaction.object_store(KEYS)?;
    if let Some(key) = keys.get(KEY).primitive()?.await? {
        return Ok(key);
    }
    keys.put(fresh.clone()).with_key(KEY).without_key_type().primitive()?.await?;
    transaction.commit().await?;
    Ok(fresh)
}

async fn settle(promise: Result<Promise, JsValue>) -> Result<JsValue, VaultError> {
    let refused = |_| VaultError("the browser does not encrypt or decrypt it".into());
    JsFuture::from(promise.map_err(refused)?).await.map_err(refused)
}

fn unusable(error: Error) -> VaultError {
    VaultError(error.to_string())
}
