//! Says what is being done, how long it took, and which step failed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Does one step of a chore, and prints its name before and its duration after.
///
/// # Errors
/// The step's own error, with the step's name in front.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let result = work();
    let took = spoken(start.elapsed());
    if result.is_ok() {
        eprintln!("    done in {took}");
    }
    result.with_context(|| format!("the step \"{name}\" failed after {took}"))
}

/// Adds a remark to the step that is under way.
pub(crate) fn note(text: &str) {
    eprintln!("    {text}");
}

fn spoken(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds if seconds < 60 => format!("{:.1} s", duration.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_step_and_the_reason() {
        let result: Result<()> =
            step("fill in index.html", || anyhow::bail!("it has no {{{{CSP}}}}"));
        let message = format!("{:#}", result.unwrap_err());
        assert!(message.starts_with("the step \"fill in index.html\" failed after "), "{message}");
        assert!(message.ends_with("it has no {{CSP}}"), "{message}");
    }

    #[test]
    fn durations_are_told_in_the_unit_that_fits() {
        assert_eq!(spoken(Duration::from_millis(12)), "12 ms");
        assert_eq!(spoken(Duration::from_millis(2_340)), "2.3 s");
        assert_eq!(spoken(Duration::from_secs(125)), "2 min 05 s");
    }
}
