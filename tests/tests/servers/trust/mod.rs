//! Certificates that nobody vouches for: refused, trusted by the person, changed.

mod decided;
mod refused;
mod scene;
mod server;
mod settings;
