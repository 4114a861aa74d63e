//! A network, or a single address.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// A network in CIDR notation; an address alone is a network of one.
pub(super) struct Network(pub(super) IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
        let network = text.parse().ok().or_else(address);
        network.map(Self).ok_or("must be a network such as 10.0.0.0/8, or an address")
    }
}
