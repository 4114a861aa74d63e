//! A POP3 server in memory.

use std::collections::BTreeSet;

use crate::testing::Server;

/// A maildrop and the one session that may be open on it.
pub(crate) struct Maildrop {
    pub(crate) messages: Vec<Mail>,
    /// Whether it knows UIDL.
    pub(crate) uidl: bool,
    pub(crate) capabilities: &'static str,
    /// The answer to PASS and AUTH instead of `+OK`.
    pub(crate) log_in_refusal: Option<&'static str>,
    /// The answer to SCRAM, if it has nothing to check it with.
    pub(crate) scram_refusal: Option<&'static str>,
    /// It is of before RFC 5034, and refuses AUTH with more than a mechanism.
    pub(crate) without_initial_response: bool,
    /// PASS and AUTH are never answered, but for a refusal of SCRAM.
    pub(crate) hangs_at_log_in: bool,
    /// Messages that RETR was asked for.
    pub(crate) retrieved: usize,
    /// How much LIST exaggerates sizes.
    pub(crate) exaggeration: usize,
    /// RETR of this number is refused.
    pub(crate) withheld: Option<usize>,
    /// What stands behind `+OK` in the greeting.
    pub(crate) greeting: &'static str,
    /// UIDL is known, but refused for now.
    pub(crate) uidl_fails: bool,
    /// QUIT is answered, but nothing is deleted.
    pub(crate) keeps_everything: bool,
    /// It takes the end of a connection for a QUIT, against RFC 1939 section 6.
    pub(crate) deletes_at_the_end: bool,
    /// RSET is not known.
    pub(crate) without_rset: bool,
    /// Nor is NOOP.
    pub(crate) without_noop: bool,
    /// It is of before RFC 2449 and does not know CAPA.
    pub(crate) without_capa: bool,
    /// TOP works, though it is not offered.
    pub(crate) hidden_top: bool,
    /// TOP is offered, and refused.
    pub(crate) top_fails: bool,
    /// RETR of the message with this text is never answered, nor is what follows.
    pub(crate) hangs_at: Option<Vec<u8>>,
    /// Nor is any TOP.
    pub(crate) hangs_at_top: bool,
    pub(crate) stuck: bool,
    /// A list of which the line of this message makes no sense.
    pub(crate) garbled: Option<(&'static str, usize)>,
    /// What LIST says of the sizes of all messages.
    pub(crate) claims: Option<u64>,
    /// Sees each line of the client before it is answered.
    pub(crate) watcher: Option<Watcher>,
    pub(crate) line: Vec<u8>,
    pub(crate) marked: BTreeSet<usize>,
    /// What was handed out in this session.
    pub(crate) handed_out: BTreeSet<usize>,
    /// Everything that the client said.
    pub(crate) heard: String,
}

type Watcher = Box<dyn FnMut(&str)>;

#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) uidl: String,
    pub(crate) raw: Vec<u8>,
}

impl Maildrop {
    pub(crate) fn new(messages: &[Vec<u8>]) -> Self {
        let messages = messages
            .iter()
            .enumerate()
            .map(|(at, raw)| Mail { uidl: format!("uidl-{at}"), raw: raw.clone() })
            .collect();
        Self {
            messages,
            uidl: true,
            capabilities: "TOP\r\nUIDL\r\nSASL PLAIN\r\nPIPELINING\r\nSTLS\r\n",
            log_in_refusal: None,
            scram_refusal: None,
            without_initial_response: false,
            hangs_at_log_in: false,
            retrieved: 0,
            exaggeration: 0,
            withheld: None,
            greeting: "ready",
            uidl_fails: false,
            keeps_everything: false,
            deletes_at_the_end: false,
            without_rset: false,
            without_noop: false,
            without_capa: false,
            hidden_top: false,
            top_fails: false,
            hangs_at: None,
            hangs_at_top: false,
            stuck: false,
            garbled: None,
            claims: None,
            watcher: None,
            line: Vec::new(),
            marked: BTreeSet::new(),
            handed_out: BTreeSet::new(),
            heard: String::new(),
        }
    }

    pub(crate) fn has(&self, raw: &[u8]) -> bool {
        self.messages.iter().any(|mail| mail.raw == raw)
    }

    fn list(&self, verb: &str, describe: impl Fn(&Mail) -> String) -> Vec<u8> {
        let lines = self.messages.iter().zip(1..).map(|(mail, number)| match self.garbled {
            Some((list, at)) if list == verb && at == number => "?\r\n".into(),
            _ => format!("{number} {}\r\n", describe(mail)),
        });
        format!("+OK\r\n{}.\r\n", lines.collect::<String>()).into()
    }

