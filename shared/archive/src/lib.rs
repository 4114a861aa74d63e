//! Archives of mail, sans-I/O: bytes in, messages out, and the other way round.
//!
//! | Module | Job |
//! |---|---|
//! | [`mbox`] | mbox in its dialects (mboxo, mboxrd, mboxcl, mboxcl2), and the flags that it carries |
//! | [`zip`] | zip archives, written in one go and read from their directory |
//! | [`limits`] | how much a file may make us hold |
//!
//! Both are written and read in pieces of any size, so that an archive is never held as a whole.
//! What they read may be anything: it is bounded, and damage is an error of one message, not the
//! end, wherever the next one can still be found.
//!
//! Zip is done here rather than by a library because of three needs together that none of those at
//! hand meets: written without seeking beyond 4 GB, read by asynchronous pieces, and bounded by what
//! the file holds instead of by what it says. The `zip` crate is the judge in the tests.

pub mod limits;
pub mod mbox;
pub mod zip;

/// Year, month and day of a time in seconds since 1970 (UTC), not before it.
pub fn date(seconds: i64) -> (i64, i64, i64) {
    mbox::civil(seconds.max(0) / 86_400)
}
