//! Masking (RFC 6455, section 5.3).

/// Takes the mask off, or puts it on, and turns the key so that it fits the bytes that follow.
pub(super) fn unmask(bytes: &mut [u8], key: &mut [u8; 4]) {
    let [a, b, c, d] = *key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    // The compiler makes this as wide as the processor's registers.
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    key.rotate_left(rest.len() % 4);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_are_unmasked_as_the_whole_is() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let masked: Vec<u8> = (0..100).collect();
        let plain: Vec<u8> =
            masked.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        for first in 0..masked.len() {
            for second in first..masked.len() {
                let (mut bytes, mut key) = (masked.clone(), key);
                unmask(&mut bytes[..first], &mut key);
                unmask(&mut bytes[first..second], &mut key);
                unmask(&mut bytes[second..], &mut key);
                assert_eq!(bytes, plain, "{first}, {second}");
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        let mut bytes = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        unmask(&mut bytes, &mut [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(&bytes, b"Hello");
    }
}
