//! An IMAP server in memory with as few or as many extensions as a test wants.

use std::collections::{BTreeMap, BTreeSet};

use postern_imap::response::format_date_time;

use crate::testing::Server;

/// A message on the server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Letter {
    pub(super) uid: u32,
    pub(super) message_id: String,
    pub(super) size: usize,
    /// When it arrived, in seconds since 1970 (UTC).
    pub(super) arrived: i64,
    pub(super) flags: BTreeSet<String>,
    /// Its labels, where the server has such (X-GM-EXT-1).
    pub(super) labels: BTreeSet<String>,
}

/// A mailbox on the server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Folder {
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    pub(super) letters: Vec<Letter>,
}

impl Folder {
    /// A letter comes in; under which UID.
    pub(super) fn add(&mut self, letter: Letter) -> u32 {
        self.uid_next += 1;
        let uid = self.uid_next - 1;
        self.letters.push(Letter { uid, ..letter });
        uid
    }
}

/// The server.
#[derive(Clone, Debug, Default)]
pub(super) struct Imap {
    pub(super) capabilities: &'static str,
    pub(super) greeting: &'static str,
    pub(super) folders: BTreeMap<String, Folder>,
    /// Commands that are refused.
    pub(super) refuses: Vec<&'static str>,
    /// Those that can't be listed, by mailbox and UID.
    pub(super) damaged: Vec<(&'static str, u32)>,
    /// The marks that are told to be kept, if it tells; it keeps all others as long as the
    /// connection.
    pub(super) permanent: Option<&'static str>,
    /// Whether mailboxes are open for reading alone.
    pub(super) read_only: bool,
    /// Marks that STORE leaves out, while it says OK.
    pub(super) ignores: Vec<&'static str>,
    /// Whether mailboxes can only be made in the inbox.
    pub(super) only_in_inbox: bool,
    /// Its words to who makes a mailbox for a use, if it refuses that.
    pub(super) refuses_use: Option<&'static str>,
    /// The UID of one that COPY leaves out, while it says OK.
    pub(super) uncopied: Option<u32>,
    /// Whether a copy gets a date of its own.
    pub(super) redates: bool,
    /// The UIDVALIDITY that COPYUID tells, if it is another than that of the mailbox.
    pub(super) tells_validity: Option<u32>,
    /// The COPYUID codes that are told with a copy, besides that of what was copied.
    pub(super) tells_copies: Vec<String>,
    /// How many messages an answer to a search names; of more the rest can't be read.
    pub(super) finds: Option<usize>,
    /// UIDs that each search names besides those of what it is for.
    pub(super) also_finds: Vec<u32>,
    /// What was said, without tags.
    pub(super) log: Vec<String>,
    /// The selected mailbox.
    pub(super) selected: Option<String>,
    /// The beginning of a line that has not ended.
    pub(super) buffer: Vec<u8>,
}

impl Imap {
    /// A server with an inbox of letters 1, 2, 3, and an empty mailbox `m2`.
    pub(super) fn new(capabilities: &'static str) -> Self {
        let mut server = Self { capabilities, greeting: "hello", ..Self::default() };
        for (name, count) in [("m1", 3), ("m2", 0)] {
            let mut folder = Folder { uid_validity: 1, uid_next: 1, letters: Vec::new() };
            for number in 1..=count {
                let message_id = format!("{number}@example.org");
                let arrived = number;
                folder.add(Letter { message_id, size: 5, arrived, ..Letter::default() });
            }
            server.folders.insert(name.into(), folder);
        }
        server
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.split(' ').any(|own| own == capability)
    }

    /// Which letters are where, with their flags, whatever their UIDs.
    pub(super) fn state(&self) -> BTreeMap<String, Vec<(String, Vec<String>)>> {
        let letters = |folder: &Folder| {
            let mut letters: Vec<_> = folder
                .letters
                .iter()
                .map(|own| (own.message_id.clone(), own.flags.iter().cloned().collect()))
                .collect();
            letters.sort();
            letters
        };
        self.folders.iter().map(|(name, folder)| (name.clone(), letters(folder))).collect()
    }

