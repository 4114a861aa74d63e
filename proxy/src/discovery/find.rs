//! The search: who is asked, in which order, until when.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all, stream};
use postern_bridge::{Candidate, Protection, Service, Source, UserName};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::{
    address::Address,
    ask,
    autoconfig::{self, Server},
    cache::Cache,
    fetch::{self, Place},
    guess, hosted, query,
    rank::{self, answers, is_complete},
    reach::Reach,
    records::Records,
    srv::{self, Named},
};
use crate::{
    limits::{
        AUTOCONFIG_TIMEOUT, DISCOVERIES, DISCOVERIES_PER_CLIENT, DISCOVERY_CACHE, DISCOVERY_KEEP,
        DISCOVERY_KEEP_NOTHING, DISCOVERY_TIMEOUT, PROBE_TIMEOUT, PROBES_AT_ONCE, RECORDS_TIMEOUT,
    },
    page::{DemoAccount, Endpoint},
    server::{Client, Clients, Ticket},
};

/// Finds the servers of mail addresses.
pub(crate) struct Finder {
    records: Arc<dyn Records>,
    demo: Option<Demo>,
    places: Clients,
    /// Published files, by what identifies them: an address may be a part of it, so it is a digest.
    files: Cache<[u8; 32], Option<Vec<Server>>>,
    /// What servers offer.
    offers: Cache<(Service, String, u16, Protection), Option<Vec<String>>>,
}

/// The demo mail server, which no other machine knows.
struct Demo {
    domain: String,
    servers: Vec<Candidate>,
}

impl Finder {
    /// A finder that knows the demo, if there is one.
    pub(crate) fn new(records: Arc<dyn Records>, demo: Option<&DemoAccount>) -> Self {
        Self {
            records,
            demo: demo.and_then(Demo::new),
            places: Clients::new(DISCOVERIES, DISCOVERIES_PER_CLIENT),
            files: Cache::new(DISCOVERY_CACHE),
            offers: Cache::new(DISCOVERY_CACHE),
        }
    }

    /// The right to one more search, unless there are too many.
    pub(super) fn admit(&self, client: Client) -> Option<Ticket> {
        self.places.admit(client)
    }

    /// The servers of an address, the best first.
    pub(super) async fn find(&self, address: &Address, reach: &Reach<'_>) -> Vec<Candidate> {
        let mut found = Vec::new();
        let search = self.search(address, reach, &mut found);
        if timeout(DISCOVERY_TIMEOUT, search).await.is_err() {
            debug!("the search took too long; what was found counts");
        }
        rank::rank(found)
    }

    async fn search(&self, address: &Address, reach: &Reach<'_>, found: &mut Vec<Candidate>) {
        if let Some(demo) = self.demo.as_ref().filter(|demo| demo.domain == address.domain()) {
            return self.ask_all(demo.servers.clone(), reach, found).await;
        }
        let (published, (named, providers)) = tokio::join!(
            self.published(own_places(address), Source::Autoconfig, address, reach),
            self.look_up(address),
        );
        let denied: Vec<_> = [Service::Imap, Service::Pop3, Service::Submission]
            .into_iter()
            .filter(|service| named.denies(*service))
            .collect();
        self.ask_all([published, named.candidates].concat(), reach, found).await;
        for provider in providers {
            if is_complete(found) {
                break;
            }
            let source = Source::Provider(provider.clone());
            let published = self.published(places(&provider, ""), source, address, reach).await;
            self.ask_all(published, reach, found).await;
        }
        if !is_complete(found) {
            self.probe(address, &denied, reach, found).await;
        }
    }

    /// What the DNS says: the servers it names, and the domains of whoever takes the mail.
    async fn look_up(&self, address: &Address) -> (Named, Vec<String>) {
        let services = srv::look_up(&*self.records, address.domain(), random);
        let exchanges = self.records.exchanges(address.domain());
        let (services, exchanges) =
            tokio::join!(timeout(RECORDS_TIMEOUT, services), timeout(RECORDS_TIMEOUT, exchanges));
        let providers = hosted::providers(&exchanges.unwrap_or_default(), address);
        (services.unwrap_or_default(), providers)
    }

    /// The servers in the first of some places that publishes any.
    async fn published(
        &self,
        places: Vec<Place>,
        source: Source,
        address: &Address,
        reach: &Reach<'_>,
    ) -> Vec<Candidate> {
        let files = join_all(places.iter().map(|place| self.file(place, address, reach))).await;
        let candidates = |servers: Vec<Server>| -> Vec<_> {
            servers.iter().filter_map(|s| s.candidate(address, source.clone())).collect()
        };
        let mut files = files.into_iter().flatten().map(candidates);
        files.find(|candidates| !candidates.is_empty()).unwrap_or_default()
    }

    async fn file(
        &self,
        place: &Place,
        address: &Address,
        reach: &Reach<'_>,
    ) -> Option<Vec<Server>> {
        let key = Sha256::digest(format!("{}\n{}\n{}", place.host, place.path, address.domain()));
        let fetch = async {
            let fetch = fetch::fetch(place, address, reach);
            let bytes = timeout(AUTOCONFIG_TIMEOUT, fetch).await.ok()??;
            autoconfig::parse(&bytes)
                .inspect_err(|error| debug!(%error, "a settings file is of no use"))
                .ok()
        };
        let keep = |found: &_| keep(found, reach);
        self.files.get(key.into(), Instant::now(), AUTOCONFIG_TIMEOUT, keep, fetch).await
    }

