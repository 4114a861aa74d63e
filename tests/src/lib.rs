//! Tests with real servers and a real browser: what they share.
//!
//! | Module | Gives |
//! |---|---|
//! | [`browser`] | a real Chromium |
//! | [`certificate`] | a certificate authority of the test's own |
//! | [`dovecot`] | a real Dovecot, on ports of its own, in a directory of its own |
//! | [`letters`] | generated messages |
//! | [`native`] | the client's logic, natively, over TCP and TLS |
//! | [`pages`] | what a page does: intents in, deltas out |
//! | [`site`] | the proxy with the built page |

pub mod browser;
pub mod certificate;
pub mod dovecot;
pub mod letters;
pub mod native;

pub mod pages;
pub mod site;
