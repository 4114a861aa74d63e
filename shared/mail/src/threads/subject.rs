//! What is left of a subject without "Re:" and the like (RFC 5256 section 2.1).

use super::limits;

/// A subject, as far as it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Base {
    /// What it is about, in lower case; may be empty.
    pub text: String,
    /// Whether it says that its message answers or forwards another one.
    pub answers: bool,
}

/// The base subject of a decoded subject (RFC 5256 section 2.1). Of very long ones the beginning
/// counts.
pub fn base(subject: &str) -> Base {
    let line = collapsed(subject);
    let mut rest = line.as_str();
    let mut answers = false;
    loop {
        rest = rest.trim_end();
        while let Some(before) = rest.strip_suffix("(fwd)") {
            (rest, answers) = (before.trim_end(), true);
        }
        rest = rest.trim_start();
        loop {
            if let Some(after) = without_leader(rest) {
                (rest, answers) = (after.trim_start(), true);
            } else if let Some(after) = without_blob(rest).filter(|after| !after.is_empty()) {
                rest = after;
            } else {
                break;
            }
        }
        match rest.strip_prefix("[fwd:").and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => (rest, answers) = (inner, true),
            None => return Base { text: rest.to_owned(), answers },
        }
    }
}

/// Lower case, with one space for any white space.
fn collapsed(subject: &str) -> String {
    let mut line = String::with_capacity(subject.len().min(limits::SUBJECT));
    for word in subject.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * limits::SUBJECT {
            break;
        }
    }
    match line.is_ascii() && line.len() <= limits::SUBJECT {
        true => line.make_ascii_lowercase(),
        false => {
            line = line.chars().take(limits::SUBJECT).flat_map(char::to_lowercase).collect();
        }
    }
    line
}

/// What follows `Re:`, `Fw:` or `Fwd:`, which may stand behind blobs and be numbered by one:
/// `[garden] Re[2]:`.
fn without_leader(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(after) = without_blob(rest) {
        rest = after;
    }
    let rest = ["re", "fwd", "fw"].iter().find_map(|word| rest.strip_prefix(word))?.trim_start();
    without_blob(rest).unwrap_or(rest).strip_prefix(':')
}

/// What follows something in brackets that has no brackets in it.
fn without_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    Some(inner[end..].strip_prefix(']')?.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_subjects_are_those_of_the_standard() {
        let cases = [
            // RFC 5256 section 2.1, its rules one by one.
            ("Figs", "figs", false),
            ("  two   spaces\tand a tab ", "two spaces and a tab", false),
            ("Figs (fwd)", "figs", true),
            ("Figs (fwd) (FWD)", "figs", true),
            ("Re: Figs", "figs", true),
            ("RE : Figs", "figs", true),
            ("fw: Figs", "figs", true),
            ("Fwd: Figs", "figs", true),
            ("Re[2]: Figs", "figs", true),
            ("Re [2] : Figs", "figs", true),
            ("[garden] Re: Figs", "figs", true),
            ("[garden][beds] re: fwd: Figs", "figs", true),
            ("[garden] Figs", "figs", false),
            ("[garden]", "[garden]", false),
            ("[Fwd: Figs]", "figs", true),
            ("[Fwd: [Fwd: Re: Figs]]", "figs", true),
            ("Re: [garden] Re: Figs (fwd)", "figs", true),
            ("Re:", "", true),
            ("", "", false),
            // What only looks like it.
            ("Refreshments: who brings them?", "refreshments: who brings them?", false),
            ("Regarding: figs", "regarding: figs", false),
            ("[a[b]] Figs", "[a[b]] figs", false),
            ("[open Figs", "[open figs", false),
            // Beyond ASCII.
            ("RE: Grüße aus Zürich", "grüße aus zürich", true),
            ("ÄPFEL", "äpfel", false),
        ];
        for (subject, text, answers) in cases {
            assert_eq!(base(subject), Base { text: text.into(), answers }, "{subject:?}");
        }
    }

    #[test]
    fn of_a_hostile_subject_only_the_beginning_counts() {
        let long = "é".repeat(100_000);
        assert_eq!(base(&long).text.chars().count(), limits::SUBJECT);
        for pattern in ["[a]", "re:", "[fwd:", "(fwd)", "[", "re[", " "] {
            let text = base(&pattern.repeat(20_000)).text;
            assert!(text.chars().count() <= limits::SUBJECT, "{pattern}");
        }
    }

    #[test]
    fn a_base_subject_is_its_own_base() {
        for subject in ["Re: [x] Figs (fwd)", "[Fwd: Re: a b]", "[a] [b]", "re: re:", "[fwd:]"] {
            let once = base(subject).text;
            assert_eq!(base(&once).text, once, "{subject}");
        }
    }
}
