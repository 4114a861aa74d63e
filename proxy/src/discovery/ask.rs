//! What a mail server says that it offers, before anybody logs in.

use postern_bridge::{Authentication, Protection, Service};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::reach::Reach;
use crate::{
    limits::{CAPABILITIES, CAPABILITY, PROBE_BYTES},
    policy::Target,
};

/// Connects to a server, makes the connection secure, and asks for its capabilities. `None` if it
/// can't be reached, its certificate does not verify, or it does not speak the protocol.
pub(super) async fn ask(
    service: Service,
    protection: Protection,
    target: &Target,
    reach: &Reach<'_>,
) -> Option<Vec<String>> {
    let tcp = reach.mail(target).await?;
    let tcp = match protection {
        Protection::Tls => {
            let mut dialogue = Dialogue::new(reach.secure(tcp, &target.host).await?);
            dialogue.greeting(service).await?;
            return dialogue.goodbye(service).await;
        }
        Protection::StartTls => tcp,
    };
    let tcp = start_tls(service, tcp).await?;
    Dialogue::new(reach.secure(tcp, &target.host).await?).goodbye(service).await
}

/// Brings a server to where TLS begins.
async fn start_tls(service: Service, tcp: TcpStream) -> Option<TcpStream> {
    let mut dialogue = Dialogue::new(tcp);
    dialogue.greeting(service).await?;
    let (command, capability, yes) = match service {
        Service::Imap => ("x2 STARTTLS", "STARTTLS", "x2 OK"),
        Service::Pop3 => ("STLS", "STLS", "+OK"),
        Service::Submission => ("STARTTLS", "STARTTLS", "220"),
    };
    let offers = dialogue.capabilities(service).await?;
    if !offers.iter().any(|offer| offer == capability) {
        return None;
    }
    dialogue.say(command).await?;
    dialogue.line().await?.starts_with(yes).then_some(())?;
    dialogue.into_quiet()
}

/// How a server lets people log in, by its capabilities inside TLS.
pub(super) fn authentication(service: Service, offers: &[String]) -> Vec<Authentication> {
    let has = |capability: &str| offers.iter().any(|offer| offer == capability);
    let mut methods = Vec::new();
    let mut add = |method| {
        if !methods.contains(&method) {
            methods.push(method);
        }
    };
    for mechanism in offers.iter().flat_map(|offer| mechanisms(service, offer)) {
        add(match mechanism {
            "PLAIN" | "LOGIN" => Authentication::Password,
            "XOAUTH2" | "OAUTHBEARER" => Authentication::OAuth2,
            "CRAM-MD5" | "DIGEST-MD5" => Authentication::EncryptedPassword,
            other if other.starts_with("SCRAM-") => Authentication::EncryptedPassword,
            _ => Authentication::Other,
        });
    }
    match service {
        // The commands LOGIN and USER need no mechanism.
        Service::Imap if !has("LOGINDISABLED") => add(Authentication::Password),
        Service::Pop3 if has("USER") || offers.is_empty() => add(Authentication::Password),
        _ => {}
    }
    methods.sort_by_key(|method| *method != Authentication::Password);
    methods
}

fn mechanisms(service: Service, offer: &str) -> Vec<&str> {
    match service {
        Service::Imap => offer.strip_prefix("AUTH=").into_iter().collect(),
        Service::Pop3 => {
            offer.strip_prefix("SASL ").map_or(Vec::new(), |list| list.split(' ').collect())
        }
        Service::Submission => {
            offer.strip_prefix("AUTH ").map_or(Vec::new(), |list| list.split(' ').collect())
        }
    }
}

/// A conversation in lines, of a bounded length.
struct Dialogue<S> {
    stream: S,
    arrived: Vec<u8>,
    left: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    fn new(stream: S) -> Self {
        Self { stream, arrived: Vec::new(), left: PROBE_BYTES }
    }

    /// What the server says first.
    async fn greeting(&mut self, service: Service) -> Option<()> {
        let line = self.line().await?;
        match service {
            Service::Imap => line.starts_with("* OK").then_some(()),
            Service::Pop3 => line.starts_with("+OK").then_some(()),
            Service::Submission => {
                let mut line = line;
                while line.starts_with("220-") {
                    line = self.line().await?;
                }
                line.starts_with("220").then_some(())
            }
        }
    }

