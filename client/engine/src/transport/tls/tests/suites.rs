//! Fast ciphers where the server has them, and others where it does not.

use std::cell::Cell;

use postern_mail::{Transport, TransportError};
use rustls::SupportedProtocolVersion;

use super::{
    super::{Tls, TlsStream},
    server::{HOST, Identity, Server, Silent, VERSIONS, endpoint, now},
};
use crate::limits::DEMANDING_SERVERS;

const CHACHA: &str = "CHACHA20";
const AES_128: &str = "AES_128";
const AES_256: &str = "AES_256";

/// A server that counts who comes.
struct Door {
    identity: Identity,
    knocks: Cell<usize>,
}

impl Door {
    fn new(version: &'static SupportedProtocolVersion, suites: &[&str]) -> Self {
        Self { identity: Identity::choosy(version, suites), knocks: Cell::new(0) }
    }

    fn connect(&self, tls: &Tls) -> Result<TlsStream<Server>, TransportError> {
        now(tls.connect(&endpoint(HOST, None), async || {
            self.knocks.set(self.knocks.get() + 1);
            Ok(Server::new(&self.identity, usize::MAX))
        }))
    }
}

fn cipher<T: Transport>(stream: &TlsStream<T>) -> String {
    stream.tls().unwrap().cipher
}

#[test]
fn a_server_that_insists_on_its_own_order_still_gets_the_fast_cipher() {
    for version in VERSIONS {
        let door = Door::new(version, &[AES_256, AES_128, CHACHA]);
        let stream = door.connect(&door.identity.as_root()).unwrap();
        assert!(cipher(&stream).contains(CHACHA), "{}", cipher(&stream));
        assert_eq!(door.knocks.get(), 1);
    }
}

#[test]
fn a_server_without_the_fast_cipher_is_asked_once_more_and_then_remembered() {
    for version in VERSIONS {
        for (suites, chosen) in [
            (&[AES_128][..], AES_128),
            (&[AES_256], AES_256),
            (&[AES_256, AES_128], AES_256),
            (&[AES_128, AES_256], AES_128),
        ] {
            let door = Door::new(version, suites);
            let tls = door.identity.as_root();
            let stream = door.connect(&tls).unwrap();
            assert!(cipher(&stream).contains(chosen), "{}", cipher(&stream));
            assert_eq!(door.knocks.get(), 2);
            assert!(cipher(&door.connect(&tls).unwrap()).contains(chosen));
            assert_eq!(door.knocks.get(), 3);
        }
    }
}

#[test]
fn one_servers_demands_say_nothing_about_another() {
    let door = Door::new(VERSIONS[0], &[AES_256]);
    let tls = door.identity.as_root();
    door.connect(&tls).unwrap();
    let other = Identity::choosy(VERSIONS[0], &[AES_256, CHACHA]);
    let mut elsewhere = endpoint(HOST, Some(other.fingerprint()));
    elsewhere.port = 995;
    let stream = other.connect(&tls, &elsewhere).unwrap();
    assert!(cipher(&stream).contains(CHACHA), "{}", cipher(&stream));
}

#[test]
fn a_stream_that_is_upgraded_has_one_try_and_offers_everything() {
    for suites in [&[CHACHA][..], &[AES_128], &[AES_256]] {
        let identity = Identity::choosy(VERSIONS[0], suites);
        let server = Server::new(&identity, usize::MAX);
        let stream = now(identity.as_root().upgrade(&endpoint(HOST, None), server)).unwrap();
        assert!(cipher(&stream).contains(suites[0]));
    }
}

#[test]
fn a_server_that_hangs_up_on_the_fast_cipher_gets_another_try() {
    for lost in [false, true] {
        let tries = Cell::new(0);
        let failed =
            now(Identity::new(VERSIONS[0]).as_root().connect(&endpoint(HOST, None), async || {
                tries.set(tries.get() + 1);
                Ok(Silent { lost })
            }));
        assert!(failed.is_err());
        assert_eq!(tries.get(), 2);
    }
}

#[test]
fn a_refused_certificate_is_refused_at_once() {
    let door = Door::new(VERSIONS[0], &[CHACHA]);
    let stranger = Identity::new(VERSIONS[0]);
    let failed = door.connect(&stranger.as_root()).err();
    assert!(matches!(failed, Some(TransportError::Certificate(_))), "{failed:?}");
    assert_eq!(door.knocks.get(), 1);
}

#[test]
fn a_certificate_is_checked_as_strictly_on_the_second_try() {
    for version in VERSIONS {
        let door = Door::new(version, &[AES_256]);
        let stranger = Identity::new(version);
        let failed = door.connect(&stranger.as_root()).err();
        assert!(matches!(failed, Some(TransportError::Certificate(_))), "{failed:?}");
        assert_eq!(door.knocks.get(), 2);
    }
}

#[test]
fn only_so_many_servers_are_remembered() {
    let identity = Identity::choosy(VERSIONS[0], &[AES_256]);
    let tls = identity.as_root();
    let tries = Cell::new(0);
    let connect = |port: usize| {
        let mut endpoint = endpoint(HOST, None);
        endpoint.port = u16::try_from(port).unwrap();
        let before = tries.get();
        now(tls.connect(&endpoint, async || {
            tries.set(tries.get() + 1);
            Ok(Server::new(&identity, usize::MAX))
        }))
        .unwrap();
        tries.get() - before
    };
    for port in 0..=DEMANDING_SERVERS {
        assert_eq!(connect(port), 2);
    }
    assert_eq!(connect(1), 1);
    assert_eq!(connect(0), 2);
}
