//! STARTTLS and log-in, at an IMAP server that says anything.

use postern_imap::{
    Command, Event, Limits, Output, Session,
    response::{Status, StatusKind},
    session::Tag,
};
use postern_sasl::{Credentials, Mechanism, Nonce};

/// Whatever a server says, and however it is split, a session never panics, sends nothing before it was
/// greeted or between the go-ahead for TLS and TLS, believes nothing that came in between, ends each
/// command at most once, and never takes a log-in for done whose server has not proven that it knows
/// the password.
///
/// The first byte of the input chooses the split, and whether TLS is required; each zero byte behind it
/// is a moment at which the client does something.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [first, script @ ..] = input else { return };
    let mut client = Client::new(first & 0x80 != 0);
    for (turn, part) in script.split(|byte| *byte == 0).enumerate() {
        if turn > 0 {
            client.act(turn);
        }
        for piece in part.chunks(usize::from(first & 0x7f).max(1)) {
            client.session.handle_input(piece);
            client.drain();
        }
    }
}

struct Client {
    session: Session,
    requires_tls: bool,
    /// The commands that have not ended.
    open: Vec<(Tag, Kind)>,
    greeted: bool,
    failed: bool,
    /// Whether the server has given its go-ahead for TLS.
    handshake: bool,
}

/// What a command is for, as far as its end matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    StartTls,
    /// A log-in at which the server must prove something that it can't know here.
    Proof,
    Other,
}

impl Client {
    fn new(requires_tls: bool) -> Self {
        let limits = Limits::default();
        let session =
            if requires_tls { Session::requiring_tls(limits) } else { Session::new(limits) };
        let (open, greeted, failed, handshake) = (Vec::new(), false, false, false);
        Self { session, requires_tls, open, greeted, failed, handshake }
    }

    /// Does something that clients do.
    fn act(&mut self, turn: usize) {
        let ann = || Credentials::new("ann", "secret");
        let token = || Credentials::with_token("ann", "secret");
        let nonce = || Nonce::new([7; Nonce::BYTES]);
        let (kind, command) = match turn % 10 {
            1 => (Kind::StartTls, Command::start_tls()),
            2 => {
                self.session.tls_started();
                self.handshake = false;
                return self.drain();
            }
            3 => (Kind::Other, Command::capability()),
            4 => (Kind::Other, Command::authenticate(Mechanism::plain(ann()))),
            5 => (Kind::Other, Command::authenticate(Mechanism::login(ann()))),
            6 => (Kind::Proof, Command::authenticate(Mechanism::scram_sha_1(ann(), nonce()))),
            7 => (Kind::Proof, Command::authenticate(Mechanism::scram_sha_256(ann(), nonce()))),
            8 => (Kind::Other, Command::authenticate(Mechanism::xoauth2(token()))),
            9 => (Kind::Other, Command::authenticate(Mechanism::oauth_bearer(token()))),
            _ => (Kind::Other, Command::login(&ann()).expect("it can be sent")),
        };
        self.open.push((self.session.start(command), kind));
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.failed, "{output:?} after the end");
            match output {
                Output::Send(_) => {
                    assert!(self.greeted, "speaks first");
                    assert!(!self.handshake, "speaks before TLS");
                }
                Output::Event(event) => self.take(event),
            }
        }
        assert!(
            !self.handshake || self.session.capabilities().is_none(),
            "believes what is not safe"
        );
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Fatal(_) => self.failed = true,
            _ if self.handshake => panic!("{event:?} before TLS"),
            Event::Greeting(status) => {
                assert!(!self.greeted, "greeted twice");
                assert!(!(self.requires_tls && status.kind == StatusKind::PreAuth));
                self.greeted = true;
            }
            Event::Completed { tag, status } => self.end(tag, &status),
            _ => {}
        }
    }

    fn end(&mut self, tag: Tag, status: &Status) {
        let at = self.open.iter().position(|(own, _)| *own == tag);
        let (_, kind) = self.open.remove(at.expect("it was begun, and has not ended"));
        let is_done = status.kind == StatusKind::Ok;
        assert!(!(is_done && kind == Kind::Proof), "nothing was proven");
        self.handshake |= is_done && kind == Kind::StartTls;
    }
}
