//! Feeds libFuzzer's inputs to [`postern_fuzz::destination`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::destination::check(input));
