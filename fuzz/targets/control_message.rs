//! Feeds libFuzzer's inputs to [`postern_fuzz::control_message`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::control_message::check(input));
