//! INTERNALDATE (RFC 9051 section 9, `date-time`), and days.

use std::{fmt, ops::RangeInclusive};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The same in lower case.
const LOWER_MONTHS: [[u8; 3]; 12] = [
    *b"jan", *b"feb", *b"mar", *b"apr", *b"may", *b"jun", *b"jul", *b"aug", *b"sep", *b"oct",
    *b"nov", *b"dec",
];

const SECONDS_A_DAY: i64 = 86_400;

/// A day of the calendar, for searches.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// A day; `None` if the calendar does not have it, or its year is beyond 9999.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let own = Self { year, month, day };
        let since = days(year.into(), month.into(), day.into());
        (year <= 9999 && (1..=12).contains(&month) && civil(since) == (year.into(), month, day))
            .then_some(own)
    }

    /// The day on which this second since 1970 (UTC) falls, for someone whose clock is `offset`
    /// seconds ahead of UTC; `None` beyond the years 0 to 9999.
    pub fn of(seconds: i64, offset: i32) -> Option<Self> {
        let local = seconds.checked_add(offset.into())?;
        let (year, month, day) = civil(local.div_euclid(SECONDS_A_DAY));
        Self::new(u16::try_from(year).ok()?, month, day)
    }
}

impl fmt::Display for Day {
    /// As in `1-Feb-1994`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = MONTHS[usize::from(self.month) - 1];
        write!(f, "{}-{month}-{:04}", self.day, self.year)
    }
}

/// Writes seconds since 1970 (UTC) as `" 1-Feb-2024 12:00:00 +0000"`; `None` beyond the years 0 to
/// 9999.
pub fn format_date_time(seconds: i64) -> Option<String> {
    let Day { year, month, day } = Day::of(seconds, 0)?;
    let month = MONTHS[usize::from(month) - 1];
    let time = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    Some(format!("{day:2}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} +0000"))
}

/// Reads `" 1-Feb-2024 12:00:00 +0100"` as seconds since 1970 (UTC).
pub fn parse_date_time(text: &[u8]) -> Option<i64> {
    usual_date_time(text).or_else(|| any_date_time(text))
}

