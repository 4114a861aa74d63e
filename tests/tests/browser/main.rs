//! The real page in a real Chromium, through the real proxy.

mod accounts;
mod backup;
mod blind;
mod changes;
mod clock;
mod coexistence;
mod conversations;
mod demo;
mod discovery;
mod downloads;
mod failures;
mod hostile;
mod importing;
mod keeping;
mod mail;
mod offline;
mod patched;
mod policies;
mod pop3;
mod pop3_server;
mod private;
mod search;
mod steps;
mod storage;
mod store;
mod trust;
