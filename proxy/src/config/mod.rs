//! What an operator decides.
//!
//! Each setting can stand in a TOML file, in the environment and among the flags. A flag wins over
//! the environment, the environment over the file, and the file over the default.

mod access;
mod error;
mod https;
mod limits;
mod network;
mod settings;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use ipnet::IpNet;

use crate::{
    access::{AccessKey, TokenKey},
    limits::Limits,
    policy::{HostPattern, Nat64},
    server::Origin,
};
pub use access::AccessSettings;
pub(crate) use error::Problems;
pub use error::{ConfigError, ConfigErrors};
pub use https::{Acme, AcmeSettings, CertificateFiles, Https, HttpsSettings, Identity};
pub use settings::{LimitSettings, Settings};

/// What an operator decided, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the proxy listens.
    pub listen: SocketAddr,
    /// The folder with the page.
    pub page: Option<PathBuf>,
    /// Origins from which tunnels may be opened, besides the proxy's own addresses.
    pub origins: Vec<Origin>,
    /// Reverse proxies whose word on where a request comes from is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Hosts that may be reached; if there are none, every public one.
    pub allow: Vec<HostPattern>,
    /// Networks that may be reached though they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Prefixes of NAT64 by which the proxy's network reaches IPv4.
    pub nat64_prefixes: Vec<Nat64>,
    /// Addresses that lead to this proxy though its machine does not have them.
    pub own_addresses: Vec<IpNet>,
    /// Ports that may be reached besides those of mail.
    pub ports: Vec<u16>,
    /// A PEM file with certificates that are trusted besides the public ones.
    pub roots: Option<PathBuf>,
    /// What people must enter to use the proxy.
    pub access_key: Option<AccessKey>,
    /// What tokens are signed with; if there is none, a key of this start.
    pub token_keys: Vec<TokenKey>,
    /// Whether strangers may use the proxy to reach every mail server.
    pub open_relay: bool,
    /// What connections may cost.
    pub limits: Limits,
    /// HTTPS that the proxy ends itself; without it, it speaks HTTP.
    pub https: Option<Https>,
    /// Where metrics can be read, without TLS and by everybody who can reach it.
    pub metrics_listen: Option<SocketAddr>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is written there.
    pub log_level: LogLevel,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// What is written to the log: this and what is more urgent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogLevel {
    /// What keeps the proxy from its work.
    Error,
    /// What an operator should look into.
    Warn,
    /// What happens.
    #[default]
    Info,
    /// How it happens.
    Debug,
    /// Every step.
    Trace,
}

impl Default for Config {
    /// A proxy for this machine alone.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            page: None,
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            allow: Vec::new(),
            allow_networks: Vec::new(),
            nat64_prefixes: Vec::new(),
            own_addresses: Vec::new(),
            ports: Vec::new(),
            roots: None,
            access_key: None,
            token_keys: Vec::new(),
            open_relay: false,
            limits: Limits::default(),
            https: None,
            metrics_listen: None,
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
        }
    }
}

impl Config {
    /// Whether other machines can reach this proxy: it listens beyond this machine, or its
    /// `origins` or `trusted_proxies` say that something in front of it is listening for it.
    pub fn is_public(&self) -> bool {
        !self.listen.ip().to_canonical().is_loopback()
            || !self.origins.is_empty()
            || !self.trusted_proxies.is_empty()
    }

    /// Whether strangers can use this proxy to reach every mail server there is.
    pub fn is_open_relay(&self) -> bool {
        self.is_public() && self.allow.is_empty() && self.access_key.is_none()
    }

    /// Checks what no setting shows alone.
    ///
    /// # Errors
    ///
    /// If the proxy would be an open relay, and nobody said that it should.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.is_open_relay() && !self.open_relay {
            let (key, why) = if !self.origins.is_empty() {
                ("origins", "pages of other machines may use this proxy".to_owned())
            } else if !self.trusted_proxies.is_empty() {
                ("trusted_proxies", "people come through another proxy".to_owned())
            } else {
                ("listen", format!("{} can be reached from other machines", self.listen))
            };
            return Err(ConfigError::new(
                key,
                format!(
                    "{why}, so strangers could use it to reach any mail server. Set `allow` to the \
                     mail servers it may reach, or `access.key` to a key that people must enter; \
                     `open_relay` accepts the risk"
                ),
            ));
        }
        Ok(())
    }
}

