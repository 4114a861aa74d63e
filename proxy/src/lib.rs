//! The proxy: serves the page, tunnels WebSockets to mail servers, ends TLS when asked

pub mod demo;
