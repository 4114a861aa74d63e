//! The configuration file: read so that every mistake in it is found, not only the first.

use toml::{Table, Value};

use super::{ConfigError, ConfigErrors, Problems, Settings};

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// If it is not TOML, has keys that do not exist, or values of the wrong type.
    pub fn from_toml(text: &str) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let settings = Self::read(text, &mut problems);
        problems.or(settings)
    }

    /// What can be read of a configuration file; what can't be is left out, and told.
    pub(super) fn read(text: &str, problems: &mut Problems) -> Self {
        let Some(mut table) = problems.take(text.parse().map_err(|error| not_toml(text, &error)))
        else {
            return Self::default();
        };
        // The whole at once would stop at the first mistake, so each key is tried alone before.
        for leaf in leaves(&table) {
            if let Err(error) = toml::from_str::<Self>(&leaf.alone.to_string()) {
                problems.add(ConfigError::new(&leaf.key(), error.message()));
                leaf.remove_from(&mut table);
            }
        }
        toml::from_str(&table.to_string()).unwrap_or_default()
    }
}

/// A mistake of the file as a whole. The reader's own message quotes the line, which may hold a
/// secret.
fn not_toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let key = text.lines().nth(line - 1).and_then(|line| line.split('=').next());
    // Any other line may be the middle of a secret.
    let is_key = |key: &&str| key.bytes().all(|b| b.is_ascii_lowercase() || b"_.".contains(&b));
    let key = key.map(str::trim).filter(is_key).unwrap_or_default();
    let key = if key.is_empty() { "config" } else { key };
    ConfigError::new(key, format!("line {line}: {}", error.message()))
}

/// A value of the file.
struct Leaf {
    name: String,
    /// Its name in the table that `name` is.
    inner: Option<String>,
    /// A file with nothing else in it.
    alone: Table,
}

impl Leaf {
    fn key(&self) -> String {
        match &self.inner {
            Some(inner) => format!("{}.{inner}", self.name),
            None => self.name.clone(),
        }
    }

    fn remove_from(&self, table: &mut Table) {
        match (&self.inner, table.get_mut(&self.name)) {
            (Some(inner), Some(Value::Table(table))) => table.remove(inner),
            _ => table.remove(&self.name),
        };
    }
}

/// Each value of the file.
fn leaves(table: &Table) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for (name, value) in table {
        let mut leaf = |inner: Option<&String>, value: Value| {
            let alone = Table::from_iter([(name.clone(), value)]);
            leaves.push(Leaf { name: name.clone(), inner: inner.cloned(), alone });
        };
        match value {
            Value::Table(table) if !table.is_empty() => {
                for (key, value) in table {
                    let alone = Table::from_iter([(key.clone(), value.clone())]);
                    leaf(Some(key), Value::Table(alone));
                }
            }
            value => leaf(None, value.clone()),
        }
    }
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_first_wins_and_the_rest_fills_in() {
        let first = Settings::from_toml("listen = '[::1]:1'\nlimits.idle_seconds = 1").unwrap();
        let second = Settings::from_toml(
            "listen = '[::1]:2'\nports = [2]\n[limits]\nidle_seconds = 2\nping_seconds = 2",
        )
        .unwrap();
        let both = first.or(second);
        assert_eq!(both.listen.as_deref(), Some("[::1]:1"));
        assert_eq!(both.ports, Some(vec![2]));
        assert_eq!(both.limits.idle_seconds, Some(1));
        assert_eq!(both.limits.ping_seconds, Some(2));
    }

    #[test]
    fn an_error_does_not_quote_a_secret() {
        let error = Settings::from_toml("access.key = ['hush-hush-hush-hush']").unwrap_err();
        assert_eq!(error.iter().next().unwrap().key, "access.key");
        assert!(!error.to_string().contains("hush"), "{error}");
        for toml in [
            "access.key = 'hush-hush-hush-hush' x",
            "access.key = \"\"\"\nhush-hush-hush-hush \\q\"\"\"",
            "access.key = { hush = 1 }",
            "access.key.hush = 1",
            "access.token_keys = ['hush-hush-hush-hush', 1]",
        ] {
            let error = Settings::from_toml(toml).unwrap_err().to_string();
            assert!(!error.contains("hush-hush"), "{toml}: {error}");
        }
        for value in ["1234567890123456", "123456.7890123456", "1234-12-12", "true"] {
            for key in ["access.key", "access.\"key\"", "access.token_keys"] {
                let error = Settings::from_toml(&format!("{key} = {value}")).unwrap_err();
                assert!(!error.to_string().contains(value), "{error}");
            }
        }
    }
}