    fn delete_marked(&mut self) {
        let (marked, mut at) = (std::mem::take(&mut self.marked), 0..);
        self.messages.retain(|_| at.next().is_some_and(|at| !marked.contains(&at)));
    }

    fn answer(&mut self, line: &str) -> Vec<u8> {
        self.heard += line;
        self.heard += "\n";
        if let Some(watcher) = &mut self.watcher {
            watcher(line);
        }
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let first = argument.split(' ').next().unwrap_or_default();
        let number: usize = first.parse().unwrap_or(0);
        self.stuck |= verb == "TOP" && self.hangs_at_top;
        let scram_refusal = self.scram_refusal.filter(|_| argument.starts_with("SCRAM-"));
        self.stuck |=
            matches!(verb, "PASS" | "AUTH") && self.hangs_at_log_in && scram_refusal.is_none();
        self.stuck |= verb == "RETR"
            && self.hangs_at.is_some()
            && self.messages.get(number - 1).map(|mail| &mail.raw) == self.hangs_at.as_ref();
        if self.stuck {
            return Vec::new();
        }
        match verb {
            "CAPA" if self.without_capa => b"-ERR unknown\r\n".into(),
            "CAPA" => format!("+OK\r\n{}.\r\n", self.capabilities).into(),
            "STLS" | "USER" | "UTF8" => b"+OK\r\n".into(),
            "AUTH" if self.without_initial_response && argument.contains(' ') => {
                b"-ERR syntax\r\n".into()
            }
            "AUTH" if let Some(refusal) = scram_refusal => format!("-ERR {refusal}\r\n").into(),
            "APOP" if self.log_in_refusal == Some("apop") => b"-ERR no\r\n".into(),
            "PASS" | "AUTH" if self.log_in_refusal == Some("apop") => b"+OK\r\n".into(),
            "PASS" | "AUTH" | "APOP" => match self.log_in_refusal {
                Some(refusal) => format!("-ERR {refusal}\r\n").into(),
                None => b"+OK\r\n".into(),
            },
            "STAT" => format!("+OK {} 0\r\n", self.messages.len()).into(),
            "LIST" => self.list(verb, |mail| match self.claims {
                Some(size) => size.to_string(),
                None => (mail.raw.len() + self.exaggeration).to_string(),
            }),
            "UIDL" if self.uidl && !self.uidl_fails => self.list(verb, |mail| mail.uidl.clone()),
            "RETR" if self.withheld == Some(number) => b"-ERR virus\r\n".into(),
            "RETR" => {
                self.retrieved += 1;
                self.handed_out.insert(number - 1);
                stuffed(&self.messages[number - 1].raw)
            }
            "TOP" if self.top_fails => b"-ERR not now\r\n".into(),
            "TOP" if self.hidden_top || self.capabilities.contains("TOP") => {
                let raw = &self.messages[number - 1].raw;
                let end = raw.windows(4).position(|four| four == b"\r\n\r\n");
                stuffed(&raw[..end.map_or(raw.len(), |end| end + 4)])
            }
            "DELE" => {
                self.marked.insert(number - 1);
                b"+OK\r\n".into()
            }
            "RSET" if self.without_rset => b"-ERR unknown\r\n".into(),
            "RSET" => {
                self.marked.clear();
                b"+OK\r\n".into()
            }
            "NOOP" if !self.without_noop => b"+OK\r\n".into(),
            "QUIT" => {
                if self.capabilities.contains("EXPIRE 0") {
                    self.marked.append(&mut self.handed_out);
                }
                if !self.keeps_everything {
                    self.delete_marked();
                }
                self.marked.clear();
                b"+OK bye\r\n".into()
            }
            _ => b"-ERR unknown\r\n".into(),
        }
    }
}

fn stuffed(raw: &[u8]) -> Vec<u8> {
    let mut answer = b"+OK\r\n".to_vec();
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        answer.extend(line.starts_with(b".").then_some(b'.'));
        answer.extend(line);
    }
    answer.extend(b".\r\n");
    answer
}

impl Server for Maildrop {
    fn connected(&mut self) -> Vec<u8> {
        format!("+OK {}\r\n", self.greeting).into()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        for byte in bytes {
            self.line.push(*byte);
            if *byte == b'\n' {
                let line = String::from_utf8(std::mem::take(&mut self.line)).unwrap();
                answers.extend(self.answer(line.trim_end()));
            }
        }
        answers
    }

    /// Only QUIT deletes, unless the server knows no better.
    fn disconnected(&mut self) {
        if self.deletes_at_the_end {
            self.delete_marked();
        }
        self.stuck = false;
        self.line.clear();
        self.marked.clear();
        self.handed_out.clear();
    }
}
