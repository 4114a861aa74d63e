//! SCRAM against the examples of its RFCs, and against servers that cheat.

use super::*;

struct Example {
    hash: Hash,
    nonce: &'static str,
    first: &'static str,
    server_first: &'static str,
    last: &'static str,
    server_final: &'static str,
}

/// RFC 5802 section 5.
const SHA_1: Example = Example {
    hash: Hash::Sha1,
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
    first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    last: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
};

/// RFC 7677 section 3.
const SHA_256: Example = Example {
    hash: Hash::Sha256,
    nonce: "rOprNGfwEbeRWgbNEkqO",
    first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                   s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    last: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
           p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

impl Example {
    fn scram(&self) -> Scram {
        let credentials = Credentials::new("user", "pencil");
        Scram::new(self.hash, credentials, Nonce::fixed(self.nonce))
    }
}

/// How an exchange whose first message was sent unasked goes on.
fn answer(example: &Example, server_first: &str) -> Result<Vec<u8>, SaslError> {
    example.scram().respond(server_first.as_bytes())
}

#[test]
fn the_examples_of_the_standards_are_said_word_for_word() {
    for example in [SHA_1, SHA_256] {
        let mut scram = example.scram();
        assert_eq!(scram.first_message(), example.first.as_bytes());
        let last = scram.respond(example.server_first.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(last).unwrap(), example.last);
        assert!(!scram.is_verified());
        assert_eq!(scram.respond(example.server_final.as_bytes()).unwrap(), b"");
        assert!(scram.is_verified());
        assert_eq!(scram.respond(b""), Err(SaslError::UnexpectedChallenge));
    }
}

#[test]
fn the_first_message_is_also_said_when_it_is_asked_for_and_only_once() {
    let mut scram = SHA_256.scram();
    assert_eq!(scram.respond(b"").unwrap(), SHA_256.first.as_bytes());
    assert_eq!(scram.clone().respond(b""), Err(SaslError::Malformed));
    assert_eq!(scram.respond(SHA_256.server_first.as_bytes()).unwrap(), SHA_256.last.as_bytes());
}

#[test]
fn a_server_that_does_not_know_the_password_is_found_out() {
    let cheats = ["v=rmF9pqV8S7suAoZWja4dJRkFsKU=", "v=", "v=AAAA", SHA_256.server_final];
    let cheats = cheats.map(str::as_bytes).into_iter();
    for cheat in cheats.chain([&b""[..], b"x=1", b"v=!!!", b"v=\xff", b"\xff"]) {
        let mut scram = SHA_1.scram();
        scram.respond(SHA_1.server_first.as_bytes()).unwrap();
        let refused = scram.respond(cheat);
        assert_eq!(refused, Err(SaslError::ServerUnproven), "{cheat:?}");
        assert!(!scram.is_verified());
        assert_eq!(
            scram.respond(SHA_1.server_final.as_bytes()),
            Err(SaslError::UnexpectedChallenge)
        );
    }
}

#[test]
fn a_refusal_is_heard_to_its_end_and_verifies_nothing() {
    let mut scram = SHA_1.scram();
    scram.respond(SHA_1.server_first.as_bytes()).unwrap();
    assert_eq!(scram.respond(b"e=invalid-proof").unwrap(), b"");
    assert!(!scram.is_verified());
}

#[test]
fn a_nonce_that_does_not_continue_ours_is_refused() {
    for nonce in ["fyko+d2lbbFgONRv9qkxdawL", "fyko+d2lbbFgONRv9qkxdawM3rfc", "x"] {
        let server_first = format!("r={nonce},s=QSXCR+Q6sek8bf92,i=4096");
        assert_eq!(answer(&SHA_1, &server_first), Err(SaslError::ForeignNonce), "{nonce}");
    }
}

#[test]
fn iterations_of_the_limits_are_done_and_others_refused() {
    let with = |iterations: &str| {
        let first = SHA_1.server_first.replace("4096", iterations);
        answer(&SHA_1, &first).map(drop)
    };
    assert_eq!(with("4096"), Ok(()));
    assert_eq!(with("4095"), Err(SaslError::Iterations(4095)));
    assert_eq!(with("1"), Err(SaslError::Iterations(1)));
    assert_eq!(with("600001"), Err(SaslError::Iterations(600_001)));
    assert_eq!(with("4294967296"), Err(SaslError::Malformed));
    assert!(limits::ITERATIONS.contains(&600_000));
}

#[test]
fn a_message_that_makes_no_sense_is_refused() {
    let nonce = "r=fyko+d2lbbFgONRv9qkxdawL3rfc";
    let long = format!("{nonce},s={},i=4096", encode(vec![0; limits::SALT + 1]));
    let cases = [
        ("m=x,r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Malformed),
        (nonce, SaslError::Malformed),
        ("r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=,i=4096", SaslError::Malformed),
        ("r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=!,i=4096", SaslError::NotBase64),
        ("r=fyko+d2lbbFgONRv9qkxdawL3rfc,s=QSXCR+Q6sek8bf92,i=-1", SaslError::Malformed),
        (&*long, SaslError::Malformed),
    ];
    for (server_first, error) in cases {
        assert_eq!(answer(&SHA_1, server_first), Err(error), "{server_first}");
    }
    let mut scram = SHA_1.scram();
    assert_eq!(scram.respond(b"\xff"), Err(SaslError::Malformed));
    let known = format!("{nonce},s=QSXCR+Q6sek8bf92,i=4096,x=extension");
    assert!(answer(&SHA_1, &known).is_ok());
}

#[test]
fn a_user_name_can_not_break_out() {
    let credentials = Credentials::new("a,b=c", "x");
    let scram = Scram::new(Hash::Sha1, credentials, Nonce::fixed("n"));
    assert_eq!(scram.first_message(), b"n,,n=a=2Cb=3Dc,r=n");
}

#[test]
fn debug_shows_neither_password_nor_proof() {
    let mut scram = SHA_1.scram();
    scram.respond(SHA_1.server_first.as_bytes()).unwrap();
    assert_eq!(format!("{scram:?}"), "Scram { hash: Sha1, .. }");
}
