//! A small IMAP server with one mailbox that others change while it is looked at.

use crate::testing::Server;

/// What the server can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Extension {
    None,
    Condstore,
    Qresync,
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) uid: u32,
    pub(super) seen: bool,
    pub(super) flagged: bool,
    mod_seq: u64,
}

impl Stored {
    fn flags(&self) -> String {
        let flags = [(self.seen, r"\Seen"), (self.flagged, r"\Flagged")];
        flags
            .into_iter()
            .filter_map(|(set, flag)| set.then_some(flag))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

pub(super) struct Simulated {
    extension: Extension,
    validity: u32,
    uid_next: u32,
    mod_seq: u64,
    pub(super) messages: Vec<Stored>,
    /// UIDs that are gone, and since when.
    expunged: Vec<(u64, u32)>,
    /// The UIDs by the sequence numbers that the client knows.
    announced: Vec<u32>,
    /// Up to which mod-sequence the client was told.
    told: u64,
    selected: bool,
    qresync: bool,
    input: Vec<u8>,
    /// State of the random numbers; 0 is quiet.
    pub(super) restless: u64,
}

impl Simulated {
    pub(super) fn new(extension: Extension) -> Self {
        Self {
            extension,
            validity: 1,
            uid_next: 1,
            mod_seq: 1,
            messages: Vec::new(),
            expunged: Vec::new(),
            announced: Vec::new(),
            told: 0,
            selected: false,
            qresync: false,
            input: Vec::new(),
            restless: 0,
        }
    }

    pub(super) fn random(&mut self, below: usize) -> usize {
        self.restless ^= self.restless << 13;
        self.restless ^= self.restless >> 7;
        self.restless ^= self.restless << 17;
        (self.restless % below.max(1) as u64) as usize
    }

    /// Whether something else is to be done first.
    pub(super) fn interrupts(&mut self) -> bool {
        self.restless != 0 && self.random(4) == 0
    }

    pub(super) fn add(&mut self, count: usize) {
        for _ in 0..count {
            self.mod_seq += 1;
            let (uid, mod_seq) = (self.uid_next, self.mod_seq);
            self.messages.push(Stored { uid, seen: false, flagged: false, mod_seq });
            // Not every number is used.
            self.uid_next += 1 + u32::from(uid % 5 == 0);
        }
    }

    /// Another client does something.
    pub(super) fn disturb(&mut self) {
        let count = self.messages.len();
        let at = self.random(count);
        match self.random(5) {
            0 => {
                let new = 1 + self.random(3);
                self.add(new);
            }
            1 if count > 0 => self.expunge(at),
            2 if count > 0 => self.toggle_seen(at),
            3 if count > 0 => {
                self.mod_seq += 1;
                let message = &mut self.messages[at];
                (message.flagged, message.mod_seq) = (!message.flagged, self.mod_seq);
            }
            _ => {}
        }
    }

    pub(super) fn expunge(&mut self, at: usize) {
        self.mod_seq += 1;
        let gone = self.messages.remove(at);
        self.expunged.push((self.mod_seq, gone.uid));
    }

    pub(super) fn toggle_seen(&mut self, at: usize) {
        self.mod_seq += 1;
        let message = &mut self.messages[at];
        (message.seen, message.mod_seq) = (!message.seen, self.mod_seq);
    }

    /// The mailbox is made anew under the same name.
    pub(super) fn renew(&mut self) {
        self.validity += 1;
        self.mod_seq += 1;
        self.expunged.clear();
        for (message, uid) in self.messages.iter_mut().zip(1..) {
            message.uid = uid;
            message.mod_seq = self.mod_seq;
        }
        self.uid_next = u32::try_from(self.messages.len()).unwrap() + 1;
    }

    pub(super) fn unseen(&self) -> usize {
        self.messages.iter().filter(|message| !message.seen).count()
    }

    fn has_mod_seqs(&self) -> bool {
        self.extension != Extension::None
    }

    /// Tells what has changed since the client was told last.
    fn announce(&mut self, out: &mut String) {
        let there = |uid: &u32| self.messages.iter().any(|message| message.uid == *uid);
        let gone: Vec<usize> =
            (0..self.announced.len()).filter(|at| !there(&self.announced[*at])).collect();
        let uids: Vec<String> = gone.iter().map(|at| self.announced[*at].to_string()).collect();
        if self.qresync && !uids.is_empty() {
            out.push_str(&format!("* VANISHED {}\r\n", uids.join(",")));
        }
        for at in gone.into_iter().rev() {
            self.announced.remove(at);
            if !self.qresync {
                out.push_str(&format!("* {} EXPUNGE\r\n", at + 1));
            }
        }
        if self.announced.len() != self.messages.len() {
            self.announced = self.messages.iter().map(|message| message.uid).collect();
            out.push_str(&format!("* {} EXISTS\r\n", self.announced.len()));
        }
        for (message, number) in self.messages.iter().zip(1..) {
            if message.mod_seq > self.told {
                let uid =
                    if self.qresync { format!("UID {} ", message.uid) } else { String::new() };
                out.push_str(&format!("* {number} FETCH ({uid}FLAGS ({}))\r\n", message.flags()));
            }
        }
        self.told = self.mod_seq;
    }

    fn select(&mut self, parameters: &str, out: &mut String) {
        self.selected = true;
        self.announced = self.messages.iter().map(|message| message.uid).collect();
        self.told = self.mod_seq;
        let (count, validity, next) = (self.messages.len(), self.validity, self.uid_next);
        out.push_str(&format!(
            "* OK [CLOSED] x\r\n* {count} EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n\
             * OK [UIDNEXT {next}] x\r\n"
        ));
        if self.has_mod_seqs() {
            out.push_str(&format!("* OK [HIGHESTMODSEQ {}] x\r\n", self.mod_seq));
        }
        let Some(known) = parameters.strip_prefix("(QRESYNC (") else { return };
        assert!(self.qresync, "QRESYNC was not enabled");
        let known: Vec<&str> = known.trim_end_matches(')').split(' ').collect();
        if known[0].parse() != Ok(self.validity) {
            return;
        }
        let since: u64 = known[1].parse().unwrap();
        assert!(since <= self.mod_seq, "the mod-sequence ran ahead");
        let gone: Vec<String> = self
            .expunged
            .iter()
            .filter(|(when, uid)| *when > since && contains(known[2], *uid))
            .map(|(_, uid)| uid.to_string())
            .collect();
        if !gone.is_empty() {
            out.push_str(&format!("* VANISHED (EARLIER) {}\r\n", gone.join(",")));
        }
        self.list(known[2], since, false, out);
    }

    fn list(&mut self, set: &str, since: u64, whole: bool, out: &mut String) {
        for message in &self.messages {
            let Some(at) = self.announced.iter().position(|uid| *uid == message.uid) else {
                continue;
            };
            let (uid, flags, number) = (message.uid, message.flags(), at + 1);
            if message.mod_seq <= since || !contains(set, uid) {
                continue;
            }
            out.push_str(&format!("* {number} FETCH (UID {uid} FLAGS ({flags})"));
            if whole {
                let day = 1 + uid * 7 % 28;
                out.push_str(&format!(
                    " INTERNALDATE \"{day:02}-Jan-2024 00:00:00 +0000\" RFC822.SIZE 9 ENVELOPE \
                     (NIL \"Letter {uid}\" NIL NIL NIL NIL NIL NIL NIL NIL) BODYSTRUCTURE \
                     (\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1)"
                ));
            }
            out.push_str(")\r\n");
        }
    }

    fn answer(&mut self, line: &str) -> String {
        let (tag, command) = line.split_once(' ').unwrap();
        let mut out = String::new();
        if self.selected {
            self.announce(&mut out);
        }
        // It happens between two messages to the client as well.
        if self.restless != 0 && self.random(3) == 0 {
            self.disturb();
        }
        if let Some(rest) = command.strip_prefix("UID FETCH ") {
            let (set, rest) = rest.split_once(' ').unwrap();
            let since = rest
                .split_once("(CHANGEDSINCE ")
                .map_or(0, |(_, number)| number.trim_end_matches(')').parse().unwrap());
            self.list(set, since, rest.contains("ENVELOPE"), &mut out);
        } else if command == "UID SEARCH RETURN (ALL) ALL" {
            let uids: Vec<String> = self.announced.iter().map(u32::to_string).collect();
            let all =
                if uids.is_empty() { String::new() } else { format!(" ALL {}", uids.join(",")) };
            out.push_str(&format!("* ESEARCH (TAG \"{tag}\") UID{all}\r\n"));
        } else if let Some(rest) = command.strip_prefix("UID SEARCH RETURN (COUNT) UNSEEN") {
            let but = rest.strip_prefix(" NOT UID ");
            let counts =
                |own: &&Stored| !own.seen && !but.is_some_and(|set| contains(set, own.uid));
            let count = self.messages.iter().filter(counts).count();
            out.push_str(&format!("* ESEARCH (TAG \"{tag}\") UID COUNT {count}\r\n"));
        } else if let Some(parameters) = command.strip_prefix("SELECT \"INBOX\"") {
            out.clear();
            self.select(parameters.trim(), &mut out);
        } else if command == "ENABLE QRESYNC" {
            self.qresync = true;
            out.push_str("* ENABLED QRESYNC\r\n");
        } else {
            assert_eq!(command, "NOOP");
        }
        out + tag + " OK done\r\n"
    }
}

impl Server for Simulated {
    fn connected(&mut self) -> Vec<u8> {
        let extensions = match self.extension {
            Extension::None => "",
            Extension::Condstore => " CONDSTORE",
            Extension::Qresync => " ENABLE CONDSTORE QRESYNC",
        };
        format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH{extensions}] hi\r\n").into_bytes()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.input.extend(bytes);
        let mut out = String::new();
        while let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = self.input.drain(..end + 2).collect();
            out += &self.answer(std::str::from_utf8(&line[..end]).unwrap());
        }
        out.into_bytes()
    }

    fn disconnected(&mut self) {
        self.selected = false;
        self.qresync = false;
        self.input.clear();
    }
}

/// Whether a set as the client writes it holds a UID.
fn contains(set: &str, uid: u32) -> bool {
    set.split(',').any(|range| {
        let (start, end) = range.split_once(':').unwrap_or((range, range));
        (start.parse().unwrap()..=end.parse().unwrap()).contains(&uid)
    })
}
