//! A server's words, as much of them as a person is told.

/// How many characters of a server's words are told: IMAP sets no limit to them, and whoever sends
/// megabytes is not read.
const MOST: usize = 500;

/// A server's words, of which at most so many characters are kept; an ellipsis stands for the rest.
pub(crate) fn words(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_up_to_the_limit_and_of_one_more_there_is_an_ellipsis() {
        for letter in ["a", "ä", "💌"] {
            let most = letter.repeat(MOST);
            assert_eq!(words(&most), most);
            assert_eq!(words(&letter.repeat(MOST + 1)), format!("{most}…"));
        }
        assert_eq!(words(""), "");
    }
}
