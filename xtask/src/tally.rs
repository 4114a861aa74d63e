//! Counts what the test harness reports on its standard output.

use std::ops::AddAssign;

/// What a group of tests came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that ran and held.
    pub(crate) passed: u32,
    /// Tests that ran and did not hold.
    pub(crate) failed: u32,
    /// Tests that are marked as ignored.
    pub(crate) skipped: u32,
    /// The names of the failed tests.
    pub(crate) failures: Vec<String>,
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
            line.strip_prefix("test ").and_then(|l| l.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
    }

    /// How many tests really ran.
    pub(crate) fn run(&self) -> u32 {
        self.passed + self.failed
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
             test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 2.50s\n",
        );
        let expected =
            Tally { passed: 13, failed: 1, skipped: 1, failures: vec!["b::c".to_owned()] };
        assert_eq!(counted, expected);
        assert_eq!(counted.run(), 14);
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        assert_eq!(tally("5 passed; 2 failed\ntesting result: ok. 3 passed\n"), Tally::default());
    }
}
