//! Feeds libFuzzer's inputs to [`postern_fuzz::pop3_framing`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::pop3_framing::check(input));
