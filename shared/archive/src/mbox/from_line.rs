//! The line that separates messages.

/// How much a line looks like a separator.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Form {
    /// It does not begin with `From `.
    Not,
    /// It begins so, and has no date: a separator if what follows is a header field.
    Bare,
    /// It has a time and a year: a separator after a blank line.
    Dated,
    /// It has weekday, month, time and year: a separator wherever it is.
    Full,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// From the first of January 1970 on, which was a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl Form {
    pub(super) fn of(line: &[u8]) -> Self {
        let Some(rest) = line.strip_prefix(b"From ") else { return Self::Not };
        let words = || rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let named =
            |names: &[&str]| words().any(|word| names.iter().any(|name| word == name.as_bytes()));
        let dated = words().any(is_time) && words().any(is_year);
        match (dated, named(&MONTHS) && named(&DAYS)) {
            (true, true) => Self::Full,
            (true, false) => Self::Dated,
            (false, _) => Self::Bare,
        }
    }
}

/// `9:05`, `09:05:59`.
fn is_time(word: &[u8]) -> bool {
    let parts: Vec<&[u8]> = word.split(|byte| *byte == b':').collect();
    (2..=3).contains(&parts.len())
        && parts
            .iter()
            .all(|part| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_digit))
}

fn is_year(word: &[u8]) -> bool {
    word.len() == 4
        && word.iter().all(u8::is_ascii_digit)
        && (word.starts_with(b"19") || word.starts_with(b"20"))
}

/// A separator for a message of this sender, at this time in seconds since 1970 (UTC).
pub(super) fn from_line(sender: &str, seconds: i64) -> String {
    let sender: String = sender.chars().filter(|c| c.is_ascii_graphic()).collect();
    let sender = if sender.is_empty() { "MAILER-DAEMON" } else { &sender };
    let seconds = seconds.clamp(0, 253_402_300_799);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    let weekday = DAYS[(days % 7) as usize];
    let month = MONTHS[(month - 1) as usize];
    format!("From {sender} {weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}\n")
}

/// Year, month and day of a day since 1970, not before it.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    // Counted in eras of 400 years from the first of March of year 0, so that leap days come last.
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_real_programs_write_is_a_separator_and_prose_is_none() {
        let cases: [(&str, Form); 10] = [
            ("From ada@example.org Thu Jan  1 00:00:00 1970\n", Form::Full),
            ("From - Mon Sep 17 00:00:00 2001\r\n", Form::Full),
            ("From 1712345@xxx Tue Apr 02 09:05:59 +0000 2024\n", Form::Full),
            ("From ada 9:05 2024\n", Form::Dated),
            ("From MAILER-DAEMON\n", Form::Bare),
            ("From me to you\n", Form::Bare),
            ("From 1999 on, at 5:00\n", Form::Dated),
            ("From 1999, at 5:00\n", Form::Bare),
            ("Fromage\n", Form::Not),
            (">From x\n", Form::Not),
        ];
        for (line, expected) in cases {
            let found = Form::of(line.as_bytes());
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_separator_has_the_day_in_its_calendar() {
        let cases = [
            (0, "Thu Jan  1 00:00:00 1970"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_700_000_000, "Tue Nov 14 22:13:20 2023"),
            (-5, "Thu Jan  1 00:00:00 1970"),
        ];
        for (seconds, date) in cases {
            assert_eq!(from_line("a b@c\n", seconds), format!("From ab@c {date}\n"));
        }
        assert!(from_line("", 0).starts_with("From MAILER-DAEMON "));
    }
}
