//! POP3 (RFC 1939, with CAPA of RFC 2449 and AUTH of RFC 5034). It serves INBOX.

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::{
    Shared, limits,
    store::Message,
    wire::{Wire, WireError},
};

/// What a session may do next (RFC 1939 section 3).
enum State {
    Authorization { user: Option<Vec<u8>> },
    Transaction(Maildrop),
}

/// INBOX as it was when the client logged in, for it alone.
struct Maildrop {
    uid_validity: u32,
    messages: Vec<(Message, bool)>,
    _lock: OwnedMutexGuard<()>,
}

/// Serves a connection until it ends.
pub(super) async fn serve(mut wire: Wire, shared: Arc<Shared>) -> Result<(), WireError> {
    let greeting = wire.begin("").await?.unwrap_or_else(|| b"+OK Postern demo POP3\r\n".into());
    wire.write(greeting);
    wire.flush().await?;
    let mut state = State::Authorization { user: None };
    let (mut failed, mut bad) = (0, 0);
    loop {
        let line = match wire.read_line().await {
            Err(WireError::LineTooLong) => {
                wire.write("-ERR the line is too long\r\n");
                return wire.close().await;
            }
            line => line?,
        };
        let (name, argument) = split(&line);
        if let Some(wrong) = wire.begin(&name).await? {
            wire.write(wrong);
            wire.flush().await?;
            continue;
        }
        match (name.as_str(), &mut state) {
            ("QUIT", state) => {
                if let State::Transaction(maildrop) = state {
                    maildrop.commit(&shared);
                }
                wire.write("+OK goodbye\r\n");
                return wire.close().await;
            }
            ("CAPA", state) => capabilities(&mut wire, state),
            ("STLS", State::Authorization { .. }) if wire.can_start_tls() => {
                wire.write("+OK begin TLS\r\n");
                wire.flush().await?;
                wire = wire.start_tls().await?;
            }
            ("USER" | "PASS" | "AUTH", State::Authorization { .. }) if wire.can_start_tls() => {
                wire.write("-ERR TLS first: STLS\r\n");
            }
            ("USER", State::Authorization { user }) => {
                *user = Some(argument.to_vec());
                wire.write("+OK\r\n");
            }
            ("PASS", State::Authorization { user }) => match user.take() {
                Some(user) if shared.accepts(&user, argument) => {
                    enter(&mut wire, &shared, &mut state)
                }
                Some(_) => failed += refuse_login(&mut wire),
                None => wire.write("-ERR USER first\r\n"),
            },
            ("AUTH", State::Authorization { .. }) => {
                match plain_response(&mut wire, argument).await? {
                    Some(response) if shared.accepts_plain(&response) => {
                        enter(&mut wire, &shared, &mut state);
                    }
                    Some(_) => failed += refuse_login(&mut wire),
                    None => wire.write("-ERR only PLAIN is known\r\n"),
                }
            }
            (_, State::Transaction(maildrop)) => {
                if !maildrop.execute(&mut wire, &name, argument).await? {
                    bad += 1;
                    wire.write("-ERR what?\r\n");
                }
            }
            _ => {
                bad += 1;
                wire.write("-ERR not now\r\n");
            }
        }
        if failed >= limits::LOGIN_ATTEMPTS || bad >= limits::BAD_COMMANDS {
            return wire.close().await;
        }
        wire.flush().await?;
    }
}

/// The command's name in capitals, and the rest of the line.
fn split(line: &[u8]) -> (String, &[u8]) {
    let (name, rest) = match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, &[][..]),
    };
    (String::from_utf8_lossy(name).to_ascii_uppercase(), rest)
}

fn capabilities(wire: &mut Wire, state: &State) {
    wire.write("+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n");
    if wire.can_start_tls() {
        wire.write("STLS\r\n");
    } else if matches!(state, State::Authorization { .. }) {
        wire.write("USER\r\nSASL PLAIN\r\n");
    }
    wire.write("EXPIRE NEVER\r\nIMPLEMENTATION Postern-demo\r\n.\r\n");
}

fn refuse_login(wire: &mut Wire) -> usize {
    wire.write("-ERR [AUTH] the user name or the password is wrong\r\n");
    1
}

/// The response to AUTH PLAIN, initial or asked for; nothing if another mechanism is wanted.
async fn plain_response(wire: &mut Wire, argument: &[u8]) -> Result<Option<Vec<u8>>, WireError> {
    let (mechanism, initial) = split(argument);
    if mechanism != "PLAIN" {
        return Ok(None);
    }
    if !initial.is_empty() {
        return Ok(Some(initial.to_vec()));
    }
    wire.write("+ \r\n");
    wire.flush().await?;
    wire.read_line().await.map(Some)
}

fn enter(wire: &mut Wire, shared: &Shared, state: &mut State) {
    let Ok(lock) = shared.maildrop.clone().try_lock_owned() else {
        wire.write("-ERR [IN-USE] another POP3 session has the mailbox\r\n");
        return;
    };
    let account = shared.store.account();
    let Some(inbox) = account.mailbox("INBOX") else {
        wire.write("-ERR [SYS/PERM] there is no INBOX\r\n");
        return;
    };
    let messages: Vec<_> = inbox.messages.iter().map(|message| (message.clone(), false)).collect();
    wire.write(format!("+OK {} messages\r\n", messages.len()));
    *state =
        State::Transaction(Maildrop { uid_validity: inbox.uid_validity, messages, _lock: lock });
}

