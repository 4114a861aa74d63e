//! Places for connections that are no tunnels.
//!
//! There is room for so many, and for so many of one client. When it is used up, whoever comes gets
//! the place that the client with the most of them has had for longest: a few networks that hold
//! connections without a purpose keep nobody out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::Client;

/// Room for connections.
#[derive(Clone)]
pub(super) struct Places {
    most: usize,
    each: usize,
    taken: Arc<Mutex<Taken>>,
}

/// A place there, until it is dropped.
pub(super) struct Place {
    number: u64,
    turned_out: CancellationToken,
    back: WayBack,
}

/// The place of a connection as its requests know it: one that becomes a tunnel leaves it, since it is
/// counted as a tunnel then.
#[derive(Clone)]
pub(crate) struct Seat(Arc<Mutex<Option<Place>>>);

/// How whoever has left a place gets one again.
#[derive(Clone)]
pub(super) struct WayBack {
    places: Places,
    /// Nobody's who speaks for many.
    client: Option<Client>,
}

/// Who came later has a higher number.
#[derive(Default)]
struct Taken {
    next: u64,
    places: BTreeMap<u64, Holder>,
    /// How many each client has that can lose them.
    counts: HashMap<Client, usize>,
}

struct Holder {
    /// Nobody's who speaks for many: such a place can't be lost.
    client: Option<Client>,
    turned_out: CancellationToken,
}

impl Places {
    /// Room for this many in all, and of each client.
    pub(super) fn new(most: usize, each: usize) -> Self {
        Self { most, each, taken: Arc::default() }
    }

    /// A place, which may have been another's; none for a client that has as many as it may have.
    pub(super) fn enter(&self, client: Client) -> Option<Place> {
        let mut taken = lock(&self.taken);
        if taken.count(client) >= self.each {
            return None;
        }
        self.take(&mut taken, Some(client))
    }

    /// The same for a client that speaks for many, such as a reverse proxy: it may have them all,
    /// and loses none.
    pub(super) fn enter_speaker(&self) -> Option<Place> {
        self.take(&mut lock(&self.taken), None)
    }

    fn take(&self, taken: &mut Taken, client: Option<Client>) -> Option<Place> {
        if taken.places.len() >= self.most {
            let number = taken.most_dispensable()?;
            taken.leave(number)?.turned_out.cancel();
        }
        let (number, turned_out) = (taken.next, CancellationToken::new());
        taken.next += 1;
        taken.places.insert(number, Holder { client, turned_out: turned_out.clone() });
        if let Some(client) = client {
            *taken.counts.entry(client).or_default() += 1;
        }
        Some(Place { number, turned_out, back: WayBack { places: self.clone(), client } })
    }
}

impl Taken {
    fn count(&self, client: Client) -> usize {
        self.counts.get(&client).copied().unwrap_or(0)
    }

    /// The place that was taken first of those that belong to the client with the most.
    fn most_dispensable(&self) -> Option<u64> {
        let most = self.counts.values().max()?;
        let mut places = self.places.iter();
        places
            .find(|(_, holder)| holder.client.is_some_and(|client| self.count(client) == *most))
            .map(|(number, _)| *number)
    }

    fn leave(&mut self, number: u64) -> Option<Holder> {
        let holder = self.places.remove(&number)?;
        if let Some(client) = holder.client
            && let Some(count) = self.counts.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&client);
            }
        }
        Some(holder)
    }
}

impl Place {
    /// What is cancelled when the place is given to another.
    pub(super) fn turned_out(&self) -> CancellationToken {
        self.turned_out.clone()
    }

    /// The way to another one, for when this one is left.
    pub(super) fn way_back(&self) -> WayBack {
        self.back.clone()
    }
}

impl Seat {
    pub(super) fn new(place: Place) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    /// Gives the place up, if it has not been yet.
    pub(crate) fn leave(&self) {
        drop(self.place().take());
    }

    pub(super) fn is_left(&self) -> bool {
        self.place().is_none()
    }

    /// Takes another one.
    pub(super) fn take(&self, again: Place) {
        *self.place() = Some(again);
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        // Nothing panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WayBack {
    /// A place on the same conditions as before.
    pub(super) fn enter(&self) -> Option<Place> {
        match self.client {
            Some(client) => self.places.enter(client),
            None => self.places.enter_speaker(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.back.places.taken).leave(self.number);
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    // Nothing panics between two changes that belong together.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(last: u8) -> Client {
        Client::from(std::net::IpAddr::from(Ipv4Addr::new(192, 0, 2, last)))
    }

    fn enter<const N: usize>(places: &Places, clients: [u8; N]) -> [Place; N] {
        clients.map(|last| places.enter(client(last)).unwrap())
    }

    fn out<const N: usize>(places: &[Place; N]) -> [bool; N] {
        places.each_ref().map(|place| place.turned_out().is_cancelled())
    }

    #[test]
    fn a_client_has_so_many_and_one_more_when_one_has_ended() {
        let places = Places::new(9, 2);
        let [first, _second] = enter(&places, [1, 1]);
        assert!(places.enter(client(1)).is_none());
        assert!(places.enter(client(2)).is_some());
        drop(first);
        assert!(places.enter(client(1)).is_some());
    }

    #[test]
    fn who_comes_when_all_are_taken_gets_the_oldest_of_whoever_has_the_most() {
        let places = Places::new(5, 3);
        let held = enter(&places, [1, 2, 3, 2, 2]);
        let _newcomer = places.enter(client(4)).unwrap();
        assert_eq!(out(&held), [false, true, false, false, false]);
        let _another = places.enter(client(5)).unwrap();
        assert_eq!(out(&held), [false, true, false, true, false]);
        // Nobody has more than another: the oldest of all.
        let _last = places.enter(client(6)).unwrap();
        assert_eq!(out(&held), [true, true, false, true, false]);
        // Whose place was another's leaves it to that one.
        drop(held);
        assert_eq!(lock(&places.taken).places.len(), 3);
    }

    #[test]
    fn who_speaks_for_many_may_have_all_and_loses_none() {
        let places = Places::new(3, 1);
        let [stranger] = enter(&places, [1]);
        let spoken = [(); 3].map(|()| places.enter_speaker().unwrap());
        assert!(stranger.turned_out().is_cancelled());
        assert!(places.enter_speaker().is_none() && places.enter(client(2)).is_none());
        assert_eq!(out(&spoken), [false; 3]);
    }

    #[test]
    fn who_has_left_comes_back_on_the_same_conditions() {
        let places = Places::new(3, 1);
        let speaker = places.enter_speaker().unwrap();
        let [client] = enter(&places, [1]);
        let back = client.way_back();
        drop(client);
        let [again] = [back.enter().unwrap()];
        assert!(back.enter().is_none() && !again.turned_out().is_cancelled());
        assert!(speaker.way_back().enter().is_some());
    }

    #[test]
    fn a_client_that_has_gone_leaves_nothing_behind() {
        let places = Places::new(2, 2);
        drop(enter(&places, [1, 2]));
        assert!(lock(&places.taken).places.is_empty() && lock(&places.taken).counts.is_empty());
    }
}
