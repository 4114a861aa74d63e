//! Feeds libFuzzer's inputs to [`postern_fuzz::pop3_session`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::pop3_session::check(input));
