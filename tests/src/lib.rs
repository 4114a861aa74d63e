//! Tests with real servers and a real browser: what they share.
//!
//! | Module | Gives |
//! |---|---|
//! | [`browser`] | a real Chromium |
//! | [`certificate`] | a certificate authority of the test's own |
//! | [`contest`] | a figure of ours beside those of several peers |
//! | [`corpus`] | mail as it comes, in quantities worth measuring |
//! | [`devtools`] | what a browser does beyond WebDriver |
//! | [`dovecot`] | a real Dovecot, on ports of its own, in a directory of its own |
//! | [`drain`] | a client that does nothing but receive: what a benchmark measures ours beside |
//! | [`fetches`] | what a server answers to a first sync |
//! | [`letters`] | generated messages |
//! | [`native`] | the client's logic, natively, over TCP and TLS |
//! | [`pages`] | what a page does: intents in, deltas out |
//! | [`program`] | a program that a benchmark starts, and what it costs the machine |
//! | [`report`] | figures of benchmarks |
//! | [`site`] | the proxy with the built page |
//! | [`token`] | what a page fetches before its first tunnel |
//! | [`wiretap`] | a relay that keeps every byte |

pub mod browser;
pub mod certificate;
pub mod contest;
pub mod corpus;
pub mod devtools;
pub mod dovecot;
pub mod drain;
pub mod fetches;
pub mod letters;
pub mod native;
pub mod pages;
pub mod program;
pub mod report;
pub mod site;
pub mod token;
pub mod wiretap;
