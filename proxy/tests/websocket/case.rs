//! A case: what is sent, and what must be heard.

use tokio::{io::duplex, net::TcpStream};

use super::{
    echo,
    support::websocket::{Client, Heard, PING, close, message, whole},
};

/// Longer than this, a case is not sent byte by byte.
const SHORT: usize = 1000;

/// A case of the suite.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its number.
    pub(crate) name: String,
    /// What the client sends before it closes.
    pub(crate) sent: Vec<u8>,
    /// What the client hears before the close.
    pub(crate) heard: Vec<Heard>,
    /// How it ends.
    pub(crate) end: End,
    /// The size of the pieces in which all is sent, if not all of them are to be tried.
    chop: Option<usize>,
}

/// How a case ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// The client closes when it has heard all.
    Client,
    /// The server closes with this code.
    Server(Option<u16>),
}

impl Case {
    /// A case in which nothing is said.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        let (sent, heard) = (Vec::new(), Vec::new());
        Self { name: name.into(), sent, heard, end: End::Client, chop: None }
    }

    /// The client sends this.
    pub(crate) fn say(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.sent.extend(bytes.as_ref());
        self
    }

    /// The server echoes a message.
    pub(crate) fn echo(mut self, opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        self.heard.push(message(opcode, payload));
        self
    }

    /// The client sends a ping, and the server answers.
    pub(crate) fn ping(self, payload: impl AsRef<[u8]>) -> Self {
        self.say(whole(PING, payload.as_ref())).pong(payload.as_ref())
    }

    /// The server sends a pong.
    pub(crate) fn pong(mut self, payload: &[u8]) -> Self {
        self.heard.push(Heard::Pong(payload.to_vec()));
        self
    }

    /// The server closes with this code.
    pub(crate) fn closed(mut self, code: u16) -> Self {
        self.end = End::Server(Some(code));
        self
    }

    /// The server closes without a code.
    pub(crate) fn closed_without_code(mut self) -> Self {
        self.end = End::Server(None);
        self
    }

    /// All is sent in pieces of this size alone.
    pub(crate) fn chopped(mut self, size: usize) -> Self {
        self.chop = Some(size);
        self
    }

    /// Everything that is sent, and everything that must be heard.
    fn whole(&self) -> (Vec<u8>, Vec<Heard>) {
        let (mut sent, mut heard) = (self.sent.clone(), self.heard.clone());
        match self.end {
            End::Client => {
                sent.extend(close(1000, ""));
                heard.push(Heard::Close(Some(1000)));
            }
            End::Server(code) => heard.push(Heard::Close(code)),
        }
        (sent, heard)
    }
}

/// Plays cases with the server that echoes: over a socket, and through a pipe that takes so few
/// bytes at once that the server reads no more than that.
pub(crate) async fn play(cases: &[Case]) {
    assert!(!cases.is_empty());
    let server = echo::listen().await;
    for case in cases {
        let (sent, heard) = case.whole();
        if case.chop.is_none() {
            let stream = TcpStream::connect(server).await.unwrap();
            let client = Client::connect(stream, "/", &["Host: localhost".into()]).await;
            let back = client.talk(&sent, usize::MAX).await;
            assert!(back == heard, "{}: {}", case.name, told(&back));
        }
        let chops = match case.chop {
            Some(chop) => vec![chop],
            None if sent.len() <= SHORT => vec![1, 2, 7],
            None => vec![],
        };
        for chop in chops {
            let (near, far) = duplex(chop);
            echo::serve(far);
            let client = Client::connect(near, "/", &["Host: localhost".into()]).await;
            let back = client.talk(&sent, chop).await;
            assert!(back == heard, "{} in pieces of {chop}: {}", case.name, told(&back));
        }
    }
}

/// What was heard, in brief.
pub(crate) fn told(heard: &[Heard]) -> String {
    let short =
        |payload: &[u8]| payload.escape_ascii().take(80).map(char::from).collect::<String>();
    let lines = heard.iter().map(|heard| match heard {
        Heard::Text(payload) => format!("text of {}: {}", payload.len(), short(payload)),
        Heard::Binary(payload) => format!("binary of {}: {}", payload.len(), short(payload)),
        other => format!("{other:?}"),
    });
    lines.collect::<Vec<_>>().join("; ")
}
