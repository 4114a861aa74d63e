//! The way into the proxy: whether it asks for a key, and the key that is being tried.

use postern_bridge::{Access, Problem};

/// What is known about the way in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Door {
    access: Access,
    trying: Option<u32>,
    problem: Option<String>,
}

impl Door {
    /// Whether the proxy lets this browser in.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Notes whether the proxy lets this browser in.
    pub(crate) fn set(&mut self, access: Access) {
        self.access = access;
    }

    /// A key is being tried.
    pub(crate) fn trying(&mut self, request: u32) {
        self.trying = Some(request);
        self.problem = None;
    }

    /// A key was tried.
    pub(crate) fn tried(&mut self, request: u32, result: Result<(), Problem>) {
        if self.trying == Some(request) {
            self.trying = None;
            self.problem = result.err().map(|problem| problem.sentence);
        }
    }

    /// What was said about another key is no longer true.
    pub(crate) fn retyped(&mut self) {
        self.problem = None;
    }

    /// Whether a key is being tried.
    pub(crate) fn is_busy(&self) -> bool {
        self.trying.is_some()
    }

    /// What is wrong with the key that was tried last.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.clone()
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::ProblemKind;

    use super::*;

    fn wrong() -> Result<(), Problem> {
        Err(Problem::new(ProblemKind::AccessKey, "Wrong."))
    }

    #[test]
    fn a_wrong_key_is_blamed_until_another_is_typed() {
        let mut door = Door::default();
        door.trying(1);
        assert!(door.is_busy());
        door.tried(1, wrong());
        assert!(!door.is_busy());
        assert_eq!(door.problem().as_deref(), Some("Wrong."));
        door.retyped();
        assert_eq!(door.problem(), None);
    }

    #[test]
    fn the_answer_to_an_earlier_try_is_ignored() {
        let mut door = Door::default();
        door.trying(1);
        door.trying(2);
        door.tried(1, wrong());
        assert!(door.is_busy());
        assert_eq!(door.problem(), None);
    }
}