impl TryFrom<Settings> for Config {
    type Error = ConfigErrors;

    fn try_from(settings: Settings) -> Result<Self, ConfigErrors> {
        Self::parse(settings, Problems::default())
    }
}

impl Config {
    /// What flags and environment say, and where they say nothing, a file.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with them.
    pub fn load(settings: Settings, file: Option<&str>) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let file = file.map(|text| Settings::read(text, &mut problems));
        Self::parse(settings.or(file.unwrap_or_default()), problems)
    }

    fn parse(settings: Settings, mut problems: Problems) -> Result<Self, ConfigErrors> {
        let default = Self::default();
        let config = Self {
            listen: problems
                .take(one("listen", settings.listen))
                .flatten()
                .unwrap_or(default.listen),
            page: settings.page,
            origins: problems.take(list("origins", settings.origins)).unwrap_or_default(),
            trusted_proxies: problems
                .take(networks("trusted_proxies", settings.trusted_proxies))
                .unwrap_or_default(),
            allow: problems.take(list("allow", settings.allow)).unwrap_or_default(),
            allow_networks: problems
                .take(networks("allow_networks", settings.allow_networks))
                .unwrap_or_default(),
            nat64_prefixes: problems
                .take(list("nat64_prefixes", settings.nat64_prefixes))
                .unwrap_or_default(),
            own_addresses: problems
                .take(networks("own_addresses", settings.own_addresses))
                .unwrap_or_default(),
            ports: problems.take(ports(settings.ports)).unwrap_or_default(),
            roots: settings.roots,
            access_key: problems.take(settings.access.key()).flatten(),
            token_keys: problems.take(settings.access.token_keys()).unwrap_or_default(),
            open_relay: settings.open_relay.unwrap_or(default.open_relay),
            limits: settings.limits.checked(&mut problems),
            https: https::https(settings.https, settings.acme, &mut problems),
            metrics_listen: problems.take(one("metrics_listen", settings.metrics_listen)).flatten(),
            log_format: problems
                .take(one("log_format", settings.log_format))
                .flatten()
                .unwrap_or(default.log_format),
            log_level: problems
                .take(one("log_level", settings.log_level))
                .flatten()
                .unwrap_or(default.log_level),
        };
        // A setting that could not be read says nothing about what it was meant to be.
        if problems.is_empty() {
            problems.take(config.check());
        }
        problems.or(config)
    }
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be `text` or `json`"),
        }
    }
}

impl FromStr for LogLevel {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            _ => Err("must be `error`, `warn`, `info`, `debug` or `trace`"),
        }
    }
}

fn one<T: FromStr<Err: fmt::Display>>(
    key: &str,
    value: Option<String>,
) -> Result<Option<T>, ConfigError> {
    let parse = |text: String| text.parse().map_err(|error| ConfigError::new(key, error));
    value.map(parse).transpose()
}

fn list<T: FromStr<Err: fmt::Display>>(
    key: &str,
    values: Option<Vec<String>>,
) -> Result<Vec<T>, ConfigError> {
    let values = values.unwrap_or_default();
    // A variable that is set to nothing is a list without entries.
    let entries = values.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let parse = |text: &str| {
        text.parse().map_err(|error| ConfigError::new(key, format!("`{text}`: {error}")))
    };
    entries.map(parse).collect()
}

fn networks(key: &str, values: Option<Vec<String>>) -> Result<Vec<IpNet>, ConfigError> {
    let networks: Vec<network::Network> = list(key, values)?;
    Ok(networks.into_iter().map(|network::Network(network)| network).collect())
}

