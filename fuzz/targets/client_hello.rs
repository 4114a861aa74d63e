//! Feeds libFuzzer's inputs to [`postern_fuzz::client_hello`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::client_hello::check(input));
