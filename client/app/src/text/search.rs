//! Words about searching.

use postern_bridge::{SearchScope, SearchState};

pub(crate) const LABEL: &str = "Search";
pub(crate) const HINT: &str = "Try from:ada, subject:beans, has:attachment, after:2024, is:unread, in:sent, \"a phrase\", -without, this OR that.";
pub(crate) const CLEAR: &str = "End the search";
pub(crate) const SCOPE: &str = "Where to search";
pub(crate) const HERE: &str = "This folder";
pub(crate) const EVERYWHERE: &str = "All folders";
pub(crate) const SEARCHING: &str = "Searching…";
pub(crate) const NOTHING: &str = "Nothing found";

/// People whom a message is to, among others that are from people.
pub(crate) fn to(people: &str) -> String {
    format!("To: {people}")
}

/// Why nothing was found.
pub(crate) fn nothing(scope: SearchScope, state: Option<&SearchState>) -> &'static str {
    match (scope, state) {
        (_, Some(SearchState::Offline | SearchState::Partly(_))) => {
            "Nothing that is stored in this browser matches."
        }
        (SearchScope::Mailbox, _) => "No message in this folder matches.",
        (SearchScope::Account, _) => "No message of this account matches.",
    }
}

/// How much was found, and where.
pub(crate) fn found(total: Option<u32>, state: Option<&SearchState>) -> String {
    let found = match total {
        None => String::new(),
        Some(0) if !matches!(state, Some(SearchState::Whole)) => String::new(),
        Some(total) => format!("{total} found"),
    };
    match (state, found.is_empty()) {
        (None | Some(SearchState::Searching), true) => SEARCHING.to_owned(),
        (None | Some(SearchState::Searching), false) => format!("{found}, searching…"),
        (Some(SearchState::Whole), _) => found,
        (Some(SearchState::Offline), _) => {
            sentences(&found, "You are offline: only what is stored in this browser was searched.")
        }
        (Some(SearchState::Partly(why)), _) => {
            sentences(&found, &format!("There may be more. {why}"))
        }
    }
}

fn sentences(found: &str, more: &str) -> String {
    if found.is_empty() { more.to_owned() } else { format!("{found}. {more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_how_much_was_found_and_what_was_not_searched() {
        let (searching, whole) = (SearchState::Searching, SearchState::Whole);
        let partly = SearchState::Partly("It refused.".into());
        assert_eq!(found(None, None), "Searching…");
        assert_eq!(found(Some(3), Some(&searching)), "3 found, searching…");
        assert_eq!(found(Some(3), Some(&whole)), "3 found");
        assert_eq!(found(Some(0), Some(&searching)), "Searching…");
        assert_eq!(found(Some(0), Some(&whole)), "0 found");
        assert_eq!(found(Some(1), Some(&partly)), "1 found. There may be more. It refused.");
    }
}
