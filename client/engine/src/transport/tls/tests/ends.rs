//! Only an end that TLS announced is one.

use postern_mail::{Transport, TransportError};

use super::{
    super::TlsStream,
    server::{HOST, Identity, Server, VERSIONS, endpoint, now},
};

const LAST_WORDS: &[u8] = b"the last words";

/// A stream whose server has said its last words and the end; what of it arrives is up to `change`.
fn ending(identity: &Identity, change: impl FnOnce(&mut Server)) -> TlsStream<Server> {
    let mut stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
    // Whatever the handshake has left is read by then.
    now(stream.write(b"word".to_vec())).unwrap();
    assert_eq!(now(stream.read()).unwrap(), b"word");
    let server = &mut stream.transport;
    server.say(LAST_WORDS);
    server.connection.send_close_notify();
    server.flush();
    server.ends = true;
    change(server);
    stream
}

/// Everything up to the end, and how it ended.
fn read_all(stream: &mut TlsStream<Server>) -> (Vec<u8>, Result<(), TransportError>) {
    let mut all = Vec::new();
    loop {
        match now(stream.read()) {
            Ok(more) if more.is_empty() => return (all, Ok(())),
            Ok(more) => all.extend(more),
            Err(error) => return (all, Err(error)),
        }
    }
}

#[test]
fn an_announced_end_is_in_good_order_and_stays_so() {
    for version in VERSIONS {
        let mut stream = ending(&Identity::new(version), |_| {});
        assert_eq!(read_all(&mut stream), (LAST_WORDS.to_vec(), Ok(())));
        assert_eq!(read_all(&mut stream), (Vec::new(), Ok(())));
    }
}

#[test]
fn a_stream_that_is_cut_off_at_any_byte_before_the_end_is_never_complete() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let mut whole = 0;
        ending(&identity, |server| whole = server.to_client.len());
        assert!(whole > LAST_WORDS.len());
        for length in 0..whole {
            let mut stream = ending(&identity, |server| server.to_client.truncate(length));
            let (heard, end) = read_all(&mut stream);
            assert_eq!(end, Err(TransportError::Lost), "{length}");
            assert!(heard.is_empty() || heard == LAST_WORDS);
        }
    }
}

#[test]
fn a_byte_that_was_changed_on_the_way_never_changes_what_is_read() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let mut whole = 0;
        ending(&identity, |server| whole = server.to_client.len());
        for index in 0..whole {
            let mut stream = ending(&identity, |server| server.to_client[index] ^= 0x20);
            let (heard, end) = read_all(&mut stream);
            // A record's version alone may be anything (RFC 8446 section 5.1).
            assert!(end.is_err() || heard == LAST_WORDS, "{index}");
            assert!(heard.is_empty() || heard == LAST_WORDS, "{index}");
        }
    }
}

#[test]
fn what_comes_after_the_announced_end_is_not_read() {
    let mut stream = ending(&Identity::new(VERSIONS[0]), |server| {
        server.to_client.extend(b"\x17\x03\x03\x00\x05hello");
    });
    assert_eq!(read_all(&mut stream), (LAST_WORDS.to_vec(), Ok(())));
}

#[test]
fn our_own_end_is_announced() {
    let identity = Identity::new(VERSIONS[0]);
    let mut stream = identity.connect(&identity.as_root(), &endpoint(HOST, None)).unwrap();
    now(stream.close());
    let state = stream.transport.connection.process_new_packets().unwrap();
    assert!(state.peer_has_closed());
    assert!(stream.transport.ends);
}
