//! Counts what the test harness reports on its standard output.

use std::ops::AddAssign;

/// How many characters of what a failed test said are repeated at the end.
const LAST_WORDS: usize = 1500;

/// How the harness begins what a test returned as its error, or how it panicked.
const ERRORS: [&str; 2] = ["Error: ", "thread '"];

/// What a group of tests came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that ran and held.
    pub(crate) passed: u32,
    /// Tests that ran and did not hold.
    pub(crate) failed: u32,
    /// Tests that are marked as ignored.
    pub(crate) skipped: u32,
    /// The failed tests.
    pub(crate) failures: Vec<Failure>,
    /// Whether the next lines are what the last of the failed tests said.
    pub(crate) quotes: bool,
}

/// A test that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its name.
    pub(crate) test: String,
    /// Its error, or the beginning of it.
    pub(crate) said: String,
}

impl Tally {
    /// Takes one line of the harness's output into account.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            for count in counts.split(['.', ';']) {
                match count.trim().split_once(' ') {
                    Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                    Some((number, "ignored")) => self.skipped += number.parse().unwrap_or(0),
                    _ => {}
                }
            }
        } else if let Some(name) =
            line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" stdout ----"))
        {
            self.failures.push(Failure { test: name.to_owned(), said: String::new() });
            self.quotes = true;
        } else if line == "failures:" {
            self.quotes = false;
        } else if let Some(last) = self.failures.last_mut().filter(|_| self.quotes) {
            last.hear(line);
        }
    }

    /// How many tests really ran.
    pub(crate) fn run(&self) -> u32 {
        self.passed + self.failed
    }
}

impl Failure {
    fn hear(&mut self, line: &str) {
        let begins = ERRORS.iter().any(|error| line.starts_with(error));
        if self.said.is_empty() && !begins {
            return;
        }
        let room = LAST_WORDS.saturating_sub(self.said.chars().count());
        if room > 0 && !line.trim().is_empty() {
            self.said.extend("\n    ".chars().chain(line.chars()).take(room));
        }
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.failures.extend_from_slice(&other.failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn results_of_several_programs_add_up() {
        let counted = tally(
            "running 3 tests\ntest a ... ok\ntest b::c ... FAILED\ntest d ... ignored\n\n\
             failures:\n\n---- b::c stdout ----\nstep 1\nError: it is\n\nnot so\n\n\n\
             failures:\n    b::c\n\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 2.50s\n",
        );
        assert_eq!((counted.passed, counted.failed, counted.skipped), (13, 1, 1));
        let said = "\n    Error: it is\n    not so".to_owned();
        assert_eq!(counted.failures, [Failure { test: "b::c".to_owned(), said }]);
        assert_eq!(counted.run(), 14);
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        assert_eq!(tally("5 passed; 2 failed\ntesting result: ok. 3 passed\n"), Tally::default());
    }
}
