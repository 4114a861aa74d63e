//! The gate that a page's first bytes must pass when TLS ends in the page.

use std::io::Cursor;

use postern::{
    client_hello::{BadHello, ClientHelloGate, Verdict},
    policy::Host,
};
use rustls::server::Acceptor;

/// Where tunnels of this target go, by the input's first byte.
const HOSTS: [&str; 4] = ["mail.example.org", "a.example", "9.9.9.9", "2620:fe::9"];

/// The gate never panics. Its verdict does not depend on how the bytes are split. What passes has
/// the host's name, or none for an address, in rustls' own reading; and the gate finds no fault with
/// a name that rustls reads as the host's.
///
/// The first byte of the input chooses the host, the second how the rest is split.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [choice, split, bytes @ ..] = input else { return };
    let host = HOSTS[usize::from(*choice) % HOSTS.len()];
    let host: Host = host.parse().expect("these are hosts");

    let verdict = judge(&host, &mut [bytes].into_iter());
    let pieces = usize::from(*split).max(1);
    assert_eq!(judge(&host, &mut bytes.chunks(pieces)), verdict, "in pieces of {pieces}");
    let (head, tail) = bytes.split_at(pieces.min(bytes.len()));
    assert_eq!(judge(&host, &mut [head, tail].into_iter()), verdict, "split at {pieces}");

    let rustls = read_with_rustls(bytes);
    match &verdict {
        // It may still not like what the ClientHello offers, which is between page and server.
        Ok(Verdict::Passed) => match rustls {
            Reading::Complete(name) => assert!(is_for(&host, name.as_deref()), "{name:?}"),
            Reading::Incomplete => panic!("rustls waits for more"),
            Reading::Failed => {}
        },
        Ok(Verdict::Undecided) => {
            assert!(!matches!(rustls, Reading::Complete(_)), "rustls has a whole ClientHello");
        }
        Err(BadHello::Nameless(_) | BadHello::OtherHost { .. }) => match rustls {
            Reading::Complete(Some(name)) => assert!(!is_for(&host, Some(&name)), "{name}"),
            Reading::Complete(None) | Reading::Incomplete | Reading::Failed => {}
        },
        Err(_) => {}
    }
}

/// What the gate says in the end.
fn judge(host: &Host, pieces: &mut dyn Iterator<Item = &[u8]>) -> Result<Verdict, BadHello> {
    let mut gate = ClientHelloGate::new(host.clone());
    for piece in pieces {
        match gate.inspect(piece) {
            Ok(Verdict::Undecided) => {}
            decided => return decided,
        }
    }
    Ok(Verdict::Undecided)
}

enum Reading {
    Complete(Option<String>),
    Incomplete,
    Failed,
}

fn read_with_rustls(bytes: &[u8]) -> Reading {
    let mut acceptor = Acceptor::default();
    let mut bytes = Cursor::new(bytes);
    loop {
        match acceptor.read_tls(&mut bytes) {
            Ok(0) => return Reading::Incomplete,
            Ok(_) => {}
            Err(_) => return Reading::Failed,
        }
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                return Reading::Complete(accepted.client_hello().server_name().map(Into::into));
            }
            Err(_) => return Reading::Failed,
        }
    }
}

fn is_for(host: &Host, name: Option<&str>) -> bool {
    match (host, name) {
        (Host::Name(host), Some(name)) => host.eq_ignore_ascii_case(name),
        (Host::Address(_), None) => true,
        _ => false,
    }
}