    /// Asks at usual names for what is missing: first with TLS from the first byte.
    async fn probe(
        &self,
        address: &Address,
        denied: &[Service],
        reach: &Reach<'_>,
        found: &mut Vec<Candidate>,
    ) {
        let reads = answers(found, Service::Imap) || answers(found, Service::Pop3);
        let missing = |service| match service {
            Service::Imap | Service::Pop3 => !reads,
            Service::Submission => !answers(found, Service::Submission),
        };
        let services = [Service::Imap, Service::Pop3, Service::Submission].into_iter();
        let services: Vec<_> = services.filter(|service| missing(*service)).collect();
        for protection in [Protection::Tls, Protection::StartTls] {
            let services = services.iter().copied();
            let open = services.filter(|s| !denied.contains(s) && !answers(found, *s));
            let guesses = open.flat_map(|s| guess::guesses(address.domain(), s, protection));
            self.ask_all(guesses.collect(), reach, found).await;
        }
    }

    /// Asks servers what they offer, some at a time, and keeps those that can be used.
    async fn ask_all(
        &self,
        candidates: Vec<Candidate>,
        reach: &Reach<'_>,
        found: &mut Vec<Candidate>,
    ) {
        let asked = candidates.into_iter().map(|candidate| self.ask(candidate, reach));
        let mut asked = stream::iter(asked).buffered(PROBES_AT_ONCE);
        while let Some(candidate) = asked.next().await {
            found.extend(candidate);
        }
    }

    /// `None` if tunnels could not reach it, or it was only guessed and is not there.
    async fn ask(&self, mut candidate: Candidate, reach: &Reach<'_>) -> Option<Candidate> {
        let Candidate { service, port, protection, .. } = candidate;
        let target = reach.shared.policy.destination(&candidate.host, port).ok()?;
        let key = (service, candidate.host.clone(), port, protection);
        let ask = async {
            let ask = ask::ask(service, protection, &target, reach);
            timeout(PROBE_TIMEOUT, ask).await.ok()?
        };
        let keep = |found: &_| keep(found, reach);
        candidate.offers = self.offers.get(key, Instant::now(), PROBE_TIMEOUT, keep, ask).await;
        if let Some(offers) = &candidate.offers
            && candidate.authentication.is_empty()
        {
            candidate.authentication = ask::authentication(service, offers);
        }
        // A server that nobody can log in to is for other servers.
        let guessed = candidate.source == Source::Probe;
        let useless = candidate.offers.is_none() || candidate.authentication.is_empty();
        (!guessed || !useless).then_some(candidate)
    }
}

impl Demo {
    fn new(account: &DemoAccount) -> Option<Self> {
        let (_, domain) = account.address.rsplit_once('@')?;
        let server = |service, Endpoint { host, port }: &Endpoint| Candidate {
            service,
            host: host.clone(),
            port: *port,
            protection: Protection::Tls,
            username: UserName::Address,
            authentication: Vec::new(),
            source: Source::Proxy,
            offers: None,
        };
        let servers = vec![
            server(Service::Imap, &account.imap),
            server(Service::Pop3, &account.pop3),
            server(Service::Submission, &account.submission),
        ];
        Some(Self { domain: domain.to_ascii_lowercase(), servers })
    }
}

/// Where a domain's own settings are; it may be told the address, as the format foresees.
fn own_places(address: &Address) -> Vec<Place> {
    let query = format!("?emailaddress={}", query::encode(&address.whole()));
    places(address.domain(), &query)
}

/// Where a domain publishes settings. A name that is too long to have another label has one place
/// less.
fn places(domain: &str, query: &str) -> Vec<Place> {
    let place = |host: String, path: String| Some(Place { host: host.parse().ok()?, path });
    let subdomain = place(format!("autoconfig.{domain}"), format!("/mail/config-v1.1.xml{query}"));
    let path = "/.well-known/autoconfig/mail/config-v1.1.xml";
    subdomain.into_iter().chain(place(domain.to_owned(), path.to_owned())).collect()
}

/// How long an answer stays. What was not found because a client may ask no more hosts, another
/// client may find.
fn keep<T>(found: &Option<T>, reach: &Reach<'_>) -> Duration {
    match found {
        Some(_) => DISCOVERY_KEEP,
        None if reach.asker.was_stopped() => Duration::ZERO,
        None => DISCOVERY_KEEP_NOTHING,
    }
}

/// A number from 0 to `most`, for a choice that nobody depends on.
fn random(most: u32) -> u32 {
    let mut bytes = [0; 8];
    // Without randomness the first one is chosen.
    let _ = SystemRandom::new().fill(&mut bytes);
    let number = u64::from_le_bytes(bytes) % (u64::from(most) + 1);
    u32::try_from(number).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_for_another_label_has_one_place_less() {
        let long = |length: usize| {
            let mut name = "a.".repeat(length / 2);
            name.truncate(length - 1);
            if name.ends_with('.') { name + "bb" } else { name + "b" }
        };
        assert_eq!(places(&long(200), "").len(), 2);
        assert_eq!(places(&long(250), "").len(), 1);
        assert!(places(&"a".repeat(300), "").is_empty());
    }

    #[test]
    fn only_the_subdomain_for_it_is_told_the_address() {
        let told = places("example.org", "?emailaddress=a%40example.org");
        let asked: Vec<_> = told.iter().map(|place| place.path.contains("example.org")).collect();
        assert_eq!(asked, [true, false]);
    }
}
