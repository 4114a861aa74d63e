//! The files in `deploy/` speak of settings that there are.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{collections::BTreeSet, fs, path::Path};

use clap::Args;
use postern::{
    Config,
    config::{Settings, named},
};

/// The folder.
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");

/// Variables of the files' own, which are not settings.
const OWN: [&str; 2] = ["POSTERN_NAME", "POSTERN_UPSTREAM"];

/// All files of the folder, with their texts.
fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &Path| (path.display().to_string(), fs::read_to_string(path).unwrap());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![read(&path)] }).collect()
}

/// The variables with this prefix that a text names.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.match_indices("POSTERN_").map(move |(at, _)| {
        let rest = &text[at..];
        &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())]
    })
}

#[test]
fn every_variable_that_they_set_is_a_setting() {
    let command = named(Settings::augment_args(clap::Command::new("postern")));
    let known = command.get_arguments().filter_map(|argument| argument.get_env());
    let known: BTreeSet<_> = known.filter_map(|name| name.to_str()).chain(OWN).collect();
    let mut found = 0;
    for (file, text) in files(DEPLOY.as_ref()) {
        for variable in variables(&text) {
            assert!(known.contains(variable), "{file}: {variable}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn the_settings_of_a_cluster_can_be_used_with_its_secrets() {
    let text = fs::read_to_string(format!("{DEPLOY}/kubernetes/postern.toml")).unwrap();
    let secret = "\n[access]\nkey = 'as-long-as-keys-must-be'\n";
    let config = Config::load(Settings::default(), Some(&(text.clone() + secret))).unwrap();
    assert!(config.is_public());
    assert_eq!(config.trusted_proxies.len(), 1);
    let refused = Config::load(Settings::default(), Some(&text)).unwrap_err().to_string();
    assert!(refused.contains("access.key"), "without its secrets it does not start: {refused}");
}

/// A pod's secrets belong to root, and are read by the group that the pod is in.
#[test]
fn a_pod_that_is_nobody_can_read_its_secrets() {
    let text = fs::read_to_string(format!("{DEPLOY}/kubernetes/deployment.yaml")).unwrap();
    let says = |line: &str| text.lines().any(|it| it.trim() == line);
    assert!(says("defaultMode: 0440") && says("runAsUser: 65532") && says("fsGroup: 65532"));
}

#[test]
fn what_stands_in_front_logs_no_mail_address() {
    let read = |file: &str| fs::read_to_string(format!("{DEPLOY}/{file}")).unwrap();
    let nginx = read("reverse-proxy/nginx.conf");
    let format = nginx.lines().find(|line| line.starts_with("log_format postern ")).unwrap();
    // `$request` and `$request_uri` would have the query.
    assert!(format.contains("$uri") && !format.contains("$request\"") && !format.contains("_uri"));
    assert!(nginx.contains("access_log /var/log/nginx/postern.log postern;"));
    let ingress = read("kubernetes/ingress.yaml");
    assert!(ingress.contains(r#"nginx.ingress.kubernetes.io/enable-access-log: "false""#));
}
