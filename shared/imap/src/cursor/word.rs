//! Words whose case does not matter.

use smol_str::SmolStr;

/// Words of at most so many bytes are put into lower case in place.
const SHORT: usize = 23;

/// What nearly all words in structures are, by their length: these take neither memory nor copying.
const USUAL: [&[&str]; 17] = [
    &[],
    &[],
    &[],
    &[],
    &["7bit", "8bit", "name", "size"],
    &["mixed"],
    &["base64", "inline", "format"],
    &["charset", "related"],
    &["boundary", "filename"],
    &[],
    &["attachment"],
    &["alternative"],
    &[],
    &[],
    &[],
    &[],
    &["quoted-printable"],
];

/// A word in lower case; bytes that are not UTF-8 are replaced.
pub(super) fn word(bytes: &[u8]) -> SmolStr {
    let candidates = USUAL.get(bytes.len()).copied().unwrap_or_default();
    match candidates.iter().find(|own| is(bytes, own)) {
        Some(own) => SmolStr::new_static(own),
        None => lower(&[bytes]),
    }
}

/// A type and a subtype as a media type in lower case.
pub(crate) fn media_type(kind: &[u8], subtype: &[u8]) -> SmolStr {
    match is(kind, "text") {
        true if is(subtype, "plain") => SmolStr::new_static("text/plain"),
        true if is(subtype, "html") => SmolStr::new_static("text/html"),
        _ => lower(&[kind, b"/", subtype]),
    }
}

fn is(bytes: &[u8], word: &str) -> bool {
    bytes == word.as_bytes() || bytes.eq_ignore_ascii_case(word.as_bytes())
}

fn lower(pieces: &[&[u8]]) -> SmolStr {
    let mut short = [0; SHORT];
    let mut length = 0;
    for piece in pieces {
        let Some(place) = short.get_mut(length..length + piece.len()) else {
            return long_lower(pieces);
        };
        place.copy_from_slice(piece);
        length += piece.len();
    }
    short.make_ascii_lowercase();
    match std::str::from_utf8(&short[..length]) {
        Ok(word) => SmolStr::new(word),
        Err(_) => long_lower(pieces),
    }
}

#[cold]
fn long_lower(pieces: &[&[u8]]) -> SmolStr {
    String::from_utf8_lossy(&pieces.concat()).to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_length_are_put_into_lower_case() {
        assert_eq!(word(b"BINARY"), "binary");
        assert_eq!(word(&[b'A'; 40]), "a".repeat(40).as_str());
        assert_eq!(word(b"\xe4A"), "\u{fffd}a");
        assert_eq!(media_type(b"IMAGE", b"Png"), "image/png");
        assert_eq!(media_type(&[b'A'; 40], b"B"), format!("{}/b", "a".repeat(40)).as_str());
    }

    #[test]
    fn usual_words_are_found_by_their_length_in_any_case() {
        for (length, words) in USUAL.iter().enumerate() {
            for own in *words {
                assert_eq!(own.len(), length);
                assert_eq!(word(own.to_ascii_uppercase().as_bytes()), *own);
            }
        }
        assert_eq!(media_type(b"TEXT", b"Plain"), "text/plain");
        assert_eq!(
            (media_type(b"text", b"html"), media_type(b"text", b"HTML5")),
            ("text/html".into(), "text/html5".into())
        );
    }
}
