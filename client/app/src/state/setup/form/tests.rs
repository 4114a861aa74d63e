use postern_bridge::{Authentication, Extent, Protection, UserName};

use super::*;

fn filled() -> Form {
    Form { address: "Ada@Example.org".into(), password: "secret".into(), ..Form::default() }
}

fn candidate(service: Service, host: &str, port: u16) -> Candidate {
    Candidate {
        service,
        host: host.into(),
        port,
        protection: Protection::Tls,
        username: UserName::Address,
        authentication: Vec::new(),
        source: Source::Autoconfig,
        offers: Some(Vec::new()),
    }
}

fn found(candidates: Vec<Candidate>) -> Form {
    let mut form = filled();
    form.take_found(Discovery { candidates });
    form
}

#[test]
fn what_was_found_is_used_until_something_else_is_typed() {
    let incoming = Candidate {
        protection: Protection::StartTls,
        username: UserName::LocalPart,
        ..candidate(Service::Imap, "mx.example.org", 1143)
    };
    let outgoing = candidate(Service::Submission, "out.example.org", 2465);
    let mut form = found(vec![incoming, outgoing]);
    let draft = form.draft().unwrap();
    assert_eq!(draft.incoming.endpoint.host, "mx.example.org");
    assert_eq!(draft.incoming.endpoint.port, 1143);
    assert_eq!(draft.incoming.endpoint.security, Security::StartTls);
    assert_eq!(draft.incoming.username, "Ada");
    assert_eq!(draft.outgoing.endpoint.port, 2465);
    assert_eq!(draft.outgoing.username, "Ada@Example.org");
    form.incoming.host = Some("imap.example.org".into());
    form.incoming.security = Some(Security::Tls);
    form.incoming.username = Some("ada.l".into());
    let draft = form.draft().unwrap();
    assert_eq!(draft.incoming.endpoint.host, "imap.example.org");
    // The port that was found is for another protection.
    assert_eq!(draft.incoming.endpoint.port, 993);
    assert_eq!((&*draft.incoming.username, &*draft.outgoing.username), ("ada.l", "ada.l"));
}

#[test]
fn what_was_found_for_one_address_is_not_used_for_another() {
    let mut form = found(vec![candidate(Service::Imap, "mx.example.org", 993)]);
    form.set_address("Ada@Example.org ".into());
    assert_eq!(form.incoming_host(), "mx.example.org");
    form.set_address("ada@example.net".into());
    assert_eq!(form.incoming_host(), "imap.example.net");
}

#[test]
fn what_is_found_takes_the_place_of_what_was_typed() {
    let mut form = filled();
    form.chosen = Some(Protocol::Pop3);
    for server in [&mut form.incoming, &mut form.outgoing] {
        server.host = Some("mail.example.net".into());
        server.port = Some("1234".into());
        server.security = Some(Security::Plain);
        server.username = Some("ada".into());
    }
    assert!(form.is_unprotected());
    let candidates = vec![
        candidate(Service::Imap, "imap.example.org", 993),
        candidate(Service::Submission, "smtp.example.org", 465),
    ];
    form.take_found(Discovery { candidates: candidates.clone() });
    assert!(!form.is_unprotected());
    let draft = form.draft().unwrap();
    // The protocol that was chosen is not offered.
    assert_eq!(draft.protocol, Protocol::Imap);
    for (login, found) in [draft.incoming, draft.outgoing].iter().zip(&candidates) {
        assert_eq!((&login.endpoint.host, login.endpoint.port), (&found.host, found.port));
        assert_eq!(login.endpoint.security, Security::Tls);
        assert_eq!(login.username, "Ada@Example.org");
    }
}

#[test]
fn a_chosen_protocol_stays_where_it_is_offered() {
    let mut form = filled();
    form.chosen = Some(Protocol::Pop3);
    let candidates = vec![
        candidate(Service::Imap, "imap.example.org", 993),
        candidate(Service::Pop3, "pop.example.org", 995),
    ];
    form.take_found(Discovery { candidates });
    assert_eq!(form.protocol(), Protocol::Pop3);
}

#[test]
fn servers_that_were_typed_are_for_the_addresss_domain() {
    let mut form = filled();
    form.incoming.host = Some("mail.example.net".into());
    form.outgoing.security = Some(Security::Plain);
    form.set_address("bob@EXAMPLE.org".into());
    assert_eq!(form.incoming_host(), "mail.example.net");
    assert!(form.is_unprotected());
    form.set_address("bob@example.com".into());
    assert_eq!(form.incoming_host(), "imap.example.com");
    assert!(!form.is_unprotected());
}

#[test]
fn the_only_protocol_that_was_found_is_chosen_whatever_the_answers() {
    let mut form = found(vec![candidate(Service::Pop3, "pop.example.org", 995)]);
    assert_eq!(form.protocol(), Protocol::Pop3);
    form.answer(Some(Devices::Several), None);
    assert_eq!(form.protocol(), Protocol::Pop3);
    let imap = candidate(Service::Imap, "imap.example.org", 993);
    form.take_found(Discovery { candidates: vec![imap] });
    assert_eq!((form.only(), form.protocol()), (Some(Protocol::Imap), Protocol::Imap));
}

