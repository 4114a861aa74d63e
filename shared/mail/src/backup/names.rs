//! Names of files and folders in archives. They are for people: nothing is found by them.

/// The longest part of a name, in characters.
const LONGEST: usize = 80;

/// A part of a name that every system takes.
pub(super) fn part(name: &str) -> String {
    let fits = |c: char| !c.is_control() && !"/\\:*?\"<>|".contains(c);
    let clean: String = name.chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST).collect();
    let clean = clean.trim_matches([' ', '.']);
    if clean.is_empty() { "_".into() } else { clean.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_elsewhere() {
        let cases = [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\x", "C__x"),
            ("..", "_"),
            ("", "_"),
            ("Grüße an Ada ", "Grüße an Ada"),
            ("a\r\nb", "a__b"),
        ];
        for (name, expected) in cases {
            assert_eq!(part(name), expected);
        }
        assert_eq!(part(&"ü".repeat(500)).chars().count(), LONGEST);
    }
}