/// The same of one that is spelled as the RFC wants it, and nearly all are.
fn usual_date_time(text: &[u8]) -> Option<i64> {
    let text: &[u8; 26] = text.try_into().ok()?;
    let digit = |at: usize| match text[at].wrapping_sub(b'0') {
        digit @ 0..10 => Some(i64::from(digit)),
        _ => None,
    };
    let pair = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let marks = [(2, b'-'), (6, b'-'), (11, b' '), (14, b':'), (17, b':'), (20, b' ')];
    let day = if text[0] == b' ' { digit(1)? } else { pair(0)? };
    let year = pair(7)? * 100 + pair(9)?;
    let (hour, minute, second) = (pair(12)?, pair(15)?, pair(18)?);
    let zone = (pair(22)? * 60 + pair(24)?) * 60;
    let offset = match text[21] {
        b'+' => zone,
        b'-' => -zone,
        _ => return None,
    };
    let month = month(&mut &text[3..6])?;
    let is_time = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let is_zone = text[24] < b'6';
    (is_time && is_zone && marks.iter().all(|(at, mark)| text[*at] == *mark)).then(|| {
        days(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second - offset
    })
}

fn any_date_time(text: &[u8]) -> Option<i64> {
    let rest = &mut text.trim_ascii();
    let day = number(rest, 1..=31)?;
    let month = month(behind(rest, b'-')?)?;
    let year = number(behind(rest, b'-')?, 0..=9999)?;
    *rest = behind(rest, b' ')?.trim_ascii_start();
    let hour = number(rest, 0..=23)?;
    let minute = number(behind(rest, b':')?, 0..=59)?;
    let second = number(behind(rest, b':')?, 0..=60)?;
    *rest = behind(rest, b' ')?.trim_ascii_start();
    let sign = if rest.first() == Some(&b'-') { -1 } else { 1 };
    let zone = behind(rest, if sign < 0 { b'-' } else { b'+' })?;
    let zone = number(zone, 0..=9959)?;
    let offset = sign * (zone / 100 * 60 + zone % 100) * 60;
    let seconds = days(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    matches!(rest, [] | [b' ', ..]).then_some(seconds - offset)
}

/// Takes this byte off the front.
fn behind<'t, 'a>(text: &'t mut &'a [u8], byte: u8) -> Option<&'t mut &'a [u8]> {
    let (first, behind) = text.split_first()?;
    (*first == byte).then(|| {
        *text = behind;
        text
    })
}

/// Takes a number off the front, of at most four digits.
fn number(text: &mut &[u8], range: RangeInclusive<i64>) -> Option<i64> {
    let mut number = 0;
    let mut length = 0;
    while let Some(digit @ b'0'..=b'9') = text.get(length)
        && length < 4
    {
        number = number * 10 + i64::from(digit - b'0');
        length += 1;
    }
    *text = &text[length..];
    (length > 0 && range.contains(&number)).then_some(number)
}

/// Takes a month off the front.
fn month(text: &mut &[u8]) -> Option<i64> {
    let (name, behind) = text.split_first_chunk::<3>()?;
    *text = behind;
    let wanted = name.map(|byte| byte | 0x20);
    LOWER_MONTHS.iter().zip(1..).find(|(own, _)| **own == wanted).map(|(_, month)| month)
}

/// Days since 1970-01-01 in the Gregorian calendar; years are counted from March so that the leap
/// day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day, this many days after 1970-01-01.
fn civil(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u8::try_from(month).unwrap_or_default(), u8::try_from(day).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        let cases = [
            ("01-Jan-1970 00:00:00 +0000", Some(0)),
            (" 1-Jan-1970 01:00:00 +0100", Some(0)),
            ("17-Jul-1996 02:44:25 -0700", Some(837_596_665)),
            ("29-Feb-2024 23:59:59 +0000", Some(1_709_251_199)),
            ("31-dec-1969 23:59:59 +0000", Some(-1)),
            ("32-Jan-2024 00:00:00 +0000", None),
            ("01-Foo-2024 00:00:00 +0000", None),
            ("01-Jan-2024 00:00:00", None),
            ("01-Jan-2024 00:00:00 0000", None),
            ("01-Jan-2024 00:00:00 +9960", None),
            ("01-Jan-2024 24:00:00 +0000", None),
            ("01-Jan-2024 00:60:00 +0000", None),
            ("01-Jan-2024 00:00:00 =0000", None),
            ("01-Jan-2024 00:00:0: +0000", None),
            ("01-Jan-2024.00:00:00 +0000", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_date_time(text.as_bytes()), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same_second() {
        for seconds in (-62_167_219_200..253_402_300_800).step_by(86_400 * 359 + 4271) {
            let text = format_date_time(seconds).unwrap();
            assert_eq!(usual_date_time(text.as_bytes()), Some(seconds), "{text}");
            assert_eq!(any_date_time(text.as_bytes()), Some(seconds), "{text}");
        }
        assert_eq!(format_date_time(837_596_665).unwrap(), "17-Jul-1996 09:44:25 +0000");
        assert_eq!(format_date_time(0).unwrap(), " 1-Jan-1970 00:00:00 +0000");
        for beyond in [i64::MIN, -62_167_219_201, 253_402_300_800, i64::MAX] {
            assert_eq!(format_date_time(beyond), None);
        }
    }

    #[test]
    fn only_days_of_the_calendar_are_days() {
        assert_eq!(Day::new(1994, 2, 1).unwrap().to_string(), "1-Feb-1994");
        assert!(Day::new(2024, 2, 29).is_some());
        for (year, month, day) in [
            (2023, 2, 29),
            (2024, 0, 1),
            (2024, 13, 1),
            (2024, 4, 31),
            (2024, 1, 0),
            (10_000, 1, 1),
        ] {
            assert_eq!(Day::new(year, month, day), None, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn a_day_begins_where_its_people_are() {
        let day = |offset| Day::of(1_709_251_199, offset).unwrap().to_string();
        assert_eq!((day(0), day(3600)), ("29-Feb-2024".into(), "1-Mar-2024".into()));
    }
}
