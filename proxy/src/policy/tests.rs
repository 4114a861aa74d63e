use super::*;

fn policy(allow: &[&str], networks: &[&str]) -> Policy {
    Policy::new(
        allow.iter().map(|text| text.parse().unwrap()).collect(),
        networks.iter().map(|text| text.parse().unwrap()).collect(),
        [1143],
        Vec::new(),
    )
}

#[test]
fn mail_ports_and_configured_ones_are_reached_and_no_others() {
    let policy = policy(&[], &[]);
    for port in [110, 143, 465, 587, 993, 995, 1143] {
        assert!(policy.destination("mail.example.org", port).is_ok(), "{port}");
    }
    for port in [0, 22, 25, 80, 443, 1144, 65535] {
        assert_eq!(policy.destination("mail.example.org", port), Err(Denied::Port(port)));
    }
}

#[test]
fn the_relay_port_can_not_be_configured() {
    let policy = Policy::new(Vec::new(), Vec::new(), [25], Vec::new());
    assert_eq!(policy.destination("mail.example.org", 25), Err(Denied::Port(25)));
}

#[test]
fn an_allow_list_names_hosts_or_what_is_below_a_domain() {
    let policy = policy(&["*.example.org", "mail.example.com", "192.0.2.7"], &[]);
    for host in [
        "imap.example.org",
        "a.b.example.org",
        "MAIL.example.COM",
        "imap.example.org.",
        "192.0.2.7",
    ] {
        assert!(policy.destination(host, 993).is_ok(), "{host}");
    }
    for host in ["example.org", "badexample.org", "example.com", "x.mail.example.com", "192.0.2.8"]
    {
        assert!(matches!(policy.destination(host, 993), Err(Denied::NotListed(_))), "{host}");
    }
}

#[test]
fn one_private_address_spoils_the_public_ones() {
    let policy = policy(&[], &[]);
    let public = "9.9.9.9".parse().unwrap();
    assert_eq!(policy.addresses(&[public], 993), Ok(()));
    let private = "10.0.0.1".parse().unwrap();
    assert!(
        matches!(policy.addresses(&[public, private], 993), Err(Denied::Address(ip, _)) if ip == private)
    );
}

#[test]
fn what_a_permitted_address_has_inside_must_be_permitted_too() {
    let policy = policy(&[], &["64:ff9b::/96", "::ffff:0:0/96", "10.1.0.0/16", "2002::/16"]);
    for (ip, allowed) in [
        ("64:ff9b::9.9.9.9", true),
        ("64:ff9b::10.1.0.1", true),
        ("64:ff9b::10.2.0.1", false),
        ("64:ff9b::127.0.0.1", false),
        ("64:ff9b::169.254.169.254", false),
        ("64:ff9b:1::9.9.9.9", false),
        ("::ffff:9.9.9.9", true),
        ("::ffff:192.168.0.1", false),
        ("2002:909:909::1", true),
        ("2002:7f00:1::1", false),
    ] {
        assert_eq!(policy.addresses(&[ip.parse().unwrap()], 993).is_ok(), allowed, "{ip}");
    }
}

#[test]
fn the_machines_own_public_addresses_are_refused_unless_permitted() {
    let (own, other) = ("9.9.9.9".parse().unwrap(), "1.1.1.1".parse().unwrap());
    let is_own = |ip| ip == own;
    let strict = policy(&[], &[]);
    assert_eq!(strict.vet(&[other], 993, is_own), Ok(()));
    for addresses in [&[own][..], &[own, other], &[other, own]] {
        let refused = strict.vet(addresses, 993, is_own);
        assert_eq!(refused, Err(Denied::Address(own, "the proxy's own machine")));
    }
    assert_eq!(policy(&[], &["9.9.9.9/32"]).vet(&[own], 993, is_own), Ok(()));
}

#[test]
fn the_proxys_own_ports_are_refused_even_on_a_permitted_network() {
    let own = Own { ports: [1143, 8080].into(), ..Own::default() };
    let policy = policy(&[], &["127.0.0.0/8", "::1/128", "::ffff:0:0/96"]).without(own);
    let is_own = |ip: IpAddr| ip.to_canonical().is_loopback();
    for ip in ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"] {
        let ip: IpAddr = ip.parse().unwrap();
        for port in [1143, 8080] {
            let refused = policy.vet(&[ip], port, is_own);
            assert_eq!(refused, Err(Denied::Address(ip, "this proxy itself")), "{ip}");
        }
        assert_eq!(policy.vet(&[ip], 143, is_own), Ok(()), "{ip}");
    }
    assert_eq!(policy.vet(&["9.9.9.9".parse().unwrap()], 1143, is_own), Ok(()));
}

#[test]
fn addresses_that_are_named_as_its_own_are_refused_whatever_is_permitted() {
    let own = Own { addresses: vec!["9.9.9.8/31".parse().unwrap()], ..Own::default() };
    let policy = policy(&[], &["9.9.9.0/24", "::ffff:0:0/96"]).without(own);
    for (ip, allowed) in [
        ("9.9.9.8", false),
        ("9.9.9.9", false),
        ("::ffff:9.9.9.9", false),
        ("9.9.9.10", true),
        ("1.1.1.1", true),
    ] {
        assert_eq!(policy.addresses(&[ip.parse().unwrap()], 993).is_ok(), allowed, "{ip}");
    }
    assert!(policy.web_addresses(&["9.9.9.9".parse().unwrap()]).is_err());
}

