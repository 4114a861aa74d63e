//! SCRAM (RFC 5802, RFC 7677): the password never crosses the wire, and the server must prove that
//! it knows it as well.
//!
//! Without channel binding: where TLS ends is not where SCRAM runs.

mod hash;

use std::fmt;

pub(crate) use hash::Hash;

use crate::{Credentials, Nonce, SaslError, encode, limits, prepare::prepare, wire::decode};

/// No channel binding, no other identity.
const GS2_HEADER: &str = "n,,";

/// A SCRAM exchange. `Debug` shows nothing that the password could be guessed from.
#[derive(Clone)]
pub(crate) struct Scram {
    hash: Hash,
    credentials: Credentials,
    nonce: Nonce,
    state: State,
}

#[derive(Clone)]
enum State {
    /// Nothing was said, or the first message was sent unasked.
    First,
    /// The first message was asked for and sent.
    Asked,
    /// The proof was sent; the server's signature must be this.
    Proven { signature: Vec<u8> },
    /// The server has proven that it knows the password.
    Verified,
    /// Nothing more can be said.
    Over,
}

impl Scram {
    pub(crate) fn new(hash: Hash, credentials: Credentials, nonce: Nonce) -> Self {
        Self { hash, credentials, nonce, state: State::First }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.hash.mechanism()
    }

    /// `client-first-message`.
    pub(crate) fn first_message(&self) -> Vec<u8> {
        format!("{GS2_HEADER}{}", self.first_bare()).into_bytes()
    }

    /// Whether the server has proven that it knows the password.
    pub(crate) fn is_verified(&self) -> bool {
        matches!(self.state, State::Verified)
    }

    /// Whether the server owes its proof now.
    pub(crate) fn awaits_proof(&self) -> bool {
        matches!(self.state, State::Proven { .. })
    }

    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, SaslError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::First if challenge.is_empty() => {
                self.state = State::Asked;
                Ok(self.first_message())
            }
            State::First | State::Asked => {
                let (answer, signature) = self.prove(challenge)?;
                self.state = State::Proven { signature };
                Ok(answer)
            }
            State::Proven { signature } => self.verify(challenge, &signature),
            State::Verified | State::Over => Err(SaslError::UnexpectedChallenge),
        }
    }

    /// Answers `server-first-message` with `client-final-message`; also the signature that the
    /// server owes.
    fn prove(&self, challenge: &[u8]) -> Result<(Vec<u8>, Vec<u8>), SaslError> {
        let server_first = std::str::from_utf8(challenge).map_err(|_| SaslError::Malformed)?;
        let ServerFirst { nonce, salt, iterations } = ServerFirst::parse(server_first)?;
        // Else it would not be an answer to us, or add nothing of the server's own.
        if nonce.len() <= self.nonce.as_str().len() || !nonce.starts_with(self.nonce.as_str()) {
            return Err(SaslError::ForeignNonce);
        }
        if !limits::ITERATIONS.contains(&iterations) {
            return Err(SaslError::Iterations(iterations));
        }
        let without_proof = format!("c={},r={nonce}", encode(GS2_HEADER));
        let message = format!("{},{server_first},{without_proof}", self.first_bare());
        let password = prepare(&self.credentials.secret);
        let keys = self.hash.keys(password.as_bytes(), &salt, iterations);
        let proof = encode(self.hash.proof(&keys, message.as_bytes()));
        let signature = self.hash.signature(&keys, message.as_bytes());
        Ok((format!("{without_proof},p={proof}").into_bytes(), signature))
    }

    /// Takes `server-final-message`. What is neither a refusal nor the right signature proves nothing,
    /// whatever else is wrong with it.
    fn verify(&mut self, challenge: &[u8], signature: &[u8]) -> Result<Vec<u8>, SaslError> {
        let first = challenge.split(|byte| *byte == b',').next().unwrap_or_default();
        // The server's reason for a refusal follows when the exchange has ended.
        if first.starts_with(b"e=") {
            return Ok(Vec::new());
        }
        let claimed = first.strip_prefix(b"v=").and_then(|claimed| decode(claimed).ok());
        if !claimed.is_some_and(|claimed| hash::equal(&claimed, signature)) {
            return Err(SaslError::ServerUnproven);
        }
        self.state = State::Verified;
        Ok(Vec::new())
    }

    /// `client-first-message-bare`.
    fn first_bare(&self) -> String {
        let name = prepare(&self.credentials.username).replace('=', "=3D").replace(',', "=2C");
        format!("n={name},r={}", self.nonce.as_str())
    }
}

impl fmt::Debug for Scram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scram").field("hash", &self.hash).finish_non_exhaustive()
    }
}

struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl<'a> ServerFirst<'a> {
    /// Reads `server-first-message`; extensions behind it are ignored, but one that must be
    /// understood (`m=`) comes first and ends the exchange.
    fn parse(message: &'a str) -> Result<Self, SaslError> {
        let mut attributes = message.split(',');
        let mut attribute = |name: &str| {
            let value = attributes.next().and_then(|own| own.strip_prefix(name));
            value.filter(|value| !value.is_empty()).ok_or(SaslError::Malformed)
        };
        let (nonce, salt, iterations) = (attribute("r=")?, attribute("s=")?, attribute("i=")?);
        let salt = decode(salt)?;
        if salt.len() > limits::SALT {
            return Err(SaslError::Malformed);
        }
        let iterations = iterations.parse().map_err(|_| SaslError::Malformed)?;
        Ok(Self { nonce, salt, iterations })
    }
}

#[cfg(test)]
mod tests;
