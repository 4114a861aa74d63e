//! Feeds libFuzzer's inputs to [`postern_fuzz::zip_reading`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::zip_reading::check(input));
