//! SMTP submission (RFC 6409 over RFC 5321). What it accepts goes to [`correspondent`].
//!
//! [`correspondent`]: super::correspondent

use std::sync::Arc;

use super::{
    Shared, correspondent, limits, sasl,
    wire::{Wire, WireError},
};

/// A session, from the greeting to QUIT.
struct Session {
    shared: Arc<Shared>,
    greeted: Option<String>,
    authenticated: bool,
    envelope: Option<Envelope>,
    failed: usize,
    bad: usize,
}

/// What MAIL and RCPT have said.
#[derive(Default)]
struct Envelope {
    sender: String,
    recipients: Vec<String>,
}

/// What follows a command.
enum Next {
    Command,
    StartTls,
    Close,
}

/// Serves a connection until it ends.
pub(super) async fn serve(mut wire: Wire, shared: Arc<Shared>) -> Result<(), WireError> {
    let greeting = wire.begin("").await?;
    wire.write(greeting.unwrap_or_else(|| b"220 localhost ESMTP Postern demo\r\n".into()));
    wire.flush().await?;
    let mut session = Session::new(shared);
    loop {
        let line = match wire.read_line().await {
            Err(WireError::LineTooLong) => {
                wire.write("500 5.5.6 the line is too long\r\n");
                return wire.close().await;
            }
            line => String::from_utf8_lossy(&line?).into_owned(),
        };
        let (name, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let name = name.to_ascii_uppercase();
        if let Some(wrong) = wire.begin(&name).await? {
            wire.write(wrong);
            wire.flush().await?;
            continue;
        }
        match session.execute(&mut wire, &name, argument.trim()).await? {
            Next::Command => wire.flush().await?,
            Next::StartTls => {
                wire.flush().await?;
                wire = wire.start_tls().await?;
                session = Session::new(session.shared);
            }
            Next::Close => return wire.close().await,
        }
    }
}

impl Session {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, greeted: None, authenticated: false, envelope: None, failed: 0, bad: 0 }
    }

    async fn execute(
        &mut self,
        wire: &mut Wire,
        name: &str,
        argument: &str,
    ) -> Result<Next, WireError> {
        match name {
            "EHLO" | "HELO" => {
                self.greeted = Some(argument.to_owned());
                self.envelope = None;
                greet(wire, name == "EHLO");
            }
            "STARTTLS" if wire.can_start_tls() => {
                wire.write("220 2.0.0 begin TLS\r\n");
                return Ok(Next::StartTls);
            }
            "AUTH" => self.authenticate(wire, argument).await?,
            "MAIL" => self.mail(wire, argument),
            "RCPT" => self.recipient(wire, argument),
            "DATA" => return self.data(wire).await,
            "RSET" => {
                self.envelope = None;
                wire.write("250 2.0.0 forgotten\r\n");
            }
            "NOOP" => wire.write("250 2.0.0 OK\r\n"),
            "VRFY" => wire.write("252 2.5.0 send it, and see\r\n"),
            "QUIT" => {
                wire.write("221 2.0.0 goodbye\r\n");
                return Ok(Next::Close);
            }
            _ => {
                self.bad += 1;
                wire.write("500 5.5.1 what?\r\n");
            }
        }
        if self.failed >= limits::LOGIN_ATTEMPTS || self.bad >= limits::BAD_COMMANDS {
            wire.write("421 4.7.0 enough\r\n");
            return Ok(Next::Close);
        }
        Ok(Next::Command)
    }

    async fn authenticate(&mut self, wire: &mut Wire, argument: &str) -> Result<(), WireError> {
        if wire.can_start_tls() {
            wire.write("530 5.7.0 TLS first: STARTTLS\r\n");
            return Ok(());
        }
        if self.authenticated || self.greeted.is_none() || self.envelope.is_some() {
            wire.write("503 5.5.1 not now\r\n");
            return Ok(());
        }
        let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
        let accepted = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let response = response(wire, initial, "").await?;
                self.shared.accepts_plain(&response)
            }
            "LOGIN" => {
                // The prompts are "Username:" and "Password:".
                let user = response(wire, initial, "VXNlcm5hbWU6").await?;
                let password = response(wire, "", "UGFzc3dvcmQ6").await?;
                match (sasl::decode(&user), sasl::decode(&password)) {
                    (Some(user), Some(password)) => self.shared.accepts(&user, &password),
                    _ => false,
                }
            }
            _ => {
                wire.write("504 5.5.4 only PLAIN and LOGIN are known\r\n");
                return Ok(());
            }
        };
        self.authenticated = accepted;
        if accepted {
            wire.write("235 2.7.0 welcome\r\n");
        } else {
            self.failed += 1;
            wire.write("535 5.7.8 the user name or the password is wrong\r\n");
        }
        Ok(())
    }

    fn mail(&mut self, wire: &mut Wire, argument: &str) {
        if !self.authenticated {
            wire.write("530 5.7.0 log in first\r\n");
        } else if self.envelope.is_some() {
            wire.write("503 5.5.1 one message at a time\r\n");
        } else {
            match path(argument, "FROM:") {
                Some((_, parameters)) if declared_size(parameters) > limits::MESSAGE => {
                    wire.write("552 5.3.4 the message is too large\r\n");
                }
                Some((sender, _)) => {
                    self.envelope = Some(Envelope { sender, ..Envelope::default() });
                    wire.write("250 2.1.0 OK\r\n");
                }
                None => wire.write("501 5.5.4 MAIL FROM:<address>\r\n"),
            }
        }
    }

    fn recipient(&mut self, wire: &mut Wire, argument: &str) {
        let Some(envelope) = &mut self.envelope else {
            wire.write("503 5.5.1 MAIL first\r\n");
            return;
        };
        match path(argument, "TO:") {
            Some((recipient, _)) if recipient.contains('@') => {
                if envelope.recipients.len() == limits::RECIPIENTS {
                    wire.write("452 4.5.3 too many recipients\r\n");
                } else {
                    envelope.recipients.push(recipient);
                    wire.write("250 2.1.5 OK\r\n");
                }
            }
            Some(_) => wire.write("550 5.1.3 the address has no domain\r\n"),
            None => wire.write("501 5.5.4 RCPT TO:<address>\r\n"),
        }
    }

    async fn data(&mut self, wire: &mut Wire) -> Result<Next, WireError> {
        match &self.envelope {
            Some(envelope) if !envelope.recipients.is_empty() => {}
            _ => {
                wire.write("503 5.5.1 MAIL and RCPT first\r\n");
                return Ok(Next::Command);
            }
        }
        wire.write("354 end with a dot alone on a line\r\n");
        wire.flush().await?;
        let Some(body) = read_message(wire).await? else {
            wire.write("552 5.3.4 the message, or a line in it, is too long\r\n");
            return Ok(Next::Close);
        };
        let wrong = wire.begin("DATA.").await?;
        let Some(envelope) = self.envelope.take() else { return Ok(Next::Command) };
        if let Some(wrong) = wrong {
            wire.write(wrong);
            return Ok(Next::Command);
        }
        let client = self.greeted.as_deref().unwrap_or_default();
        let protocol = if wire.is_encrypted() { "ESMTPSA" } else { "ESMTPA" };
        correspondent::accept(
            &self.shared,
            correspondent::Submitted {
                client,
                protocol,
                sender: &envelope.sender,
                recipients: &envelope.recipients,
                body: &body,
            },
        );
        wire.write("250 2.0.0 the message is on its way\r\n");
        Ok(Next::Command)
    }
}

