//! What is said arrives, and the session is told.

use postern_bridge::TlsEnd;
use postern_mail::{Transport, TransportError};

use super::server::{HOST, Identity, Server, Silent, VERSIONS, endpoint, now};

fn hear<T: Transport>(stream: &mut T, count: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    while heard.len() < count {
        heard.extend(now(stream.read()).unwrap());
    }
    heard
}

#[test]
fn what_is_said_arrives_however_the_stream_is_cut() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        for step in [1, 7, 4096, usize::MAX] {
            let server = Server::new(&identity, step);
            let tls = identity.as_root();
            let mut stream = now(tls.upgrade(&endpoint(HOST, None), server)).unwrap();
            let words: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
            now(stream.write(words.clone())).unwrap();
            assert_eq!(hear(&mut stream, words.len()), words, "{step}");
        }
    }
}

#[test]
fn new_keys_may_be_agreed_on_at_any_time_by_either_side() {
    let identity = Identity::new(VERSIONS[0]);
    let mut stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
    for _ in 0..3 {
        let server = &mut stream.transport.connection;
        server.refresh_traffic_keys().unwrap();
        stream.transport.say(b"one");
        assert_eq!(hear(&mut stream, 3), b"one");
        now(stream.write(b"two".to_vec())).unwrap();
        assert_eq!(hear(&mut stream, 3), b"two");
        stream.connection.refresh_traffic_keys().unwrap();
    }
}

#[test]
fn the_fastest_cipher_is_agreed_on_and_the_session_told() {
    for (version, name, cipher) in [
        (VERSIONS[0], "TLSv1.3", "TLS13_CHACHA20_POLY1305_SHA256"),
        (VERSIONS[1], "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ] {
        let identity = Identity::new(version);
        let stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
        let session = stream.tls().unwrap();
        assert_eq!((&*session.version, &*session.cipher), (name, cipher));
        assert_eq!(session.end, TlsEnd::Browser);
        let certificate = session.certificate.unwrap();
        assert_eq!(certificate.fingerprint, identity.fingerprint());
        assert_eq!(certificate.details.unwrap().names, [HOST]);
    }
}

#[test]
fn the_server_is_told_which_host_is_meant() {
    let identity = Identity::new(VERSIONS[0]);
    let stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
    assert_eq!(stream.transport.connection.server_name(), Some(HOST));
}

#[test]
fn a_host_in_letters_of_any_script_is_meant_by_its_a_labels() {
    let identity = Identity::for_host("mail.xn--bcher-kva.example", VERSIONS[0]);
    let endpoint = endpoint("mail.bücher.example", None);
    let stream = identity.connect(&identity.as_root(), &endpoint).unwrap();
    let name = stream.transport.connection.server_name();
    assert_eq!(name, Some("mail.xn--bcher-kva.example"));
}

#[test]
fn a_server_that_does_not_speak_tls_is_named_so() {
    let identity = Identity::new(VERSIONS[0]);
    let mut server = Server::new(&identity, usize::MAX);
    server.to_client.extend(b"* OK IMAP4rev1 at your service\r\n");
    let failed = now(identity.as_root().upgrade(&endpoint(HOST, None), server)).err();
    let Some(TransportError::Tls(sentence)) = failed else { panic!("{failed:?}") };
    assert!(sentence.contains("does not speak TLS"), "{sentence}");
}

#[test]
fn clear_text_that_is_slipped_in_before_the_servers_first_word_of_tls_is_never_read() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let mut server = Server::new(&identity, usize::MAX);
        server.to_client.extend(b"a OK [CAPABILITY IMAP4rev1 AUTH=PLAIN]\r\n");
        let failed = now(identity.as_root().upgrade(&endpoint(HOST, None), server)).err();
        assert!(matches!(failed, Some(TransportError::Tls(_))), "{failed:?}");
    }
}

#[test]
fn a_server_that_hangs_up_is_named_so() {
    let identity = Identity::new(VERSIONS[0]);
    let failed =
        now(identity.as_root().upgrade(&endpoint(HOST, None), Silent { lost: false })).err();
    let Some(TransportError::Tls(sentence)) = failed else { panic!("{failed:?}") };
    assert!(sentence.contains("hung up"), "{sentence}");
}

/// A record that nobody has encrypted.
const FORGED: [u8; 37] = {
    let mut record = [0; 37];
    (record[0], record[1], record[2], record[4]) = (23, 3, 3, 32);
    record
};

#[test]
fn a_server_that_gives_up_after_the_handshake_is_named_so() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let mut stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
        let server = &mut stream.transport;
        server.connection.read_tls(&mut &FORGED[..]).unwrap();
        server.connection.process_new_packets().unwrap_err();
        server.flush();
        let failed = now(stream.read()).err();
        let Some(TransportError::Tls(sentence)) = failed else { panic!("{failed:?}") };
        assert!(sentence.contains("gave up"), "{sentence}");
    }
}

#[test]
fn what_is_forged_after_the_handshake_is_named_so() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let mut stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
        stream.transport.to_client.extend(FORGED);
        let failed = now(stream.read()).err();
        let Some(TransportError::Tls(sentence)) = failed else { panic!("{failed:?}") };
        assert!(sentence.contains("changed on its way"), "{sentence}");
    }
}
