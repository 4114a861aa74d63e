//! The settings as they are written: in the file, in the environment, as flags.

use std::{fmt, path::PathBuf, str::FromStr};

use clap::Args;
use serde::{Deserialize, Deserializer, de::Error as _};
use toml::{Table, Value};

use super::{
    AcmeSettings, ConfigError, ConfigErrors, HttpsSettings, Problems, access::AccessSettings,
};

/// The settings as they are written; what is not set is `None`.
#[derive(Args, Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where to listen, as `address:port`; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "POSTERN_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// The folder with the built page [default: the page inside the program, if it has one]
    #[arg(long, env = "POSTERN_PAGE", value_name = "DIR")]
    pub page: Option<PathBuf>,

    /// The addresses at which people open the page, such as https://mail.example.org: needed
    /// wherever that is a name other than localhost, and behind a reverse proxy
    #[arg(long, env = "POSTERN_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub origins: Option<Vec<String>>,

    /// Reverse proxies in front of this one, such as 10.0.0.0/8: what they say in X-Forwarded-For or
    /// Forwarded about where a request comes from is believed, so that limits are for each client
    #[arg(long, env = "POSTERN_TRUSTED_PROXIES", value_name = "CIDR", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<String>>,

    /// The mail servers that may be reached, such as mail.example.com or *.example.org; set it
    /// wherever other machines can reach the proxy [default: every public one]
    #[arg(long, env = "POSTERN_ALLOW", value_name = "HOST", value_delimiter = ',')]
    pub allow: Option<Vec<String>>,

    /// Networks that may be reached though they are not public, such as 10.0.0.0/8
    #[arg(long, env = "POSTERN_ALLOW_NETWORKS", value_name = "CIDR", value_delimiter = ',')]
    pub allow_networks: Option<Vec<String>>,

    /// Prefixes of NAT64 by which the proxy's network reaches IPv4, such as 64:ff9b::/96: addresses
    /// with them are judged by the IPv4 addresses inside
    #[arg(long, env = "POSTERN_NAT64_PREFIXES", value_name = "CIDR", value_delimiter = ',')]
    pub nat64_prefixes: Option<Vec<String>>,

    /// Addresses that lead to this proxy though its machine does not have them, such as those of a
    /// NAT or a load balancer in front: never reached
    #[arg(long, env = "POSTERN_OWN_ADDRESSES", value_name = "CIDR", value_delimiter = ',')]
    pub own_addresses: Option<Vec<String>>,

    /// Ports that may be reached besides 110, 143, 465, 587, 993 and 995
    #[arg(long, env = "POSTERN_PORTS", value_name = "PORT", value_delimiter = ',')]
    pub ports: Option<Vec<u16>>,

    /// A PEM file with certificates to trust besides the public ones
    #[arg(long, env = "POSTERN_ROOTS", value_name = "FILE")]
    pub roots: Option<PathBuf>,

    /// Let strangers use this proxy to reach every mail server
    #[arg(
        long,
        env = "POSTERN_OPEN_RELAY",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub open_relay: Option<bool>,

    /// Where to answer /metrics, for Prometheus, and /healthz and /readyz; everybody who can reach
    /// it can read them [default: nowhere]
    #[arg(long, env = "POSTERN_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,

    /// How to log: text or json [default: text]
    #[arg(long, env = "POSTERN_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// How much to log: error, warn, info, debug or trace [default: info]
    #[arg(long, env = "POSTERN_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<String>,

    /// HTTPS that the proxy ends itself, with a certificate from files.
    #[command(flatten)]
    pub https: HttpsSettings,

    /// A certificate by ACME.
    #[command(flatten)]
    pub acme: AcmeSettings,

    /// Who may use the proxy.
    #[command(flatten)]
    pub access: AccessSettings,

    /// What connections may cost.
    #[command(flatten)]
    pub limits: LimitSettings,
}