#[test]
fn a_host_beyond_the_domain_is_a_stranger_until_it_is_accepted_or_typed() {
    let hosts = |form: &Form| -> Vec<_> {
        form.strangers().into_iter().map(|stranger| stranger.host).collect()
    };
    let mut form = found(vec![
        candidate(Service::Imap, "imap.provider.net", 993),
        candidate(Service::Pop3, "pop.example.org", 995),
        candidate(Service::Submission, "smtp.provider.net", 465),
    ]);
    assert_eq!(hosts(&form), ["imap.provider.net", "smtp.provider.net"]);
    form.chosen = Some(Protocol::Pop3);
    assert_eq!(hosts(&form), ["smtp.provider.net"]);
    form.accept(&form.strangers());
    assert!(hosts(&form).is_empty());
    form.chosen = Some(Protocol::Imap);
    assert_eq!(hosts(&form), ["imap.provider.net"]);
    form.incoming.host = Some("imap.provider.net".into());
    assert!(hosts(&form).is_empty());
}

#[test]
fn consent_is_for_what_was_found_then() {
    let candidates = vec![candidate(Service::Imap, "imap.provider.net", 993)];
    let mut form = found(candidates.clone());
    form.accept(&form.strangers());
    assert!(form.strangers().is_empty());
    form.take_found(Discovery { candidates });
    assert_eq!(form.strangers().len(), 1);
}

#[test]
fn nothing_found_leaves_no_stranger() {
    assert!(filled().strangers().is_empty());
}

#[test]
fn a_server_of_the_proxys_own_is_reached_with_the_proxys_tls() {
    let own = Candidate { source: Source::Proxy, ..candidate(Service::Imap, "a.example", 993) };
    let mut form = found(vec![own]);
    assert_eq!(form.tls_end(), TlsEnd::Proxy);
    form.tls_end = Some(TlsEnd::Browser);
    assert_eq!(form.tls_end(), TlsEnd::Browser);
    assert_eq!(filled().tls_end(), TlsEnd::Browser);
}

#[test]
fn a_server_that_is_not_the_proxys_own_is_reached_with_the_browsers_tls() {
    let own = Candidate { source: Source::Proxy, ..candidate(Service::Imap, "a.example", 993) };
    let mut form = found(vec![own, candidate(Service::Submission, "b.example", 465)]);
    let ends = |form: &Form| {
        let draft = form.draft().unwrap();
        (draft.incoming.endpoint.tls_end, draft.outgoing.endpoint.tls_end)
    };
    assert_eq!(ends(&form), (TlsEnd::Proxy, TlsEnd::Browser));
    // One of them is enough for the proxy's operator to read mail.
    assert_eq!(form.tls_end(), TlsEnd::Proxy);
    form.incoming.host = Some("c.example".into());
    assert_eq!(ends(&form), (TlsEnd::Browser, TlsEnd::Browser));
    form.tls_end = Some(TlsEnd::Proxy);
    assert_eq!(ends(&form), (TlsEnd::Proxy, TlsEnd::Proxy));
}

#[test]
fn a_server_that_takes_no_passwords_is_told() {
    let token = Candidate {
        authentication: vec![Authentication::OAuth2],
        ..candidate(Service::Imap, "imap.example.org", 993)
    };
    assert!(found(vec![token]).is_refused_passwords());
    assert!(!filled().is_refused_passwords());
}

#[test]
fn the_password_is_not_shown() {
    assert!(!format!("{:?}", filled()).contains("secret"));
}

#[test]
fn servers_are_guessed_from_the_address_until_they_are_typed() {
    let mut form = filled();
    assert_eq!(form.incoming_host(), "imap.example.org");
    assert_eq!(form.incoming_port(), "993");
    form.chosen = Some(Protocol::Pop3);
    form.incoming.security = Some(Security::StartTls);
    assert_eq!(form.incoming_host(), "pop.example.org");
    assert_eq!(form.incoming_port(), "110");
    form.incoming.host = Some("mail.example.org".into());
    form.incoming.port = Some("1100".into());
    form.chosen = Some(Protocol::Imap);
    assert_eq!(form.incoming_host(), "mail.example.org");
    assert_eq!(form.incoming_port(), "1100");
    assert_eq!(form.outgoing_host(), "smtp.example.org");
    assert_eq!(form.outgoing_port(), "465");
}

#[test]
fn the_user_name_is_the_address_until_it_is_typed() {
    let mut form = filled();
    assert_eq!(form.draft().unwrap().incoming.username, "Ada@Example.org");
    form.incoming.username = Some("ada".into());
    let draft = form.draft().unwrap();
    assert_eq!((draft.incoming.username, draft.outgoing.username), ("ada".into(), "ada".into()));
}

#[test]
fn the_first_wrong_field_is_named() {
    let field = |change: fn(&mut Form)| {
        let mut form = filled();
        change(&mut form);
        form.draft().unwrap_err().0
    };
    assert_eq!(field(|form| form.address = "ada".into()), Field::Address);
    assert_eq!(field(|form| form.password.clear()), Field::Password);
    assert_eq!(field(|form| form.incoming.host = Some(" ".into())), Field::IncomingHost);
    assert_eq!(field(|form| form.incoming.port = Some("0".into())), Field::IncomingPort);
    assert_eq!(field(|form| form.incoming.username = Some(String::new())), Field::Username);
    assert_eq!(field(|form| form.outgoing.port = Some("65536".into())), Field::OutgoingPort);
}

#[test]
fn retention_and_extent_are_for_pop3_alone() {
    let mut form = filled();
    (form.retention, form.extent) = (Retention::DeleteAfterDownload, Extent::Headers);
    let policies = |form: &Form| {
        let draft = form.draft().unwrap();
        (draft.retention, draft.extent)
    };
    assert_eq!(policies(&form), (Retention::Keep, Extent::Whole));
    form.chosen = Some(Protocol::Pop3);
    assert_eq!(policies(&form), (Retention::DeleteAfterDownload, Extent::Headers));
}