impl Maildrop {
    /// Executes a command of the transaction state; says whether it was understood.
    async fn execute(
        &mut self,
        wire: &mut Wire,
        name: &str,
        argument: &[u8],
    ) -> Result<bool, WireError> {
        let argument = String::from_utf8_lossy(argument);
        let mut words = argument.split_ascii_whitespace();
        match name {
            "STAT" => {
                let (count, octets) = self.totals();
                wire.write(format!("+OK {count} {octets}\r\n"));
            }
            "LIST" | "UIDL" => self.list(wire, name == "UIDL", words.next()),
            "RETR" => {
                if let Some(index) = self.find(wire, words.next()) {
                    let raw = self.messages[index].0.raw.clone();
                    wire.write(format!("+OK {} octets\r\n", raw.len()));
                    send_stuffed(wire, &raw).await?;
                }
            }
            "TOP" => {
                if let Some(index) = self.find(wire, words.next()) {
                    let Some(lines) = words.next().and_then(|lines| lines.parse().ok()) else {
                        return Ok(false);
                    };
                    let raw = self.messages[index].0.raw.clone();
                    wire.write("+OK\r\n");
                    send_stuffed(wire, top(&raw, lines)).await?;
                }
            }
            "DELE" => {
                if let Some(index) = self.find(wire, words.next()) {
                    self.messages[index].1 = true;
                    wire.write("+OK it goes at QUIT\r\n");
                }
            }
            "RSET" => {
                for (_, deleted) in &mut self.messages {
                    *deleted = false;
                }
                wire.write("+OK\r\n");
            }
            "NOOP" => wire.write("+OK\r\n"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn totals(&self) -> (usize, usize) {
        let left = self.messages.iter().filter(|(_, deleted)| !deleted);
        left.fold((0, 0), |(count, octets), (message, _)| (count + 1, octets + message.raw.len()))
    }

    fn list(&self, wire: &mut Wire, unique: bool, number: Option<&str>) {
        let row = |index: usize| {
            let message = &self.messages[index].0;
            if unique {
                format!("{} {}-{}", index + 1, self.uid_validity, message.uid)
            } else {
                format!("{} {}", index + 1, message.raw.len())
            }
        };
        if number.is_some() {
            if let Some(index) = self.find(wire, number) {
                wire.write(format!("+OK {}\r\n", row(index)));
            }
            return;
        }
        wire.write("+OK\r\n");
        for index in (0..self.messages.len()).filter(|index| !self.messages[*index].1) {
            wire.write(row(index));
            wire.write("\r\n");
        }
        wire.write(".\r\n");
    }

    /// The index of the message of this number; answers if there is none.
    fn find(&self, wire: &mut Wire, number: Option<&str>) -> Option<usize> {
        let index = number
            .and_then(|number| number.parse::<usize>().ok()?.checked_sub(1))
            .filter(|index| self.messages.get(*index).is_some_and(|(_, deleted)| !deleted));
        if index.is_none() {
            wire.write("-ERR no such message\r\n");
        }
        index
    }

    /// Removes for good what was marked (the UPDATE state of RFC 1939 section 6).
    fn commit(&self, shared: &Shared) {
        let gone =
            |uid| self.messages.iter().any(|(message, deleted)| *deleted && message.uid == uid);
        shared.store.change(|account| {
            if let Some(inbox) = account.by_identity_mut(self.uid_validity) {
                inbox.messages.retain(|message| !gone(message.uid));
            }
        });
    }
}

/// The header, the empty line and this many lines of the body.
fn top(raw: &[u8], lines: usize) -> &[u8] {
    let Some(body) = raw.windows(4).position(|four| four == b"\r\n\r\n") else { return raw };
    let body = body + 4;
    let ends = raw[body..].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    match lines.checked_sub(1) {
        None => &raw[..body],
        Some(last) => ends.map(|(end, _)| end).nth(last).map_or(raw, |end| &raw[..=body + end]),
    }
}

/// Sends lines with leading dots doubled, and the final dot.
async fn send_stuffed(wire: &mut Wire, raw: &[u8]) -> Result<(), WireError> {
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            wire.write(".");
        }
        wire.write(line);
        wire.flush_if_large().await?;
    }
    if !raw.is_empty() && !raw.ends_with(b"\n") {
        wire.write("\r\n");
    }
    wire.write(".\r\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_gives_the_header_and_as_many_lines_as_asked() {
        let raw = b"A: b\r\n\r\none\r\ntwo\r\nthree";
        for (lines, expected) in [
            (0, &b"A: b\r\n\r\n"[..]),
            (1, b"A: b\r\n\r\none\r\n"),
            (2, b"A: b\r\n\r\none\r\ntwo\r\n"),
            (3, raw),
            (usize::MAX, raw),
        ] {
            assert_eq!(top(raw, lines), expected, "{lines}");
        }
        assert_eq!(top(b"A: b\r\n", 1), b"A: b\r\n");
    }
}