    /// Asks for the capabilities and takes leave.
    async fn goodbye(&mut self, service: Service) -> Option<Vec<String>> {
        let offers = self.capabilities(service).await?;
        let farewell = match service {
            Service::Imap => "x9 LOGOUT",
            Service::Pop3 | Service::Submission => "QUIT",
        };
        // It has said what we wanted to know, so whether it hears this does not matter.
        let _ = self.say(farewell).await;
        Some(offers)
    }

    async fn capabilities(&mut self, service: Service) -> Option<Vec<String>> {
        match service {
            Service::Imap => self.imap_capabilities().await,
            Service::Pop3 => self.pop3_capabilities().await,
            Service::Submission => self.submission_capabilities().await,
        }
    }

    async fn imap_capabilities(&mut self) -> Option<Vec<String>> {
        self.say("x1 CAPABILITY").await?;
        let mut offers = Vec::new();
        loop {
            let line = self.line().await?;
            if let Some(list) = line.strip_prefix("* CAPABILITY ") {
                list.split(' ').for_each(|offer| keep(&mut offers, offer));
            } else if line.starts_with("x1 ") {
                return line.starts_with("x1 OK").then_some(offers);
            }
        }
    }

    /// A server without CAPA (RFC 2449) has none.
    async fn pop3_capabilities(&mut self) -> Option<Vec<String>> {
        self.say("CAPA").await?;
        let mut offers = Vec::new();
        let answer = self.line().await?;
        if !answer.starts_with("+OK") {
            return answer.starts_with("-ERR").then_some(offers);
        }
        loop {
            match self.line().await?.as_str() {
                "." => return Some(offers),
                offer => keep(&mut offers, offer),
            }
        }
    }

    async fn submission_capabilities(&mut self) -> Option<Vec<String>> {
        // RFC 5321, section 4.1.3: who has no name says an address.
        self.say("EHLO [127.0.0.1]").await?;
        let mut offers = Vec::new();
        let mut is_first = true;
        loop {
            let line = self.line().await?;
            let rest = line.strip_prefix("250")?;
            // The first line is the server's name.
            if !std::mem::take(&mut is_first) {
                keep(&mut offers, rest.get(1..).unwrap_or_default());
            }
            if !rest.starts_with('-') {
                return Some(offers);
            }
        }
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.arrived.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.arrived.drain(..=end).collect();
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                return Some(String::from_utf8_lossy(line).into_owned());
            }
            let mut buffer = [0; 1024];
            let most = buffer.len().min(self.left);
            let length = self.stream.read(&mut buffer[..most]).await.ok()?;
            if length == 0 {
                return None;
            }
            self.left -= length;
            self.arrived.extend_from_slice(&buffer[..length]);
        }
    }

    /// The stream, if nothing has arrived that nobody has read: it would be unprotected, and taken
    /// for the first words inside TLS.
    fn into_quiet(self) -> Option<S> {
        self.arrived.is_empty().then_some(self.stream)
    }
}

