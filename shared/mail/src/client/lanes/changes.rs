//! The queue of changes, told to the server one entry at a time, by the reading lane: what a person
//! waits for goes between two entries.

use postern_bridge::AccountId;

use super::{Client, imap_sync::AFTER_LOSS, link::Link};
use crate::{
    Host, MailError, TransportError,
    changes::{self, Entry},
    store::StoreError,
};

impl<H: Host> Client<H> {
    /// Tells the server the next change. What it refuses is taken back here and told; what fails for
    /// another reason stays queued, and is tried again once the account is connected, or after a pause
    /// if that is what broke the connection.
    pub(super) async fn make_next_change(
        &self,
        account: AccountId,
        link: &mut Link<H>,
    ) -> Result<(), MailError> {
        if !self.inner.online.get() {
            return Ok(());
        }
        let entry = match changes::next(self.store(), account).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(error) => {
                let is_damaged = matches!(error, StoreError::Damaged(_));
                let error = MailError::from(error);
                if is_damaged {
                    // Nothing of the queue is told any more, which the person must know.
                    self.tell_problem(account, self.problem(account, &error));
                }
                return Err(error);
            }
        };
        // A server that can't be reached says nothing about the entry.
        link.open().await?;
        let result = link.work(async |imap, host| imap.make_change(host, &entry).await).await;
        let told = match result {
            Ok(outcome) => self.tell_outcome(&entry, outcome).await,
            Err(error) => {
                let tries = self.count_try(&entry, &error);
                match verdict(&error, tries) {
                    Verdict::Refused => self.take_back_refused(&entry, &error).await,
                    Verdict::Unheard => self.hold_unheard(&entry).await,
                    Verdict::Later => {
                        self.try_again(account, tries);
                        Err(error)
                    }
                }
            }
        };
        if told.is_ok() {
            self.inner.tries.borrow_mut().remove(&(account, entry.number));
            self.queue_changes(account);
        }
        told
    }

    /// Has the queue go on after a pause, twice as long after each try. The connection that watches for
    /// news may never have been lost, and then nothing else would.
    fn try_again(&self, account: AccountId, tries: u32) {
        let Some(doublings) = tries.checked_sub(1) else { return };
        let client = self.clone();
        self.inner.host.spawn(async move {
            client.inner.host.sleep(AFTER_LOSS * 2_u32.saturating_pow(doublings)).await;
            client.queue_changes(account);
        });
    }

    /// How often an entry has broken the connection by now, or found the mailbox in use.
    fn count_try(&self, entry: &Entry, error: &MailError) -> u32 {
        let mut tries = self.inner.tries.borrow_mut();
        let tries = tries.entry((entry.account, entry.number)).or_default();
        *tries += u32::from(error.breaks_connection() || matches!(error, MailError::Closed(_)));
        *tries
    }
}

/// What becomes of an entry that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// It is tried again later.
    Later,
    /// It is taken back.
    Refused,
    /// It is kept, and others are told instead.
    Unheard,
}

/// Whether an error is the server's word on what it was asked, or a fault of that: it would be the same
/// the next time.
pub(super) fn is_final(error: &MailError) -> bool {
    verdict(error, 0) == Verdict::Refused
}

/// Whether an error is the server's word on this entry. A server that breaks the protocol again and
/// again, for no other reason, refuses it as well; of one that hangs up each time nobody knows. What
/// can't be read here stays so, and must not hold up the others for ever.
fn verdict(error: &MailError, tries: u32) -> Verdict {
    let often = tries >= changes::limits::TRIES;
    match error {
        MailError::Refused { .. }
        | MailError::Denied { .. }
        | MailError::TooLarge { .. }
        | MailError::Unsupported(_)
        | MailError::Input(_)
        | MailError::Incomplete { .. }
        | MailError::Store(StoreError::Damaged(_))
        | MailError::Gone(_) => Verdict::Refused,
        MailError::Protocol(_) if often => Verdict::Refused,
        MailError::Transport(TransportError::Lost) | MailError::TimedOut(_) if often => {
            Verdict::Unheard
        }
        MailError::Protocol(_)
        | MailError::Transport(_)
        | MailError::Unavailable(_)
        | MailError::Closed(_)
        | MailError::TooManyConnections(_)
        | MailError::TimedOut(_)
        | MailError::Login(_)
        | MailError::Token(_)
        | MailError::LogInOnPage { .. }
        | MailError::PasswordMissing
        | MailError::SettingsLost
        | MailError::Store(_)
        | MailError::NoRoom { .. }
        | MailError::Vault(_) => Verdict::Later,
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{
        Change as Wanted, ClientId, Delta, MailboxId, Mark, MessageId, Protocol, Selection,
    };

    use super::*;
    use crate::{
        Store,
        changes::tests::{mailbox, message, server_keeping},
        client::tests::still_at,
        record::{self, Account, Message, Record},
        store::{Durability, MemoryStore},
        testing::{account, block_on},
    };

    #[test]
    fn of_a_mark_that_a_server_does_not_keep_only_who_asked_for_it_is_told() {
        for (mark, by_hand) in [(Mark::Seen, false), (Mark::Answered, false), (Mark::Seen, true)] {
            let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
            let store = MemoryStore::new();
            let (client, told) = still_at(server_keeping(r"\Flagged"), store.clone(), own.clone());
            let id = MessageId { mailbox: MailboxId(1), uid: 1 };
            let mut batch = vec![own.put(), mailbox(1).put()];
            batch.extend(message(id).put_listed());
            let stored: Message = block_on(async {
                store.apply(batch, Durability::Strict).await?;
                if by_hand {
                    let messages = Selection::Messages(vec![id]);
                    let wanted = Wanted::Mark { messages, mark: mark.clone(), set: true };
                    client.change((ClientId(1), 1), wanted).await.unwrap();
                } else {
                    client.mark_one(id, &mark).await?;
                }
                client.make_next_change(own.id, &mut Link::new(&client, own.id)).await?;
                Ok::<_, MailError>(record::get(&store, &record::message_key(id)).await?.unwrap())
            })
            .unwrap();
            assert_eq!(stored, message(id), "{mark:?}: it is shown as it is there");
            let told = told.borrow();
            let refused = told.iter().filter(|delta| matches!(delta, Delta::Refused(_))).count();
            assert_eq!(refused, usize::from(by_hand), "{mark:?}");
        }
    }

    #[test]
    fn an_entry_that_can_not_be_told_does_not_hold_up_the_others_for_ever() {
        let last = changes::limits::TRIES;
        let lost = MailError::Transport(TransportError::Lost);
        let cases = [
            (&lost, last - 1, Verdict::Later),
            (&lost, last, Verdict::Unheard),
            (&MailError::TimedOut("an answer"), last, Verdict::Unheard),
            (&MailError::Protocol("nonsense".into()), last - 1, Verdict::Later),
            (&MailError::Protocol("nonsense".into()), last, Verdict::Refused),
            (&MailError::Transport(TransportError::Offline), last, Verdict::Later),
            (&MailError::Unavailable("later".into()), last, Verdict::Later),
            (&MailError::Store(StoreError::Damaged("a draft".into())), 0, Verdict::Refused),
            (&MailError::Store(StoreError::QuotaExceeded), last, Verdict::Later),
            (&MailError::Gone("folder"), 0, Verdict::Refused),
        ];
        for (error, tries, expected) in cases {
            assert_eq!(verdict(error, tries), expected, "{error} after {tries} tries");
        }
    }
}
