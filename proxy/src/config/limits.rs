//! Limits as they are set, checked.

use std::time::Duration;

use super::{ConfigError, LimitSettings, Problems};
use crate::limits::Limits;

impl LimitSettings {
    /// The limits; those that are not set, or can't be used, are the usual ones.
    pub(super) fn checked(&self, problems: &mut Problems) -> Limits {
        let default = Limits::default();
        Limits {
            connections: count(
                "limits.connections",
                self.connections,
                default.connections,
                problems,
            ),
            connections_per_client: count(
                "limits.connections_per_client",
                self.connections_per_client,
                default.connections_per_client,
                problems,
            ),
            connections_per_minute: count(
                "limits.connections_per_minute",
                self.connections_per_minute,
                default.connections_per_minute,
                problems,
            ),
            connections_per_client_per_minute: count(
                "limits.connections_per_client_per_minute",
                self.connections_per_client_per_minute,
                default.connections_per_client_per_minute,
                problems,
            ),
            destinations_per_hour: count(
                "limits.destinations_per_hour",
                self.destinations_per_hour,
                default.destinations_per_hour,
                problems,
            ),
            destinations_per_client_per_hour: count(
                "limits.destinations_per_client_per_hour",
                self.destinations_per_client_per_hour,
                default.destinations_per_client_per_hour,
                problems,
            ),
            bytes_per_hour: self
                .bytes_per_hour
                .map(|bytes| count("limits.bytes_per_hour", Some(bytes), bytes, problems)),
            bytes_per_client_per_hour: count(
                "limits.bytes_per_client_per_hour",
                self.bytes_per_client_per_hour,
                default.bytes_per_client_per_hour,
                problems,
            ),
            tokens_per_client_per_minute: count(
                "limits.tokens_per_client_per_minute",
                self.tokens_per_client_per_minute,
                default.tokens_per_client_per_minute,
                problems,
            ),
            open: seconds("limits.open_seconds", self.open_seconds, default.open, problems),
            connect: seconds(
                "limits.connect_seconds",
                self.connect_seconds,
                default.connect,
                problems,
            ),
            handshake: seconds(
                "limits.handshake_seconds",
                self.handshake_seconds,
                default.handshake,
                problems,
            ),
            idle: seconds("limits.idle_seconds", self.idle_seconds, default.idle, problems),
            lifetime: seconds(
                "limits.lifetime_seconds",
                self.lifetime_seconds,
                default.lifetime,
                problems,
            ),
            ping: seconds("limits.ping_seconds", self.ping_seconds, default.ping, problems),
            drain: duration(self.drain_seconds, default.drain),
            notice: duration(self.notice_seconds, default.notice),
        }
    }
}

fn count<T: PartialEq + From<u8>>(
    key: &str,
    value: Option<T>,
    default: T,
    problems: &mut Problems,
) -> T {
    if value == Some(0.into()) {
        problems.add(ConfigError::new(key, "must be at least 1"));
    }
    value.unwrap_or(default)
}

fn seconds(key: &str, value: Option<u32>, default: Duration, problems: &mut Problems) -> Duration {
    if value == Some(0) {
        problems.add(ConfigError::new(key, "must be at least 1 second"));
    }
    duration(value, default)
}

fn duration(seconds: Option<u32>, default: Duration) -> Duration {
    seconds.map_or(default, |seconds| Duration::from_secs(seconds.into()))
}
