//! Names to addresses.
//!
//! A [`Resolve`] looks names up, and [`Lookups`] bounds what that costs. What comes of it is vetted
//! by the policy, wherever it comes from: a name server, or this machine's file of hosts.

mod bounded;
mod system;

use std::net::IpAddr;

use futures_util::future::BoxFuture;

pub use bounded::Lookups;
pub use system::SystemResolver;
pub(crate) use system::system_resolver;

/// Looks names up.
pub trait Resolve: Send + Sync {
    /// All addresses of a name, which is complete: nothing is appended to it.
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>>;
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResolveError {
    /// There is no such name, or it has no address.
    #[error("the name has no address")]
    NotFound,
    /// There is an answer, but a longer one than mail servers need.
    #[error("the answer is too long")]
    TooLong,
    /// Nobody who could know has answered, or not in time.
    #[error("the name can't be looked up")]
    Unavailable,
}
