//! The right to open tunnels: a token of the proxy, and the key that a private proxy wants for it.
//!
//! A token is fetched when it is first needed and used until shortly before its time is over. Many
//! tunnels that open at once share one fetch.

mod exchange;

use std::{cell::RefCell, rc::Rc};

use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, Shared},
};
use postern_mail::{Clock, Secret, TransportError};
use postern_tunnel::Token;

use self::exchange::ProxyExchange;
use crate::{clock::BrowserClock, limits::TOKEN_MARGIN};

/// Where a token comes from.
pub(crate) trait Exchange {
    /// Asks for a token, with the key that was presented.
    async fn exchange(&self, key: Option<&Secret>) -> Result<Token, TransportError>;
}

/// The right to open tunnels. Clones share it.
pub(crate) struct Access<E = ProxyExchange, C = BrowserClock>(Rc<Inner<E, C>>);

struct Inner<E, C> {
    exchange: E,
    clock: C,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    key: Option<Secret>,
    /// Counts up with each key: what was asked with another one does not matter any more.
    keys: u64,
    token: Held,
}

#[derive(Default)]
enum Held {
    #[default]
    Nothing,
    /// On its way.
    Fetching(Shared<LocalBoxFuture<'static, Result<String, TransportError>>>),
    /// To be used until then, in milliseconds since 1970.
    Token(String, i64),
    /// The key is wrong: asking again would only use up the tries that the proxy grants.
    KeyRefused,
}

impl Access {
    /// The right to open tunnels of the proxy that served the page.
    pub(crate) fn of_proxy() -> Self {
        Self::new(ProxyExchange, BrowserClock)
    }
}

impl<E: Exchange + 'static, C: Clock + 'static> Access<E, C> {
    fn new(exchange: E, clock: C) -> Self {
        Self(Rc::new(Inner { exchange, clock, state: RefCell::default() }))
    }

    /// Presents this key from now on, or none.
    pub(crate) fn present(&self, key: Option<Secret>) {
        let mut state = self.0.state.borrow_mut();
        *state = State { key, keys: state.keys + 1, token: Held::Nothing };
    }

    /// A token that is good for some time yet.
    ///
    /// # Errors
    ///
    /// If the proxy can't be reached, or does not give one.
    pub(crate) async fn token(&self) -> Result<String, TransportError> {
        let fetching = {
            let mut state = self.0.state.borrow_mut();
            match &state.token {
                Held::Token(token, until) if self.0.clock.now() < *until => {
                    return Ok(token.clone());
                }
                Held::KeyRefused => return Err(TransportError::KeyRefused),
                Held::Fetching(fetching) => fetching.clone(),
                Held::Nothing | Held::Token(..) => {
                    let fetching = self.clone().fetch(state.key.clone(), state.keys);
                    let fetching = fetching.boxed_local().shared();
                    state.token = Held::Fetching(fetching.clone());
                    fetching
                }
            }
        };
        fetching.await
    }

    /// Uses this token no more: the proxy does not accept it.
    pub(crate) fn drop_token(&self, refused: &str) {
        let mut state = self.0.state.borrow_mut();
        if matches!(&state.token, Held::Token(token, _) if token == refused) {
            state.token = Held::Nothing;
        }
    }

    async fn fetch(self, key: Option<Secret>, keys: u64) -> Result<String, TransportError> {
        let asked = self.0.clock.now();
        let result = self.0.exchange.exchange(key.as_ref()).await;
        let mut state = self.0.state.borrow_mut();
        if state.keys == keys {
            state.token = match &result {
                Ok(Token { token, expires_in }) => {
                    let margin = i64::try_from(TOKEN_MARGIN.as_millis()).unwrap_or(i64::MAX);
                    Held::Token(token.clone(), asked + i64::from(*expires_in) * 1000 - margin)
                }
                Err(TransportError::KeyRefused) => Held::KeyRefused,
                Err(_) => Held::Nothing,
            };
        }
        result.map(|Token { token, .. }| token)
    }
}

impl<E, C> Clone for Access<E, C> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests;
