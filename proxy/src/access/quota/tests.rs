use std::net::IpAddr;

use super::*;

fn quotas(change: impl FnOnce(&mut Limits)) -> Arc<Quotas> {
    let mut limits = Limits::default();
    change(&mut limits);
    Arc::new(Quotas::new(&limits))
}

fn client(ip: &str) -> Client {
    Client::from(ip.parse::<IpAddr>().unwrap())
}

/// A client whose token is good.
fn guest(quotas: &Arc<Quotas>, ip: &str) -> Result<Guest, Excess> {
    quotas.visit(client(ip))?.admit()
}

#[test]
fn each_client_and_all_together_may_open_so_many_tunnels_a_minute() {
    let quotas = quotas(|limits| {
        limits.connections_per_client_per_minute = 2;
        limits.connections_per_minute = 3;
    });
    let open = |ip| guest(&quotas, ip).map(drop);
    assert_eq!(open("192.0.2.1"), Ok(()));
    assert_eq!(open("192.0.2.1"), Ok(()));
    assert_eq!(open("192.0.2.1"), Err(Excess::Opened(By::Client)));
    assert_eq!(open("192.0.2.2"), Ok(()));
    assert_eq!(open("192.0.2.3"), Err(Excess::Opened(By::All)));
}

#[test]
fn whoever_shows_no_token_uses_up_nothing_of_what_is_for_all() {
    let quotas = quotas(|limits| {
        limits.connections = 1;
        limits.connections_per_minute = 1;
    });
    let strangers: Vec<_> =
        (0..100).map(|n| quotas.visit(client(&format!("2001:db8:0:{n}::1")))).collect();
    assert!(strangers.iter().all(Result::is_ok));
    assert!(guest(&quotas, "192.0.2.1").is_ok());
}

#[test]
fn a_client_that_shows_no_token_can_not_go_on_for_ever() {
    let quotas = quotas(|limits| limits.connections_per_client_per_minute = 2);
    let visits = [(); 3].map(|()| quotas.visit(client("192.0.2.1")).map(drop));
    assert_eq!(visits, [Ok(()), Ok(()), Err(Excess::Opened(By::Client))]);
}

#[test]
fn hosts_that_are_asked_for_a_client_are_among_its_destinations() {
    let quotas = quotas(|limits| limits.destinations_per_client_per_hour = 2);
    let asker = quotas.discovery(client("192.0.2.1")).unwrap();
    assert!(asker.may_ask("a.example"));
    assert!(asker.may_ask("a.example"), "one that is known needs no place");
    let guest = guest(&quotas, "192.0.2.1").unwrap();
    assert_eq!(guest.may_reach("b.example", 993), Ok(()));
    assert!(!asker.was_stopped());
    assert!(!asker.may_ask("c.example"));
    assert!(asker.was_stopped());
    let another = quotas.discovery(client("192.0.2.2")).unwrap();
    assert!(another.may_ask("c.example"));
}

#[test]
fn so_many_tunnels_may_be_open_at_a_time() {
    let quotas = quotas(|limits| limits.connections_per_client = 1);
    let first = guest(&quotas, "2001:db8::1").unwrap();
    assert_eq!(guest(&quotas, "2001:db8::2").err(), Some(Excess::Open));
    drop(first);
    assert!(guest(&quotas, "2001:db8::2").is_ok());
}

#[test]
fn each_client_and_all_together_may_reach_so_many_destinations() {
    let quotas = quotas(|limits| {
        limits.destinations_per_client_per_hour = 2;
        limits.destinations_per_hour = 3;
    });
    let reach = |ip, host| guest(&quotas, ip).unwrap().may_reach(host, 993);
    assert_eq!(reach("192.0.2.1", "a.example"), Ok(()));
    assert_eq!(reach("192.0.2.1", "b.example"), Ok(()));
    assert_eq!(reach("192.0.2.1", "c.example"), Err(Excess::Destinations(By::Client)));
    assert_eq!(reach("192.0.2.1", "a.example"), Ok(()));
    assert_eq!(reach("192.0.2.2", "b.example"), Ok(()));
    assert_eq!(reach("192.0.2.2", "c.example"), Ok(()));
    assert_eq!(reach("192.0.2.3", "d.example"), Err(Excess::Destinations(By::All)));
}

#[test]
fn a_client_may_move_so_many_bytes_over_all_its_tunnels() {
    let limit = 2 * BYTES_COUNTED_AT_ONCE;
    let quotas = quotas(|limits| limits.bytes_per_client_per_hour = limit);
    let [mut first, mut second] = [(); 2].map(|()| guest(&quotas, "192.0.2.1").unwrap());
    assert_eq!(first.carried(BYTES_COUNTED_AT_ONCE), Ok(()));
    assert_eq!(second.carried(BYTES_COUNTED_AT_ONCE), Ok(()));
    let more = second.carried(2 * BYTES_COUNTED_AT_ONCE);
    assert_eq!(more, Err(Excess::Bytes(By::Client)));
    let another = guest(&quotas, "192.0.2.1").err();
    assert_eq!(another, Some(Excess::Bytes(By::Client)));
    assert!(guest(&quotas, "192.0.2.2").is_ok());
}

#[test]
fn what_a_short_tunnel_carried_counts_when_it_ends() {
    let quotas = quotas(|limits| limits.bytes_per_client_per_hour = 10);
    let visit = |bytes| {
        let mut guest = guest(&quotas, "192.0.2.1")?;
        guest.carried(bytes)
    };
    assert_eq!(visit(10), Ok(()));
    assert_eq!(visit(1), Ok(()), "exactly as many as may be");
    assert_eq!(visit(1), Err(Excess::Bytes(By::Client)));
}

#[test]
fn all_together_may_move_so_many_bytes_if_a_limit_is_set() {
    let quotas = quotas(|limits| limits.bytes_per_hour = Some(BYTES_COUNTED_AT_ONCE));
    let mut first = guest(&quotas, "192.0.2.1").unwrap();
    let mut second = guest(&quotas, "192.0.2.2").unwrap();
    assert_eq!(first.carried(BYTES_COUNTED_AT_ONCE), Ok(()));
    assert_eq!(second.carried(BYTES_COUNTED_AT_ONCE), Err(Excess::Bytes(By::All)));
    assert_eq!(guest(&quotas, "192.0.2.3").err(), Some(Excess::Bytes(By::All)));
}

#[test]
fn a_client_may_ask_for_so_many_tokens_and_try_so_many_keys() {
    let quotas = quotas(|limits| limits.tokens_per_client_per_minute = 2);
    let tokens = [(); 3].map(|()| quotas.token(client("192.0.2.1")));
    assert_eq!(tokens, [true, true, false]);
    assert!(quotas.token(client("192.0.2.2")));

    for _ in 0..KEY_TRIES_PER_MINUTE {
        assert!(quotas.key_try(client("192.0.2.1")));
    }
    assert!(!quotas.key_try(client("192.0.2.1")));
    assert!(quotas.key_try(client("192.0.2.2")));
}

#[test]
fn a_right_key_uses_up_no_try() {
    let quotas = quotas(|_| {});
    for _ in 0..2 * KEY_TRIES_PER_MINUTE {
        assert!(quotas.key_try(client("192.0.2.1")));
        quotas.key_was_right(client("192.0.2.1"));
    }
}
