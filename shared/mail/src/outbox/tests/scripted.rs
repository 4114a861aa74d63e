//! A submission server in memory.

use std::collections::BTreeMap;

use crate::testing::Server;

/// A message that the server has taken over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Taken {
    pub(crate) recipients: Vec<String>,
    pub(crate) raw: String,
}

/// A server and the one session that is open.
pub(crate) struct Submission {
    pub(crate) taken: Vec<Taken>,
    pub(crate) offers: &'static str,
    /// Answers other than the usual ones, by the line (or `.`), or the first two words of one, that they
    /// answer.
    pub(crate) answers: BTreeMap<&'static str, &'static str>,
    /// Everything that the client said outside messages.
    pub(crate) heard: String,
    line: Vec<u8>,
    recipients: Vec<String>,
    message: Option<String>,
}

impl Submission {
    pub(crate) fn new() -> Self {
        Self {
            taken: Vec::new(),
            offers: "250-mail\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250-STARTTLS\r\n\
                     250 AUTH PLAIN\r\n",
            answers: BTreeMap::new(),
            heard: String::new(),
            line: Vec::new(),
            recipients: Vec::new(),
            message: None,
        }
    }

    fn answer(&mut self, line: &str) -> String {
        if let Some(message) = &mut self.message {
            if line != "." {
                *message += line.strip_prefix('.').unwrap_or(line);
                *message += "\r\n";
                return String::new();
            }
            let raw = self.message.take().unwrap_or_default();
            let recipients = std::mem::take(&mut self.recipients);
            if let Some(answer) = self.answers.get(".") {
                return (*answer).into();
            }
            self.taken.push(Taken { recipients, raw });
            return "250 2.0.0 queued\r\n".into();
        }
        self.heard += line;
        self.heard += "\n";
        let begins = line.match_indices(' ').nth(1).map_or(line, |(end, _)| &line[..end]);
        if let Some(answer) = [line, begins].iter().find_map(|own| self.answers.get(own)) {
            return (*answer).into();
        }
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        match verb {
            "EHLO" => self.offers.into(),
            "STARTTLS" => "220 go\r\n".into(),
            "AUTH" => "235 in\r\n".into(),
            "RCPT" => {
                let recipient = line.trim_start_matches("RCPT TO:<").trim_end_matches('>');
                self.recipients.push(recipient.into());
                "250 ok\r\n".into()
            }
            "DATA" => {
                self.message = Some(String::new());
                "354 go on\r\n".into()
            }
            "QUIT" => "221 bye\r\n".into(),
            _ => "250 ok\r\n".into(),
        }
    }
}

impl Server for Submission {
    fn connected(&mut self) -> Vec<u8> {
        b"220 mail ESMTP\r\n".into()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answers = String::new();
        for byte in bytes {
            self.line.push(*byte);
            if self.line.ends_with(b"\r\n") {
                let line = String::from_utf8(std::mem::take(&mut self.line)).unwrap();
                answers += &self.answer(line.trim_end_matches("\r\n"));
            }
        }
        answers.into()
    }

    fn disconnected(&mut self) {
        self.line.clear();
        self.recipients.clear();
        self.message = None;
    }
}
