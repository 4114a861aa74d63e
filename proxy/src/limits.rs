//! What a page, a mail server or a passer-by may cost, at most.

use std::time::Duration;

use postern_tunnel::MAX_CONTROL;

use crate::websocket::{self, FloodLimit};

/// Stream bytes that a page may have on their way to a mail server at first, per tunnel.
pub const WINDOW: u32 = 64 * 1024;

/// How many that may become while more are wanted than fit into a round trip.
pub const WIDEST_WINDOW: u32 = 1024 * 1024;

/// How many bytes the windows of all tunnels may have grown by.
pub const WINDOWS: u32 = 64 * 1024 * 1024;

/// The longest binary WebSocket message that a page may send, in bytes: it can never be granted
/// more.
pub const MAX_MESSAGE: usize = WIDEST_WINDOW as usize;

/// What a page's WebSocket may send.
pub const PAGE_FRAMES: websocket::Limits = websocket::Limits {
    text: MAX_CONTROL as u64,
    binary: MAX_MESSAGE as u64,
    fragments: 1024,
    flood: FloodLimit { burst: 128, interval: Duration::from_millis(100) },
};

/// Control messages that a page may send on a tunnel that carries nothing.
pub const CONTROLS: FloodLimit = FloodLimit { burst: 128, interval: Duration::from_millis(100) };

/// With so many stream bytes, both ways together, it may send one more. A page grants half a window
/// at a time.
pub const STREAM_PER_CONTROL: u64 = 1024;

/// The most that is read or written at once, in bytes: a WebSocket frame with its header, which
/// should fit into the processor's cache, and into four TLS records.
pub const CHUNK: usize = 64 * 1024;

/// The most that goes at once from a mail server to a page without being looked at, in bytes: a
/// WebSocket frame without its header.
pub const SPLICED: usize = 2 * CHUNK;

/// If less than this has arrived, it is cheaper to copy it, in bytes.
pub const WORTH_SPLICING: usize = CHUNK / 4;

/// The longest message of a TLS handshake, with the records that it comes in, in bytes.
pub const MAX_HANDSHAKE: usize = 80 * 1024;

/// What TLS adds to 16 KiB of data, at most, in bytes.
pub const RECORD_OVERHEAD: usize = 32;

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

/// Pages with a WebSocket that have not shown a token yet.
pub const WAITING: usize = 1024;

/// How long a mail server may be silent before the system asks whether it is still there: less than
/// what networks on the way remember a silent connection for (RFC 5382, section 5, has two hours,
/// many have minutes).
pub const KEEPALIVE: Duration = Duration::from_secs(2 * 60);

/// How long it may then take to answer, before it is asked again.
pub const KEEPALIVE_RETRY: Duration = Duration::from_secs(30);

/// How often it is asked again before it is gone.
pub const KEEPALIVE_RETRIES: u32 = 4;

/// How long a tunnel that is over may take for its last words.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Pages at a time that are told why they get no tunnel, until they close; more are just dropped.
pub const FAREWELLS: usize = 256;

/// HTTP connections at a time; one that becomes or carries a tunnel is counted as a tunnel instead.
/// With one more, the client that has the most loses its oldest.
pub const HTTP_CONNECTIONS: usize = 1024;

/// The same, from one client. A trusted reverse proxy, whose connections are of many people, is
/// exempt.
pub const HTTP_CONNECTIONS_PER_CLIENT: usize = 64;

/// The longest head of an HTTP request, in bytes.
pub const REQUEST_HEAD: usize = 16 * 1024;

/// Requests at a time on one HTTP/2 connection, tunnels among them.
pub const HTTP2_STREAMS: u32 = 100;

/// Streams of one HTTP/2 connection that the client has reset before they were looked at: one more
/// ends the connection ("rapid reset").
pub const HTTP2_RESETS: usize = 20;

/// Bytes that a client may send on one HTTP/2 stream before they are read.
pub const HTTP2_STREAM_WINDOW: u32 = WINDOW;

/// Bytes that a client may send on one HTTP/2 connection before they are read.
pub const HTTP2_CONNECTION_WINDOW: u32 = 8 * WINDOW;

/// The most that is given to the HTTP library at once for an HTTP/2 stream, in bytes: as much as a
/// frame holds (RFC 9113, section 4.2). It keeps two such pieces of a tunnel in a queue, one in its
/// hand, and then what [`HTTP2_SEND_BUFFER`] says.
pub const HTTP2_PIECE: usize = 16 * 1024;

/// Bytes of one HTTP/2 stream that may wait for the client to take them; as long as there are fewer,
/// one more piece comes.
pub const HTTP2_SEND_BUFFER: usize = 2 * HTTP2_PIECE;

/// How often a client is asked on HTTP/2 whether it is still there, and how long it may take to
/// answer.
pub const HTTP2_PING: Duration = Duration::from_secs(60);

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

/// Questions for a mail address's servers that one client may ask a minute.
pub const DISCOVERIES_PER_MINUTE: u32 = 20;

/// Records of one SRV name that are put in order.
pub const SRV_RECORDS: usize = 16;

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
    /// How long a client may take for the head of a request, stay silent between two, and take
    /// nothing of an answer.
    pub request: Duration,
    /// How long a page may take to say where its tunnel goes.
    pub open: Duration,
    /// How long the look-up of a host and the connection to it may take, together.
    pub connect: Duration,
    /// How long a TLS handshake may take, with a mail server or a page.
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
    /// How long it goes on to answer, at least, after it was told to stop, so that what is in front
    /// of it notices that it is no longer ready. It is a part of `drain`.
    pub notice: Duration,
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
            request: Duration::from_secs(30),
            open: Duration::from_secs(10),
            connect: Duration::from_secs(15),
            handshake: Duration::from_secs(15),
            idle: Duration::from_secs(35 * 60),
            lifetime: Duration::from_secs(24 * 60 * 60),
            ping: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            notice: Duration::ZERO,
        }
    }
}