    fn command(&mut self, line: &[u8], literal: &[u8]) -> String {
        let text = String::from_utf8_lossy(line).into_owned();
        let (tag, command) = text.split_once(' ').unwrap_or((&text, ""));
        self.log.push(command.into());
        let words = words(command);
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        let name = match word(0) {
            "UID" => format!("UID {}", word(1)),
            name => name.into(),
        };
        if matches!(&*name, "SELECT" | "EXAMINE") {
            self.selected = None;
        }
        if self.refuses.contains(&&*name) {
            return format!("{tag} NO not here\r\n");
        }
        let mut said = String::new();
        let end = match &*name {
            "CAPABILITY" => {
                said = format!("* CAPABILITY IMAP4REV1 {}\r\n", self.capabilities);
                Ok(String::new())
            }
            "NAMESPACE" => {
                said = "* NAMESPACE ((\"INBOX/\" \"/\")) NIL NIL\r\n".into();
                Ok(String::new())
            }
            "LOGIN" | "NOOP" | "SUBSCRIBE" | "UNSUBSCRIBE" | "LOGOUT" => Ok(String::new()),
            "SELECT" => self.select(word(1), &mut said),
            "UNSELECT" if self.has("UNSELECT") => {
                self.selected = None;
                Ok(String::new())
            }
            "EXAMINE" if word(1) == "INBOX" => self.select("m1", &mut said),
            "EXAMINE" => self.select(word(1), &mut said),
            "DELETE" | "RENAME"
                if self.selected.as_deref().is_some_and(|open| is_in(open, word(1))) =>
            {
                return "* BYE Selected mailbox is gone, have to disconnect\r\n".into();
            }
            "STATUS" => self.status(word(1), &mut said),
            "LIST" => {
                for path in self.folders.keys().filter(|path| word(2) == "*" || *path == word(2)) {
                    said += &format!("* LIST () \"/\" \"{path}\"\r\n");
                }
                Ok(String::new())
            }
            "CREATE" if command.contains("(USE") => match self.refuses_use {
                _ if !self.has("CREATE-SPECIAL-USE") => Err("too many arguments"),
                Some(text) => Err(text),
                None => self.create(word(1)),
            },
            "CREATE" => self.create(word(1)),
            "DELETE" => self.folders.remove(word(1)).map(|_| String::new()).ok_or("no such folder"),
            "RENAME" => self.rename(word(1), word(2)),
            "APPEND" => self.append(word(1), command, literal),
            "UID STORE" => self.store(word(2), word(3), command),
            "UID COPY" => self.copy(word(2), word(3), false, &mut said),
            "UID MOVE" if self.has("MOVE") => self.copy(word(2), word(3), true, &mut said),
            "UID EXPUNGE" if self.has("UIDPLUS") => {
                let set = set(word(2));
                let gone = |own: &Letter| set(own.uid) && own.flags.contains(r"\Deleted");
                self.open().letters.retain(|own| !gone(own));
                Ok(String::new())
            }
            "UID SEARCH" => {
                said = self.search(&words);
                Ok(String::new())
            }
            "UID FETCH" if self.is_damaged(word(2)) => Err("can't be read"),
            "UID FETCH" => {
                said = self.fetch(word(2), command.contains("X-GM-LABELS"));
                Ok(String::new())
            }
            _ => return format!("{tag} BAD unknown\r\n"),
        };
        match end {
            Ok(code) => format!("{said}{tag} OK {code}done\r\n"),
            Err(text) => format!("{said}{tag} NO {text}\r\n"),
        }
    }

    fn is_damaged(&self, uids: &str) -> bool {
        let named = set(uids);
        let is_open = |name: &str| self.selected.as_deref() == Some(name);
        self.damaged.iter().any(|(name, uid)| is_open(name) && named(*uid))
    }

    fn open(&mut self) -> &mut Folder {
        let name = self.selected.clone().expect("a mailbox is selected");
        self.folders.get_mut(&name).expect("the selected mailbox is there")
    }

    fn select(&mut self, name: &str, said: &mut String) -> Result<String, &'static str> {
        let folder = self.folders.get(name).ok_or("no such folder")?;
        *said = format!(
            "* {} EXISTS\r\n* OK [UIDVALIDITY {}] -\r\n* OK [UIDNEXT {}] -\r\n",
            folder.letters.len(),
            folder.uid_validity,
            folder.uid_next
        );
        if let Some(flags) = self.permanent {
            *said += &format!("* OK [PERMANENTFLAGS ({flags})] -\r\n");
        }
        self.selected = Some(name.into());
        Ok(if self.read_only { "[READ-ONLY] " } else { "" }.into())
    }

