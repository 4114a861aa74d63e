//! Tests with real servers and a real browser: what they share.
//!
//! | Module | Gives |
//! |---|---|
//! | [`browser`] | a real Chromium |
//! | [`certificate`] | a certificate authority of the test's own |
//! | [`contest`] | a figure of ours beside those of several peers |
//! | [`corpus`] | mail as it comes, in quantities worth measuring |
//! | [`courier`], [`cyrus`], [`dovecot`] | real mail servers, each on ports and in a directory of its own |
//! | [`devtools`] | what a browser does beyond WebDriver |
//! | [`drain`] | a client that does nothing but receive: what a benchmark measures ours beside |
//! | [`interruptible`] | a store that fails, or at which the process ends, at a given operation |
//! | [`letters`] | generated messages |
//! | [`measuring`] | an engine that measures, in a real browser |
//! | [`native`] | the client's logic, natively, over TCP and TLS |
//! | [`other_client`] | another mail client of the same person |
//! | [`pages`] | what a page does: intents in, deltas out |
//! | [`pinned`] | staying on one processor while something is measured |
//! | [`ports`] | where a mail server listens |
//! | [`program`] | a program that a test or benchmark starts, and what it costs the machine |
//! | [`report`] | figures of benchmarks |
//! | [`servers`] | the real mail servers that everything must work with |
//! | [`site`] | the proxy with the built page |
//! | [`token`] | what a page fetches before its first tunnel |
//! | [`trace`] | what was said on a connection, as text |
//! | [`wiretap`] | a relay that keeps every byte, and can cut connections |

pub mod browser;
pub mod certificate;
pub mod contest;
pub mod corpus;
pub mod courier;
pub mod cyrus;
pub mod devtools;
pub mod dovecot;
pub mod drain;
pub mod interruptible;
pub mod letters;
pub mod measuring;
pub mod native;
pub mod other_client;
mod owner;
pub mod pages;
pub mod pinned;
pub mod ports;
pub mod program;
pub mod report;
pub mod servers;
pub mod site;
pub mod token;
pub mod trace;
mod unpacked;
pub mod wiretap;
