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
    assert_eq!(policy.addresses(&[public]), Ok(()));
    let private = "10.0.0.1".parse().unwrap();
    assert!(
        matches!(policy.addresses(&[public, private]), Err(Denied::Address(ip, _)) if ip == private)
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
        assert_eq!(policy.addresses(&[ip.parse().unwrap()]).is_ok(), allowed, "{ip}");
    }
}

#[test]
fn the_machines_own_public_addresses_are_refused_unless_permitted() {
    let (own, other) = ("9.9.9.9".parse().unwrap(), "1.1.1.1".parse().unwrap());
    let is_own = |ip| ip == own;
    let strict = policy(&[], &[]);
    assert_eq!(strict.vet(&[other], is_own), Ok(()));
    for addresses in [&[own][..], &[own, other], &[other, own]] {
        let refused = strict.vet(addresses, is_own);
        assert_eq!(refused, Err(Denied::Address(own, "the proxy's own machine")));
    }
    assert_eq!(policy(&[], &["9.9.9.9/32"]).vet(&[own], is_own), Ok(()));
}

#[test]
fn a_host_may_have_so_many_addresses_and_not_one_more() {
    let policy = policy(&[], &[]);
    let mut addresses = vec!["9.9.9.9".parse().unwrap(); MAX_ANSWER];
    assert_eq!(policy.addresses(&addresses), Ok(()));
    addresses.push(addresses[0]);
    assert_eq!(policy.addresses(&addresses), Err(Denied::TooManyAddresses(MAX_ANSWER + 1)));
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
        assert_eq!(policy.addresses(&[ip.parse().unwrap()]).is_ok(), allowed, "{ip}");
    }
}

#[test]
fn localhost_is_not_looked_up_and_its_addresses_are_vetted() {
    let policy = policy(&[], &[]);
    for host in ["localhost", "LOCALHOST.", "mail.localhost"] {
        let Route::Given(addresses) = policy.destination(host, 993).unwrap().route else {
            panic!("{host} is looked up");
        };
        assert!(policy.addresses(&addresses).is_err());
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