fn greet(wire: &mut Wire, extended: bool) {
    if !extended {
        wire.write("250 localhost\r\n");
        return;
    }
    wire.write("250-localhost\r\n");
    wire.write("250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n");
    let security = if wire.can_start_tls() { "STARTTLS" } else { "AUTH PLAIN LOGIN" };
    wire.write(format!("250-{security}\r\n250 SIZE {}\r\n", limits::MESSAGE));
}

/// The initial response, or the one that a prompt gets.
async fn response(wire: &mut Wire, initial: &str, prompt: &str) -> Result<Vec<u8>, WireError> {
    if !initial.is_empty() {
        return Ok(initial.trim().as_bytes().to_vec());
    }
    wire.write(format!("334 {prompt}\r\n"));
    wire.flush().await?;
    wire.read_line().await
}

/// Reads up to the final dot and takes the stuffing away; nothing if the message, or a line in
/// it, is longer than is allowed.
async fn read_message(wire: &mut Wire) -> Result<Option<Vec<u8>>, WireError> {
    let mut body = Vec::new();
    loop {
        let line = match wire.read_line().await {
            Err(WireError::LineTooLong) => return Ok(None),
            line => line?,
        };
        if line == b"." {
            return Ok(Some(body));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        if body.len() + line.len() + 2 > limits::MESSAGE {
            return Ok(None);
        }
        body.extend_from_slice(line);
        body.extend_from_slice(b"\r\n");
    }
}

/// The address of `FROM:<address> parameters`, and the parameters. Bare addresses are tolerated.
fn path<'a>(argument: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let start = argument.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = argument[keyword.len()..].trim_start();
    let (address, parameters) = match rest.strip_prefix('<') {
        Some(inner) => inner.split_once('>')?,
        None => rest.split_once(' ').unwrap_or((rest, "")),
    };
    let printable = |character: char| !character.is_control() && character != ' ';
    (address.len() <= 320 && address.chars().all(printable))
        .then(|| (address.to_owned(), parameters.trim()))
}

/// The SIZE that MAIL declares, or 0 (RFC 1870).
fn declared_size(parameters: &str) -> usize {
    parameters
        .split_ascii_whitespace()
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("SIZE"))
        .map_or(0, |(_, size)| size.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_with_or_without_brackets() {
        let address = |text| path(text, "FROM:").map(|(address, _)| address);
        assert_eq!(address("FROM:<a@example.org> SIZE=3").as_deref(), Some("a@example.org"));
        assert_eq!(address("from: a@example.org").as_deref(), Some("a@example.org"));
        assert_eq!(address("FROM:<>").as_deref(), Some(""));
        for refused in ["", "TO:<a@b>", "FROM:<a@b", "FROM:<a b@c>", "FROM:<a\u{1}@b>", "FRÖM:<>"]
        {
            assert_eq!(address(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_size_that_is_no_number_counts_as_too_large() {
        assert_eq!(declared_size("BODY=8BITMIME size=12"), 12);
        assert_eq!(declared_size(""), 0);
        assert_eq!(declared_size("SIZE=99999999999999999999999"), usize::MAX);
    }
}
