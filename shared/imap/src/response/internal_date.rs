//! INTERNALDATE (RFC 9051 section 9, `date-time`).

/// Reads `" 1-Feb-2024 12:00:00 +0100"` as seconds since 1970 (UTC).
pub fn parse_date_time(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let day: i64 = number(date.next()?, 1..=31)?;
    let month = month(date.next()?)?;
    let year = number(date.next()?, 0..=9999)?;
    let mut time = time.split(':');
    let hour = number(time.next()?, 0..=23)?;
    let minute = number(time.next()?, 0..=59)?;
    let second = number(time.next()?, 0..=60)?;
    let (sign, zone) = match zone.split_at_checked(1)? {
        ("+", zone) => (1, zone),
        ("-", zone) => (-1, zone),
        _ => return None,
    };
    let zone = number(zone, 0..=9959)?;
    let offset = sign * (zone / 100 * 60 + zone % 100) * 60;
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    range.contains(&number).then_some(number)
}

fn month(name: &str) -> Option<i64> {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let months = NAMES.iter().zip(1..);
    months.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, month)| month)
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
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_date_time(text.as_bytes()), seconds, "{text}");
        }
    }
}
