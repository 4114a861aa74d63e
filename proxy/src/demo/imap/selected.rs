//! The selected mailbox, as its client knows it.

use super::{Failure, Outcome, Session, folders, ok, parse::Cursor, set::Set, write};
use crate::demo::store::Mailbox;

/// A mailbox that a client has selected.
pub(super) struct Selected {
    /// The mailbox's UIDVALIDITY.
    pub(super) identity: u32,
    pub(super) read_only: bool,
    /// The messages that the client knows of; the first is number 1.
    pub(super) known: Vec<Known>,
    /// The UID that was next when the client was last told of new messages.
    uid_next: u32,
    /// The UIDs of the last SEARCH that was saved (RFC 5182).
    pub(super) saved: Vec<u32>,
}

/// A message as the client knows it.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) uid: u32,
    /// The version of its flags that the client was told.
    pub(super) version: u64,
}

impl Selected {
    fn new(mailbox: &Mailbox, read_only: bool) -> Self {
        let known = |message: &crate::demo::store::Message| Known {
            uid: message.uid,
            version: message.version,
        };
        Self {
            identity: mailbox.uid_validity,
            read_only,
            known: mailbox.messages.iter().map(known).collect(),
            uid_next: mailbox.uid_next,
            saved: Vec::new(),
        }
    }

    /// The messages of a set, as numbers and UIDs.
    pub(super) fn resolve(&self, set: &Set, by_uid: bool) -> Vec<(u32, u32)> {
        let last = if by_uid {
            self.known.last().map_or(0, |known| known.uid)
        } else {
            self.known.len() as u32
        };
        (1..)
            .zip(&self.known)
            .filter(|(number, known)| {
                let looked_at = if by_uid { known.uid } else { *number };
                set.contains(looked_at, last, || self.saved.binary_search(&known.uid).is_ok())
            })
            .map(|(number, known)| (number, known.uid))
            .collect()
    }

    /// Notes which version of a message's flags the client has been told.
    pub(super) fn told(&mut self, number: u32, version: u64) {
        if let Some(known) = self.known.get_mut(number as usize - 1) {
            known.version = version;
        }
    }
}

impl Session {
    pub(super) fn select(&mut self, cursor: &mut Cursor<'_>, read_only: bool) -> Outcome {
        cursor.space()?;
        let name = self.mailbox_name(cursor)?;
        cursor.end()?;
        if self.selected.take().is_some() {
            self.wire.write("* OK [CLOSED] the mailbox before\r\n");
        }
        let account = self.shared.store.account();
        let mailbox = account.mailbox(&name).ok_or_else(folders::missing)?;
        let mut lines = format!(
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n\
             * OK [PERMANENTFLAGS ({})] these can be kept\r\n\
             * {} EXISTS\r\n* 0 RECENT\r\n\
             * OK [UIDVALIDITY {}] unique\r\n* OK [UIDNEXT {}] next\r\n",
            if read_only { "" } else { "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*" },
            mailbox.messages.len(),
            mailbox.uid_validity,
            mailbox.uid_next,
        );
        if let Some(unseen) = mailbox.messages.iter().position(|m| !m.has_flag("\\Seen")) {
            lines.push_str(&format!("* OK [UNSEEN {}] the first\r\n", unseen + 1));
        }
        self.selected = Some(Selected::new(mailbox, read_only));
        drop(account);
        self.wire.write(lines);
        ok(if read_only { "[READ-ONLY] opened" } else { "[READ-WRITE] opened" })
    }

    /// The selected mailbox; [`Failure::Bad`] if there is none.
    pub(super) fn selected_mut(&mut self) -> Result<&mut Selected, Failure> {
        self.selected.as_mut().ok_or(Failure::Bad("SELECT first"))
    }

    /// The selected mailbox, if it may be changed.
    pub(super) fn writable(&mut self) -> Result<&mut Selected, Failure> {
        let selected = self.selected_mut()?;
        if selected.read_only {
            return Err(Failure::No("[READ-ONLY] it was opened with EXAMINE".to_owned()));
        }
        Ok(selected)
    }

    pub(super) fn unselect(&mut self) -> Outcome {
        self.selected = None;
        ok("done")
    }

    /// CLOSE: expunges without a word.
    pub(super) fn close_mailbox(&mut self) -> Outcome {
        if let Some(selected) = self.selected.take().filter(|selected| !selected.read_only) {
            self.shared.store.change(|account| {
                if let Some(mailbox) = account.by_identity_mut(selected.identity) {
                    mailbox.messages.retain(|message| !message.has_flag("\\Deleted"));
                }
            });
        }
        ok("done")
    }

    /// Tells the client what it does not know yet: messages that are gone (if that may be said
    /// now), flags that have changed, messages that are new.
    pub(super) fn tell_changes(&mut self, may_expunge: bool) {
        let Some(selected) = &mut self.selected else { return };
        let account = self.shared.store.account();
        let gone = Vec::new();
        let mailbox = account.by_identity(selected.identity);
        let messages = mailbox.map_or(&gone, |mailbox| &mailbox.messages);
        let find = |uid| messages.binary_search_by_key(&uid, |message| message.uid).ok();
        let mut lines = String::new();
        if may_expunge {
            let mut number = 0;
            selected.known.retain(|known| {
                number += 1;
                let there = find(known.uid).is_some();
                if !there {
                    lines.push_str(&format!("* {number} EXPUNGE\r\n"));
                    number -= 1;
                }
                there
            });
            selected.saved.retain(|uid| find(*uid).is_some());
        }
        for (number, known) in (1..).zip(&mut selected.known) {
            let Some(message) = find(known.uid).map(|position| &messages[position]) else {
                continue;
            };
            if message.version != known.version {
                known.version = message.version;
                lines.push_str(&flags_line(number, message));
            }
        }
        if let Some(mailbox) = mailbox {
            let from = messages.partition_point(|message| message.uid < selected.uid_next);
            selected.uid_next = mailbox.uid_next;
            if from < messages.len() {
                let new = messages[from..].iter();
                selected.known.extend(new.map(|m| Known { uid: m.uid, version: m.version }));
                lines.push_str(&format!("* {} EXISTS\r\n", selected.known.len()));
            }
        }
        drop(account);
        self.wire.write(lines);
    }
}

/// What tells a message's flags.
pub(super) fn flags_line(number: u32, message: &crate::demo::store::Message) -> String {
    format!("* {number} FETCH (UID {} FLAGS {})\r\n", message.uid, write::flags(&message.flags))
}