fn ports(values: Option<Vec<u16>>) -> Result<Vec<u16>, ConfigError> {
    let values = values.unwrap_or_default();
    if values.contains(&25) {
        return Err(ConfigError::new(
            "ports",
            "25 is for servers among each other, not for clients",
        ));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn config(toml: &str) -> Result<Config, ConfigErrors> {
        Config::try_from(Settings::from_toml(toml)?)
    }

    #[test]
    fn nothing_set_is_a_proxy_for_this_machine_alone() {
        let config = config("").unwrap();
        assert!(config.listen.ip().is_loopback());
        assert_eq!(config.limits, Limits::default());
    }

    #[test]
    fn every_setting_is_read() {
        let config = config(
            r#"
            listen = "0.0.0.0:443"
            page = "dist"
            origins = ["https://mail.example.org"]
            trusted_proxies = ["10.0.0.1"]
            allow = ["*.example.org", "mail.example.com"]
            allow_networks = ["10.0.0.0/8", "fd00::1"]
            nat64_prefixes = ["64:ff9b::/96", "2001:db8:64::/48"]
            own_addresses = ["203.0.113.0/28", "2001:db8::1"]
            ports = [1143]
            roots = "ca.pem"
            open_relay = true
            metrics_listen = "127.0.0.1:9090"
            log_format = "json"
            log_level = "debug"

            [https]
            certificate = "fullchain.pem"
            key = "key.pem"
            reload_seconds = 7
            redirect_listen = "0.0.0.0:80"
            hsts_seconds = 0

            [access]
            key = "a-long-enough-secret"
            token_keys = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]

            [limits]
            connections = 5
            connections_per_client = 2
            connections_per_minute = 3
            connections_per_client_per_minute = 4
            destinations_per_hour = 5
            destinations_per_client_per_hour = 6
            bytes_per_hour = 7
            bytes_per_client_per_hour = 8
            tokens_per_client_per_minute = 9
            open_seconds = 1
            connect_seconds = 2
            handshake_seconds = 3
            idle_seconds = 4
            lifetime_seconds = 5
            ping_seconds = 6
            drain_seconds = 0
            notice_seconds = 7
            "#,
        )
        .unwrap();
        let https = config.https.unwrap();
        let Identity::Files(files) = https.identity else { panic!("{https:?}") };
        assert_eq!(files.reload, Duration::from_secs(7));
        assert_eq!(https.redirect_listen, Some(([0, 0, 0, 0], 80).into()));
        assert_eq!(https.hsts, Duration::ZERO);
        assert_eq!(config.metrics_listen, Some(([127, 0, 0, 1], 9090).into()));
        assert_eq!(config.log_level, LogLevel::Debug);
        assert_eq!(config.limits.notice, Duration::from_secs(7));
        assert_eq!(config.allow.len(), 2);
        assert_eq!(config.allow_networks.len(), 2);
        assert_eq!(config.nat64_prefixes.len(), 2);
        assert_eq!(config.own_addresses.len(), 2);
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.trusted_proxies.len(), 1);
        assert_eq!(config.limits.connections_per_client, 2);
        assert_eq!(config.limits.connections_per_minute, 3);
        assert_eq!(config.limits.connections_per_client_per_minute, 4);
        assert_eq!(config.limits.destinations_per_hour, 5);
        assert_eq!(config.limits.destinations_per_client_per_hour, 6);
        assert_eq!(config.limits.bytes_per_hour, Some(7));
        assert_eq!(config.limits.bytes_per_client_per_hour, 8);
        assert_eq!(config.limits.tokens_per_client_per_minute, 9);
        assert_eq!(config.limits.drain, Duration::ZERO);
        assert!(config.access_key.unwrap().admits("a-long-enough-secret"));
        assert_eq!(config.token_keys.len(), 1);
    }

    #[test]
    fn each_error_names_its_key() {
        for (toml, key) in [
            ("listen = 'here'", "listen"),
            ("origins = ['mail.example.org']", "origins"),
            ("origins = ['https://mail.example.org/x']", "origins"),
            ("allow = ['https://example.org']", "allow"),
            ("allow = ['127.1']", "allow"),
            ("allow_networks = ['10.0.0.0/33']", "allow_networks"),
            ("nat64_prefixes = ['64:ff9b::/95']", "nat64_prefixes"),
            ("own_addresses = ['10.0.0.0/33']", "own_addresses"),
            ("ports = [25]", "ports"),
            ("ports = [70000]", "ports"),
            ("access.key = 'short'", "access.key"),
            ("access.key_file = '/nowhere/at/all'", "access.key_file"),
            ("access.token_keys = ['c2hvcnQ=']", "access.token_keys"),
            ("access.token_keys_file = '/nowhere/at/all'", "access.token_keys_file"),
            ("access.kee = ''", "access.kee"),
            ("log_format = 'xml'", "log_format"),
            ("limits.connections = 0", "limits.connections"),
            ("limits.connections_per_minute = 0", "limits.connections_per_minute"),
            (
                "limits.connections_per_client_per_minute = 0",
                "limits.connections_per_client_per_minute",
            ),
            ("limits.destinations_per_hour = 0", "limits.destinations_per_hour"),
            ("limits.bytes_per_hour = 0", "limits.bytes_per_hour"),
            ("limits.bytes_per_client_per_hour = 0", "limits.bytes_per_client_per_hour"),
            ("limits.tokens_per_client_per_minute = 0", "limits.tokens_per_client_per_minute"),
            ("trusted_proxies = ['10.0.0.0/33']", "trusted_proxies"),
            ("limits.idle_seconds = 0", "limits.idle_seconds"),
            ("limits.idle_seconds = -1", "limits.idle_seconds"),
            ("lisen = '[::]:80'", "lisen"),
            ("limits.connection = 1", "limits.connection"),
            ("limits = 1", "limits"),
            ("metrics_listen = '9090'", "metrics_listen"),
            ("log_level = 'loud'", "log_level"),
            ("https.certificate = 'c.pem'", "https.key"),
            ("https.key = 'k.pem'", "https.certificate"),
            ("https.reload_seconds = 0", "https.reload_seconds"),
            ("https.redirect_listen = ':80'", "https.redirect_listen"),
            ("https.redirect_listen = '[::]:80'", "https.redirect_listen"),
            ("https.hsts_seconds = '1y'", "https.hsts_seconds"),
            ("https.certificat = 'c.pem'", "https.certificat"),
            ("acme.domains = ['a.example']", "acme.cache"),
            ("acme.domains = ['*.example.org']", "acme.domains"),
            ("acme.domains = ['192.0.2.1']", "acme.domains"),
            ("acme.domains = ['localhost']", "acme.domains"),
            ("acme.contact = 'me'", "acme.contact"),
            ("acme.directory = 'http://ca.example/'", "acme.directory"),
            (
                "acme = { cache = 'c', domains = ['a.example'] }\nhttps = { certificate = 'c', key = 'k' }",
                "acme.domains",
            ),
        ] {
            let errors = config(toml).unwrap_err();
            let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
            assert_eq!(keys, [key], "{toml}: {errors}");
        }
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let errors = Config::load(
            Settings { log_level: Some("loud".into()), ..Settings::default() },
            Some("listen = 'here'\nport = 1\nports = [25]\nlimits = { idle_seconds = 0, x = 1 }"),
        );
        let errors = errors.unwrap_err();
        let mut keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            ["limits.idle_seconds", "limits.x", "listen", "log_level", "port", "ports"]
        );
    }

    #[test]
    fn a_certificate_comes_by_acme_from_lets_encrypt_unless_another_is_named() {
        let toml = "domains = ['Mail.Example.org']\ncache = 'c'\ncontact = 'me@example.org'";
        let https = config(&format!("[acme]\n{toml}")).unwrap().https.unwrap();
        let Identity::Acme(acme) = https.identity else { panic!("{https:?}") };
        assert_eq!(acme.domains, ["mail.example.org"]);
        assert_eq!(acme.contact.as_deref(), Some("mailto:me@example.org"));
        assert!(acme.directory.contains("letsencrypt.org"));
        let other = format!("[acme]\n{toml}\ndirectory = 'https://ca.example/directory'");
        let https = config(&other).unwrap().https.unwrap();
        assert!(format!("{https:?}").contains("https://ca.example/directory"));
    }

    #[test]
    fn a_public_proxy_needs_a_list_or_a_key_or_a_clear_word() {
        for (toml, accepted) in [
            ("listen = '0.0.0.0:80'", false),
            ("listen = '[::]:80'", false),
            ("listen = '192.168.1.1:80'", false),
            ("listen = '[::1]:80'", true),
            ("listen = '127.0.0.2:80'", true),
            ("origins = ['https://mail.example.org']", false),
            ("trusted_proxies = ['127.0.0.1']", false),
            ("origins = ['https://mail.example.org']\nallow = ['*.example.org']", true),
            ("listen = '[::]:80'\nallow = ['*.example.org']", true),
            ("listen = '[::]:80'\naccess.key = 'a-long-enough-secret'", true),
            ("origins = ['https://x.example']\naccess.key = 'a-long-enough-secret'", true),
            ("listen = '[::]:80'\nopen_relay = true", true),
        ] {
            let config = config(toml);
            assert_eq!(config.is_ok(), accepted, "{toml}");
            if let Err(error) = config {
                let error = error.to_string();
                assert!(error.contains("`allow`") && error.contains("`access.key`"), "{error}");
            }
        }
    }
}
