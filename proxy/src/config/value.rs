//! What settings are made of.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;

use super::ConfigError;

/// A value, if it is set.
pub(super) fn one<T: FromStr<Err: fmt::Display>>(
    key: &str,
    value: Option<String>,
) -> Result<Option<T>, ConfigError> {
    let parse = |text: String| text.parse().map_err(|error| ConfigError::new(key, error));
    value.map(parse).transpose()
}

/// The values of a list; none if it is not set.
pub(super) fn list<T: FromStr<Err: fmt::Display>>(
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

/// Networks, or single addresses.
pub(super) fn networks(key: &str, values: Option<Vec<String>>) -> Result<Vec<IpNet>, ConfigError> {
    let networks: Vec<Network> = list(key, values)?;
    Ok(networks.into_iter().map(|Network(network)| network).collect())
}

/// Ports for mail.
pub(super) fn ports(values: Option<Vec<u16>>) -> Result<Vec<u16>, ConfigError> {
    let values = values.unwrap_or_default();
    if values.contains(&25) {
        return Err(ConfigError::new(
            "ports",
            "25 is for servers among each other, not for clients",
        ));
    }
    Ok(values)
}

/// A network in CIDR notation; an address alone is a network of one.
struct Network(IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
        let network = text.parse().ok().or_else(address);
        network.map(Self).ok_or("must be a network such as 10.0.0.0/8, or an address")
    }
}
