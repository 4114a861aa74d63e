//! What the page weighs on the wire.

use super::dist::{Dist, Files};

/// One file's bytes in each form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Size {
    path: String,
    raw: usize,
    gzip: usize,
    brotli: usize,
    /// Whether the message list waits for it.
    first: bool,
}

/// The sizes of everything that browsers ask for; a form that was not made counts as raw.
pub(super) fn measure(dist: &Dist, packed: &Files) -> Vec<Size> {
    let asked = dist.files.iter().filter(|(path, _)| *path != "headers.json");
    let mut sizes: Vec<Size> = asked
        .map(|(path, content)| {
            let form = |extension| {
                packed.get(&format!("{path}.{extension}")).map_or(content.len(), Vec::len)
            };
            Size {
                path: path.clone(),
                raw: content.len(),
                gzip: form("gz"),
                brotli: form("br"),
                first: dist.first_load.contains(path),
            }
        })
        .collect();
    sizes.sort_by_key(|size| (!size.first, std::cmp::Reverse(size.brotli)));
    sizes
}

/// A table of them, with what a first visit loads until the list shows, and all.
pub(super) fn table(sizes: &[Size]) -> String {
    let width = sizes.iter().map(|size| size.path.len()).max().unwrap_or(0).max(24);
    let row = |name: &str, raw: usize, gzip: usize, brotli: usize| {
        let [raw, gzip, brotli] = [raw, gzip, brotli].map(grouped);
        format!("{name:width$} {raw:>12} {gzip:>12} {brotli:>12}\n")
    };
    let sum = |name: &str, chosen: &dyn Fn(&Size) -> bool| {
        let add = |(raw, gzip, brotli), size: &Size| {
            (raw + size.raw, gzip + size.gzip, brotli + size.brotli)
        };
        let (raw, gzip, brotli) = sizes.iter().filter(|size| chosen(size)).fold((0, 0, 0), add);
        row(name, raw, gzip, brotli)
    };
    let mut text = format!("\n{:width$} {:>12} {:>12} {:>12}\n", "bytes", "raw", "gzip", "brotli");
    for size in sizes {
        text += &row(&size.path, size.raw, size.gzip, size.brotli);
    }
    text += &sum("until the list shows", &|size| size.first);
    text + &sum("everything", &|_| true)
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_tell_the_first_load_from_the_rest() {
        let mut dist = Dist::default();
        dist.files.insert("index.html".to_owned(), vec![0; 1000]);
        dist.files.insert("icon.png".to_owned(), vec![0; 234]);
        dist.files.insert("headers.json".to_owned(), vec![0; 5]);
        dist.first_load.insert("index.html".to_owned());
        let packed = Files::from([
            ("index.html.gz".to_owned(), vec![0; 20]),
            ("index.html.br".to_owned(), vec![0; 10]),
        ]);
        let table = table(&measure(&dist, &packed));
        let columns = |start: &str| {
            let line = table.lines().find(|line| line.starts_with(start)).unwrap();
            line.split_whitespace().rev().take(3).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(columns("until the list shows"), ["10", "20", "1,000"]);
        assert_eq!(columns("everything"), ["244", "254", "1,234"]);
        assert!(!table.contains("headers.json"));
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
