//! What an operator decides.
//!
//! Each setting can stand in a TOML file, in the environment and among the flags. A flag wins over
//! the environment, the environment over the file, and the file over the default.
//!
//! [`Settings`] are what is written, each table of the file in a module of its own; [`Config`] is what
//! they come to, checked. `show` writes that down again.

mod access;
mod error;
mod file;
mod https;
mod limits;
mod log;
mod secret;
mod settings;
mod show;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
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
pub use limits::LimitSettings;
pub use log::{LogFormat, LogLevel};
pub use settings::Settings;
pub use table::named;

use table::table;
use value::{list, networks, one, ports};

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
    /// The file that this key was read from, if it was one.
    pub access_key_file: Option<PathBuf>,
    /// What tokens are signed with; if there is none, a key of this start.
    pub token_keys: Vec<TokenKey>,
    /// The file that these were read from, if it was one.
    pub token_keys_file: Option<PathBuf>,
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
            access_key_file: None,
            token_keys: Vec::new(),
            token_keys_file: None,
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
    /// If the proxy would be an open relay, and nobody said that it should; or if two listeners
    /// have one address.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.listen.port() != 0 && self.metrics_listen == Some(self.listen) {
            let message = format!("{} is what `listen` has: the page needs it alone", self.listen);
            return Err(ConfigError::new("metrics_listen", message));
        }
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

    /// What is allowed, but may not be meant.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let open = self
            .is_open_relay()
            .then_some("strangers can use this proxy to reach every mail server");
        let nameless = (self.is_public() && self.origins.is_empty()).then_some(
            "a page that is opened by a name can't connect: set `origins` to the addresses at \
             which people open it, such as https://mail.example.org",
        );
        open.into_iter().chain(nameless)
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
            access_key_file: settings.access.key_file.clone(),
            token_keys: problems.take(settings.access.token_keys()).unwrap_or_default(),
            token_keys_file: settings.access.token_keys_file,
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
