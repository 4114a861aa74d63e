//! A client whose account does nothing by itself; and what its problems lead to.

use postern_bridge::{Address, OutgoingMessage, Protocol};

use super::*;
use crate::{
    Store,
    changes::tests::account,
    store::MemoryStore,
    testing::{NoServer, TestHost, block_on},
};

/// What was told, in order.
pub(super) type Told = Rc<RefCell<Vec<Delta>>>;

/// A client with this account, of which nothing is stored but what the store has of it.
pub(super) fn still<D: Store + 'static>(
    store: D,
    account: Account,
) -> (Client<TestHost<NoServer, D>>, Told) {
    let told = Told::default();
    let tell = Rc::clone(&told);
    let emit = move |Down { delta, .. }| tell.borrow_mut().push(delta);
    let host = Rc::new(TestHost::with_store(NoServer, store));
    let client = block_on(Client::start(host, emit)).unwrap();
    let nothing = ServerState { session: None, refused: None };
    let running = Running {
        account: account.clone(),
        incoming: nothing.clone(),
        outgoing: nothing,
        quota: Quota::default(),
        pop3: None,
        connection: Connection::Offline,
        told: None,
        lanes: Lanes::stopped(),
    };
    client.inner.accounts.borrow_mut().insert(account.id, running);
    (client, told)
}

#[test]
fn a_message_that_can_not_be_sent_for_its_accounts_settings_leads_there() {
    let mut lost = account(Protocol::Imap);
    lost.outgoing.endpoint.host.clear();
    let address = |address: &str| Address { name: String::new(), address: address.into() };
    for (account, to, settings) in
        [(lost, "bob@example.org", Some(AccountId(1))), (account(Protocol::Imap), "bob", None)]
    {
        let (client, _) = still(MemoryStore::new(), account);
        let message = OutgoingMessage {
            account: AccountId(1),
            to: vec![address(to)],
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: String::new(),
            text: String::new(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
        };
        let refused = block_on(client.send(ClientId(1), 1, message, None)).unwrap_err();
        assert_eq!(refused.settings, settings, "{}", refused.sentence);
    }
}
