//! Feeds libFuzzer's inputs to [`postern_fuzz::mbox_reading`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::mbox_reading::check(input));
