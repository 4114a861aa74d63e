//! What a page, a mail server or a passer-by may cost, at most.

use std::time::Duration;

use postern_tunnel::MAX_CONTROL;

use crate::websocket::{self, FloodLimit};

/// Stream bytes that a page may have on their way to a mail server, per tunnel.
pub const WINDOW: u32 = 64 * 1024;

/// The longest binary WebSocket message that a page may send, in bytes: it can never be granted
/// more.
pub const MAX_MESSAGE: usize = WINDOW as usize;

/// What a page's WebSocket may send.
pub const PAGE_FRAMES: websocket::Limits = websocket::Limits {
    text: MAX_CONTROL as u64,
    binary: MAX_MESSAGE as u64,
    fragments: 1024,
    flood: FloodLimit { burst: 128, interval: Duration::from_millis(100) },
};

/// The most that is read or written at once, in bytes. Each thread has one place for that, which
/// should fit into its processor's cache.
pub const CHUNK: usize = 64 * 1024;

/// Pongs that may wait for a page that sends pings but takes nothing, in bytes.
pub const UNREAD_PONGS: usize = 16 * 1024;

/// Pieces of a page's stream that go to the server in one write.
pub const PIECES: usize = 16;

/// How often a tunnel may move bytes before others have their turn.
pub const ROUNDS: usize = 8;

/// Look-ups of names at a time.
pub const LOOKUPS: usize = 256;

/// How long the look-up of a name may take, in all.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a name server may take before it is asked once more.
pub const LOOKUP_ATTEMPT: Duration = Duration::from_secs(2);

/// The longest answer of a name server, in bytes: what fits into a packet everywhere. It is enough
/// for [`MAX_ANSWER`] addresses.
pub const LOOKUP_ANSWER: u16 = 1232;

/// Answers of name servers that are remembered.
pub const LOOKUP_CACHE: u64 = 512;

/// How long an answer is remembered, at most.
pub const LOOKUP_TTL: Duration = Duration::from_secs(5 * 60);

/// How long it is remembered that there is no answer, at most.
pub const LOOKUP_FAILURE_TTL: Duration = Duration::from_secs(30);

/// Addresses that a host may have. Large providers have 16.
pub const MAX_ANSWER: usize = 32;

/// Addresses of one host that are tried.
pub const MAX_ADDRESSES: usize = 8;

/// How long one address may be silent before the next one is tried beside it (RFC 8305, section 5).
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The longest ClientHello of a page that ends TLS itself, in bytes: those of today have up to 2,000.
pub const MAX_CLIENT_HELLO: usize = 16 * 1024;

/// How long a tunnel that is over may take for its last words.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// HTTP connections at a time, tunnels not counted.
pub const HTTP_CONNECTIONS: usize = 1024;

/// HTTP connections at a time from one client, tunnels not counted. A reverse proxy is one client:
/// its connections come from one address.
pub const HTTP_CONNECTIONS_PER_CLIENT: usize = 64;

/// The longest head of an HTTP request, in bytes.
pub const REQUEST_HEAD: usize = 16 * 1024;

/// How long a client may take for the head of a request, stay silent between two, and take nothing
/// of an answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// For how long a page may open tunnels with one token.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// By how much the clocks of two copies of the proxy may differ.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Access keys that a client may try a minute. A right one does not count.
pub const KEY_TRIES_PER_MINUTE: u32 = 10;

/// Client addresses of which is remembered what they have used; twice as many at most.
pub const CLIENTS_REMEMBERED: usize = 16_384;

/// How many bytes a tunnel carries before they are counted.
pub const BYTES_COUNTED_AT_ONCE: u64 = 64 * 1024;

/// The limits that an operator sets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Tunnels at a time.
    pub connections: usize,
    /// Tunnels at a time from one client: an IPv4 address, or an IPv6 network of 64 bits.
    pub connections_per_client: usize,
    /// Tunnels that may be opened a minute.
    pub connections_per_minute: u32,
    /// Tunnels that a client may open a minute.
    pub connections_per_client_per_minute: u32,
    /// Different mail servers that may be asked for an hour.
    pub destinations_per_hour: usize,
    /// Different mail servers that a client may ask for an hour.
    pub destinations_per_client_per_hour: usize,
    /// Stream bytes that may be carried an hour, both ways together; if set.
    pub bytes_per_hour: Option<u64>,
    /// Stream bytes that may be carried an hour for a client, both ways together.
    pub bytes_per_client_per_hour: u64,
    /// Tokens that a client may ask for a minute.
    pub tokens_per_client_per_minute: u32,
    /// How long a page may take to say where its tunnel goes.
    pub open: Duration,
    /// How long the look-up of a host and the connection to it may take, together.
    pub connect: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a tunnel may carry nothing. Longer than the 29 minutes that a mail client may stay
    /// in IMAP's IDLE (RFC 2177).
    pub idle: Duration,
    /// How long a tunnel may live.
    pub lifetime: Duration,
    /// How often a silent page is asked whether it is still there.
    pub ping: Duration,
    /// How long tunnels may go on after the proxy was told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_client: 64,
            connections_per_minute: 12_000,
            connections_per_client_per_minute: 240,
            destinations_per_hour: 10_000,
            destinations_per_client_per_hour: 100,
            bytes_per_hour: None,
            bytes_per_client_per_hour: 20_000_000_000,
            tokens_per_client_per_minute: 60,
            open: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            handshake: Duration::from_secs(15),
            idle: Duration::from_secs(35 * 60),
            lifetime: Duration::from_secs(24 * 60 * 60),
            ping: Duration::from_secs(60),
            drain: Duration::from_secs(10),
        }
    }
}
