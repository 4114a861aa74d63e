//! Against another implementation (imap-codec): what it writes as a server must mean the same here,
//! and what is written here as a client must mean the same there.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod commands;
mod meaning;
mod responses;
mod searches;

use arbitrary::Unstructured;

/// Numbers that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Printable text mostly, so that it is often valid where text is asked for, and small numbers,
    /// so that lists stay short.
    fn bytes(&mut self) -> Vec<u8> {
        let length = 32 + self.below(1500);
        let byte = |noise: &mut Self| match noise.below(16) {
            0 => noise.below(256) as u8,
            1..=4 => noise.below(32) as u8,
            _ => b' ' + noise.below(95) as u8,
        };
        (0..length).map(|_| byte(self)).collect()
    }
}

/// Gives `count` values that `arbitrary` makes out of noise to `check`.
fn for_each<T>(
    count: usize,
    arbitrary: impl Fn(&mut Unstructured<'_>) -> arbitrary::Result<T>,
    mut check: impl FnMut(T),
) {
    let mut made = 0;
    for seed in 0.. {
        let bytes = Noise(seed).bytes();
        if let Ok(value) = arbitrary(&mut Unstructured::new(&bytes)) {
            check(value);
            made += 1;
        }
        if made == count {
            return;
        }
    }
}
