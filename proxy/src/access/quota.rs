//! How much of the proxy each client, and all together, may use.
//!
//! Nothing here waits: what is too much is refused. A client is an address, or an IPv6 network of
//! 64 bits; what is known of clients is bounded, whatever addresses they come from.
//!
//! A page is a [`Visitor`] until it has shown a good token, and a [`Guest`] from then on. Strangers
//! without a token, from however many addresses, use nothing up of what is for all.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use postern_tunnel::{Refusal, Refused};

use super::{
    bucket::{Bucket, Rate},
    destinations::{Destinations, Fingerprints},
    table::Table,
    waiting::{Place, WaitingRoom},
};
use crate::{
    limits::{
        BYTES_COUNTED_AT_ONCE, CLIENTS_REMEMBERED, DISCOVERIES_PER_MINUTE, KEY_TRIES_PER_MINUTE,
        Limits, WAITING,
    },
    server::{Client, Clients, Ticket},
};

const MINUTE: Duration = Duration::from_secs(60);
/// The longest period of any limit: what a client did before does not matter any more.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Counts what is used.
pub(crate) struct Quotas {
    waiting: WaitingRoom,
    tunnels: Clients,
    all: Allowed,
    each: Allowed,
    fingerprints: Fingerprints,
    used: Mutex<Used>,
    clients: Mutex<Table<Client, Mutex<Used>>>,
}

/// How much may be used.
struct Allowed {
    tunnels: Rate,
    destinations: usize,
    bytes: Option<Rate>,
    tokens: Option<Rate>,
    wrong_keys: Option<Rate>,
    discoveries: Option<Rate>,
}

/// How much has been used lately.
#[derive(Default)]
struct Used {
    tunnels: Bucket,
    destinations: Destinations,
    bytes: Bucket,
    tokens: Bucket,
    wrong_keys: Bucket,
    discoveries: Bucket,
}

/// Who wants a tunnel, and has not shown a token yet.
pub(crate) struct Visitor {
    quotas: Arc<Quotas>,
    client: Client,
    own: Arc<Mutex<Used>>,
    place: Place,
}

/// Who asks for the servers of an address.
pub(crate) struct Asker {
    quotas: Arc<Quotas>,
    own: Arc<Mutex<Used>>,
    stopped: AtomicBool,
}

/// Who has a tunnel, for as long as it lives.
pub(crate) struct Guest {
    quotas: Arc<Quotas>,
    own: Arc<Mutex<Used>>,
    _place: Ticket,
    /// Stream bytes so far, and how many of them have been counted.
    bytes: u64,
    counted: u64,
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Excess {
    /// Pages that have not shown a token yet.
    Waiting,
    /// Open tunnels.
    Open,
    /// Tunnels that were opened.
    Opened(By),
    /// Different destinations.
    Destinations(By),
    /// Bytes.
    Bytes(By),
}

/// Whose share is used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    /// The client's.
    Client,
    /// That of all together.
    All,
}

impl Quotas {
    pub(crate) fn new(limits: &Limits) -> Self {
        let a_minute = |count: u32| Rate::new(count.into(), MINUTE);
        let an_hour = |bytes| Rate::new(bytes, HOUR);
        Self {
            waiting: WaitingRoom::new(WAITING),
            tunnels: Clients::new(limits.connections, limits.connections_per_client),
            all: Allowed {
                tunnels: a_minute(limits.connections_per_minute),
                destinations: limits.destinations_per_hour,
                bytes: limits.bytes_per_hour.map(an_hour),
                // Whoever uses these up would shut everybody out.
                tokens: None,
                wrong_keys: None,
                discoveries: None,
            },
            each: Allowed {
                tunnels: a_minute(limits.connections_per_client_per_minute),
                destinations: limits.destinations_per_client_per_hour,
                bytes: Some(an_hour(limits.bytes_per_client_per_hour)),
                tokens: Some(a_minute(limits.tokens_per_client_per_minute)),
                wrong_keys: Some(a_minute(KEY_TRIES_PER_MINUTE)),
                discoveries: Some(a_minute(DISCOVERIES_PER_MINUTE)),
            },
            fingerprints: Fingerprints::default(),
            used: Mutex::default(),
            clients: Mutex::new(Table::new(CLIENTS_REMEMBERED, HOUR, Instant::now())),
        }
    }

    /// Lets a client ask for one more tunnel.
    pub(crate) fn visit(self: &Arc<Self>, client: Client) -> Result<Visitor, Excess> {
        let now = Instant::now();
        let own = self.used_by(client, now);
        lock(&own).open(&self.each, By::Client, now)?;
        Ok(Visitor { quotas: self.clone(), client, own, place: self.waiting.enter() })
    }

    /// Whether a client may have one more token.
    #[must_use]
    pub(crate) fn token(&self, client: Client) -> bool {
        let now = Instant::now();
        let own = self.used_by(client, now);
        self.each.tokens.is_none_or(|rate| lock(&own).tokens.admit(rate, now))
    }

    /// Lets a client ask for the servers of one more address.
    pub(crate) fn discovery(self: &Arc<Self>, client: Client) -> Option<Asker> {
        let now = Instant::now();
        let own = self.used_by(client, now);
        let admitted =
            self.each.discoveries.is_none_or(|rate| lock(&own).discoveries.admit(rate, now));
        admitted.then(|| Asker { quotas: self.clone(), own, stopped: AtomicBool::new(false) })
    }

