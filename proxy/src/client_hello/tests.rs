use std::sync::Arc;

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion, crypto::ring, version,
};

use super::*;

const HOST: &str = "mail.example.org";

/// What rustls would begin with.
fn real_hello(host: &str, versions: &[&'static SupportedProtocolVersion]) -> Vec<u8> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = host.to_owned().try_into().unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// A ClientHello with these extensions, without a record around it.
fn message(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let extensions: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, content)| [&u16(*kind), &*block(content)].concat())
        .collect();
    with_header(&[body_head(), block(&extensions)].concat())
}

/// The body of a ClientHello as far as its extensions.
fn body_head() -> Vec<u8> {
    let session_id = [&[32][..], &[7; 32]].concat();
    let ciphers = block(&[0x13, 0x01, 0x1a, 0x1a]);
    [&[3, 3][..], &[9; 32], &session_id, &ciphers, &[1, 0]].concat()
}

fn with_header(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[CLIENT_HELLO], &length[1..], body].concat()
}

fn server_names(names: &[(u8, &[u8])]) -> (u16, Vec<u8>) {
    let names: Vec<u8> =
        names.iter().flat_map(|(kind, name)| [&[*kind][..], &block(name)].concat()).collect();
    (0, block(&names))
}

fn named(name: &[u8]) -> Vec<u8> {
    message(&[server_names(&[(0, name)])])
}

fn block(content: &[u8]) -> Vec<u8> {
    [&u16(content.len().try_into().unwrap()), content].concat()
}

fn u16(number: u16) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// Records of this length and perhaps a shorter one.
fn records(message: &[u8], length: usize) -> Vec<u8> {
    message.chunks(length).flat_map(record).collect()
}

fn record(content: &[u8]) -> Vec<u8> {
    [&[22, 3, 1], &*block(content)].concat()
}

fn inspect(host: &str, bytes: &[u8]) -> Result<Verdict, BadHello> {
    ClientHelloGate::new(host.parse().unwrap()).inspect(bytes)
}

/// The verdict, which is the same at once, byte by byte and at every split.
fn judge(host: &str, bytes: &[u8]) -> Result<Verdict, BadHello> {
    let verdict = inspect(host, bytes);
    let in_pieces = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut gate = ClientHelloGate::new(host.parse().unwrap());
        let decided = |verdict: &Result<_, _>| *verdict != Ok(Verdict::Undecided);
        pieces.map(|piece| gate.inspect(piece)).find(decided).unwrap_or(Ok(Verdict::Undecided))
    };
    assert_eq!(in_pieces(&mut bytes.chunks(1)), verdict);
    for split in 1..bytes.len() {
        let (head, tail) = bytes.split_at(split);
        assert_eq!(in_pieces(&mut [head, tail].into_iter()), verdict, "split at {split}");
    }
    verdict
}

#[test]
fn what_a_tls_client_begins_with_passes_however_it_is_split() {
    for versions in
        [&[&version::TLS13][..], &[&version::TLS12], &[&version::TLS13, &version::TLS12]]
    {
        for (host, named) in [
            (HOST, HOST),
            (HOST, "MAIL.Example.ORG"),
            (HOST, "mail.example.org."),
            ("9.9.9.9", "9.9.9.9"),
            ("2620:fe::9", "2620:fe::9"),
        ] {
            assert_eq!(judge(host, &real_hello(named, versions)), Ok(Verdict::Passed), "{named}");
        }
    }
}

#[test]
fn a_part_of_a_client_hello_is_not_enough() {
    let hello = real_hello(HOST, &[&version::TLS13]);
    for end in 0..hello.len() {
        assert_eq!(inspect(HOST, &hello[..end]), Ok(Verdict::Undecided), "{end}");
    }
}

#[test]
fn fragments_in_records_of_any_length_pass() {
    let message = named(HOST.as_bytes());
    for length in 1..=message.len() {
        assert_eq!(inspect(HOST, &records(&message, length)), Ok(Verdict::Passed), "{length}");
    }
    assert_eq!(judge(HOST, &records(&message, 7)), Ok(Verdict::Passed));
}

#[test]
fn what_follows_in_other_records_is_not_looked_at() {
    // TLS 1.3's change cipher spec and early data (RFC 8446, appendix D.4), or anything.
    for after in [&[20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 1, 0][..], b"A1 NOOP\r\n"] {
        let bytes = [&record(&named(HOST.as_bytes())), after].concat();
        assert_eq!(judge(HOST, &bytes), Ok(Verdict::Passed));
    }
}

#[test]
fn grease_and_unknown_extensions_are_between_page_and_server() {
    let hello = message(&[
        (0x0a0a, Vec::new()),
        (0xfe0d, vec![1; 200]), // Encrypted ClientHello, or GREASE for it.
        server_names(&[(0, HOST.as_bytes())]),
        (0xffce, b"anything".to_vec()),
        (0xfafa, vec![0]),
    ]);
    assert_eq!(judge(HOST, &record(&hello)), Ok(Verdict::Passed));
}

#[test]
fn another_name_does_not_pass_and_is_told() {
    for name in [
        "evil.example.org",
        "mail.example.or",
        "mail.example.org.",
        "xmail.example.org",
        "9.9.9.9",
        "*.example.org",
        "mail.example.org\0",
    ] {
        let refused = judge(HOST, &record(&named(name.as_bytes())));
        let expected = name.trim_end_matches('\0');
        assert!(
            matches!(&refused, Err(BadHello::OtherHost { named, .. }) if named == expected),
            "{name}: {refused:?}"
        );
    }
    let other = judge(HOST, &real_hello("evil.example.org", &[&version::TLS13])).unwrap_err();
    assert_eq!(
        other.to_string(),
        "The page's TLS is for evil.example.org, but it asked for mail.example.org."
    );
}

