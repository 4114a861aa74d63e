//! What the servers do, over TLS.

mod faults;
mod pop3;
mod submission;
