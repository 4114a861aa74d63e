//! The mailboxes themselves: LIST, LSUB, STATUS, NAMESPACE, CREATE, DELETE, RENAME, SUBSCRIBE.

use super::{
    Failure, Outcome, Session, name, no, ok,
    parse::{Cursor, Malformed},
    write,
};
use crate::demo::{
    limits,
    store::{Account, Mailbox, same_name},
};

/// What LIST shall tell, and of which mailboxes (RFC 5258).
#[derive(Default)]
struct ListOptions {
    only_subscribed: bool,
    only_special: bool,
    subscribed: bool,
    status: Option<Vec<String>>,
}

impl Session {
    /// Reads a mailbox's name.
    pub(super) fn mailbox_name(&self, cursor: &mut Cursor<'_>) -> Result<String, Failure> {
        let name = self.decoded(cursor.astring_text()?)?;
        if name.is_empty() || name.len() > limits::MAILBOX_NAME {
            return Err(no("[CANNOT] the name is empty or too long"));
        }
        if name.chars().any(char::is_control) {
            return Err(no("[CANNOT] the name has control characters"));
        }
        Ok(name)
    }

    fn decoded(&self, name: String) -> Result<String, Failure> {
        if self.utf8 || !name.is_ascii() {
            return Ok(name);
        }
        name::decode(&name).ok_or_else(|| no("[CANNOT] the name is not in modified UTF-7"))
    }

    fn written_name(&self, name: &str) -> String {
        if self.utf8 { write::quoted(name) } else { write::quoted(&name::encode(name)) }
    }

    pub(super) fn namespace(&mut self) -> Outcome {
        self.wire.write("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
        ok("done")
    }

    pub(super) fn list(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        let mut options = ListOptions::default();
        cursor.space()?;
        if cursor.peek() == Some(b'(') {
            for option in cursor.list(|cursor| cursor.atom())? {
                match option.to_ascii_uppercase().as_str() {
                    "SUBSCRIBED" => options.only_subscribed = true,
                    "SPECIAL-USE" => options.only_special = true,
                    "REMOTE" | "RECURSIVEMATCH" => {}
                    _ => return Err(Failure::Bad("unknown selection option")),
                }
            }
            cursor.space()?;
        }
        let reference = self.decoded(cursor.astring_text()?)?;
        cursor.space()?;
        let several = cursor.peek() == Some(b'(');
        let patterns =
            if several { cursor.list(Cursor::pattern)? } else { vec![cursor.pattern()?] };
        let mut decoded = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let pattern = String::from_utf8(pattern).map_err(|_| Malformed)?;
            decoded.push(format!("{reference}{}", self.decoded(pattern)?));
        }
        if cursor.eat_space() && !cursor.at_end() {
            return_options(cursor, &mut options)?;
        }
        cursor.end()?;
        if decoded == [""] {
            self.wire.write("* LIST (\\Noselect) \"/\" \"\"\r\n");
            return ok("done");
        }
        self.write_list(&decoded, &options);
        ok("done")
    }

    fn write_list(&mut self, patterns: &[String], options: &ListOptions) {
        let account = self.shared.store.account();
        let mut lines = String::new();
        for mailbox in &account.mailboxes {
            let shown = patterns.iter().any(|pattern| fits(pattern, &mailbox.name))
                && (mailbox.subscribed || !options.only_subscribed)
                && (mailbox.special_use.is_some() || !options.only_special);
            if !shown {
                continue;
            }
            let mut attributes = vec![children(&account, mailbox)];
            attributes.extend(mailbox.special_use);
            if mailbox.subscribed && (options.subscribed || options.only_subscribed) {
                attributes.push("\\Subscribed");
            }
            let name = self.written_name(&mailbox.name);
            lines.push_str(&format!("* LIST ({}) \"/\" {name}\r\n", attributes.join(" ")));
            if let Some(items) = &options.status {
                lines.push_str(&format!("* STATUS {name} ({})\r\n", status(mailbox, items)));
            }
        }
        drop(account);
        self.wire.write(lines);
    }

