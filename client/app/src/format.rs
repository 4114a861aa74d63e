//! Dates and sizes for people. What to show is decided here; how the words look is the browser's
//! locale.

use std::cell::OnceCell;

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

/// How much of a date a list row needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Nearness {
    /// Today: the time.
    Today,
    /// Within the last six days: the day of the week.
    ThisWeek,
    /// This year: day and month.
    ThisYear,
    /// Anything else, and dates in the future: the whole date.
    Other,
}

/// A day of the local calendar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Day {
    /// The year.
    pub(crate) year: i32,
    /// Days since 1970, counted at local midnight.
    pub(crate) number: i64,
}

/// How far a message's day is from today.
pub(crate) fn nearness(day: Day, today: Day) -> Nearness {
    match today.number - day.number {
        0 => Nearness::Today,
        1..=6 => Nearness::ThisWeek,
        past if past > 0 && day.year == today.year => Nearness::ThisYear,
        _ => Nearness::Other,
    }
}

/// A size in bytes as a person reads it: `512 B`, `1.4 kB`, `23 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    // 999.5 would be written as "1000".
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(value < 9.95);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// The first letters of the first and last words of a name, for a face without a picture.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name
        .split(|c: char| c.is_whitespace() || ",;@<>\"()".contains(c))
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    // An address has one initial; a second one would come from its domain.
    let last = if name.contains('@') { None } else { words.next_back() };
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// One of `hues` colours for a name, always the same one.
pub(crate) fn hue(name: &str, hues: u32) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    hash % hues
}

/// The date of a list row: only as much of it as is needed; nothing for 0, which nobody knows.
pub(crate) fn row_date(millis: i64) -> String {
    if millis == 0 {
        return String::new();
    }
    let date = Date::new(&JsValue::from_f64(millis as f64));
    FORMATS.with(|formats| match nearness(day(&date), day(&Date::new_0())) {
        Nearness::Today => formats.time.write(&date),
        Nearness::ThisWeek => formats.weekday.write(&date),
        Nearness::ThisYear => formats.day.write(&date),
        Nearness::Other => formats.date.write(&date),
    })
}

/// The whole date with its time, for an opened message; nothing for 0.
pub(crate) fn full_date(millis: i64) -> String {
    if millis == 0 {
        return String::new();
    }
    FORMATS.with(|formats| formats.full.write(&Date::new(&JsValue::from_f64(millis as f64))))
}

fn day(date: &Date) -> Day {
    const MILLIS: f64 = 86_400_000.0;
    let local = date.get_time() - date.get_timezone_offset() * 60_000.0;
    Day {
        year: i32::try_from(date.get_full_year()).unwrap_or_default(),
        number: (local / MILLIS).floor() as i64,
    }
}

thread_local! {
    static FORMATS: Formats = Formats::default();
}

/// The browser's formatters; making one is dear, using it is cheap.
struct Formats {
    time: Format,
    weekday: Format,
    day: Format,
    date: Format,
    full: Format,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            time: Format::new(&[("hour", "numeric"), ("minute", "2-digit")]),
            weekday: Format::new(&[("weekday", "short")]),
            day: Format::new(&[("day", "numeric"), ("month", "short")]),
            date: Format::new(&[("year", "numeric"), ("month", "short"), ("day", "numeric")]),
            full: Format::new(&[("dateStyle", "full"), ("timeStyle", "short")]),
        }
    }
}

struct Format {
    options: &'static [(&'static str, &'static str)],
    function: OnceCell<Function>,
}

impl Format {
    const fn new(options: &'static [(&'static str, &'static str)]) -> Self {
        Self { options, function: OnceCell::new() }
    }

    fn write(&self, date: &Date) -> String {
        let function = self.function.get_or_init(|| {
            let options = Object::new();
            for (name, value) in self.options {
                // Setting a property of a new plain object can't fail.
                let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
            }
            Intl::DateTimeFormat::new(&Array::new(), &options).format()
        });
        // A date outside the calendar makes the formatter throw.
        let written = function.call1(&JsValue::UNDEFINED, date);
        written.ok().and_then(|text| text.as_string()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_that_nobody_knows_is_not_shown() {
        assert_eq!((row_date(0), full_date(0)), (String::new(), String::new()));
    }

    #[test]
    fn a_row_shows_as_much_of_the_date_as_is_needed() {
        let today = Day { year: 2026, number: 20_500 };
        for (year, ago, expected) in [
            (2026, 0, Nearness::Today),
            (2026, 1, Nearness::ThisWeek),
            (2026, 6, Nearness::ThisWeek),
            (2026, 7, Nearness::ThisYear),
            (2025, 7, Nearness::Other),
            (2025, 3, Nearness::ThisWeek),
            (2026, -1, Nearness::Other),
        ] {
            let day = Day { year, number: today.number - ago };
            assert_eq!(nearness(day, today), expected, "{ago} days ago in {year}");
        }
    }

    #[test]
    fn sizes_have_two_or_three_digits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1449, "1.4 kB"),
            (9_960, "10 kB"),
            (999_600, "1.0 MB"),
            (25_000_000, "25 MB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        for (name, expected) in [
            ("Ada King Lovelace", "AL"),
            ("ada@example.org", "A"),
            ("\"Émile\"", "É"),
            ("山田 太郎", "山太"),
            ("", ""),
            ("— !", ""),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_keeps_its_hue_whatever_its_case() {
        assert_eq!(hue("Ada", 8), hue("ADA", 8));
        assert!(hue("someone else", 8) < 8);
    }
}
