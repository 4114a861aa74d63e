//! The example of a configuration file is complete and true.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;

use clap::Args;
use postern::{
    Config,
    config::{Settings, named},
};

const EXAMPLE: &str = include_str!("../postern.example.toml");

/// The example with what it comments out: `# key = value`.
fn all_of_it() -> String {
    let is_setting = |line: &str| {
        let key = line.split_once(" = ").map(|(key, _)| key);
        let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        key.is_some_and(|key| key.bytes().all(is_part))
    };
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if is_setting(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The environment variables that a file's keys go by.
fn variables(toml: &str) -> BTreeSet<String> {
    let table: toml::Table = toml.parse().unwrap();
    let names = table.iter().flat_map(|(name, value)| match value {
        toml::Value::Table(inner) => inner.keys().map(|key| format!("{name}_{key}")).collect(),
        _ => vec![name.clone()],
    });
    names.map(|name| format!("POSTERN_{}", name.to_ascii_uppercase())).collect()
}

#[test]
fn it_has_every_setting_and_no_other() {
    let command = named(Settings::augment_args(clap::Command::new("postern")));
    let settings = command.get_arguments().map(|argument| {
        let variable = argument.get_env().unwrap().to_str().unwrap().to_owned();
        let flag = format!("POSTERN_{}", argument.get_long().unwrap().replace('-', "_"));
        assert_eq!(flag.to_ascii_uppercase(), variable, "flag and variable go by one name");
        variable
    });
    assert_eq!(variables(&all_of_it()), settings.collect::<BTreeSet<_>>());
}

#[test]
fn what_it_shows_are_the_defaults() {
    let shown = Config::load(Settings::default(), Some(EXAMPLE)).unwrap();
    assert_eq!(format!("{shown:#?}"), format!("{:#?}", Config::default()));
}

#[test]
fn its_examples_can_be_read() {
    let all = all_of_it();
    Settings::from_toml(&all).unwrap();
    // Of some there can be one alone, and files that are read at once are not there.
    for acme in [true, false] {
        let mut table: toml::Table = all.parse().unwrap();
        let mut leave_out = |name: &str, keys: &[&str]| {
            for key in keys {
                table[name].as_table_mut().unwrap().remove(*key).unwrap();
            }
        };
        leave_out("access", &["key_file", "token_keys_file"]);
        match acme {
            true => leave_out("https", &["certificate", "key"]),
            false => leave_out("acme", &["domains"]),
        }
        let config = Config::load(Settings::default(), Some(&table.to_string())).unwrap();
        assert_eq!(format!("{:?}", config.https.unwrap()).contains("Acme"), acme);
    }
}