    /// Whether a client may try one more access key; a try that turns out to be right is given
    /// back.
    #[must_use]
    pub(crate) fn key_try(&self, client: Client) -> bool {
        let now = Instant::now();
        let own = self.used_by(client, now);
        self.each.wrong_keys.is_none_or(|rate| lock(&own).wrong_keys.admit(rate, now))
    }

    /// The key that was tried was right.
    pub(crate) fn key_was_right(&self, client: Client) {
        lock(&self.used_by(client, Instant::now())).wrong_keys.give_back();
    }

    /// Whether somebody may go there: nobody may go to too many different places.
    fn reach(&self, own: &Mutex<Used>, host: &str, port: Option<u16>) -> Result<(), Excess> {
        let now = Instant::now();
        let destination = self.fingerprints.of(host, port);
        if !lock(own).destinations.admit(destination, self.each.destinations, now) {
            return Err(Excess::Destinations(By::Client));
        }
        if !lock(&self.used).destinations.admit(destination, self.all.destinations, now) {
            return Err(Excess::Destinations(By::All));
        }
        Ok(())
    }

    fn used_by(&self, client: Client, now: Instant) -> Arc<Mutex<Used>> {
        lock(&self.clients).record(client, now)
    }
}

impl Used {
    fn open(&mut self, allowed: &Allowed, by: By, now: Instant) -> Result<(), Excess> {
        if allowed.bytes.is_some_and(|rate| self.bytes.is_over(rate, now)) {
            return Err(Excess::Bytes(by));
        }
        if self.tunnels.admit(allowed.tunnels, now) { Ok(()) } else { Err(Excess::Opened(by)) }
    }

    fn carried(&mut self, bytes: u64, rate: Option<Rate>, by: By) -> Result<(), Excess> {
        let Some(rate) = rate else { return Ok(()) };
        let now = Instant::now();
        self.bytes.add(bytes, rate, now);
        if self.bytes.is_over(rate, now) { Err(Excess::Bytes(by)) } else { Ok(()) }
    }
}

impl Visitor {
    /// Ends when the visitor has waited for too long, since others came.
    pub(crate) async fn turned_out(&self) -> Excess {
        self.place.turned_out().await;
        Excess::Waiting
    }

    /// Lets the visitor have a tunnel: its token is good.
    pub(crate) fn admit(self) -> Result<Guest, Excess> {
        let Self { quotas, client, own, .. } = self;
        // A client that is stopped here uses nothing of what is for all.
        let place = quotas.tunnels.admit(client).ok_or(Excess::Open)?;
        lock(&quotas.used).open(&quotas.all, By::All, Instant::now())?;
        Ok(Guest { quotas, own, _place: place, bytes: 0, counted: 0 })
    }
}

impl Asker {
    /// Whether this host may be asked for its client. It counts as one of the client's destinations,
    /// whatever it is asked for.
    #[must_use]
    pub(crate) fn may_ask(&self, host: &str) -> bool {
        let admitted = self.quotas.reach(&self.own, host, None).is_ok();
        if !admitted {
            self.stopped.store(true, Ordering::Relaxed);
        }
        admitted
    }

    /// Whether there was a host that it might not ask.
    pub(crate) fn was_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Guest {
    /// Whether the guest may go there: it may not go to too many different places.
    pub(crate) fn may_reach(&self, host: &str, port: u16) -> Result<(), Excess> {
        self.quotas.reach(&self.own, host, Some(port))
    }

    /// Notes how many bytes the tunnel has carried since it opened, both ways together. They are
    /// counted some at a time.
    ///
    /// # Errors
    ///
    /// If it may carry no more.
    pub(crate) fn carried(&mut self, bytes: u64) -> Result<(), Excess> {
        self.bytes = bytes;
        if bytes - self.counted < BYTES_COUNTED_AT_ONCE { Ok(()) } else { self.count() }
    }

    fn count(&mut self) -> Result<(), Excess> {
        let bytes = self.bytes - self.counted;
        self.counted = self.bytes;
        let Quotas { all, each, used, .. } = &*self.quotas;
        let own = lock(&self.own).carried(bytes, each.bytes, By::Client);
        let total = match all.bytes {
            None => Ok(()),
            rate => lock(used).carried(bytes, rate, By::All),
        };
        own.and(total)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // There is nothing left to stop.
        let _ = self.count();
    }
}

impl From<Excess> for Refused {
    fn from(excess: Excess) -> Self {
        let message = match excess {
            Excess::Waiting => "Too many connections are being opened at the moment.",
            Excess::Open => "Too many connections are open, from your network or in all.",
            Excess::Opened(By::Client) => {
                "Your network has opened too many connections within a minute."
            }
            Excess::Opened(By::All) => "Too many connections were opened within a minute.",
            Excess::Destinations(By::Client) => {
                "Your network has asked for too many different mail servers within an hour."
            }
            Excess::Destinations(By::All) => {
                "Too many different mail servers were asked for within an hour."
            }
            Excess::Bytes(By::Client) => {
                "Your network has moved as much data as it may within an hour."
            }
            Excess::Bytes(By::All) => "As much data was moved as may be within an hour.",
        };
        Self { code: Refusal::TooMany, message: message.into(), certificate: None }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics between two changes that belong together.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
