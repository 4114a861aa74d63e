//! What IMAP servers say beside what they are asked.
//!
//! What they want people to be told (ALERT, RFC 9051 section 7.1) is told at once, and then for a while
//! not again. Some say the same at each connection: Courier, for years, that it can't watch a folder.
//!
//! What makes no sense is counted, for the account's page: it tells whoever wonders why something is
//! missing that the server may be why.

use postern_bridge::{AccountId, Delta, Oddity, Problem, ProblemKind};
use serde::{Deserialize, Serialize};

use super::Client;
use crate::{
    Host, Store,
    imap::{Defects, ImapClient},
    record::{self, Record},
    store::{Durability, Key, Table, Write},
};

/// For how many milliseconds a text that was told is not told again.
const QUIET: u64 = 7 * DAY;
const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How many texts of an account are told in a day.
const PER_DAY: usize = 10;
/// How many texts of an account are remembered: all that are told in the time in which they count.
const REMEMBERED: usize = PER_DAY * 8;

/// What people were told of an account's server, the newest last, as it is stored.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct ToldAlerts {
    account: AccountId,
    /// Each text, and when it was told, in milliseconds since 1970 (UTC).
    told: Vec<(String, i64)>,
}

impl Record for ToldAlerts {
    const TABLE: Table = Table::Meta;

    fn key(&self) -> Key {
        key(self.account)
    }
}

fn key(account: AccountId) -> Key {
    Key::new().bytes(b"alerts-").u32(account.0)
}

/// The write that removes what is stored of an account's.
pub(super) fn forget(account: AccountId) -> Write {
    Write::Delete { table: Table::Meta, key: key(account) }
}

/// What a server has said that makes no sense, as pages show it.
pub(super) fn oddities(defects: &Defects) -> Vec<Oddity> {
    let oddity = |(what, times): (&str, u32)| Oddity { what: what.into(), times };
    defects.counted().into_iter().map(oddity).collect()
}

impl ToldAlerts {
    /// Whether a text is to be told; it counts as told then.
    fn is_due(&mut self, text: &str, now: i64) -> bool {
        // A clock that was set back keeps nothing quiet for longer.
        let within = |at: i64, span: u64| now.abs_diff(at) < span;
        let is_known = |(own, at): &(String, i64)| own == text && within(*at, QUIET);
        let today = self.told.iter().filter(|(_, at)| within(*at, DAY)).count();
        if self.told.iter().any(is_known) || today >= PER_DAY {
            return false;
        }
        self.told.retain(|(own, _)| own != text);
        if self.told.len() >= REMEMBERED {
            self.told.remove(0);
        }
        self.told.push((text.to_owned(), now));
        true
    }
}

impl<H: Host> Client<H> {
    /// Tells pages what a connection of an account has overheard.
    pub(super) async fn tell_overheard(
        &self,
        account: AccountId,
        connection: &mut ImapClient<H::Transport>,
    ) {
        self.count_defects(account, connection.take_defects());
        self.tell_alerts(account, connection.take_alerts()).await;
    }

    fn count_defects(&self, account: AccountId, defects: Defects) {
        if defects.is_empty() {
            return;
        }
        if let Some(running) = self.inner.accounts.borrow_mut().get_mut(&account) {
            running.defects.extend(defects);
        }
        self.tell(None, Delta::Accounts(self.account_views()));
    }

