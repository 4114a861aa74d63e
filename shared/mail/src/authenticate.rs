//! How to log in to a server of any protocol.

use postern_sasl::{Credentials, Mechanism, Nonce, choose};

use crate::Random;

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
