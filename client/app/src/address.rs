//! Addresses as a person types them: `Ada Lovelace <ada@example.org>, bob@example.org`.

use postern_bridge::Address;

/// Reads a comma- or semicolon-separated list of addresses, with or without names.
///
/// # Errors
///
/// The first entry that is no address, as it was typed.
pub(crate) fn parse_list(text: &str) -> Result<Vec<Address>, String> {
    entries(text).into_iter().map(|entry| parse(entry).ok_or_else(|| entry.to_owned())).collect()
}

/// The entries of a list that is not finished: those that are no address yet stand as they were
/// typed.
pub(crate) fn unfinished(text: &str) -> Vec<Address> {
    let typed = |entry: &str| Address { name: String::new(), address: entry.trim().to_owned() };
    let entries = entries(text).into_iter().filter(|entry| !entry.trim().is_empty());
    entries.map(|entry| parse(entry).unwrap_or_else(|| typed(entry))).collect()
}

/// Reads one address, with or without a name.
pub(crate) fn parse(entry: &str) -> Option<Address> {
    let entry = entry.trim();
    let (name, address) = match entry.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (unquote(name.trim()), address.trim()),
        None => (String::new(), entry),
    };
    is_address(address).then(|| Address { name, address: address.to_owned() })
}

/// Whether a text looks like `local@domain`. Only the server can tell whether it exists.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let local_fits = quoted
        || !local.is_empty()
            && !local.contains(|c: char| {
                c.is_whitespace() || c.is_control() || r#"@<>()[],;:\""#.contains(c)
            });
    let domain_fits = !domain.is_empty()
        && domain.len() <= 255
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || !c.is_ascii())
        });
    local_fits && domain_fits && !text.contains(char::is_control)
}

/// Writes addresses back as a person would type them.
pub(crate) fn join(addresses: &[Address]) -> String {
    addresses.iter().map(written).collect::<Vec<_>>().join(", ")
}

/// The part of an address after the `@`, lower case; empty without one.
pub(crate) fn domain(address: &str) -> String {
    address.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.trim().to_lowercase())
}

fn written(address: &Address) -> String {
    if address.name.is_empty() {
        return address.address.clone();
    }
    let name = &address.name;
    if name.contains(|c| r#",;<>@"\()[]:"#.contains(c)) {
        let escaped = name.replace('\\', r"\\").replace('"', "\\\"");
        format!("\"{escaped}\" <{}>", address.address)
    } else {
        format!("{name} <{}>", address.address)
    }
}

/// Splits at commas and semicolons that stand neither in quotes nor in angle brackets.
fn entries(text: &str) -> Vec<&str> {
    let mut entries = Vec::new();
    let (mut start, mut quoted, mut bracketed, mut escaped) = (0, false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            ',' | ';' | '\n' if !quoted && !bracketed => {
                entries.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    entries.push(&text[start..]);
    entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

fn unquote(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str, address: &str) -> Address {
        Address { name: name.into(), address: address.into() }
    }

    #[test]
    fn a_list_mixes_bare_addresses_and_names() {
        assert_eq!(
            parse_list("ada@example.org, Bob B. <bob@example.org>; \"C, D\" <c@example.org>,"),
            Ok(vec![
                address("", "ada@example.org"),
                address("Bob B.", "bob@example.org"),
                address("C, D", "c@example.org"),
            ])
        );
    }

    #[test]
    fn an_empty_list_has_no_addresses() {
        assert_eq!(parse_list(" , ;"), Ok(vec![]));
    }

    #[test]
    fn the_first_wrong_entry_is_named() {
        assert_eq!(parse_list("ada@example.org, bob"), Err("bob".into()));
        assert_eq!(parse_list("Bob <bob@>"), Err("Bob <bob@>".into()));
    }

    #[test]
    fn what_looks_like_an_address_is_one() {
        for good in ["a@b", "a+tag@b.example", "ü@bücher.example", "\"a b\"@c.example", "x@1.2.3.4"]
        {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a b@c", "a@b..c", "a@-b", "a@b c", "a@b\r\nx", "a,b@c"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let list = vec![
            address("", "a@b.example"),
            address("Ada", "ada@b.example"),
            address("Lovelace, \"Ada\" \\", "ada@b.example"),
        ];
        assert_eq!(parse_list(&join(&list)), Ok(list));
    }

    #[test]
    fn a_domain_is_lower_case() {
        assert_eq!(domain("Ada@Example.ORG"), "example.org");
        assert_eq!(domain("ada"), "");
    }
}