    /// Tells what an account's server wants the person to be told, unless that was done lately. If it
    /// can't be written down, it is told all the same.
    async fn tell_alerts(&self, account: AccountId, alerts: Vec<String>) {
        if alerts.is_empty() {
            return;
        }
        let _editing = self.store().editing().lock().await;
        // Not beside its removal, after which nothing of it may be stored.
        let Ok(own) = self.account(account) else { return };
        let stored = record::get(self.store(), &key(account)).await;
        let mut before = stored.ok().flatten().unwrap_or(ToldAlerts { account, told: Vec::new() });
        let now = self.inner.host.now();
        let due: Vec<_> = alerts.into_iter().filter(|text| before.is_due(text, now)).collect();
        if due.is_empty() {
            return;
        }
        let _ = self.store().apply(vec![before.put()], Durability::Relaxed).await;
        let host = &own.incoming.endpoint.host;
        for text in due {
            let sentence = format!("{host} has something to tell you: “{text}”");
            self.tell(None, Delta::Problem(Problem::new(ProblemKind::Server, sentence)));
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::Protocol;

    use super::*;
    use crate::{
        client::{
            lanes::Link,
            tests::{Told, still_at},
        },
        record::Account,
        store::MemoryStore,
        testing::{FailingStore, Server, TestHost, WriteFault, account, block_on},
    };

    #[test]
    fn a_text_is_told_again_after_a_while_and_not_before() {
        let mut alerts = ToldAlerts { account: AccountId(1), told: Vec::new() };
        let quiet = QUIET as i64;
        let due = [0, 1, quiet - 1, quiet, quiet + 1].map(|now| alerts.is_due("full", now));
        assert_eq!(due, [true, false, false, true, false]);
        assert!(alerts.is_due("full", 0), "the clock was set back");
        assert_eq!(alerts.told.len(), 1);
    }

    #[test]
    fn a_server_with_ever_more_to_tell_is_heard_a_few_times_a_day() {
        let mut alerts = ToldAlerts { account: AccountId(1), told: Vec::new() };
        for number in 0..2 * REMEMBERED {
            let day = i64::try_from(number / PER_DAY).unwrap() * DAY as i64;
            assert!(alerts.is_due(&number.to_string(), day), "{number}");
            if number % PER_DAY == PER_DAY - 1 {
                assert!(!alerts.is_due("one more", day));
            }
        }
        assert_eq!(alerts.told.len(), REMEMBERED);
    }

    /// A server that has something to tell at each log-in and whenever it is asked how it is.
    struct Telling;

    impl Server for Telling {
        fn connected(&mut self) -> Vec<u8> {
            b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n".to_vec()
        }

        fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
            let line = String::from_utf8_lossy(bytes);
            let (tag, _) = line.split_once(' ').unwrap();
            let said = "* NO [ALERT] Down at noon.\r\n* OK [ALERT] Your mailbox is full.\r\n\
                        * LIST\r\n";
            format!("{said}{tag} OK done\r\n").into_bytes()
        }

        fn disconnected(&mut self) {}
    }

    fn alerts(told: &Told) -> Vec<String> {
        let told = std::mem::take(&mut *told.borrow_mut());
        let sentences = told.into_iter().filter_map(|delta| match delta {
            Delta::Problem(problem) => Some(problem.sentence),
            _ => None,
        });
        sentences.collect()
    }

    #[test]
    fn an_alert_is_told_once_though_it_comes_over_each_connection() {
        let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
        let (client, told) = still_at(Telling, MemoryStore::new(), own.clone());
        let ask = |client: &Client<TestHost<Telling, MemoryStore>>| {
            let mut link = Link::new(client, own.id);
            block_on(link.work(async |imap, host| imap.noop(host).await)).unwrap();
            block_on(link.work(async |imap, host| imap.noop(host).await)).unwrap();
        };
        ask(&client);
        let expected = ["“Down at noon.”", "“Your mailbox is full.”"]
            .map(|text| format!("mail.example.org has something to tell you: {text}"));
        assert_eq!(alerts(&told), expected);
        ask(&client);
        assert_eq!(alerts(&told), [""; 0]);
        // What makes no sense is counted.
        let what = "LIST response that makes no sense".to_owned();
        assert_eq!(client.account_views()[0].oddities, [Oddity { what, times: 4 }]);
        // Another life of the client knows it as well.
        let store = client.inner.host.store.clone();
        let (client, told) = still_at(Telling, store, own.clone());
        ask(&client);
        assert_eq!(alerts(&told), [""; 0]);
    }

    #[test]
    fn an_alert_that_could_not_be_written_down_is_told_and_told_again_at_most() {
        let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
        for fault in [WriteFault::Full, WriteFault::Aborted, WriteFault::Doubtful] {
            let store = FailingStore::default();
            let ask = |fault| {
                let (client, told) = still_at(Telling, store.clone(), own.clone());
                let mut link = Link::new(&client, own.id);
                store.fault.set(fault);
                block_on(link.work(async |imap, host| imap.noop(host).await)).unwrap();
                alerts(&told).len()
            };
            assert_eq!((ask(Some((0, fault))), store.fault.take()), (2, None), "{fault:?}");
            // Written down after all, or the next time.
            let again = if fault == WriteFault::Doubtful { 0 } else { 2 };
            assert_eq!([ask(None), ask(None)], [again, 0], "{fault:?}");
        }
    }
}
