//! Which marks a mailbox keeps (PERMANENTFLAGS, RFC 9051 section 7.1).

use postern_imap::response::Flag;

use super::limits;

/// What stands for any new keyword.
const ANY_KEYWORD: &str = r"\*";

/// The flags and keywords that can be changed for good: any, where the server does not say which.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Permanent(Option<Vec<Flag>>);

impl Permanent {
    /// As the server tells them. A list that takes up more than it may counts as none.
    pub(super) fn told(flags: &[Flag]) -> Self {
        let size = flags.iter().map(|flag| size_of_val(flag) + flag.as_str().len()).sum::<usize>();
        Self((size <= limits::PERMANENT_FLAGS).then(|| flags.to_vec()))
    }

    /// Whether a flag or keyword stays given, or taken, when the connection ends.
    pub(super) fn has(&self, flag: &Flag) -> bool {
        let Some(told) = &self.0 else { return true };
        let has = |name: &str| told.iter().any(|own| own.as_str().eq_ignore_ascii_case(name));
        has(flag.as_str()) || matches!(flag, Flag::Other(_)) && has(ANY_KEYWORD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_the_limit_is_kept_and_of_a_longer_one_nothing_is_known() {
        let keeps_others = |more: usize| {
            let room = limits::PERMANENT_FLAGS - size_of::<Flag>();
            let name = "x".repeat(room + more);
            Permanent::told(&[Flag::Other(name.into())]).has(&Flag::Seen)
        };
        assert_eq!([0, 1].map(keeps_others), [false, true]);
    }
}
