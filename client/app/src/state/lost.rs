//! Noticing that the browser has dropped what was stored.
//!
//! The page remembers which accounts there were outside of the engine's database. If the database is
//! empty when the page opens, and nobody has removed them, it was lost.

use postern_bridge::{AccountView, Protocol};

/// An account that was there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Remembered {
    /// How its mail came in.
    pub(crate) protocol: Protocol,
    /// Its address.
    pub(crate) address: String,
}

/// What was there, and whether it is lost.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    remembered: Vec<Remembered>,
    /// Whether the engine has told the accounts since the page was opened.
    told: bool,
    lost: bool,
}

impl Memory {
    /// What an earlier visit has written down.
    pub(crate) fn read(written: Option<&str>) -> Self {
        let line = |line: &str| {
            let (protocol, address) = line.split_once(' ')?;
            let protocol = match protocol {
                "imap" => Protocol::Imap,
                "pop3" => Protocol::Pop3,
                _ => return None,
            };
            Some(Remembered { protocol, address: address.to_owned() })
        };
        let remembered = written.unwrap_or_default().lines().filter_map(line).collect();
        Self { remembered, ..Self::default() }
    }

    /// The engine tells which accounts there are; returns what is to be written down, if that is
    /// something else than before.
    pub(crate) fn told(&mut self, accounts: &[AccountView]) -> Option<String> {
        let first = !std::mem::replace(&mut self.told, true);
        if accounts.is_empty() && !self.remembered.is_empty() && (first || self.lost) {
            self.lost = true;
            return None;
        }
        self.lost = false;
        let own = |account: &AccountView| Remembered {
            protocol: account.protocol,
            address: account.identity.address.clone(),
        };
        let now: Vec<Remembered> = accounts.iter().map(own).collect();
        (now != self.remembered).then(|| {
            self.remembered = now;
            self.written()
        })
    }

    /// The person knows that they are lost; returns what is to be written down.
    pub(crate) fn forget(&mut self) -> String {
        *self = Self { told: true, ..Self::default() };
        self.written()
    }

    /// The accounts that were lost.
    pub(crate) fn lost(&self) -> &[Remembered] {
        if self.lost { &self.remembered } else { &[] }
    }

    fn written(&self) -> String {
        let line = |own: &Remembered| {
            let protocol = match own.protocol {
                Protocol::Imap => "imap",
                Protocol::Pop3 => "pop3",
            };
            format!("{protocol} {}\n", own.address)
        };
        self.remembered.iter().map(line).collect()
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
        let mut before = Memory::read(None);
        let written = before.told(&[pop3(1, "a@b"), account(2, "c d@e")]).unwrap();
        let mut after = Memory::read(Some(&written));
        assert_eq!(after.lost(), []);
        assert_eq!(after.told(&[]), None);
        let lost: Vec<_> = after.lost().iter().map(|own| (own.protocol, &*own.address)).collect();
        assert_eq!(lost, [(Protocol::Pop3, "a@b"), (Protocol::Imap, "c d@e")]);
        // Another tab says the same: they are lost still.
        assert_eq!(after.told(&[]), None);
        assert_eq!(after.lost().len(), 2);
        assert_eq!(after.told(&[pop3(1, "a@b")]).as_deref(), Some("pop3 a@b\n"));
        assert_eq!(after.lost(), []);
    }

    #[test]
    fn accounts_that_were_removed_are_not_lost() {
        let mut memory = Memory::read(Some("pop3 a@b\n"));
        assert_eq!(memory.told(&[pop3(1, "a@b")]), None);
        assert_eq!(memory.told(&[]).as_deref(), Some(""));
        assert_eq!(memory.lost(), []);
    }

    #[test]
    fn who_knows_of_the_loss_is_not_told_again() {
        let mut memory = Memory::read(Some("imap a@b\nnonsense\n"));
        memory.told(&[]);
        assert_eq!(memory.lost().len(), 1);
        assert_eq!(memory.forget(), "");
        assert_eq!(memory.told(&[]), None);
        assert_eq!(memory.lost(), []);
    }
}