/// Keeps a capability in upper case, unless it is too long, unreadable, or one too many.
fn keep(offers: &mut Vec<String>, offer: &str) {
    let offer = offer.trim();
    let readable = offer.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if readable && (1..=CAPABILITY).contains(&offer.len()) && offers.len() < CAPABILITIES {
        offers.push(offer.to_ascii_uppercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server that has said all of this at once offers.
    async fn offers(service: Service, said: &str) -> Option<Vec<String>> {
        let (mut server, client) = tokio::io::duplex(2 * PROBE_BYTES);
        server.write_all(said.as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
        let mut dialogue = Dialogue::new(client);
        dialogue.greeting(service).await?;
        dialogue.goodbye(service).await
    }

    #[tokio::test]
    async fn capabilities_are_read_in_each_protocol() {
        use Service::{Imap, Pop3, Submission};
        for (service, said, expected) in [
            (
                Imap,
                "* OK hello\r\n* CAPABILITY IMAP4rev1 idle AUTH=PLAIN\r\nx1 OK done\r\n",
                Some(&["IMAP4REV1", "IDLE", "AUTH=PLAIN"][..]),
            ),
            (Imap, "* OK\n* 3 EXISTS\n* CAPABILITY IMAP4\nx1 OK\n", Some(&["IMAP4"])),
            (Imap, "* BYE busy\r\n", None),
            (Imap, "* OK hello\r\nx1 BAD what?\r\n", None),
            (Imap, "220 mail.example.org\r\n", None),
            (Pop3, "+OK\r\n+OK list\r\nTOP\r\nSASL PLAIN\r\n.\r\n", Some(&["TOP", "SASL PLAIN"])),
            (Pop3, "+OK\r\n-ERR what?\r\n", Some(&[])),
            (Pop3, "+OK\r\nwhat?\r\n", None),
            (
                Submission,
                "220-welcome\r\n220 here\r\n250-here\r\n250-SIZE 1000\r\n250 AUTH PLAIN\r\n",
                Some(&["SIZE 1000", "AUTH PLAIN"]),
            ),
            (Submission, "220 here\r\n250 here\r\n", Some(&[])),
            (Submission, "220 here\r\n502 what?\r\n", None),
            (Submission, "554 no\r\n", None),
        ] {
            let expected =
                expected.map(|list| list.iter().map(|offer| (*offer).to_owned()).collect());
            assert_eq!(offers(service, said).await, expected, "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_stop_talking_is_left() {
        let line = "* CAPABILITY X\r\n";
        let greeting = "* OK\r\n";
        let end = "x1 OK\r\n";
        let room = PROBE_BYTES - greeting.len() - end.len();
        let fill = |bytes: usize| format!("* {}\r\n", "a".repeat(bytes - 4));
        let said = |bytes: usize| format!("{greeting}{line}{}{end}", fill(bytes - line.len()));
        assert_eq!(offers(Service::Imap, &said(room)).await, Some(vec!["X".to_owned()]));
        assert_eq!(offers(Service::Imap, &said(room + 1)).await, None);
    }

    #[test]
    fn a_capability_has_a_length_and_there_are_so_many() {
        let mut offers = Vec::new();
        keep(&mut offers, &"a".repeat(CAPABILITY));
        keep(&mut offers, &"a".repeat(CAPABILITY + 1));
        keep(&mut offers, "\u{7}bell");
        assert_eq!(offers.len(), 1);
        for _ in 0..CAPABILITIES {
            keep(&mut offers, "X");
        }
        assert_eq!(offers.len(), CAPABILITIES);
    }

    #[tokio::test]
    async fn words_that_arrive_before_tls_end_the_connection() {
        for (said, quiet) in [("x2 OK go\r\n", true), ("x2 OK go\r\n* CAPABILITY X\r\n", false)] {
            let (mut server, client) = tokio::io::duplex(1024);
            server.write_all(said.as_bytes()).await.unwrap();
            let mut dialogue = Dialogue::new(client);
            dialogue.line().await.unwrap();
            assert_eq!(dialogue.into_quiet().is_some(), quiet, "{said:?}");
        }
    }

    #[test]
    fn capabilities_say_how_to_log_in() {
        use {
            Authentication::{EncryptedPassword, OAuth2, Other, Password},
            Service::{Imap, Pop3, Submission},
        };
        for (service, offers, expected) in [
            (
                Imap,
                &["IMAP4REV1", "AUTH=SCRAM-SHA-256", "AUTH=PLAIN"][..],
                &[Password, EncryptedPassword][..],
            ),
            (Imap, &["IMAP4REV1"], &[Password]),
            (Imap, &["LOGINDISABLED", "AUTH=XOAUTH2"], &[OAuth2]),
            (Pop3, &[], &[Password]),
            (Pop3, &["SASL OAUTHBEARER"], &[OAuth2]),
            (Pop3, &["USER", "SASL CRAM-MD5"], &[Password, EncryptedPassword]),
            (Submission, &["SIZE", "AUTH LOGIN GSSAPI"], &[Password, Other]),
            (Submission, &["SIZE"], &[]),
        ] {
            let offers: Vec<_> = offers.iter().map(|offer| (*offer).to_owned()).collect();
            assert_eq!(authentication(service, &offers), expected, "{offers:?}");
        }
    }
}
