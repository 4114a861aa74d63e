//! Intents and deltas as bytes, with the page they come from or go to.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Delta, Intent};

/// One open page (tab or window) of this browser profile; random, so that no two are alike.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ClientId(pub u64);

/// An intent and the page that it comes from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Up {
    /// The page.
    pub client: ClientId,
    /// What it wants.
    pub intent: Intent,
}

/// A delta and the page that it is for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Down {
    /// The page; `None` is every page.
    pub client: Option<ClientId>,
    /// What changed.
    pub delta: Delta,
}

/// Bytes that are not what they should be: the two programs differ in version.
#[derive(Debug, thiserror::Error)]
#[error("the page and its engine do not understand each other; reload the page")]
pub struct WireError(#[from] rmp_serde::decode::Error);

/// Encodes a message for the other side.
///
/// # Panics
///
/// Never for this crate's types: all of them can be encoded, and writing to memory can't fail.
pub fn to_bytes(message: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(message).expect("the bridge's types can be encoded")
}

/// Decodes a message from the other side.
///
/// # Errors
///
/// If the bytes are not a `T`.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    Ok(rmp_serde::from_slice(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Connection};

    #[test]
    fn a_delta_survives_the_way_to_the_app() {
        let down = Down {
            client: Some(ClientId(u64::MAX)),
            delta: Delta::Connection {
                account: AccountId(7),
                state: Connection::Failed {
                    sentence: "The server does not answer.".into(),
                    in_settings: false,
                },
            },
        };
        assert_eq!(from_bytes::<Down>(&to_bytes(&down)).unwrap(), down);
    }

    #[test]
    fn bytes_of_another_version_are_an_error() {
        assert!(from_bytes::<Up>(&to_bytes(&"something else")).is_err());
    }
}
