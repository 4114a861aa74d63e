//! The proxy: serves the page, tunnels WebSockets to mail servers, ends TLS when asked.
//!
//! It keeps no mail, no accounts and nothing else that a second copy would need.
//!
//! - [`config`]: what an operator decides.
//! - [`server`]: binds, accepts, routes, and stops in good order.
//! - [`access`]: who may use it, and how much of it.
//! - [`page`]: the files of the page.
//! - [`policy`]: where tunnels may go.
//! - [`client_hello`]: what a page must begin with when TLS ends in it.
//! - `tunnel`: from a WebSocket to a mail server and back.
//! - [`discovery`]: which servers a mail address has.
//! - [`websocket`]: the WebSocket protocol, for tunnels.
//! - [`demo`]: a mail server in this process, to try everything out.
//! - `metrics`: what an operator can watch.
//! - [`limits`]: what anybody may cost, at most.
//!
//! Invariants: nothing is dialled that [`policy`] has not vetted; a tunnel's memory is bounded
//! whatever either side does; nothing that passes through a tunnel is logged.

pub mod access;
pub mod client_hello;
pub mod config;
pub mod demo;
pub mod discovery;
pub mod limits;
pub mod log;
mod metrics;
pub mod page;
pub mod policy;
pub mod server;
mod tls;
mod tunnel;
pub mod websocket;

pub use config::Config;
pub use page::{DemoAccount, Endpoint};
pub use policy::Destination;
pub use server::{Builder, Proxy, StartError};
