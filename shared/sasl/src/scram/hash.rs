//! The arithmetic of SCRAM (RFC 5802 section 3).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The hash function that a mechanism is built on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

/// What is derived from the password.
pub(super) struct Keys {
    client: Vec<u8>,
    server: Vec<u8>,
}

impl Hash {
    pub(super) fn mechanism(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    /// `ClientKey` and `ServerKey`.
    pub(super) fn keys(self, password: &[u8], salt: &[u8], iterations: u32) -> Keys {
        let salted = match self {
            Self::Sha1 => {
                pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password, salt, iterations).to_vec()
            }
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, iterations).to_vec()
            }
        };
        Keys {
            client: self.hmac(&salted, b"Client Key"),
            server: self.hmac(&salted, b"Server Key"),
        }
    }

    /// `ClientProof`.
    pub(super) fn proof(self, keys: &Keys, auth_message: &[u8]) -> Vec<u8> {
        let signature = self.hmac(&self.digest(&keys.client), auth_message);
        keys.client.iter().zip(signature).map(|(key, signature)| key ^ signature).collect()
    }

    /// `ServerSignature`.
    pub(super) fn signature(self, keys: &Keys, auth_message: &[u8]) -> Vec<u8> {
        self.hmac(&keys.server, auth_message)
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, bytes),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, bytes),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mac = M::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.chain_update(bytes).finalize().into_bytes().to_vec()
}

/// Compares in a time that does not depend on where the difference is.
pub(super) fn equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}
