//! What an operator decides.
//!
//! Each setting can stand in a TOML file, in the environment and among the flags. A flag wins over
//! the environment, the environment over the file, and the file over the default.

mod access;
mod network;
mod settings;

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;

pub use access::AccessSettings;
pub use settings::{LimitSettings, Settings};

use crate::{
    access::{AccessKey, TokenKey},
    limits::Limits,
    policy::HostPattern,
    server::Origin,
};

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
    /// How the log is written.
    pub log_format: LogFormat,
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

/// A setting that can't be used.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigError {
    /// The setting, as it is called in the file.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
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
            ports: Vec::new(),
            roots: None,
            access_key: None,
            token_keys: Vec::new(),
            open_relay: false,
            limits: Limits::default(),
            log_format: LogFormat::default(),
        }
    }
}

impl Config {
    /// Whether other machines can reach this proxy: it listens beyond this machine, or its
    /// `origins` say that something in front of it, such as a reverse proxy, is listening for it.
    pub fn is_public(&self) -> bool {
        !self.listen.ip().to_canonical().is_loopback() || !self.origins.is_empty()
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
            let (key, why) = if self.origins.is_empty() {
                ("listen", format!("{} can be reached from other machines", self.listen))
            } else {
                ("origins", "pages of other machines may use this proxy".to_owned())
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
    type Error = ConfigError;

    fn try_from(settings: Settings) -> Result<Self, ConfigError> {
        let default = Self::default();
        let config = Self {
            listen: one("listen", settings.listen)?.unwrap_or(default.listen),
            page: settings.page,
            origins: list("origins", settings.origins)?,
            trusted_proxies: networks("trusted_proxies", settings.trusted_proxies)?,
            allow: list("allow", settings.allow)?,
            allow_networks: networks("allow_networks", settings.allow_networks)?,
            ports: ports(settings.ports)?,
            roots: settings.roots,
            access_key: settings.access.key()?,
            token_keys: settings.access.token_keys()?,
            open_relay: settings.open_relay.unwrap_or(default.open_relay),
            limits: limits(&settings.limits)?,
            log_format: one("log_format", settings.log_format)?.unwrap_or(default.log_format),
        };
        config.check()?;
        Ok(config)
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

impl ConfigError {
    /// An error of one setting.
    pub(crate) fn new(key: &str, problem: impl fmt::Display) -> Self {
        Self { key: key.to_owned(), problem: problem.to_string() }
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

fn limits(settings: &LimitSettings) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let count = |key: &str, value: Option<usize>, default| match value {
        Some(0) => Err(ConfigError::new(key, "must be at least 1")),
        value => Ok(value.unwrap_or(default)),
    };
    let rate = |key: &str, value: Option<u32>, default| match value {
        Some(0) => Err(ConfigError::new(key, "must be at least 1")),
        value => Ok(value.unwrap_or(default)),
    };
    let bytes = |key: &str, value: Option<u64>| match value {
        Some(0) => Err(ConfigError::new(key, "must be at least 1 byte")),
        value => Ok(value),
    };
    let seconds = |key: &str, value: Option<u32>, default| match value {
        Some(0) => Err(ConfigError::new(key, "must be at least 1 second")),
        value => Ok(value.map_or(default, |seconds| Duration::from_secs(seconds.into()))),
    };
    Ok(Limits {
        connections: count("limits.connections", settings.connections, default.connections)?,
        connections_per_client: count(
            "limits.connections_per_client",
            settings.connections_per_client,
            default.connections_per_client,
        )?,
        connections_per_minute: rate(
            "limits.connections_per_minute",
            settings.connections_per_minute,
            default.connections_per_minute,
        )?,
        connections_per_client_per_minute: rate(
            "limits.connections_per_client_per_minute",
            settings.connections_per_client_per_minute,
            default.connections_per_client_per_minute,
        )?,
        destinations_per_hour: count(
            "limits.destinations_per_hour",
            settings.destinations_per_hour,
            default.destinations_per_hour,
        )?,
        destinations_per_client_per_hour: count(
            "limits.destinations_per_client_per_hour",
            settings.destinations_per_client_per_hour,
            default.destinations_per_client_per_hour,
        )?,
        bytes_per_hour: bytes("limits.bytes_per_hour", settings.bytes_per_hour)?,
        bytes_per_client_per_hour: bytes(
            "limits.bytes_per_client_per_hour",
            settings.bytes_per_client_per_hour,
        )?
        .unwrap_or(default.bytes_per_client_per_hour),
        tokens_per_client_per_minute: rate(
            "limits.tokens_per_client_per_minute",
            settings.tokens_per_client_per_minute,
            default.tokens_per_client_per_minute,
        )?,
        open: seconds("limits.open_seconds", settings.open_seconds, default.open)?,
        connect: seconds("limits.connect_seconds", settings.connect_seconds, default.connect)?,
        handshake: seconds(
            "limits.handshake_seconds",
            settings.handshake_seconds,
            default.handshake,
        )?,
        idle: seconds("limits.idle_seconds", settings.idle_seconds, default.idle)?,
        lifetime: seconds("limits.lifetime_seconds", settings.lifetime_seconds, default.lifetime)?,
        ping: seconds("limits.ping_seconds", settings.ping_seconds, default.ping)?,
        drain: settings
            .drain_seconds
            .map_or(default.drain, |seconds| Duration::from_secs(seconds.into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> Result<Config, ConfigError> {
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
            ports = [1143]
            roots = "ca.pem"
            open_relay = true
            log_format = "json"

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
            "#,
        )
        .unwrap();
        assert_eq!(config.allow.len(), 2);
        assert_eq!(config.allow_networks.len(), 2);
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
            ("ports = [25]", "ports"),
            ("ports = [70000]", "ports"),
            ("access.key = 'short'", "access.key"),
            ("access.key_file = '/nowhere/at/all'", "access.key_file"),
            ("access.token_keys = ['c2hvcnQ=']", "access.token_keys"),
            ("access.token_keys_file = '/nowhere/at/all'", "access.token_keys_file"),
            ("access.kee = ''", "kee"),
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
            ("limits.idle_seconds = -1", "idle_seconds"),
            ("lisen = '[::]:80'", "lisen"),
            ("limits.connection = 1", "connection"),
        ] {
            let error = config(toml).unwrap_err().to_string();
            assert!(error.contains(key), "{toml}: {error}");
        }
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