#[test]
fn an_address_behind_nat64_is_as_good_as_the_one_that_it_leads_to() {
    let prefixes = ["2a00:64::/32", "2a00:64ff:1::/48", "64:ff9b:1:ffff::/96", "fd00:64::/96"];
    let nat64 = prefixes.map(|prefix| prefix.parse().unwrap()).to_vec();
    let policy = policy(&[], &["10.1.0.0/16"]).behind(nat64);
    for (ip, allowed) in [
        ("2a00:64:909:909::", true),
        ("2a00:64:a00:1::", false),
        ("2a00:64:a01:1::", true),
        ("2a00:64:7f00:1::", false),
        ("2a00:64ff:1:909:9:900::", true),
        ("2a00:64ff:1:a9fe:a9:fe00::", false),
        ("64:ff9b:1:ffff::9.9.9.9", true),
        ("64:ff9b:1:ffff::10.0.0.1", false),
        ("fd00:64::9.9.9.9", true),
        ("fd00:64::192.168.0.1", false),
        // Prefixes that nobody has named.
        ("64:ff9b:1::9.9.9.9", false),
        ("64:ff9b::9.9.9.9", false),
        ("fd00:65::9.9.9.9", false),
    ] {
        let ip: IpAddr = ip.parse().unwrap();
        assert_eq!(policy.addresses(&[ip], 993).is_ok(), allowed, "{ip}");
    }
}

#[test]
fn nat64_for_local_use_is_refused_unless_its_prefix_is_named() {
    let policy = policy(&[], &["64:ff9b:1::/48"]);
    for ip in ["64:ff9b:1::9.9.9.9", "64:ff9b:1:909:9:900::", "64:ff9b:1:0:9:909:900:0"] {
        assert!(policy.addresses(&[ip.parse().unwrap()], 993).is_err(), "{ip}");
    }
}

#[test]
fn a_host_may_have_so_many_addresses_and_not_one_more() {
    let policy = policy(&[], &[]);
    let mut addresses = vec!["9.9.9.9".parse().unwrap(); MAX_ANSWER];
    assert_eq!(policy.addresses(&addresses, 993), Ok(()));
    addresses.push(addresses[0]);
    assert_eq!(policy.addresses(&addresses, 993), Err(Denied::TooManyAddresses(MAX_ANSWER + 1)));
}

#[test]
fn a_name_in_any_script_is_on_the_list_as_its_a_labels() {
    for listed in ["bücher.example", "xn--bcher-kva.example"] {
        let policy = policy(&[listed], &[]);
        for host in ["Bücher.example", "XN--BCHER-KVA.example."] {
            let target = policy.destination(host, 993).unwrap();
            assert_eq!(target.host.to_string(), "xn--bcher-kva.example");
        }
        assert!(policy.destination("bucher.example", 993).is_err());
    }
}

#[test]
fn a_permitted_network_opens_only_itself() {
    let policy = policy(&[], &["10.1.0.0/16", "fd00:1::/32"]);
    for (ip, allowed) in [
        ("10.1.2.3", true),
        ("fd00:1::2", true),
        ("10.2.0.1", false),
        ("127.0.0.1", false),
        ("::ffff:10.1.2.3", false),
        ("fd00:2::1", false),
    ] {
        assert_eq!(policy.addresses(&[ip.parse().unwrap()], 993).is_ok(), allowed, "{ip}");
    }
}

#[test]
fn localhost_is_not_looked_up_and_its_addresses_are_vetted() {
    let policy = policy(&[], &[]);
    for host in ["localhost", "LOCALHOST.", "mail.localhost"] {
        let Route::Given(addresses) = policy.destination(host, 993).unwrap().route else {
            panic!("{host} is looked up");
        };
        assert!(policy.addresses(&addresses, 993).is_err());
    }
}

#[test]
fn a_known_destination_goes_by_its_exact_host_and_port() {
    let address = "127.0.0.1:4993".parse().unwrap();
    let known =
        Destination { host: "demo.example".into(), port: 4993, address, implicit_tls: true };
    let policy = Policy::new(Vec::new(), Vec::new(), [], vec![known]);
    let target = policy.destination("Demo.Example", 4993).unwrap();
    assert_eq!(target.route, Route::Known(address));
    assert!(target.implicit_tls);
    assert!(policy.destination("demo.example", 4994).is_err());
    assert!(policy.destination("other.example", 4993).is_err());
}

#[test]
fn tls_starts_at_once_on_the_ports_that_are_for_it() {
    let policy = policy(&[], &[]);
    for (port, implicit) in [(993, true), (995, true), (465, true), (143, false), (587, false)] {
        let target = policy.destination("mail.example.org", port).unwrap();
        assert_eq!(target.implicit_tls, implicit, "{port}");
    }
}
