//! CAPABILITY, ID, LOGIN, AUTHENTICATE and ENABLE.

use super::{Failure, Outcome, Session, no, ok, parse::Cursor};

impl Session {
    /// What the server offers in this state.
    pub(super) fn capabilities(&self) -> &'static str {
        if self.authenticated {
            "IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN \
             SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE ESEARCH SEARCHRES BINARY"
        } else if self.wire.can_start_tls() {
            "IMAP4rev1 IMAP4rev2 LITERAL+ ID STARTTLS LOGINDISABLED"
        } else {
            "IMAP4rev1 IMAP4rev2 LITERAL+ ID SASL-IR AUTH=PLAIN"
        }
    }

    pub(super) fn capability(&mut self) -> Outcome {
        let line = format!("* CAPABILITY {}\r\n", self.capabilities());
        self.wire.write(line);
        ok("done")
    }

    pub(super) fn id(&mut self) -> Outcome {
        self.wire.write("* ID (\"name\" \"Postern demo\")\r\n");
        ok("done")
    }

    pub(super) fn login(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        self.may_log_in()?;
        cursor.space()?;
        let user = cursor.astring()?;
        cursor.space()?;
        let password = cursor.astring()?;
        cursor.end()?;
        let accepted = self.shared.accepts(&user, &password);
        self.log_in(accepted)
    }

    pub(super) async fn authenticate(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        self.may_log_in()?;
        cursor.space()?;
        if !cursor.atom()?.eq_ignore_ascii_case("PLAIN") {
            return Err(no("[CANNOT] only PLAIN is known"));
        }
        let response = if cursor.eat_space() {
            cursor.take(|byte| byte > b' ')?.into_bytes()
        } else {
            self.wire.write("+ \r\n");
            self.wire.flush().await?;
            self.wire.read_line().await?
        };
        if response == b"*" {
            return Err(Failure::Bad("as you like"));
        }
        let accepted = self.shared.accepts_plain(&response);
        self.log_in(accepted)
    }

    fn may_log_in(&self) -> Result<(), Failure> {
        if self.authenticated {
            return Err(Failure::Bad("you are logged in"));
        }
        if self.wire.can_start_tls() {
            return Err(no("[PRIVACYREQUIRED] TLS first: STARTTLS"));
        }
        Ok(())
    }

    fn log_in(&mut self, accepted: bool) -> Outcome {
        if !accepted {
            self.failed_logins += 1;
            return Err(no("[AUTHENTICATIONFAILED] the user name or the password is wrong"));
        }
        self.authenticated = true;
        Ok(format!("[CAPABILITY {}] welcome", self.capabilities()))
    }

    /// ENABLE (RFC 5161). IMAP4rev2 turns mailbox names into UTF-8.
    pub(super) fn enable(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        let mut enabled = "";
        while cursor.eat_space() && !cursor.at_end() {
            if cursor.atom()?.eq_ignore_ascii_case("IMAP4rev2") {
                self.utf8 = true;
                enabled = " IMAP4rev2";
            }
        }
        cursor.end()?;
        self.wire.write(format!("* ENABLED{enabled}\r\n"));
        ok("done")
    }
}
