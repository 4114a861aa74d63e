//! Servers that a domain names in SRV records (RFC 6186, RFC 8314).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use postern_bridge::{Candidate, Protection, Service, Source, UserName};

use super::records::{Records, Srv};
use crate::{
    limits::{SRV_RECORDS, SRV_TARGETS},
    policy::Host,
};

/// The services' names in the DNS; those with TLS from the first byte first.
const NAMES: [(&str, Service, Protection); 6] = [
    ("_imaps", Service::Imap, Protection::Tls),
    ("_imap", Service::Imap, Protection::StartTls),
    ("_pop3s", Service::Pop3, Protection::Tls),
    ("_pop3", Service::Pop3, Protection::StartTls),
    ("_submissions", Service::Submission, Protection::Tls),
    ("_submission", Service::Submission, Protection::StartTls),
];

/// What a domain's SRV records say.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Its servers, in the order in which to try them.
    pub(super) candidates: Vec<Candidate>,
    /// The services that it says it does not offer.
    pub(super) denied: BTreeSet<&'static str>,
}

/// Looks up all services of a domain. `random` gives a number from 0 to its argument, both included.
pub(super) async fn look_up(
    records: &dyn Records,
    domain: &str,
    mut random: impl FnMut(u32) -> u32,
) -> Named {
    let look_up = |(name, ..): &(&str, _, _)| {
        let name = format!("{name}._tcp.{domain}");
        async move { records.services(&name).await }
    };
    let answers = join_all(NAMES.iter().map(look_up)).await;
    let mut named = Named::default();
    for ((name, service, protection), answer) in NAMES.into_iter().zip(answers) {
        if answer.iter().any(|record| record.target == ".") {
            named.denied.insert(name);
            continue;
        }
        for record in in_order(answer, &mut random).into_iter().take(SRV_TARGETS) {
            let Ok(host) = record.target.parse::<Host>() else { continue };
            named.candidates.push(Candidate {
                service,
                host: host.to_string(),
                port: record.port,
                protection,
                // RFC 6186, section 4: the address first.
                username: UserName::Address,
                authentication: Vec::new(),
                source: Source::Dns,
                offers: None,
            });
        }
    }
    named
}

impl Named {
    /// Whether the domain says that it does not offer a service in any form.
    pub(super) fn denies(&self, service: Service) -> bool {
        let named = self.candidates.iter().any(|candidate| candidate.service == service);
        let denied = NAMES.iter().any(|(name, of, _)| *of == service && self.denied.contains(name));
        denied && !named
    }
}

/// The order in which to try the targets: by priority, and at random within one, as often as their
/// weights say (RFC 2782).
fn in_order(mut records: Vec<Srv>, random: &mut impl FnMut(u32) -> u32) -> Vec<Srv> {
    // Those without weight come first, so that the others leave them a small chance.
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    records.truncate(SRV_RECORDS);
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let priority = first.priority;
        let equals = records.iter().take_while(|record| record.priority == priority);
        let weights: Vec<u32> = equals.map(|record| record.weight.into()).collect();
        let chosen = random(weights.iter().sum());
        let mut sum = 0;
        let position = weights.iter().position(|weight| {
            sum += weight;
            sum >= chosen
        });
        ordered.push(records.remove(position.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    struct Script(Vec<(&'static str, Srv)>);

    impl Records for Script {
        fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Vec<Srv>> {
            let name = name.strip_suffix("._tcp.example.org").unwrap().to_owned();
            let of = self.0.iter().filter(move |(own, _)| *own == name);
            let found = of.map(|(_, srv)| srv.clone()).collect();
            Box::pin(async move { found })
        }

        fn exchanges<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Vec<(u16, String)>> {
            Box::pin(async { Vec::new() })
        }
    }

    fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
        Srv { priority, weight, port, target: target.into() }
    }

    async fn named(script: Vec<(&'static str, Srv)>) -> Named {
        look_up(&Script(script), "example.org", |_| 0).await
    }

    fn places(named: &Named) -> Vec<(Service, Protection, String)> {
        let place = |c: &Candidate| (c.service, c.protection, format!("{}:{}", c.host, c.port));
        named.candidates.iter().map(place).collect()
    }

    #[tokio::test]
    async fn each_name_is_a_service_with_its_protection() {
        let named = named(vec![
            ("_submission", srv(0, 1, 587, "smtp.example.org.")),
            ("_imap", srv(0, 1, 143, "imap.example.org.")),
            ("_imaps", srv(0, 1, 993, "IMAP.example.org.")),
            ("_pop3s", srv(10, 1, 995, "pop.example.net")),
        ])
        .await;
        use {Protection::*, Service::*};
        assert_eq!(
            places(&named),
            [
                (Imap, Tls, "imap.example.org:993".into()),
                (Imap, StartTls, "imap.example.org:143".into()),
                (Pop3, Tls, "pop.example.net:995".into()),
                (Submission, StartTls, "smtp.example.org:587".into()),
            ]
        );
    }

    #[tokio::test]
    async fn a_dot_says_that_a_service_is_not_offered() {
        let named = named(vec![
            ("_imap", srv(0, 0, 0, ".")),
            ("_imaps", srv(0, 1, 993, "imap.example.org.")),
            ("_pop3", srv(0, 0, 0, ".")),
            ("_pop3s", srv(0, 0, 0, ".")),
        ])
        .await;
        assert_eq!(named.candidates.len(), 1);
        assert!(!named.denies(Service::Imap));
        assert!(named.denies(Service::Pop3));
        assert!(!named.denies(Service::Submission));
    }

    #[tokio::test]
    async fn what_is_no_host_is_left_out_and_the_list_has_an_end() {
        let odd = ["127.1", "a b.example", "*.example.org", "[::1]"];
        let script = odd.map(|target| ("_imaps", srv(0, 1, 993, target)));
        assert!(named(script.to_vec()).await.candidates.is_empty());
        let many = vec![("_imaps", srv(0, 1, 993, "imap.example.org")); SRV_TARGETS + 1];
        assert_eq!(named(many).await.candidates.len(), SRV_TARGETS);
    }

    #[test]
    fn the_lowest_priority_is_first_whatever_the_weights() {
        let records = vec![srv(20, 9, 1, "c"), srv(10, 0, 1, "b"), srv(0, 1, 1, "a")];
        let ordered = in_order(records, &mut |most| most);
        let targets: Vec<_> = ordered.iter().map(|record| record.target.as_str()).collect();
        assert_eq!(targets, ["a", "b", "c"]);
    }

    #[test]
    fn weights_share_out_the_first_place() {
        let records = vec![srv(0, 1, 1, "rare"), srv(0, 3, 1, "often"), srv(0, 0, 1, "hardly")];
        let first = |number| in_order(records.clone(), &mut |_| number)[0].target.clone();
        let chosen: Vec<_> = (0..=4).map(first).collect();
        assert_eq!(chosen, ["hardly", "rare", "often", "often", "often"]);
    }
}
