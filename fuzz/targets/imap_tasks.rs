//! Feeds libFuzzer's inputs to [`postern_fuzz::imap_tasks`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| postern_fuzz::imap_tasks::check(input));
