//! The access key of a private proxy: entered once, kept encrypted, presented at each start.

use std::time::Duration;

use postern_bridge::{Access, AccessKey, Delta, Problem};

use super::Client;
use crate::{
    Host, MailError, Secret, Store, TransportError,
    host::within,
    store::{Durability, Key, Table, Write},
};

/// How long the proxy may take to let us in or not.
const PATIENCE: Duration = Duration::from_secs(15);

impl<H: Host> Client<H> {
    /// Presents the key that is kept, if there is one.
    pub(super) async fn present_kept_key(&self) -> Result<(), MailError> {
        let host = &*self.inner.host;
        let Some(sealed) = host.store().get(Table::Meta, &place()).await? else { return Ok(()) };
        // A key that can't be read any more must be entered again.
        if let Ok(key) = host.unseal(&sealed).await {
            self.inner.access_key.replace(Some(key.clone()));
            host.present(Some(key));
            self.inner.access.set(Access::Kept);
        }
        Ok(())
    }

    /// Finds out whether the proxy asks for a key, unless that is known; tells the pages.
    pub(super) async fn learn_access(&self) {
        if self.inner.access.get() != Access::Unknown {
            return;
        }
        match self.ask_proxy().await {
            Err(error) if needs_key(&error) => self.note_access(&error),
            // Let in; or not reached: then what the person does next will tell.
            Ok(()) | Err(_) => self.set_access(Access::Open),
        }
    }

    /// Tries a key, and keeps it if it is the one.
    pub(super) async fn enter_access_key(&self, key: AccessKey) -> Result<(), Problem> {
        let problem = |error: MailError| error.problem("the proxy");
        let key = key.0.trim();
        if key.is_empty() {
            return Err(problem(MailError::Input("Please enter the access key.".into())));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            // No key has such characters, and none of them could be sent.
            return Err(problem(TransportError::KeyRefused.into()));
        }
        let key = Secret::new(key);
        self.inner.host.present(Some(key.clone()));
        if let Err(error) = self.ask_proxy().await {
            // The one that was entered before may still be good.
            let kept = self.inner.access_key.borrow().clone();
            self.inner.host.present(kept);
            return Err(problem(error));
        }
        // A browser that can't keep it asks again next time; until then it works.
        let kept = self.keep_access_key(&key).await;
        self.inner.access_key.replace(kept.is_ok().then_some(key));
        self.set_access(self.admitted());
        for account in self.account_ids() {
            self.refresh(account).map_err(problem)?;
            self.wake_outbox(account);
        }
        Ok(())
    }

    async fn keep_access_key(&self, key: &Secret) -> Result<(), MailError> {
        let host = &*self.inner.host;
        let value = host.seal(key).await?;
        let put = Write::Put { table: Table::Meta, key: place(), value };
        Ok(host.store().apply(vec![put], Durability::Strict).await?)
    }

    /// Forgets the key; what connects from now on must do without.
    pub(super) async fn forget_access_key(&self) -> Result<(), MailError> {
        let delete = Write::Delete { table: Table::Meta, key: place() };
        self.store().apply(vec![delete], Durability::Strict).await?;
        self.inner.access_key.replace(None);
        self.inner.host.present(None);
        self.inner.access.set(Access::Unknown);
        self.learn_access().await;
        Ok(())
    }

    /// Takes from what went wrong whether the proxy asks for a key.
    pub(super) fn note_access(&self, error: &MailError) {
        match error {
            // Who has a key has entered it since this was asked without one.
            MailError::Transport(TransportError::KeyNeeded)
                if self.inner.access_key.borrow().is_none() =>
            {
                self.set_access(Access::Needed);
            }
            MailError::Transport(TransportError::KeyRefused) => self.set_access(Access::Refused),
            _ => {}
        }
    }

    /// Something has connected anew.
    pub(super) fn note_admitted(&self) {
        // Who was kept out, or had not asked yet, has been let in.
        if matches!(self.inner.access.get(), Access::Needed | Access::Refused | Access::Unknown) {
            self.set_access(self.admitted());
        }
    }

