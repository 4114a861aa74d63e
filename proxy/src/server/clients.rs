//! How many tunnels there are, or questions that are worked on, in all and of each client.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Who is counted as one: an IPv4 address, or an IPv6 network of 64 bits, which is what one
/// subscriber gets.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Client(IpAddr);

/// Counts tunnels, or questions.
#[derive(Clone)]
pub(crate) struct Clients {
    total: usize,
    each: usize,
    counts: Arc<Mutex<Counts>>,
}

/// The right to one of them, until it is dropped.
pub(crate) struct Ticket {
    client: Client,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Default)]
struct Counts {
    total: usize,
    each: HashMap<Client, usize>,
}

impl Clients {
    /// Counts to this many in all, and of each client.
    pub(crate) fn new(total: usize, each: usize) -> Self {
        Self { total, each, counts: Arc::default() }
    }

    /// The right to one more, unless there are too many.
    pub(crate) fn admit(&self, client: Client) -> Option<Ticket> {
        let mut counts = lock(&self.counts);
        let own = counts.each.get(&client).copied().unwrap_or(0);
        if counts.total >= self.total || own >= self.each {
            return None;
        }
        counts.total += 1;
        counts.each.insert(client, own + 1);
        Some(Ticket { client, counts: self.counts.clone() })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.total -= 1;
        if let Entry::Occupied(mut own) = counts.each.entry(self.client) {
            *own.get_mut() -= 1;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

impl From<IpAddr> for Client {
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            ip => ip,
        })
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    // Nothing panics between two changes that belong together.
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(ip: &str) -> Client {
        Client::from(ip.parse::<IpAddr>().unwrap())
    }

    fn clients(connections: usize, connections_per_client: usize) -> Clients {
        Clients::new(connections, connections_per_client)
    }

    #[test]
    fn each_client_and_all_together_have_a_limit() {
        let clients = clients(3, 2);
        let first = clients.admit(client("192.0.2.1")).unwrap();
        let _second = clients.admit(client("192.0.2.1")).unwrap();
        assert!(clients.admit(client("192.0.2.1")).is_none());
        let _third = clients.admit(client("192.0.2.2")).unwrap();
        assert!(clients.admit(client("192.0.2.3")).is_none());
        drop(first);
        assert!(clients.admit(client("192.0.2.1")).is_some());
    }

    #[test]
    fn a_client_that_has_gone_leaves_nothing_behind() {
        let clients = clients(3, 2);
        drop(clients.admit(client("192.0.2.1")));
        assert!(lock(&clients.counts).each.is_empty());
        assert_eq!(lock(&clients.counts).total, 0);
    }

    #[test]
    fn an_ipv6_network_of_one_subscriber_is_one_client() {
        assert_eq!(client("2001:db8:1:2::3"), client("2001:db8:1:2:ffff::4"));
        assert_ne!(client("2001:db8:1:2::3"), client("2001:db8:1:3::3"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }
}
