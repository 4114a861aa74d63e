//! Whether one mailbox has new mail, while another is brought up to date.

use postern_imap::{
    Command,
    command::StatusItem,
    response::{MailboxStatus, StatusKind},
    session::Tag,
};

use super::{ImapClient, batch::Sync};
use crate::{Host, MailError, Transport, record::Mailbox};

/// How long after the server was asked it is asked again, in milliseconds.
const ASK_EVERY: i64 = 500;

/// A mailbox that is looked at now and then.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    is_looking: bool,
    /// Its name, as the server spells it; stays, with what is known, while nothing is looked at.
    name: Vec<u8>,
    /// What is known of it.
    known: Known,
    /// Whether there is one.
    has_news: bool,
    /// The command that asks, while its end is not known.
    asking: Option<Tag>,
    /// When it was given, in milliseconds since 1970 (UTC).
    asked: i64,
}

/// What shows that a mailbox has a new message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    /// From which UID on a message is new.
    UidNext(u32),
    /// How many messages there are, where the server does not tell the next UID when a mailbox is
    /// opened, as Courier.
    Messages(u32),
}

impl Default for Known {
    fn default() -> Self {
        Self::Messages(0)
    }
}

impl Known {
    /// What is known of a mailbox; `None` before it was stored as a whole.
    fn of(mailbox: &Mailbox) -> Option<Self> {
        match (mailbox.uid_next, mailbox.synced.exists) {
            (0, 0) => None,
            (0, messages) => Some(Self::Messages(messages)),
            (uid_next, _) => Some(Self::UidNext(uid_next)),
        }
    }

    /// The same as the server tells it.
    fn told(self, status: &MailboxStatus) -> Option<Self> {
        match self {
            Self::UidNext(_) => status.uid_next.map(Self::UidNext),
            Self::Messages(_) => status.messages.map(Self::Messages),
        }
    }

    /// Whether there is a new message if this is known after that.
    fn is_more_than(self, before: Self) -> bool {
        match (self, before) {
            (Self::UidNext(now), Self::UidNext(before))
            | (Self::Messages(now), Self::Messages(before)) => now > before,
            _ => false,
        }
    }
}

impl Lookout {
    /// Looks at another mailbox from now on, or at none.
    fn turn_to(&mut self, target: Option<(Vec<u8>, Known)>) {
        self.is_looking = target.is_some();
        self.has_news = false;
        let Some((name, mut known)) = target else { return };
        // A UID that was news once is none again: a server that says one thing here and another when
        // the mailbox is opened would hold up everything else, as would messages that don't come.
        if let Known::UidNext(now) = &mut known
            && let Known::UidNext(before) = self.known
            && self.name == name
        {
            *now = before.max(*now);
        }
        (self.name, self.known) = (name, known);
    }

    /// Takes what the server told of a mailbox, asked or not.
    pub(super) fn hear(&mut self, status: &MailboxStatus) {
        let is_it = self.is_looking && self.name.eq_ignore_ascii_case(&status.name);
        let told = self.known.told(status).filter(|told| is_it && told.is_more_than(self.known));
        if let Some(told) = told {
            (self.known, self.has_news) = (told, true);
        }
    }
}

impl<T: Transport> ImapClient<T> {
    /// Has a look at this mailbox now and then while another one is brought up to date: new mail in
    /// it breaks that off, as soon as what has been asked for is stored. One that is not stored as a
    /// whole has its turn anyway.
    pub fn look_out_for(&mut self, mailbox: Option<&Mailbox>) {
        let target =
            mailbox.and_then(|own| Some((self.named(&own.path).into_owned(), Known::of(own)?)));
        self.lookout.turn_to(target);
    }

    /// Whether that mailbox has new mail; said once.
    pub fn take_new_mail(&mut self) -> bool {
        std::mem::take(&mut self.lookout.has_news)
    }

    /// Asks about that mailbox, if it is time to, and does not wait for the answer, which comes with
    /// that to the next command. Breaks the sync off if there is new mail.
    pub(super) fn look_out<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
    ) -> Result<(), MailError> {
        if self.lookout.has_news {
            sync.pause();
            return Ok(());
        }
        if let Some(tag) = self.lookout.asking {
            let Some(end) = self.ended.remove(&tag) else { return Ok(()) };
            self.lookout.asking = None;
            if end.kind != StatusKind::Ok {
                self.lookout.turn_to(None);
            }
        }
        let now = sync.host().now();
        let is_time = now - self.lookout.asked >= ASK_EVERY;
        if !self.lookout.is_looking || !is_time {
            return Ok(());
        }
        let items = [StatusItem::Messages, StatusItem::UidNext];
        let command = Command::status_of(&self.lookout.name, &items)?;
        self.lookout.asking = Some(self.connection.session.start(command));
        self.lookout.asked = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(name: &str, uid_next: u32) -> MailboxStatus {
        MailboxStatus { name: name.into(), uid_next: Some(uid_next), ..MailboxStatus::default() }
    }

    #[test]
    fn only_a_new_message_in_that_mailbox_is_news_and_the_same_only_once() {
        let mut lookout = Lookout::default();
        lookout.hear(&status("INBOX", 12));
        assert!(!lookout.has_news, "nobody looks");
        let inbox = || Some((b"INBOX".to_vec(), Known::UidNext(9)));
        lookout.turn_to(inbox());
        lookout.hear(&status("Lists", 12));
        lookout.hear(&status("INBOX", 9));
        lookout.hear(&MailboxStatus { uid_next: None, messages: Some(9), ..status("INBOX", 0) });
        assert!(!lookout.has_news);
        lookout.hear(&status("inbox", 12));
        assert!(lookout.has_news);

        // The inbox has its turn in between.
        lookout.turn_to(None);
        lookout.hear(&status("INBOX", 99));
        assert!(!lookout.has_news);
        lookout.turn_to(inbox());
        lookout.hear(&status("INBOX", 12));
        assert!(!lookout.has_news, "the server says something else when the mailbox is opened");
        lookout.hear(&status("INBOX", 13));
        assert!(lookout.has_news);
        lookout.turn_to(Some((b"Lists".to_vec(), Known::UidNext(2))));
        lookout.hear(&status("Lists", 3));
        assert!(lookout.has_news);
    }

    #[test]
    fn where_the_next_uid_is_not_known_the_number_of_messages_shows_it() {
        let mut lookout = Lookout::default();
        lookout.turn_to(Some((b"INBOX".to_vec(), Known::Messages(2))));
        let mut hear = |messages| {
            let told = MailboxStatus { messages: Some(messages), ..status("INBOX", 40) };
            lookout.hear(&told);
            lookout.has_news
        };
        assert_eq!([1, 2, 3].map(&mut hear), [false, false, true]);
    }
}