    /// How it is told that the proxy lets this browser in.
    fn admitted(&self) -> Access {
        if self.inner.access_key.borrow().is_some() { Access::Kept } else { Access::Open }
    }

    fn set_access(&self, access: Access) {
        if self.inner.access.replace(access) != access {
            self.tell(None, Delta::Access(access));
        }
    }

    async fn ask_proxy(&self) -> Result<(), MailError> {
        let host = &*self.inner.host;
        let answer = within(host, PATIENCE, host.admit()).await;
        Ok(answer.unwrap_or(Err(TransportError::Offline))?)
    }
}

/// Where the key is kept.
fn place() -> Key {
    Key::new().bytes(b"access-key")
}

fn needs_key(error: &MailError) -> bool {
    matches!(error, MailError::Transport(TransportError::KeyNeeded | TransportError::KeyRefused))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use postern_bridge::{ClientId, Down, Intent, ProblemKind};

    use super::*;
    use crate::{
        store::MemoryStore,
        testing::{NoServer, TestHost, block_on},
    };

    const KEY: &str = "a-long-enough-secret";

    struct Setting {
        host: Rc<TestHost<NoServer>>,
        client: Client<TestHost<NoServer>>,
        told: Rc<RefCell<Vec<Delta>>>,
    }

    /// A client that starts on this store, behind a proxy that asks for this key.
    fn setting(store: MemoryStore, asked: Option<&str>) -> Setting {
        let host = Rc::new(TestHost::with_store(NoServer, store));
        host.asked_key.replace(asked.map(Secret::new));
        let told = Rc::new(RefCell::new(Vec::new()));
        let tell = told.clone();
        let emit = move |Down { delta, .. }| tell.borrow_mut().push(delta);
        let client = block_on(Client::start(host.clone(), emit)).unwrap();
        Setting { host, client, told }
    }

    impl Setting {
        fn intend(&self, intent: Intent) {
            block_on(self.client.serve(ClientId(1), intent)).unwrap();
        }

        fn enter(&self, key: &str) -> Result<(), ProblemKind> {
            self.intend(Intent::EnterAccessKey { request: 7, key: AccessKey(key.into()) });
            match self.told.borrow().last() {
                Some(Delta::AccessKeyTried { request: 7, result }) => {
                    result.clone().map_err(|problem| problem.kind)
                }
                other => panic!("{other:?}"),
            }
        }

        /// What a page that opens now is told.
        fn greeted(&self) -> Access {
            self.told.borrow_mut().clear();
            self.intend(Intent::Hello);
            let told = self.told.borrow();
            let access = told.iter().rev().find_map(|delta| match delta {
                Delta::Access(access) => Some(*access),
                _ => None,
            });
            access.expect("a page is told about access")
        }
    }

    #[test]
    fn a_page_without_accounts_learns_whether_a_key_is_needed() {
        assert_eq!(setting(MemoryStore::new(), None).greeted(), Access::Open);
        assert_eq!(setting(MemoryStore::new(), Some(KEY)).greeted(), Access::Needed);
    }

    #[test]
    fn the_right_key_opens_the_way_and_is_presented_again_after_a_restart() {
        let store = MemoryStore::new();
        let first = setting(store.clone(), Some(KEY));
        assert_eq!(first.greeted(), Access::Needed);
        assert_eq!(first.enter(&format!(" {KEY}\n")), Ok(()));
        assert_eq!(first.greeted(), Access::Kept);

        let second = setting(store, Some(KEY));
        assert_eq!(second.greeted(), Access::Kept);
        assert_eq!(*second.host.presented_key.borrow(), Some(Secret::new(KEY)));
    }

    #[test]
    fn a_wrong_key_is_said_to_be_wrong_and_not_kept() {
        let store = MemoryStore::new();
        let first = setting(store.clone(), Some(KEY));
        for wrong in ["wrong-key-of-good-length", "with a space", "\u{fc}ber"] {
            assert_eq!(first.enter(wrong), Err(ProblemKind::AccessKey), "{wrong}");
        }
        assert_eq!(first.enter("  "), Err(ProblemKind::Input));
        assert_eq!(*first.host.presented_key.borrow(), None);
        assert_eq!(setting(store, Some(KEY)).greeted(), Access::Needed);
    }

    #[test]
    fn a_forgotten_key_is_gone() {
        let store = MemoryStore::new();
        let first = setting(store.clone(), Some(KEY));
        assert_eq!(first.enter(KEY), Ok(()));
        first.intend(Intent::ForgetAccessKey);
        assert_eq!(first.greeted(), Access::Needed);
        assert_eq!(setting(store, Some(KEY)).greeted(), Access::Needed);
    }

    #[test]
    fn a_kept_key_that_is_no_longer_taken_is_asked_for_again() {
        let setting = setting(MemoryStore::new(), Some(KEY));
        assert_eq!(setting.enter(KEY), Ok(()));
        setting.client.note_access(&TransportError::KeyRefused.into());
        assert_eq!(setting.greeted(), Access::Refused);
        assert_eq!(setting.enter(KEY), Ok(()));
        assert_eq!(setting.greeted(), Access::Kept);
    }

    #[test]
    fn a_wrong_key_does_not_take_the_place_of_the_one_that_is_kept() {
        let setting = setting(MemoryStore::new(), Some(KEY));
        assert_eq!(setting.enter(KEY), Ok(()));
        assert_eq!(setting.enter("wrong-key-of-good-length"), Err(ProblemKind::AccessKey));
        assert_eq!(*setting.host.presented_key.borrow(), Some(Secret::new(KEY)));
        assert_eq!(setting.greeted(), Access::Kept);
    }

    #[test]
    fn what_was_asked_before_the_key_was_entered_says_nothing_of_it() {
        let setting = setting(MemoryStore::new(), Some(KEY));
        assert_eq!(setting.enter(KEY), Ok(()));
        setting.client.note_access(&TransportError::KeyNeeded.into());
        assert_eq!(setting.greeted(), Access::Kept);
    }

    #[test]
    fn a_kept_key_that_is_taken_again_is_still_kept() {
        let setting = setting(MemoryStore::new(), Some(KEY));
        assert_eq!(setting.enter(KEY), Ok(()));
        setting.client.note_access(&TransportError::KeyRefused.into());
        setting.client.note_admitted();
        assert_eq!(setting.greeted(), Access::Kept);
    }

    #[test]
    fn what_nobody_has_asked_yet_is_not_told() {
        let setting = setting(MemoryStore::new(), Some(KEY));
        setting.intend(Intent::Hello);
        let told = setting.told.borrow();
        let access: Vec<_> =
            told.iter().filter(|delta| matches!(delta, Delta::Access(_))).collect();
        assert_eq!(access, [&Delta::Access(Access::Needed)]);
    }

    #[test]
    fn a_search_for_servers_learns_that_a_key_is_needed() {
        let setting = setting(MemoryStore::new(), None);
        assert_eq!(setting.greeted(), Access::Open);
        setting.host.asked_key.replace(Some(Secret::new(KEY)));
        setting.intend(Intent::Discover { request: 1, address: "ada@example.org".into() });
        assert_eq!(setting.greeted(), Access::Needed);
    }

    #[test]
    fn who_connects_has_been_let_in() {
        let setting = setting(MemoryStore::new(), None);
        setting.client.note_admitted();
        assert_eq!(*setting.told.borrow(), [Delta::Access(Access::Open)]);
    }

    #[test]
    fn a_proxy_that_asks_for_a_key_no_more_is_open() {
        let setting = setting(MemoryStore::new(), Some(KEY));
        assert_eq!(setting.greeted(), Access::Needed);
        setting.client.note_admitted();
        assert_eq!(setting.greeted(), Access::Open);
    }
}
