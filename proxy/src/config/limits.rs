//! `[limits]`: as they are set, and checked.

use std::time::Duration;

use super::{ConfigError, Problems, table};
use crate::limits::Limits;

table! {
    /// `[limits]`: what connections may cost.
    pub struct LimitSettings("limits_") {
        /// Tunnels at a time
        #[arg(value_name = "COUNT")]
        pub connections: Option<usize>,

        /// Tunnels at a time from one client address
        #[arg(value_name = "COUNT")]
        pub connections_per_client: Option<usize>,

        /// Tunnels that may be opened a minute
        #[arg(value_name = "COUNT")]
        pub connections_per_minute: Option<u32>,

        /// Tunnels that one client address may open a minute
        #[arg(value_name = "COUNT")]
        pub connections_per_client_per_minute: Option<u32>,

        /// Different mail servers that may be asked for an hour
        #[arg(value_name = "COUNT")]
        pub destinations_per_hour: Option<usize>,

        /// Different mail servers that one client address may ask for an hour
        #[arg(value_name = "COUNT")]
        pub destinations_per_client_per_hour: Option<usize>,

        /// Bytes that tunnels may carry an hour, both ways together [default: no limit]
        #[arg(value_name = "BYTES")]
        pub bytes_per_hour: Option<u64>,

        /// Bytes that tunnels of one client address may carry an hour, both ways together
        #[arg(value_name = "BYTES")]
        pub bytes_per_client_per_hour: Option<u64>,

        /// Tokens that one client address may ask for a minute
        #[arg(value_name = "COUNT")]
        pub tokens_per_client_per_minute: Option<u32>,

        /// How long a client may take for a request, stay silent between two, and take nothing of an
        /// answer
        #[arg(value_name = "S")]
        pub request_seconds: Option<u32>,

        /// How long a page may take to say where its tunnel goes
        #[arg(value_name = "S")]
        pub open_seconds: Option<u32>,

        /// How long a mail server may take to accept a connection
        #[arg(value_name = "S")]
        pub connect_seconds: Option<u32>,

        /// How long a TLS handshake may take, with a mail server or a page
        #[arg(value_name = "S")]
        pub handshake_seconds: Option<u32>,

        /// How long a tunnel may carry nothing
        #[arg(value_name = "S")]
        pub idle_seconds: Option<u32>,

        /// How long a tunnel may live
        #[arg(value_name = "S")]
        pub lifetime_seconds: Option<u32>,

        /// How often a silent page is asked whether it is still there
        #[arg(value_name = "S")]
        pub ping_seconds: Option<u32>,

        /// How long tunnels may go on after the proxy was told to stop
        #[arg(value_name = "S")]
        pub drain_seconds: Option<u32>,

        /// How long the proxy goes on to answer, at least, after it was told to stop: so that a load
        /// balancer notices that it is no longer ready [default: 0]
        #[arg(value_name = "S")]
        pub notice_seconds: Option<u32>,
    }
}

impl LimitSettings {
    /// The limits; those that are not set, or can't be used, are the usual ones.
    pub(super) fn checked(&self, problems: &mut Problems) -> Limits {
        let default = Limits::default();
        macro_rules! count {
            ($name:ident) => {
                count(key(stringify!($name)), self.$name, default.$name, problems)
            };
        }
        macro_rules! seconds {
            ($setting:ident, $limit:ident) => {
                seconds(key(stringify!($setting)), self.$setting, default.$limit, problems)
            };
        }
        Limits {
            connections: count!(connections),
            connections_per_client: count!(connections_per_client),
            connections_per_minute: count!(connections_per_minute),
            connections_per_client_per_minute: count!(connections_per_client_per_minute),
            destinations_per_hour: count!(destinations_per_hour),
            destinations_per_client_per_hour: count!(destinations_per_client_per_hour),
            bytes_per_hour: self
                .bytes_per_hour
                .map(|bytes| count(key("bytes_per_hour"), Some(bytes), bytes, problems)),
            bytes_per_client_per_hour: count!(bytes_per_client_per_hour),
            tokens_per_client_per_minute: count!(tokens_per_client_per_minute),
            request: seconds!(request_seconds, request),
            open: seconds!(open_seconds, open),
            connect: seconds!(connect_seconds, connect),
            handshake: seconds!(handshake_seconds, handshake),
            idle: seconds!(idle_seconds, idle),
            lifetime: seconds!(lifetime_seconds, lifetime),
            ping: seconds!(ping_seconds, ping),
            drain: duration(self.drain_seconds, default.drain),
            notice: duration(self.notice_seconds, default.notice),
        }
    }
}

impl From<&Limits> for LimitSettings {
    fn from(limits: &Limits) -> Self {
        let seconds = |time: Duration| Some(time.as_secs().try_into().unwrap_or(u32::MAX));
        Self {
            connections: Some(limits.connections),
            connections_per_client: Some(limits.connections_per_client),
            connections_per_minute: Some(limits.connections_per_minute),
            connections_per_client_per_minute: Some(limits.connections_per_client_per_minute),
            destinations_per_hour: Some(limits.destinations_per_hour),
            destinations_per_client_per_hour: Some(limits.destinations_per_client_per_hour),
            bytes_per_hour: limits.bytes_per_hour,
            bytes_per_client_per_hour: Some(limits.bytes_per_client_per_hour),
            tokens_per_client_per_minute: Some(limits.tokens_per_client_per_minute),
            request_seconds: seconds(limits.request),
            open_seconds: seconds(limits.open),
            connect_seconds: seconds(limits.connect),
            handshake_seconds: seconds(limits.handshake),
            idle_seconds: seconds(limits.idle),
            lifetime_seconds: seconds(limits.lifetime),
            ping_seconds: seconds(limits.ping),
            drain_seconds: seconds(limits.drain),
            notice_seconds: seconds(limits.notice),
        }
    }
}

/// A limit as the file calls it.
fn key(name: &str) -> String {
    format!("limits.{name}")
}

fn count<T: PartialEq + From<u8>>(
    key: String,
    value: Option<T>,
    default: T,
    problems: &mut Problems,
) -> T {
    if value == Some(0.into()) {
        problems.add(ConfigError::new(&key, "must be at least 1"));
    }
    value.unwrap_or(default)
}

fn seconds(
    key: String,
    value: Option<u32>,
    default: Duration,
    problems: &mut Problems,
) -> Duration {
    if value == Some(0) {
        problems.add(ConfigError::new(&key, "must be at least 1 second"));
    }
    duration(value, default)
}

fn duration(seconds: Option<u32>, default: Duration) -> Duration {
    seconds.map_or(default, |seconds| Duration::from_secs(seconds.into()))
}
