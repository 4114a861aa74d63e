//! Who may use the proxy, and how much of it.
//!
//! - `token`: what a page shows to open a tunnel.
//! - `key`: what a person enters to get tokens from a private proxy.
//! - `exchange`: `/api/token`, where a page gets a token.
//! - `quota`: how much each client, and all together, may use.
//! - `bucket`, `destinations`, `table`: how that is counted, in bounded memory.
//! - `waiting`: pages that have not shown a token yet.
//!
//! Invariants: nothing is looked up or dialled for a page that has not shown a token, and it uses
//! nothing up of what is for all.

mod bucket;
mod destinations;
mod exchange;
mod key;
mod quota;
mod table;
mod token;
mod waiting;

pub use key::AccessKey;
pub use token::TokenKey;

pub(crate) use exchange::{bearer, token};
pub(crate) use quota::{Asker, Excess, Guest, Quotas, Visitor};
pub(crate) use token::{Mint, TokenProblem};
