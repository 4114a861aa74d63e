//! What some servers do otherwise than the standard says.
//!
//! A [`Quirk`] is something for which a client must act differently. It is found while talking to
//! the server, from its greeting, its ID or its behaviour; nobody has to set it, and none depends
//! on a host's name.
//!
//! What can simply be read in more than one way is no quirk: it is tolerated from every server,
//! always. Those tolerances are:
//!
//! | Seen at | What | What becomes of it |
//! |---|---|---|
//! | many | 8-bit text in `* OK`, in quoted strings, in names of mailboxes without quotes | kept as it is; text for people is shown as UTF-8 with replacements |
//! | many | `{5}` at the end of text for people | is text, and announces nothing |
//! | many | several spaces, a space before the line's end, a bare line feed | skipped |
//! | Exchange | `+` without a space or text behind it | is a go-ahead |
//! | Exchange | `NIL` where a list of addresses or parameters is due; a disposition that is a string | an empty list; skipped |
//! | Exchange | text where a multipart's disposition is due | skipped |
//! | mail.ru | `("boundary" NIL)` | a parameter without a value is left out |
//! | Courier, Yandex | structures with fields missing at their end | what is missing has its default |
//! | Gmail | items that nobody asked for, such as `X-GM-MSGID`, in between | skipped |
//! | Gmail | a number in quotes | is a number |
//! | Gmail | labels of its own in quotes, `"\\Inbox"`, or without | what begins with a backslash is its own |
//! | Gmail | flags that changed told without the labels | labels stay what they were until they are asked for |
//! | Cyrus | `\sent` in lower case | compared without case |
//! | many | CAPABILITY, EXISTS, FETCH at any time | taken as news |
//! | many | a go-ahead behind a literal that needed none (RFC 7888) | recorded as a defect |

use std::time::Duration;

use crate::response::{Status, StatusKind};

/// How long IDLE may last before it is begun anew: a server may hang up after 30 minutes of silence
/// (RFC 9051 section 5.4), and so do many boxes on the way.
pub(crate) const IDLE_RENEWAL: Duration = Duration::from_secs(28 * 60);

/// Something that a server does, and for which a client must act differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quirk {
    /// Opens no mailbox for a client that did not say who it is with ID after the log-in:
    /// `NO SELECT Unsafe Login. Please contact kefu@188.com for help`. Coremail, at 163.com, 126.com
    /// and yeah.net.
    ///
    /// Found from its greeting, its ID, or that answer: then it is told at once, and asked again.
    WantsId,
    /// Tells sizes that are estimates, so that content ends before or behind them: RFC822.SIZE, and
    /// the sizes in BODYSTRUCTURE; they change once it has counted. Microsoft Exchange, unless its
    /// operator made it count. Content is fetched until nothing more comes, and a message that has an
    /// id is not told from another by its size.
    ///
    /// Found from its greeting or ID.
    EstimatesSizes,
    /// Offers IDLE but refuses it, as some do for single mailboxes or through some load balancers.
    /// Asking again would be refused again.
    ///
    /// Found when it happens.
    RefusesIdle,
    /// Has UTF8=ACCEPT enabled and refuses the form of APPEND that goes with it (RFC 6855 section 4). A
    /// message with UTF-8 in its header is sent as any other.
    ///
    /// Found when a message that was refused in that form is taken without it.
    RefusesUtf8Append,
}

/// The quirks that were found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quirks(u8);

impl Quirks {
    /// Whether a quirk was found.
    pub fn has(self, quirk: Quirk) -> bool {
        self.0 & Self::bit(quirk) != 0
    }

    pub(crate) fn learn_from_greeting(&mut self, text: &str) {
        self.learn_from_name(text);
    }

    pub(crate) fn learn_from_id(&mut self, fields: &[(String, Option<String>)]) {
        let told = ["name", "vendor"];
        for (field, value) in fields {
            if told.iter().any(|own| field.eq_ignore_ascii_case(own)) {
                self.learn_from_name(value.as_deref().unwrap_or_default());
            }
        }
    }

    pub(crate) fn learn_from_refusal(&mut self, text: &str) {
        if contains(text, "unsafe login") {
            self.add(Quirk::WantsId);
        }
    }

    /// A command was answered before the client had ended it.
    pub(crate) fn learn_from_early_end(&mut self, name: &str, status: &Status, idling: bool) {
        if name == "IDLE" && idling && status.kind != StatusKind::Ok {
            self.add(Quirk::RefusesIdle);
        }
    }

    fn learn_from_name(&mut self, text: &str) {
        if contains(text, "coremail") {
            self.add(Quirk::WantsId);
        }
        if contains(text, "microsoft exchange") {
            self.add(Quirk::EstimatesSizes);
        }
    }

    pub(crate) fn add(&mut self, quirk: Quirk) {
        self.0 |= Self::bit(quirk);
    }

    fn bit(quirk: Quirk) -> u8 {
        1 << quirk as u8
    }
}

/// Whether a text contains another, which is in lower case.
fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(part)
}

#[cfg(test)]
mod tests;
