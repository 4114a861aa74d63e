//! What is wrong with the settings: all of it, not only the first.

use std::fmt;

/// A setting that can't be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigError {
    /// The setting, as it is called in the file.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The settings that can't be used: at least one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

/// Gathers errors while settings are read.
#[derive(Default)]
pub(crate) struct Problems(Vec<ConfigError>);

impl ConfigError {
    /// An error of one setting.
    pub(crate) fn new(key: &str, problem: impl fmt::Display) -> Self {
        Self { key: key.to_owned(), problem: problem.to_string() }
    }
}

impl ConfigErrors {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl Problems {
    /// The value, if there is one; else the error is kept.
    pub(crate) fn take<T>(&mut self, result: Result<T, impl Into<ConfigErrors>>) -> Option<T> {
        result.map_err(|errors| self.0.extend(errors.into().0)).ok()
    }

    /// Keeps an error.
    pub(crate) fn add(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// Whether there are none so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors, of which there is at least one.
    pub(crate) fn into_errors(self) -> ConfigErrors {
        ConfigErrors(self.0)
    }

    /// The value, unless something was wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, ConfigErrors> {
        if self.is_empty() { Ok(value) } else { Err(ConfigErrors(self.0)) }
    }
}