    fn status(&mut self, name: &str, said: &mut String) -> Result<String, &'static str> {
        let Folder { uid_validity, uid_next, letters } =
            self.folders.get(name).ok_or("no such folder")?;
        let unseen = letters.iter().filter(|own| !own.flags.contains(r"\Seen")).count();
        *said = format!(
            "* STATUS \"{name}\" (MESSAGES {} UNSEEN {unseen} UIDNEXT {uid_next} \
             UIDVALIDITY {uid_validity})\r\n",
            letters.len()
        );
        Ok(String::new())
    }

    fn create(&mut self, name: &str) -> Result<String, &'static str> {
        if self.folders.contains_key(name) {
            return Err("[ALREADYEXISTS] it is there");
        }
        if self.only_in_inbox && !name.starts_with("INBOX/") {
            return Err("not there");
        }
        let uid_validity = 100 + u32::try_from(self.folders.len()).unwrap();
        let folder = Folder { uid_validity, uid_next: 1, letters: Vec::new() };
        self.folders.insert(name.into(), folder);
        Ok(String::new())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<String, &'static str> {
        if !self.folders.contains_key(from) {
            return Err("no such folder");
        }
        for (name, folder) in std::mem::take(&mut self.folders) {
            let name =
                if is_in(&name, from) { format!("{to}{}", &name[from.len()..]) } else { name };
            self.folders.insert(name, folder);
        }
        Ok(String::new())
    }

    fn append(&mut self, to: &str, command: &str, raw: &[u8]) -> Result<String, &'static str> {
        let plus = self.has("UIDPLUS");
        let raw = String::from_utf8_lossy(raw);
        let id = raw.lines().find_map(|line| line.strip_prefix("Message-ID: <")).unwrap_or("");
        let flags = flags(command);
        let folder = self.folders.get_mut(to).ok_or("no such folder")?;
        let (message_id, size) = (id.trim_end_matches('>').into(), raw.len());
        let uid = folder.add(Letter { message_id, size, flags, ..Letter::default() });
        let code = format!("[APPENDUID {} {uid}] ", folder.uid_validity);
        Ok(if plus { code } else { String::new() })
    }

    fn store(&mut self, uids: &str, mode: &str, command: &str) -> Result<String, &'static str> {
        let is_label = mode.contains("X-GM-LABELS");
        let named = set(uids);
        let mut marks = if is_label { labels(command) } else { flags(command) };
        marks.retain(|mark| !self.ignores.contains(&&**mark));
        for letter in self.open().letters.iter_mut().filter(|own| named(own.uid)) {
            let own = if is_label { &mut letter.labels } else { &mut letter.flags };
            for mark in &marks {
                if mode.starts_with('+') {
                    own.insert(mark.clone());
                } else {
                    own.remove(mark);
                }
            }
        }
        Ok(String::new())
    }

    fn copy(
        &mut self,
        uids: &str,
        to: &str,
        moving: bool,
        said: &mut String,
    ) -> Result<String, &'static str> {
        if !self.folders.contains_key(to) {
            return Err("[TRYCREATE] no such folder");
        }
        let named = set(uids);
        let uncopied = self.uncopied.filter(|_| !moving);
        let source = self.open();
        let is_taken = |own: &&Letter| uncopied != Some(own.uid);
        let letters = source.letters.iter().filter(|own| named(own.uid));
        let taken: Vec<Letter> = letters.filter(is_taken).cloned().collect();
        if moving {
            source.letters.retain(|own| !named(own.uid));
        }
        let target = self.folders.get_mut(to).expect("it is there");
        let validity = self.tells_validity.unwrap_or(target.uid_validity);
        let (mut from, mut into) = (Vec::new(), Vec::new());
        for own in taken {
            from.push(own.uid.to_string());
            let arrived = if self.redates { 1_700_000_000 } else { own.arrived };
            let copy = Letter { arrived, labels: BTreeSet::new(), ..own };
            into.push(target.add(copy).to_string());
        }
        *said =
            self.tells_copies.iter().map(|told| format!("* OK [COPYUID {told}] -\r\n")).collect();
        if !self.has("UIDPLUS") || from.is_empty() {
            return Ok(String::new());
        }
        let code = format!("[COPYUID {validity} {} {}] ", from.join(","), into.join(","));
        if moving {
            *said += &format!("* OK {code}moved\r\n");
            return Ok(String::new());
        }
        Ok(code)
    }

    fn search(&mut self, words: &[String]) -> String {
        let after = |name: &str| words.iter().position(|own| own == name).map(|at| at + 1);
        let id = after("Message-ID").map(|at| words[at].clone());
        // "NOT UID 1:2" or "UID 1:2".
        let uids = words.iter().skip(2).position(|own| own == "UID").map(|at| at + 2);
        let named = |at: usize| (words[at - 1] != "NOT", set(&words[at + 1]));
        let uids = uids.map(named);
        let unseen = words.iter().any(|own| own == "UNSEEN");
        let mut found: Vec<String> = self
            .open()
            .letters
            .iter()
            .filter(|own| id.as_ref().is_none_or(|id| own.message_id.contains(&**id)))
            .filter(|own| uids.as_ref().is_none_or(|(are, named)| named(own.uid) == *are))
            .filter(|own| !unseen || !own.flags.contains(r"\Seen"))
            .map(|own| own.uid.to_string())
            .collect();
        found.extend(self.also_finds.iter().map(u32::to_string));
        if let Some(most) = self.finds.filter(|most| found.len() > *most) {
            found.truncate(most);
            found.push("...".into());
        }
        format!("* SEARCH {}\r\n", found.join(" "))
    }

    fn fetch(&mut self, uids: &str, with_labels: bool) -> String {
        let named = set(uids);
        let letters = self.open().letters.iter().zip(1..).filter(|(own, _)| named(own.uid));
        let lines = letters.map(|(own, number)| {
            let flags: Vec<_> = own.flags.iter().map(String::as_str).collect();
            let labels: Vec<_> = own.labels.iter().map(|label| format!("\"{label}\"")).collect();
            let labels = match with_labels {
                true => format!("X-GM-LABELS ({}) ", labels.join(" ")),
                false => String::new(),
            };
            format!(
                "* {number} FETCH (UID {} FLAGS ({}) {labels}INTERNALDATE \"{}\" RFC822.SIZE {} \
                 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL \"<{}>\"))\r\n",
                own.uid,
                flags.join(" "),
                format_date_time(own.arrived).expect("a date"),
                own.size,
                own.message_id
            )
        });
        lines.collect()
    }
}

