//! Dates as the protocols write them. All are in UTC.

use mail_parser::DateTime;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// `Sat, 7 Feb 2026 10:00:00 +0000` (RFC 5322 section 3.3).
pub(super) fn message_date(seconds: i64) -> String {
    DateTime::from_timestamp(seconds).to_rfc822()
}

/// `"07-Feb-2026 10:00:00 +0000"`, quoted (RFC 9051, date-time).
pub(super) fn internal_date(seconds: i64) -> String {
    let date = DateTime::from_timestamp(seconds);
    format!(
        "\"{:02}-{}-{:04} {:02}:{:02}:{:02} +0000\"",
        date.day,
        month(&date),
        date.year,
        date.hour,
        date.minute,
        date.second
    )
}

/// Reads IMAP's date-time, without quotes.
pub(super) fn parse_internal_date(text: &str) -> Option<i64> {
    let (date, time) = text.trim_start().split_once(' ')?;
    // The parser takes any word for a month.
    let month = date.split('-').nth(1)?;
    MONTHS.iter().find(|known| known.eq_ignore_ascii_case(month))?;
    let parsed = DateTime::parse_rfc822(&format!("{} {time}", date.replace('-', " ")))?;
    parsed.is_valid().then(|| parsed.to_timestamp())
}

/// Reads IMAP's date (`7-Feb-2026`) as a count of days since 1970.
pub(super) fn parse_day(text: &str) -> Option<i64> {
    parse_internal_date(&format!("{text} 00:00:00 +0000")).map(day)
}

/// The day of a time, counted since 1970.
pub(super) fn day(seconds: i64) -> i64 {
    seconds.div_euclid(SECONDS_PER_DAY)
}

/// `Saturday 7 February`, for texts.
pub(super) fn spoken_day(seconds: i64) -> String {
    const DAYS: [&str; 7] =
        ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    const LONG_MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let date = DateTime::from_timestamp(seconds);
    let name = DAYS[usize::from(date.day_of_week()) % 7];
    let month = LONG_MONTHS[usize::from(date.month.saturating_sub(1)) % 12];
    format!("{name} {} {month}", date.day)
}

/// `20260207`, as iCalendar and file names write a day.
pub(super) fn compact_day(seconds: i64) -> String {
    let date = DateTime::from_timestamp(seconds);
    format!("{:04}{:02}{:02}", date.year, date.month, date.day)
}

fn month(date: &DateTime) -> &'static str {
    MONTHS[usize::from(date.month.saturating_sub(1)) % 12]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_dates_survive_a_round_trip() {
        for seconds in [0, 951_782_400, 1_770_458_400, 4_102_444_799] {
            let written = internal_date(seconds);
            assert_eq!(parse_internal_date(written.trim_matches('"')), Some(seconds), "{written}");
        }
    }

    #[test]
    fn an_internal_date_may_have_a_zone_and_a_padded_day() {
        assert_eq!(parse_internal_date(" 1-Jan-1970 02:00:00 +0200"), Some(0));
        assert_eq!(parse_internal_date("31-Dec-1969 19:00:00 -0500"), Some(0));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "x", "1-Foo-2020 00:00:00 +0000", "99-Jan-2020 00:00:00 +0000"] {
            assert_eq!(parse_internal_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_spoken_with_its_name() {
        assert_eq!(spoken_day(1_770_458_400), "Saturday 7 February");
    }
}
