//! Settings that say who may use the proxy.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    ConfigError,
    secret::{Secret, secrets},
    table,
};
use crate::access::{AccessKey, TokenKey};

table! {
    /// `[access]`: who may use the proxy.
    pub struct AccessSettings("access_") {
        /// What people must enter to use the proxy, 16 to 256 bytes. Better set in a file or the
        /// environment than as a flag, which others on the machine can see
        #[arg(value_name = "KEY", hide_env_values = true)]
        pub key: Option<Secret>,

        /// A file that holds that key alone
        #[arg(value_name = "FILE")]
        pub key_file: Option<PathBuf>,

        /// What the pages' tokens are signed with: secrets of at least 32 bytes in Base64, the same
        /// for all copies of the proxy. The first signs, all are accepted: to change it, add the
        /// new one everywhere, then put it first everywhere, then drop the old one [default: one
        /// that is new with each start]
        #[arg(value_name = "KEY", value_delimiter = ',', hide_env_values = true)]
        #[serde(deserialize_with = "secrets")]
        pub token_keys: Option<Vec<Secret>>,

        /// A file that holds those secrets, one a line
        #[arg(value_name = "FILE")]
        pub token_keys_file: Option<PathBuf>,
    }
}

impl AccessSettings {
    /// The access key, from wherever it stands.
    pub(super) fn key(&self) -> Result<Option<AccessKey>, ConfigError> {
        match (&self.key, &self.key_file) {
            (Some(_), Some(_)) => Err(twice("access.key_file", "access.key")),
            (Some(Secret(key)), None) => parse("access.key", key).map(Some),
            (None, Some(path)) => {
                let text = read("access.key_file", path)?;
                parse("access.key_file", text.trim()).map(Some)
            }
            (None, None) => Ok(None),
        }
    }

    /// The token keys, from wherever they stand.
    pub(super) fn token_keys(&self) -> Result<Vec<TokenKey>, ConfigError> {
        let keys = |setting, texts: &mut dyn Iterator<Item = &str>| {
            texts
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(|text| parse(setting, text))
                .collect()
        };
        match (&self.token_keys, &self.token_keys_file) {
            (Some(_), Some(_)) => Err(twice("access.token_keys_file", "access.token_keys")),
            (Some(texts), None) => {
                keys("access.token_keys", &mut texts.iter().map(|Secret(text)| text.as_str()))
            }
            (None, Some(path)) => {
                let text = read("access.token_keys_file", path)?;
                let found: Vec<_> = keys("access.token_keys_file", &mut text.lines())?;
                if found.is_empty() {
                    let problem = format!("{}: there is no key in it", path.display());
                    return Err(ConfigError::new("access.token_keys_file", problem));
                }
                Ok(found)
            }
            (None, None) => Ok(Vec::new()),
        }
    }
}

/// Reads one secret; what is wrong with it is said without quoting it.
fn parse<T: FromStr<Err = &'static str>>(setting: &str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|problem| ConfigError::new(setting, problem))
}

fn read(setting: &str, path: &Path) -> Result<String, ConfigError> {
    let problem = |error| ConfigError::new(setting, format!("{}: {error}", path.display()));
    fs::read_to_string(path).map_err(problem)
}

fn twice(setting: &str, other: &str) -> ConfigError {
    ConfigError::new(setting, format!("`{other}` is set as well; set one of the two"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::config::Settings;

    const FIRST: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const SECOND: &str = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn settings(toml: &str) -> AccessSettings {
        Settings::from_toml(&format!("[access]\n{toml}")).unwrap().access
    }

    #[test]
    fn keys_can_stand_in_files() {
        let key = file("a-long-enough-secret\n");
        let token_keys = file(&format!("{FIRST}\n\n {SECOND}\n"));
        let settings = settings(&format!(
            "key_file = {:?}\ntoken_keys_file = {:?}",
            key.path(),
            token_keys.path()
        ));
        assert!(settings.key().unwrap().unwrap().admits("a-long-enough-secret"));
        assert_eq!(settings.token_keys().unwrap().len(), 2);
    }

    #[test]
    fn a_file_without_a_key_is_an_error_that_quotes_nothing() {
        let (empty, short) = (file(""), file("hush"));
        for (toml, key) in [
            (format!("key_file = {:?}", empty.path()), "access.key_file"),
            (format!("key_file = {:?}", short.path()), "access.key_file"),
            (format!("token_keys_file = {:?}", empty.path()), "access.token_keys_file"),
            (format!("token_keys_file = {:?}", short.path()), "access.token_keys_file"),
        ] {
            let settings = settings(&toml);
            let error = settings.key().err().or_else(|| settings.token_keys().err()).unwrap();
            assert_eq!(error.key, key);
            assert!(!error.problem.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_key_and_its_file_can_not_both_be_set() {
        let both = settings("key = 'a-long-enough-secret'\nkey_file = 'key'");
        assert_eq!(both.key().unwrap_err().key, "access.key_file");
        let both = settings(&format!("token_keys = ['{FIRST}']\ntoken_keys_file = 'keys'"));
        assert_eq!(both.token_keys().unwrap_err().key, "access.token_keys_file");
    }
}
