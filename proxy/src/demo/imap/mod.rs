//! IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051), with the extensions that [`login`] tells.

mod change;
mod envelope;
mod fetch;
mod folders;
mod idle;
mod input;
mod login;
mod name;
mod parse;
mod search;
mod section;
mod selected;
mod set;
mod structure;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use self::{
    input::Input,
    parse::{Cursor, Malformed},
    selected::Selected,
};
use super::{
    Shared, limits,
    wire::{Wire, WireError},
};

/// A connection's state (RFC 9051 section 3).
struct Session {
    wire: Wire,
    shared: Arc<Shared>,
    authenticated: bool,
    /// Whether mailbox names are UTF-8 instead of modified UTF-7.
    utf8: bool,
    selected: Option<Selected>,
    failed_logins: usize,
}

/// Why a command is not answered with OK.
enum Failure {
    /// It can't be done; the text may start with a response code.
    No(String),
    /// It is not understood, or not allowed now.
    Bad(&'static str),
    /// The connection has ended.
    Wire(WireError),
}

/// The text after OK (it may start with a response code), or the failure.
type Outcome = Result<String, Failure>;

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        Self::Bad("the arguments can't be understood")
    }
}

fn no(text: &str) -> Failure {
    Failure::No(text.to_owned())
}

fn ok(text: &str) -> Outcome {
    Ok(text.to_owned())
}

/// Serves a connection until it ends.
pub(super) async fn serve(wire: Wire, shared: Arc<Shared>) -> Result<(), WireError> {
    let mut session = Session {
        wire,
        shared,
        authenticated: false,
        utf8: false,
        selected: None,
        failed_logins: 0,
    };
    let greeting = session.wire.begin("").await?;
    let usual = format!("* OK [CAPABILITY {}] Postern demo IMAP\r\n", session.capabilities());
    session.wire.write(greeting.unwrap_or_else(|| usual.into()));
    session.wire.flush().await?;
    let mut bad = 0;
    loop {
        let command = match session.read_command().await? {
            Input::Command(command) => command,
            Input::Refused(answer) => {
                session.wire.write(answer);
                session.wire.flush().await?;
                continue;
            }
            Input::Hopeless => {
                session.wire.write("* BYE that is too long\r\n");
                return session.wire.close().await;
            }
        };
        let mut cursor = Cursor::new(&command);
        let Ok((tag, name)) = cursor.command() else {
            bad += 1;
            session.wire.write("* BAD a tag and a command, please\r\n");
            if bad >= limits::BAD_COMMANDS {
                return session.wire.close().await;
            }
            session.wire.flush().await?;
            continue;
        };
        if let Some(wrong) = session.wire.begin(&name).await? {
            session.wire.write(fill_in(&wrong, &tag));
            session.wire.flush().await?;
            continue;
        }
        if name == "LOGOUT" {
            session.wire.write(format!("* BYE goodbye\r\n{tag} OK done\r\n"));
            return session.wire.close().await;
        }
        if name == "STARTTLS" && session.wire.can_start_tls() {
            session.wire.write(format!("{tag} OK begin TLS\r\n"));
            session.wire.flush().await?;
            session.wire = session.wire.start_tls().await?;
            continue;
        }
        let (status, text) = match session.execute(&name, &tag, &mut cursor).await {
            Ok(text) => ("OK", text),
            Err(Failure::No(text)) => ("NO", text),
            Err(Failure::Bad(text)) => {
                bad += 1;
                ("BAD", text.to_owned())
            }
            Err(Failure::Wire(error)) => return Err(error),
        };
        // A client counts positions meanwhile, so none may shift (RFC 9051 section 7.5.1).
        let may_expunge = !matches!(name.as_str(), "FETCH" | "STORE" | "SEARCH");
        session.tell_changes(may_expunge);
        session.wire.write(format!("{tag} {status} {text}\r\n"));
        if bad >= limits::BAD_COMMANDS || session.failed_logins >= limits::LOGIN_ATTEMPTS {
            session.wire.write("* BYE enough\r\n");
            return session.wire.close().await;
        }
        session.wire.flush().await?;
    }
}

impl Session {
    async fn execute(&mut self, name: &str, tag: &str, cursor: &mut Cursor<'_>) -> Outcome {
        match name {
            "CAPABILITY" => self.capability(),
            "NOOP" => ok("done"),
            "ID" => self.id(),
            "LOGIN" => self.login(cursor),
            "AUTHENTICATE" => self.authenticate(cursor).await,
            _ if !self.authenticated => Err(Failure::Bad("log in first")),
            "ENABLE" => self.enable(cursor),
            "NAMESPACE" => self.namespace(),
            "LIST" => self.list(cursor),
            "LSUB" => self.lsub(cursor),
            "STATUS" => self.status(cursor),
            "CREATE" => self.create(cursor),
            "DELETE" => self.delete(cursor),
            "RENAME" => self.rename(cursor),
            "SUBSCRIBE" => self.subscribe(cursor, true),
            "UNSUBSCRIBE" => self.subscribe(cursor, false),
            "SELECT" => self.select(cursor, false),
            "EXAMINE" => self.select(cursor, true),
            "APPEND" => self.append(cursor),
            "IDLE" => self.idle().await,
            _ if self.selected.is_none() => Err(Failure::Bad("unknown, or not now: SELECT first")),
            "CHECK" => ok("done"),
            "CLOSE" => self.close_mailbox(),
            "UNSELECT" => self.unselect(),
            "EXPUNGE" => self.expunge(None),
            "UID EXPUNGE" => self.uid_expunge(cursor),
            "FETCH" | "UID FETCH" => self.fetch(cursor, name == "UID FETCH").await,
            "STORE" | "UID STORE" => self.store(cursor, name == "UID STORE"),
            "COPY" | "UID COPY" => self.copy(cursor, name == "UID COPY"),
            "MOVE" | "UID MOVE" => self.r#move(cursor, name == "UID MOVE"),
            "SEARCH" | "UID SEARCH" => self.search(cursor, tag, name == "UID SEARCH"),
            _ => Err(Failure::Bad("unknown command")),
        }
    }
}

/// Puts the tag into a scripted answer.
fn fill_in(answer: &[u8], tag: &str) -> Vec<u8> {
    const PLACE: &[u8] = b"{tag}";
    let mut filled = Vec::with_capacity(answer.len());
    let mut rest = answer;
    while let Some(place) = rest.windows(PLACE.len()).position(|window| window == PLACE) {
        filled.extend_from_slice(&rest[..place]);
        filled.extend_from_slice(tag.as_bytes());
        rest = &rest[place + PLACE.len()..];
    }
    filled.extend_from_slice(rest);
    filled
}
