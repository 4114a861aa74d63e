//! What must hold for any input.
//!
//! Each target is a function that panics if it does not hold. The programs in `targets/` give it to
//! libFuzzer, to run for long; the tests give it a few thousand inputs, from the same corpus.

pub mod client_hello;
pub mod control_message;
pub mod destination;
pub mod imap_client;
pub mod imap_framing;
pub mod imap_log_in;
pub mod imap_response;
mod imap_script;
pub mod imap_session;
pub mod imap_tasks;
pub mod mbox_reading;
pub mod mutate;
pub mod pop3_framing;
pub mod pop3_session;
pub mod zip_reading;
