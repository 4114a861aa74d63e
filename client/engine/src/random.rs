//! Randomness, from the browser.

use postern_mail::Random;
use web_sys::Crypto;

/// The most that `getRandomValues` gives at once, in bytes.
const AT_ONCE: usize = 65_536;

/// The browser's generator of random values.
pub(crate) struct BrowserRandom(pub(crate) Crypto);

impl Random for BrowserRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(AT_ONCE) {
            self.0
                .get_random_values_with_u8_array(part)
                .expect("the browser gives random values, up to a size that is kept to");
        }
    }
}