#[test]
fn a_name_that_is_shown_disturbs_no_screen() {
    let refused = inspect(HOST, &record(&named(b"a\x1b[2J\r\n\xff\xe2\x80\xae\x00b"))).unwrap_err();
    assert!(refused.to_string().contains(" a[2Jb,"), "{refused}");
    let refused = inspect(HOST, &record(&named(&[b'a'; 10_000]))).unwrap_err();
    assert!(refused.to_string().len() < 400);
}

#[test]
fn a_client_hello_without_a_name_passes_for_addresses_alone() {
    let without_name = message(&[(0x0a0a, Vec::new())]);
    let without_extensions = with_header(&body_head());
    for hello in [without_name, without_extensions] {
        assert_eq!(judge("9.9.9.9", &record(&hello)), Ok(Verdict::Passed));
        let refused = judge(HOST, &record(&hello));
        assert_eq!(refused, Err(BadHello::Nameless(HOST.parse().unwrap())));
    }
    // Not even its own address: no server needs it, and another might go there.
    for name in [HOST, "9.9.9.9", "10.0.0.1"] {
        let refused = judge("9.9.9.9", &record(&named(name.as_bytes())));
        assert!(matches!(refused, Err(BadHello::NameForAddress { .. })), "{name}: {refused:?}");
    }
}

#[test]
fn several_names_do_not_pass_whatever_their_order() {
    let (own, other) = ((0, HOST.as_bytes()), (0, &b"evil.example.org"[..]));
    for names in [
        &[own, other][..],
        &[other, own],
        &[own, own],
        &[own, (1, b"x")],
        &[(1, HOST.as_bytes())],
        &[],
    ] {
        let refused = judge(HOST, &record(&message(&[server_names(names)])));
        assert_eq!(refused, Err(BadHello::Malformed), "{names:?}");
    }
    let twice = message(&[server_names(&[own]), server_names(&[own])]);
    assert_eq!(judge(HOST, &record(&twice)), Err(BadHello::Malformed));
}

#[test]
fn lengths_that_do_not_fit_do_not_pass() {
    let good = named(HOST.as_bytes());
    // From the end: of the name, of the list, of the extension, of all extensions; of the identifier.
    let name_at = good.len() - HOST.len();
    let lengths = [name_at - 1, name_at - 4, name_at - 6, name_at - 10, MESSAGE_HEADER + 2 + 32];
    for at in lengths {
        for change in [1, u8::MAX] {
            let mut bad = good.clone();
            bad[at] = bad[at].wrapping_add(change);
            assert!(judge(HOST, &record(&bad)).is_err(), "{at} {change}");
        }
    }
    for end in 4..good.len() {
        let shorter = with_header(&good[4..end]);
        assert_ne!(inspect(HOST, &record(&shorter)), Ok(Verdict::Passed), "{end}");
    }
    let longer = with_header(&[&good[4..], &[0]].concat());
    assert_eq!(judge(HOST, &record(&longer)), Err(BadHello::Malformed));
}

#[test]
fn nothing_shares_a_record_with_the_client_hello() {
    let message = named(HOST.as_bytes());
    for after in [&[0][..], &message] {
        let bytes = record(&[&message, after].concat());
        assert_eq!(judge(HOST, &bytes), Err(BadHello::Malformed));
    }
}

#[test]
fn what_is_not_tls_fails_with_its_first_bytes() {
    for bytes in [
        &b"A1 LOGIN user secret\r\n"[..],
        b"EHLO",
        &[0; 64],
        &[0xff; 64],
        &[0x80, 0x2e, 1, 0, 2],
        &[21, 3, 3, 0, 2, 1, 0],
        &[22, 2, 0],
    ] {
        assert_eq!(judge(HOST, bytes), Err(BadHello::NotTls), "{bytes:?}");
    }
    assert_eq!(inspect(HOST, b"A"), Err(BadHello::NotTls));
    // A ServerHello; an empty record; one that is too long.
    for bytes in [&[22, 3, 3, 0, 4, 2, 0, 0, 0][..], &[22, 3, 1, 0, 0], &[22, 3, 1, 0x40, 1]] {
        assert_eq!(judge(HOST, bytes), Err(BadHello::Malformed), "{bytes:?}");
    }
}

#[test]
fn the_longest_client_hello_passes_and_one_byte_more_does_not() {
    let hello = |length: usize| {
        let name = server_names(&[(0, HOST.as_bytes())]);
        let rest = message(&[name.clone(), (0xfafa, Vec::new())]).len() - MESSAGE_HEADER;
        message(&[name, (0xfafa, vec![0; length - rest])])
    };
    assert_eq!(hello(MAX_CLIENT_HELLO).len(), MESSAGE_HEADER + MAX_CLIENT_HELLO);
    assert_eq!(inspect(HOST, &records(&hello(MAX_CLIENT_HELLO), 9000)), Ok(Verdict::Passed));
    let longer = records(&hello(MAX_CLIENT_HELLO + 1), 9000);
    assert_eq!(inspect(HOST, &longer), Err(BadHello::TooLong));
    // It is known as soon as it is announced.
    assert_eq!(inspect(HOST, &longer[..9]), Err(BadHello::TooLong));
}
