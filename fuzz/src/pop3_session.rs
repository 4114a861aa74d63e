//! A whole POP3 session against a server that says anything.

use postern_pop3::{Command, Event, Output, Session};
use postern_sasl::{Credentials, Mechanism, Nonce};

/// Whatever a server says, and however it is split, a session never panics, sends nothing before it
/// was greeted and nothing after its end, answers each command at most once, lets nobody in whom the
/// server did not, and tells no content but of the message that was asked for.
///
/// The first byte of the input chooses the split; each zero byte behind it is a moment at which the
/// client does something.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, script @ ..] = input else { return };
    let mut client = Client::default();
    for (turn, part) in script.split(|byte| *byte == 0).enumerate() {
        if turn > 0 {
            client.act(turn);
        }
        for piece in part.chunks(usize::from(*split).max(1)) {
            client.session.handle_input(piece);
            client.drain();
        }
    }
}

#[derive(Default)]
struct Client {
    session: Session,
    started: usize,
    answered: usize,
    greeted: bool,
    over: bool,
    /// The message of which content comes.
    message: Option<u32>,
}

impl Client {
    /// Does something that clients do.
    fn act(&mut self, turn: usize) {
        let ann = || Credentials::new("ann", "secret");
        let number = u32::try_from(turn).unwrap_or(u32::MAX);
        let command = match turn % 12 {
            0 => Command::Stls,
            1 => Command::Capa,
            2 => Command::Auth(Mechanism::login(ann())),
            3 => Command::Uidl,
            4 => Command::Retr(number),
            5 => Command::Top { message: number, lines: 0 },
            6 => return self.session.tls_established(),
            7 => return self.session.set_pipelining(true),
            8 => self.session.apop(&ann()).unwrap_or(Command::UserPass(ann())),
            9 => Command::Dele(number),
            10 => {
                let nonce = Nonce::new([7; Nonce::BYTES]);
                Command::Auth(Mechanism::scram_sha_256(ann(), nonce))
            }
            _ => Command::Quit,
        };
        self.session.start(command).expect("these can be sent");
        self.started += 1;
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.over, "{output:?} after the end");
            match output {
                Output::Send(bytes) => {
                    assert!(self.greeted, "speaks first");
                    assert!(bytes.ends_with(b"\r\n"), "half a line");
                }
                Output::Event(event) => self.take(event),
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Greeting(_) => {
                assert!(!self.greeted, "greeted twice");
                self.greeted = true;
            }
            Event::Failed(_) => self.over = true,
            Event::Content { message, bytes } => {
                assert!(!bytes.is_empty());
                assert_eq!(*self.message.get_or_insert(message), message, "of another message");
            }
            other => {
                if let Event::ContentEnd { message } = other {
                    assert_eq!(self.message.take().unwrap_or(message), message);
                }
                // Only the refusal of the connection itself answers no command.
                self.answered += usize::from(self.greeted);
                self.over = matches!(other, Event::Bye) || !self.greeted;
                assert!(self.answered <= self.started, "an answer to nothing: {other:?}");
            }
        }
    }
}
