//! What a page, a mail server or a passer-by may cost, at most.

use std::time::Duration;

/// Stream bytes that a page may have on their way to a mail server, per tunnel.
pub const WINDOW: u32 = 64 * 1024;

/// The longest WebSocket message that a page may send, in bytes: it can never be granted more.
pub const MAX_MESSAGE: usize = WINDOW as usize;

/// The longest binary message that the proxy sends, in bytes.
pub const CHUNK: usize = 16 * 1024;

/// The WebSocket's read buffer, in bytes. It lives as long as the tunnel: most tunnels are idle.
pub const READ_BUFFER: usize = 4 * 1024;

/// What a WebSocket may hold that its page does not take, in bytes: one chunk and control messages.
pub const WRITE_BUFFER: usize = 2 * CHUNK;

/// Addresses of one host that are tried.
pub const MAX_ADDRESSES: usize = 8;

/// How long one address may be silent before the next one is tried beside it (RFC 8305, section 5).
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

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

/// Questions for a mail address's servers that are worked on at a time.
pub const DISCOVERIES: usize = 64;

/// The same, from one client.
pub const DISCOVERIES_PER_CLIENT: usize = 2;

/// How long the search for an address's servers may take in all; what is found by then is the
/// answer.
pub const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the DNS may take to say what it knows of a domain.
pub const RECORDS_TIMEOUT: Duration = Duration::from_secs(4);

/// How long the fetch of one published settings file may take, redirects included.
pub const AUTOCONFIG_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest settings file, in bytes; the largest that are known have less than a tenth of it.
pub const AUTOCONFIG_BYTES: usize = 64 * 1024;

/// The most nodes of a settings file: elements, texts, comments.
pub const AUTOCONFIG_NODES: u32 = 4096;

/// Servers of one settings file that are looked at.
pub const AUTOCONFIG_SERVERS: usize = 16;

/// Redirects that are followed on the way to a settings file.
pub const AUTOCONFIG_REDIRECTS: usize = 3;

/// The longest head of the answer of a server with settings files, in bytes. The HTTP library needs
/// 8 kB at least.
pub const AUTOCONFIG_HEAD: usize = 16 * 1024;

/// The longest user name that is taken from elsewhere, in bytes.
pub const USER_NAME: usize = 256;

/// Targets of one SRV name that are looked at.
pub const SRV_TARGETS: usize = 4;

/// How long a mail server may take, from the connection to its capabilities.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Mail servers that are asked at a time for one address.
pub const PROBES_AT_ONCE: usize = 12;

/// What a mail server may say until its capabilities are known, in bytes.
pub const PROBE_BYTES: usize = 16 * 1024;

/// Capabilities that are kept of a server.
pub const CAPABILITIES: usize = 64;

/// The longest capability that is kept, in bytes.
pub const CAPABILITY: usize = 128;

/// Servers of each service that are in an answer.
pub const CANDIDATES: usize = 4;

/// Settings files, and mail servers, whose answers are remembered.
pub const DISCOVERY_CACHE: usize = 1024;

/// How long an answer is remembered.
pub const DISCOVERY_KEEP: Duration = Duration::from_secs(60 * 60);

/// How long it is remembered that there was none.
pub const DISCOVERY_KEEP_NOTHING: Duration = Duration::from_secs(5 * 60);

/// For how long a page may open tunnels with one token.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// By how much the clocks of two copies of the proxy may differ.
pub const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The limits that an operator sets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Tunnels at a time.
    pub connections: usize,
    /// Tunnels at a time from one client: an IPv4 address, or an IPv6 network of 64 bits.
    pub connections_per_client: usize,
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
