//! Noticing that the browser has dropped what was stored.
//!
//! The page remembers which accounts there were outside of the engine's database, and of what it
//! remembers the mere counts where they stay when all storage is cleared. If the database is empty when
//! the page opens, and nobody has removed them, it was lost.

use postern_bridge::{AccountView, Protocol};

/// An account that was there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Remembered {
    /// How its mail came in.
    pub(crate) protocol: Protocol,
    /// Its address, unless that is forgotten as well.
    pub(crate) address: Option<String>,
}

/// How many accounts of a protocol are taken for true: whoever serves a page of the same host can write
/// the counts.
const MOST: usize = 20;

/// What was there, and whether it is lost.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    remembered: Vec<Remembered>,
    /// Whether the engine has told the accounts since the page was opened.
    told: bool,
    lost: bool,
}

impl Memory {
    /// What an earlier visit has written down, or, if that is gone, how many accounts it has counted.
    pub(crate) fn read(written: Option<&str>, counts: Option<&str>) -> Self {
        let line = |line: &str| {
            let (protocol, address) = line.split_once(' ')?;
            Some(Remembered { protocol: named(protocol)?, address: Some(address.to_owned()) })
        };
        let counted = |count: &str| {
            let (protocol, count) = count.split_once('-')?;
            let own = Remembered { protocol: named(protocol)?, address: None };
            Some(vec![own; count.parse::<usize>().ok()?.min(MOST)])
        };
        let remembered = match (written, counts) {
            (Some(written), _) => written.lines().filter_map(line).collect(),
            (None, Some(counts)) => {
                counts.split('.').take(2).filter_map(counted).flatten().collect()
            }
            (None, None) => Vec::new(),
        };
        Self { remembered, ..Self::default() }
    }

    /// Whether the engine has told which accounts there are, and none is lost.
    pub(crate) fn is_certain(&self) -> bool {
        self.told && !self.lost
    }

    /// How many accounts there are, of each protocol; `None` if there are none.
    pub(crate) fn counts(&self) -> Option<String> {
        let count = |protocol| {
            let count = self.remembered.iter().filter(|own| own.protocol == protocol).count();
            (count > 0).then(|| format!("{}-{count}", name(protocol)))
        };
        let counts: Vec<_> =
            [Protocol::Imap, Protocol::Pop3].into_iter().filter_map(count).collect();
        (!counts.is_empty()).then(|| counts.join("."))
    }

    /// The engine tells which accounts there are.
    pub(crate) fn told(&mut self, accounts: &[AccountView]) {
        let first = !std::mem::replace(&mut self.told, true);
        if accounts.is_empty() && !self.remembered.is_empty() && (first || self.lost) {
            self.lost = true;
            return;
        }
        self.lost = false;
        let own = |account: &AccountView| Remembered {
            protocol: account.protocol,
            address: Some(account.identity.address.clone()),
        };
        self.remembered = accounts.iter().map(own).collect();
    }

    /// The person knows that they are lost.
    pub(crate) fn forget(&mut self) {
        *self = Self { told: true, ..Self::default() };
    }

    /// The accounts that were lost.
    pub(crate) fn lost(&self) -> &[Remembered] {
        if self.lost { &self.remembered } else { &[] }
    }

    /// What is to be written down of them.
    pub(crate) fn written(&self) -> String {
        let line = |own: &Remembered| {
            let address = own.address.as_ref()?;
            Some(format!("{} {address}\n", name(own.protocol)))
        };
        self.remembered.iter().filter_map(line).collect()
    }
}

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "imap",
        Protocol::Pop3 => "pop3",
    }
}

fn named(name: &str) -> Option<Protocol> {
    match name {
        "imap" => Some(Protocol::Imap),
        "pop3" => Some(Protocol::Pop3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::accounts::tests::account;

    fn pop3(id: u32, address: &str) -> AccountView {
        AccountView { protocol: Protocol::Pop3, ..account(id, address) }
    }

    #[test]
    fn accounts_that_are_gone_when_the_page_opens_are_lost() {
        let mut before = Memory::read(None, None);
        before.told(&[pop3(1, "a@b"), account(2, "c d@e")]);
        let mut after = Memory::read(Some(&before.written()), before.counts().as_deref());
        assert_eq!(after.lost(), []);
        after.told(&[]);
        let lost: Vec<_> =
            after.lost().iter().map(|own| (own.protocol, own.address.as_deref())).collect();
        assert_eq!(lost, [(Protocol::Pop3, Some("a@b")), (Protocol::Imap, Some("c d@e"))]);
        // Another tab says the same: they are lost still.
        after.told(&[]);
        assert_eq!((after.lost().len(), after.is_certain()), (2, false));
        after.told(&[pop3(1, "a@b")]);
        assert_eq!((after.written().as_str(), after.lost()), ("pop3 a@b\n", [].as_slice()));
    }

    #[test]
    fn accounts_that_were_removed_are_not_lost() {
        let mut memory = Memory::read(Some("pop3 a@b\n"), Some("pop3-1"));
        memory.told(&[pop3(1, "a@b")]);
        assert_eq!(memory.written(), "pop3 a@b\n");
        memory.told(&[]);
        assert_eq!((memory.written().as_str(), memory.lost()), ("", [].as_slice()));
    }

    #[test]
    fn who_knows_of_the_loss_is_not_told_again() {
        let mut memory = Memory::read(Some("imap a@b\nnonsense\n"), None);
        memory.told(&[]);
        assert_eq!(memory.lost().len(), 1);
        memory.forget();
        memory.told(&[]);
        assert_eq!((memory.written().as_str(), memory.lost()), ("", [].as_slice()));
    }

    #[test]
    fn that_accounts_were_there_is_known_when_all_that_was_written_down_is_gone() {
        let mut before = Memory::read(None, None);
        assert_eq!((before.is_certain(), before.counts()), (false, None));
        before.told(&[pop3(1, "a@b"), account(2, "c@d"), pop3(3, "e@f")]);
        assert!(before.is_certain());
        let counts = before.counts().unwrap();
        assert_eq!(counts, "imap-1.pop3-2");
        let mut after = Memory::read(None, Some(&counts));
        after.told(&[]);
        assert!(!after.is_certain(), "the counts must stay");
        let lost: Vec<_> = after.lost().iter().map(|own| own.protocol).collect();
        assert_eq!(lost, [Protocol::Imap, Protocol::Pop3, Protocol::Pop3]);
        after.forget();
        assert_eq!((after.is_certain(), after.counts()), (true, None));
        // With the accounts there again it is as if nothing had been lost.
        let mut again = Memory::read(None, Some(&counts));
        again.told(&[pop3(1, "a@b")]);
        assert_eq!((again.written().as_str(), again.lost()), ("pop3 a@b\n", [].as_slice()));
    }

    #[test]
    fn what_was_removed_is_not_lost_whatever_is_counted() {
        let mut memory = Memory::read(Some(""), Some("pop3-1"));
        memory.told(&[]);
        assert_eq!(memory.lost(), []);
    }

    #[test]
    fn counts_that_make_no_sense_are_ignored_and_bounded() {
        let lost = |counts| {
            let mut memory = Memory::read(None, Some(counts));
            memory.told(&[]);
            memory.lost().len()
        };
        for (counts, expected) in [
            ("", 0),
            ("x-3", 0),
            ("pop3--1", 0),
            ("pop3-99999999999", MOST),
            ("pop3-1.pop3-1.imap-9", 2),
        ] {
            assert_eq!(lost(counts), expected, "{counts}");
        }
    }
}
