//! Fills in `{{NAMES}}` in hand-written files.

use anyhow::{Result, bail};

/// Replaces every placeholder by its value.
///
/// A placeholder is upper-case letters and underscores between double braces, so that templates
/// may use braces of their own.
///
/// # Errors
/// When the template has a placeholder without a value, or lacks one of `values`: in both cases
/// the page would not start, and the error says why by name.
pub(super) fn fill(file: &str, template: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut used = vec![false; values.len()];
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let (before, after) = rest.split_at(start);
        filled.push_str(before);
        let Some(name) = name(after) else {
            filled.push_str("{{");
            rest = &after[2..];
            continue;
        };
        let Some(index) = values.iter().position(|(known, _)| *known == name) else {
            bail!("{file} has a placeholder {{{{{name}}}}} that nothing fills in");
        };
        used[index] = true;
        filled.push_str(values[index].1);
        rest = &after[name.len() + 4..];
    }
    filled.push_str(rest);
    if let Some(unused) = used.iter().position(|used| !used) {
        bail!("{file} lacks the placeholder {{{{{}}}}}", values[unused].0);
    }
    Ok(filled)
}

/// The name of the placeholder that the text begins with.
fn name(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix("{{")?.split_once("}}")?;
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    valid.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_placeholder_is_filled() {
        let filled = fill("f", "a {{X}} b {{Y_Z}}{{X}}", &[("X", "1"), ("Y_Z", "{{X}}")]).unwrap();
        assert_eq!(filled, "a 1 b {{X}}1");
    }

    #[test]
    fn other_braces_stay() {
        for text in ["{{", "}}", "{{}}", "{{lower}}", "{{X", "{{ X }}", "`${{a: {b: 1}}}`"] {
            assert_eq!(fill("f", text, &[]).unwrap(), text);
        }
        assert_eq!(fill("f", "{{{X}}}", &[]).unwrap_or_default(), "{{{X}}}");
    }

    #[test]
    fn an_unknown_placeholder_is_named() {
        let error = fill("index.html", "{{CPS}}", &[]).unwrap_err().to_string();
        assert_eq!(error, "index.html has a placeholder {{CPS}} that nothing fills in");
    }

    #[test]
    fn a_missing_placeholder_is_named() {
        let error = fill("index.html", "<html>", &[("CSP", "x")]).unwrap_err().to_string();
        assert_eq!(error, "index.html lacks the placeholder {{CSP}}");
    }
}