    pub(super) fn lsub(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let reference = self.decoded(cursor.astring_text()?)?;
        cursor.space()?;
        let pattern = String::from_utf8(cursor.pattern()?).map_err(|_| Malformed)?;
        cursor.end()?;
        let pattern = format!("{reference}{}", self.decoded(pattern)?);
        let account = self.shared.store.account();
        let subscribed = account.mailboxes.iter().filter(|mailbox| mailbox.subscribed);
        let lines: String = subscribed
            .filter(|mailbox| fits(&pattern, &mailbox.name))
            .map(|mailbox| format!("* LSUB () \"/\" {}\r\n", self.written_name(&mailbox.name)))
            .collect();
        drop(account);
        self.wire.write(lines);
        ok("done")
    }

    pub(super) fn status(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let name = self.mailbox_name(cursor)?;
        cursor.space()?;
        let items = status_items(cursor)?;
        cursor.end()?;
        let account = self.shared.store.account();
        let mailbox = account.mailbox(&name).ok_or_else(missing)?;
        let line = format!(
            "* STATUS {} ({})\r\n",
            self.written_name(&mailbox.name),
            status(mailbox, &items)
        );
        drop(account);
        self.wire.write(line);
        ok("done")
    }

    pub(super) fn create(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let name = self.mailbox_name(cursor)?;
        let special_use = if cursor.eat_space() { special_use(cursor)? } else { None };
        cursor.end()?;
        let name = valid_new_name(name.strip_suffix('/').unwrap_or(&name))?.to_owned();
        self.shared.store.change(|account| {
            if account.mailbox(&name).is_some() {
                return Err(no("[ALREADYEXISTS] there is such a mailbox"));
            }
            if account.mailboxes.len() >= limits::MAILBOXES {
                return Err(no("[LIMIT] there are too many mailboxes"));
            }
            account.create(&name, special_use);
            ok("done")
        })
    }

    pub(super) fn delete(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let name = self.mailbox_name(cursor)?;
        cursor.end()?;
        self.shared.store.change(|account| {
            let mailbox = account.mailbox(&name).ok_or_else(missing)?;
            if same_name(&mailbox.name, "INBOX") {
                return Err(no("[CANNOT] INBOX stays"));
            }
            if has_children(account, &mailbox.name) {
                return Err(no("[HASCHILDREN] there are mailboxes below it"));
            }
            let identity = mailbox.uid_validity;
            account.mailboxes.retain(|mailbox| mailbox.uid_validity != identity);
            ok("done")
        })
    }

    pub(super) fn rename(&mut self, cursor: &mut Cursor<'_>) -> Outcome {
        cursor.space()?;
        let from = self.mailbox_name(cursor)?;
        cursor.space()?;
        let to = self.mailbox_name(cursor)?;
        cursor.end()?;
        let to = valid_new_name(&to)?;
        self.shared.store.change(|account| {
            if account.mailbox(to).is_some() {
                return Err(no("[ALREADYEXISTS] there is such a mailbox"));
            }
            if same_name(&from, "INBOX") {
                return Err(no("[CANNOT] INBOX keeps its name"));
            }
            if account.mailbox(&from).is_none() {
                return Err(missing());
            }
            let below = format!("{from}/");
            if to.starts_with(&below) {
                return Err(no("[CANNOT] a mailbox can't move below itself"));
            }
            for mailbox in &mut account.mailboxes {
                if mailbox.name == from {
                    mailbox.name = to.to_owned();
                } else if let Some(rest) = mailbox.name.strip_prefix(&below) {
                    mailbox.name = format!("{to}/{rest}");
                }
            }
            ok("done")
        })
    }

