//! TLS against servers in memory.

mod certificates;
mod ends;
mod resumption;
mod server;
mod suites;
mod words;