/// What connections may cost; what is not set is `None`.
#[derive(Args, Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Tunnels at a time
    #[arg(long = "limits-connections", env = "POSTERN_LIMITS_CONNECTIONS", value_name = "COUNT")]
    pub connections: Option<usize>,

    /// Tunnels at a time from one client address
    #[arg(
        long = "limits-connections-per-client",
        env = "POSTERN_LIMITS_CONNECTIONS_PER_CLIENT",
        value_name = "COUNT"
    )]
    pub connections_per_client: Option<usize>,

    /// Tunnels that may be opened a minute
    #[arg(
        long = "limits-connections-per-minute",
        env = "POSTERN_LIMITS_CONNECTIONS_PER_MINUTE",
        value_name = "COUNT"
    )]
    pub connections_per_minute: Option<u32>,

    /// Tunnels that one client address may open a minute
    #[arg(
        long = "limits-connections-per-client-per-minute",
        env = "POSTERN_LIMITS_CONNECTIONS_PER_CLIENT_PER_MINUTE",
        value_name = "COUNT"
    )]
    pub connections_per_client_per_minute: Option<u32>,

    /// Different mail servers that may be asked for an hour
    #[arg(
        long = "limits-destinations-per-hour",
        env = "POSTERN_LIMITS_DESTINATIONS_PER_HOUR",
        value_name = "COUNT"
    )]
    pub destinations_per_hour: Option<usize>,

    /// Different mail servers that one client address may ask for an hour
    #[arg(
        long = "limits-destinations-per-client-per-hour",
        env = "POSTERN_LIMITS_DESTINATIONS_PER_CLIENT_PER_HOUR",
        value_name = "COUNT"
    )]
    pub destinations_per_client_per_hour: Option<usize>,

    /// Bytes that tunnels may carry an hour, both ways together [default: no limit]
    #[arg(
        long = "limits-bytes-per-hour",
        env = "POSTERN_LIMITS_BYTES_PER_HOUR",
        value_name = "BYTES"
    )]
    pub bytes_per_hour: Option<u64>,

    /// Bytes that tunnels of one client address may carry an hour, both ways together
    #[arg(
        long = "limits-bytes-per-client-per-hour",
        env = "POSTERN_LIMITS_BYTES_PER_CLIENT_PER_HOUR",
        value_name = "BYTES"
    )]
    pub bytes_per_client_per_hour: Option<u64>,

    /// Tokens that one client address may ask for a minute
    #[arg(
        long = "limits-tokens-per-client-per-minute",
        env = "POSTERN_LIMITS_TOKENS_PER_CLIENT_PER_MINUTE",
        value_name = "COUNT"
    )]
    pub tokens_per_client_per_minute: Option<u32>,

    /// How long a page may take to say where its tunnel goes
    #[arg(long = "limits-open-seconds", env = "POSTERN_LIMITS_OPEN_SECONDS", value_name = "S")]
    pub open_seconds: Option<u32>,

    /// How long a mail server may take to accept a connection
    #[arg(
        long = "limits-connect-seconds",
        env = "POSTERN_LIMITS_CONNECT_SECONDS",
        value_name = "S"
    )]
    pub connect_seconds: Option<u32>,

    /// How long a TLS handshake may take
    #[arg(
        long = "limits-handshake-seconds",
        env = "POSTERN_LIMITS_HANDSHAKE_SECONDS",
        value_name = "S"
    )]
    pub handshake_seconds: Option<u32>,

    /// How long a tunnel may carry nothing
    #[arg(long = "limits-idle-seconds", env = "POSTERN_LIMITS_IDLE_SECONDS", value_name = "S")]
    pub idle_seconds: Option<u32>,

    /// How long a tunnel may live
    #[arg(
        long = "limits-lifetime-seconds",
        env = "POSTERN_LIMITS_LIFETIME_SECONDS",
        value_name = "S"
    )]
    pub lifetime_seconds: Option<u32>,

    /// How often a silent page is asked whether it is still there
    #[arg(long = "limits-ping-seconds", env = "POSTERN_LIMITS_PING_SECONDS", value_name = "S")]
    pub ping_seconds: Option<u32>,

    /// How long tunnels may go on after the proxy was told to stop
    #[arg(long = "limits-drain-seconds", env = "POSTERN_LIMITS_DRAIN_SECONDS", value_name = "S")]
    pub drain_seconds: Option<u32>,

    /// How long the proxy goes on to answer, at least, after it was told to stop: so that a load
    /// balancer notices that it is no longer ready [default: 0]
    #[arg(long = "limits-notice-seconds", env = "POSTERN_LIMITS_NOTICE_SECONDS", value_name = "S")]
    pub notice_seconds: Option<u32>,
}

/// A text that is never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(pub(super) String);

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

    /// These settings, and where they are not set, those.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            page: self.page.or(other.page),
            origins: self.origins.or(other.origins),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            allow: self.allow.or(other.allow),
            allow_networks: self.allow_networks.or(other.allow_networks),
            nat64_prefixes: self.nat64_prefixes.or(other.nat64_prefixes),
            own_addresses: self.own_addresses.or(other.own_addresses),
            ports: self.ports.or(other.ports),
            roots: self.roots.or(other.roots),
            open_relay: self.open_relay.or(other.open_relay),
            metrics_listen: self.metrics_listen.or(other.metrics_listen),
            log_format: self.log_format.or(other.log_format),
            log_level: self.log_level.or(other.log_level),
            https: self.https.or(other.https),
            acme: self.acme.or(other.acme),
            access: self.access.or(other.access),
            limits: self.limits.or(other.limits),
        }
    }
}

impl LimitSettings {
    fn or(self, other: Self) -> Self {
        Self {
            connections: self.connections.or(other.connections),
            connections_per_client: self.connections_per_client.or(other.connections_per_client),
            connections_per_minute: self.connections_per_minute.or(other.connections_per_minute),
            connections_per_client_per_minute: self
                .connections_per_client_per_minute
                .or(other.connections_per_client_per_minute),
            destinations_per_hour: self.destinations_per_hour.or(other.destinations_per_hour),
            destinations_per_client_per_hour: self
                .destinations_per_client_per_hour
                .or(other.destinations_per_client_per_hour),
            bytes_per_hour: self.bytes_per_hour.or(other.bytes_per_hour),
            bytes_per_client_per_hour: self
                .bytes_per_client_per_hour
                .or(other.bytes_per_client_per_hour),
            tokens_per_client_per_minute: self
                .tokens_per_client_per_minute
                .or(other.tokens_per_client_per_minute),
            open_seconds: self.open_seconds.or(other.open_seconds),
            connect_seconds: self.connect_seconds.or(other.connect_seconds),
            handshake_seconds: self.handshake_seconds.or(other.handshake_seconds),
            idle_seconds: self.idle_seconds.or(other.idle_seconds),
            lifetime_seconds: self.lifetime_seconds.or(other.lifetime_seconds),
            ping_seconds: self.ping_seconds.or(other.ping_seconds),
            drain_seconds: self.drain_seconds.or(other.drain_seconds),
            notice_seconds: self.notice_seconds.or(other.notice_seconds),
        }
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

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The reader's own message quotes a number or a date that stands here.
        let text = String::deserialize(deserializer);
        text.map(Self).map_err(|_| D::Error::custom("must be a text in quotes"))
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
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