impl Server for Imap {
    fn connected(&mut self) -> Vec<u8> {
        self.buffer.clear();
        self.selected = None;
        format!("* OK {}\r\n", self.greeting).into_bytes()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.buffer.extend_from_slice(bytes);
        let mut answer = String::new();
        while let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
            let line = self.buffer[..end].to_vec();
            let length = line.strip_suffix(b"}").and_then(|line| {
                let open = line.iter().rposition(|byte| *byte == b'{')?;
                std::str::from_utf8(&line[open + 1..]).ok()?.parse::<usize>().ok()
            });
            let Some(length) = length else {
                self.buffer.drain(..end + 2);
                answer += &self.command(&line, &[]);
                continue;
            };
            let all = end + 2 + length + 2;
            if self.buffer.len() == end + 2 {
                answer += "+ go on\r\n";
            }
            if self.buffer.len() < all {
                break;
            }
            let literal = self.buffer[end + 2..all - 2].to_vec();
            self.buffer.drain(..all);
            answer += &self.command(&line, &literal);
        }
        answer.into_bytes()
    }

    fn disconnected(&mut self) {}
}

/// Whether a mailbox is another one, or nested in it.
fn is_in(name: &str, other: &str) -> bool {
    name.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A command's words; what stands in quotes is one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// The flags in a command's last parentheses.
fn flags(command: &str) -> BTreeSet<String> {
    let inner = command.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inner.map_or("", |(inner, _)| inner).split_whitespace().map(Into::into).collect()
}

/// The labels in a command's parentheses, each in quotes or not.
fn labels(command: &str) -> BTreeSet<String> {
    let inner = command.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    words(inner).into_iter().collect()
}

/// Whether a UID is in a set.
fn set(text: &str) -> impl Fn(u32) -> bool + use<> {
    let set = postern_imap::SequenceSet::parse(text.as_bytes());
    move |uid| {
        let set = set.as_ref().expect("a set of UIDs");
        set.ranges().iter().any(|range| range.contains(&uid))
    }
}
