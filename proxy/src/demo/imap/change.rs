//! What changes mail: STORE, COPY, MOVE, EXPUNGE and APPEND.

use std::collections::BTreeSet;

use super::{
    Failure, Outcome, Session, folders, no, ok,
    parse::{Cursor, Malformed},
    selected::flags_line,
    set::{Set, compact},
};
use crate::demo::{
    date,
    store::{self, Message, canonical_flag},
};

/// How STORE changes flags.
#[derive(Clone, Copy)]
enum Change {
    Add,
    Remove,
    Replace,
}

impl Change {
    fn apply(self, message: &mut Message, flags: &BTreeSet<String>) {
        let before = message.flags.clone();
        match self {
            Self::Add => {
                for flag in flags {
                    if !message.has_flag(flag) {
                        message.flags.insert(flag.clone());
                    }
                }
            }
            Self::Remove => {
                message.flags.retain(|own| !flags.iter().any(|flag| flag.eq_ignore_ascii_case(own)))
            }
            Self::Replace => message.flags.clone_from(flags),
        }
        if message.flags != before {
            message.version += 1;
        }
    }
}

impl Session {
    pub(super) fn store(&mut self, cursor: &mut Cursor<'_>, by_uid: bool) -> Outcome {
        cursor.space()?;
        let set = Set::parse(cursor)?;
        cursor.space()?;
        let change = match cursor.peek() {
            Some(b'+') => Change::Add,
            Some(b'-') => Change::Remove,
            _ => Change::Replace,
        };
        let item = cursor.keyword().unwrap_or_default();
        let silent = match item.trim_start_matches(['+', '-']) {
            "FLAGS" => false,
            "FLAGS.SILENT" => true,
            _ => return Err(Malformed.into()),
        };
        cursor.space()?;
        let flags = flags(cursor)?;
        cursor.end()?;
        let shared = self.shared.clone();
        let selected = self.writable()?;
        let messages = selected.resolve(&set, by_uid);
        let mut lines = String::new();
        shared.store.change(|account| {
            let Some(mailbox) = account.by_identity_mut(selected.identity) else { return };
            for (number, uid) in messages {
                let Some(position) = mailbox.position(uid) else { continue };
                let message = &mut mailbox.messages[position];
                change.apply(message, &flags);
                selected.told(number, message.version);
                if !silent {
                    lines.push_str(&flags_line(number, message));
                }
            }
        });
        self.wire.write(lines);
        ok("done")
    }

    pub(super) fn copy(&mut self, cursor: &mut Cursor<'_>, by_uid: bool) -> Outcome {
        let copied = self.transfer(cursor, by_uid, false)?;
        Ok(format!("{copied}done"))
    }

    pub(super) fn r#move(&mut self, cursor: &mut Cursor<'_>, by_uid: bool) -> Outcome {
        let moved = self.transfer(cursor, by_uid, true)?;
        // The code comes before the EXPUNGEs (RFC 9051 section 6.4.8).
        self.wire.write(format!("* OK {moved}moved\r\n"));
        self.tell_changes(true);
        ok("done")
    }

    /// Copies messages, and takes them away where they were if they are to move. Returns the
    /// COPYUID code with a space after it, or nothing if nothing was copied.
    fn transfer(
        &mut self,
        cursor: &mut Cursor<'_>,
        by_uid: bool,
        moving: bool,
    ) -> Result<String, Failure> {
        cursor.space()?;
        let set = Set::parse(cursor)?;
        cursor.space()?;
        let target = self.mailbox_name(cursor)?;
        cursor.end()?;
        let shared = self.shared.clone();
        let selected = if moving { self.writable()? } else { self.selected_mut()? };
        let uids = selected.resolve(&set, by_uid).into_iter().map(|(_, uid)| uid);
        shared.store.change(|account| {
            if account.mailbox(&target).is_none() {
                return Err(no("[TRYCREATE] there is no such mailbox"));
            }
            let Some(source) = account.by_identity_mut(selected.identity) else {
                return Err(folders::missing());
            };
            let messages: Vec<Message> = uids
                .filter_map(|uid| source.position(uid).map(|at| source.messages[at].clone()))
                .collect();
            let from: Vec<u32> = messages.iter().map(|message| message.uid).collect();
            if moving {
                source.messages.retain(|message| from.binary_search(&message.uid).is_err());
            }
            let Some(target) = account.mailbox_mut(&target) else {
                return Err(folders::missing());
            };
            let to: Vec<u32> = messages
                .into_iter()
                .map(|message| target.add(message.raw, message.flags, message.internal_date))
                .collect();
            if to.is_empty() {
                return Ok(String::new());
            }
            let validity = target.uid_validity;
            Ok(format!("[COPYUID {validity} {} {}] ", compact(&from), compact(&to)))
        })
    }

    /// EXPUNGE; with a set, only of the messages in it (UID EXPUNGE).
    pub(super) fn expunge(&mut self, only: Option<Set>) -> Outcome {
        let shared = self.shared.clone();
        let selected = self.writable()?;
        let only = only.map(|set| {
            selected.resolve(&set, true).into_iter().map(|(_, uid)| uid).collect::<Vec<u32>>()
        });
        let doomed = |message: &Message| {
            message.has_flag("\\Deleted")
                && only.as_ref().is_none_or(|only| only.binary_search(&message.uid).is_ok())
        };
        shared.store.change(|account| {
            if let Some(mailbox) = account.by_identity_mut(selected.identity) {
                mailbox.messages.retain(|message| !doomed(message));
            }
        });
        ok("done")
    }

    pub(super) fn uid_expunge(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let set = Set::parse(cursor)?;
        cursor.end()?;
        self.expunge(Some(set))
    }

    pub(super) fn append(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let name = self.mailbox_name(cursor)?;
        cursor.space()?;
        let mut with = BTreeSet::new();
        if cursor.peek() == Some(b'(') {
            with = flags(cursor)?;
            cursor.space()?;
        }
        let mut arrived = store::now();
        if cursor.peek() == Some(b'"') {
            let text = cursor.astring_text()?;
            arrived = date::parse_internal_date(&text).ok_or(Malformed)?;
            cursor.space()?;
        }
        let message = cursor.string()?;
        cursor.end()?;
        self.shared.store.change(|account| {
            let Some(mailbox) = account.mailbox_mut(&name) else {
                return Err(no("[TRYCREATE] there is no such mailbox"));
            };
            let uid = mailbox.add(message.into(), with, arrived);
            Ok(format!("[APPENDUID {} {uid}] done", mailbox.uid_validity))
        })
    }
}

/// Flags in parentheses or bare. `\Recent` is the server's own and is left out.
fn flags(cursor: &mut Cursor<'_>) -> Result<BTreeSet<String>, Malformed> {
    let flags = if cursor.peek() == Some(b'(') {
        cursor.list(|cursor| cursor.flag())?
    } else {
        let mut flags = vec![cursor.flag()?];
        while cursor.eat_space() {
            flags.push(cursor.flag()?);
        }
        flags
    };
    let kept = flags.iter().filter(|flag| !flag.eq_ignore_ascii_case("\\Recent"));
    Ok(kept.map(|flag| canonical_flag(flag)).collect())
}
