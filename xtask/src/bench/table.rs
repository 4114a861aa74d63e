//! Figures as a person reads them: ratios first.

use std::collections::BTreeMap;

use serde_json::Value;

/// A line for each figure, with a second one where it has several peers; then what is missing.
pub(super) fn table(figures: &[Value]) -> String {
    let mut text = format!("\n{:>7} {:>7} {:4} figure\n", "ratio", "goal", "met");
    let mut missing = BTreeMap::new();
    for figure in figures {
        let number = |field: &str| {
            figure[field].as_f64().map_or_else(|| "-".to_owned(), |number| format!("{number:.2}"))
        };
        let word = |field: &str| figure[field].as_str().unwrap_or("-").to_owned();
        let met = if figure["met"] == true { "yes" } else { "no" };
        let unit = word("unit");
        let beside = match (figure["peer"].as_f64(), figure["peer_name"].as_str()) {
            (Some(peer), _) => format!("{} {peer:.2} {unit}", word("peer_name")),
            (None, None) if unit == "MB/s" => format!("at least {} {unit}", number("goal")),
            (None, None) => format!("at most {} {unit}", number("goal")),
            (None, Some(nobody)) => format!("beside {nobody}"),
        };
        text += &format!(
            "{:>7} {:>7} {met:4} {}: {} {unit}, {beside}\n",
            number("ratio"),
            number("goal"),
            word("name"),
            number("ours"),
        );
        let peers = figure["peers"].as_object().into_iter().flatten();
        let peers =
            peers.filter_map(|(name, value)| Some(format!("{name} {:.2}", value.as_f64()?)));
        let peers: Vec<_> = peers.collect();
        if !peers.is_empty() {
            text += &format!("{:21}{}\n", "", peers.join(", "));
        }
        missing.extend(figure["missing"].as_object().into_iter().flatten());
    }
    for (name, reason) in missing {
        text += &format!("not measured: {name}: {}\n", reason.as_str().unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn figure() -> Value {
        json!({
            "name": "mime/parse", "unit": "MB/s", "ours": 120.0, "peer": 100.0,
            "peer_name": "mail-parser", "ratio": 1.2, "goal": 1.0, "met": true, "runs": 9,
        })
    }

    #[test]
    fn ratios_come_first_in_the_table() {
        let table = table(&[figure()]);
        let line = table.lines().last().unwrap();
        assert_eq!(
            line.trim_start(),
            "1.20    1.00 yes  mime/parse: 120.00 MB/s, mail-parser 100.00 MB/s"
        );
    }

    #[test]
    fn an_absolute_bound_stands_where_a_peer_would() {
        let table = table(&[json!({
            "name": "app/open", "unit": "ms", "ours": 20.0, "peer": null, "peer_name": null,
            "ratio": null, "goal": 50.0, "met": true, "runs": 3,
        })]);
        let line = table.lines().last().unwrap();
        assert_eq!(line.trim_start(), "-   50.00 yes  app/open: 20.00 ms, at most 50.00 ms");
    }

    #[test]
    fn all_peers_are_told_and_each_missing_one_once() {
        let mut figure = figure();
        figure["peers"] = json!({ "mail-parser": 100.0, "another": 7.0 });
        figure["missing"] = json!({ "a third": "there is no apt-get here" });
        let table = table(&[figure.clone(), figure]);
        let lines: Vec<_> = table.lines().map(str::trim).collect();
        assert_eq!(
            lines.iter().filter(|line| **line == "another 7.00, mail-parser 100.00").count(),
            2
        );
        assert_eq!(lines.last(), Some(&"not measured: a third: there is no apt-get here"));
        assert_eq!(lines.iter().filter(|line| line.contains("a third")).count(), 1);
    }
}