    pub(super) fn subscribe(&mut self, cursor: &mut Cursor<'_>, subscribed: bool) -> Outcome {
        cursor.space()?;
        let name = self.mailbox_name(cursor)?;
        cursor.end()?;
        self.shared.store.change(|account| {
            account.mailbox_mut(&name).ok_or_else(missing)?.subscribed = subscribed;
            ok("done")
        })
    }
}

/// The answer to a name that no mailbox has.
pub(super) fn missing() -> Failure {
    no("[NONEXISTENT] there is no such mailbox")
}

/// What a new mailbox is for (RFC 6154 section 3): one use that no other mailbox has.
fn special_use(cursor: &mut Cursor<'_>) -> Result<Option<&'static str>, Failure> {
    const USES: [&str; 5] = ["\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"];
    let uses = cursor.list(|cursor| {
        if cursor.keyword().as_deref() != Some("USE") {
            return Err(Malformed);
        }
        cursor.space()?;
        cursor.list(|cursor| cursor.flag())
    })?;
    let wanted = uses.into_iter().flatten().next().ok_or(Malformed)?;
    let known = USES.into_iter().find(|own| own.eq_ignore_ascii_case(&wanted));
    known.map(Some).ok_or_else(|| no("[USEATTR] there is no such use"))
}

fn valid_new_name(name: &str) -> Result<&str, Failure> {
    if name.is_empty() || name.split('/').any(str::is_empty) || name.contains(['%', '*']) {
        return Err(no("[CANNOT] the name has an empty level, or % or *"));
    }
    Ok(name)
}

/// INBOX fits in any case.
fn fits(pattern: &str, mailbox: &str) -> bool {
    name::matches(pattern, mailbox)
        || (mailbox == "INBOX" && name::matches(&pattern.to_uppercase(), mailbox))
}

fn has_children(account: &Account, name: &str) -> bool {
    let below = |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    account.mailboxes.iter().any(|mailbox| below(&mailbox.name))
}

fn children(account: &Account, mailbox: &Mailbox) -> &'static str {
    if has_children(account, &mailbox.name) { "\\HasChildren" } else { "\\HasNoChildren" }
}

fn return_options(cursor: &mut Cursor<'_>, options: &mut ListOptions) -> Result<(), Failure> {
    if cursor.keyword().as_deref() != Some("RETURN") {
        return Err(Malformed.into());
    }
    cursor.space()?;
    let read = cursor.list(|cursor| {
        let option = cursor.keyword().ok_or(Malformed)?;
        if option != "STATUS" {
            return Ok((option, None));
        }
        cursor.space()?;
        Ok((option, Some(status_items(cursor)?)))
    })?;
    for (option, items) in read {
        match option.as_str() {
            "SUBSCRIBED" => options.subscribed = true,
            "STATUS" => options.status = items,
            "CHILDREN" | "SPECIAL-USE" => {}
            _ => return Err(Failure::Bad("unknown return option")),
        }
    }
    Ok(())
}

fn status_items(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Malformed> {
    let items = cursor.list(|cursor| cursor.keyword().ok_or(Malformed))?;
    let known = |item: &String| {
        ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "RECENT", "DELETED", "SIZE"]
            .contains(&item.as_str())
    };
    if items.iter().all(known) { Ok(items) } else { Err(Malformed) }
}

fn status(mailbox: &Mailbox, items: &[String]) -> String {
    let count = |flag: &str| mailbox.messages.iter().filter(|m| m.has_flag(flag)).count();
    let total = mailbox.messages.len();
    let values = items.iter().map(|item| {
        let value = match item.as_str() {
            "MESSAGES" => total,
            "UIDNEXT" => mailbox.uid_next as usize,
            "UIDVALIDITY" => mailbox.uid_validity as usize,
            "UNSEEN" => total - count("\\Seen"),
            "DELETED" => count("\\Deleted"),
            "SIZE" => mailbox.messages.iter().map(|message| message.raw.len()).sum(),
            // RECENT: this server never calls a message recent.
            _ => 0,
        };
        format!("{item} {value}")
    });
    values.collect::<Vec<_>>().join(" ")
}
