//! All of the page's state and the link to the engine, as one value that views share.

use std::{collections::BTreeMap, ops::Range};

use leptos::prelude::*;
use postern_bridge::{
    AccessKey, AccountChange, AccountDraft, AccountId, CopyState, Intent, MessageId, Retention,
};

use super::{
    access::Door,
    account::Changing,
    accounts::Accounts,
    changes::Changes,
    composer::Composer,
    conversation::Conversation,
    dialog::{Dialog, Menu},
    filing::Open,
    list::List,
    lost::Memory,
    mailboxes::Mailboxes,
    picked::Picked,
    preview::Preview,
    reader::Reader,
    setup::{Form, Progress, Step},
    storage::Care,
    toasts::Toasts,
    transfer::Transfer,
};
use crate::{
    browser::{cookie, download::Parts, history, local, network, save},
    engine::{self, Engine},
    route::Route,
};

/// Where to take the person as soon as it is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Landing {
    /// To the first inbox there is.
    Anywhere,
    /// To the inbox of a new account.
    Account(AccountId),
    /// The person has a place.
    Done,
}

/// The page's state. It is small to copy: each field is a handle.
#[derive(Clone, Copy)]
pub(crate) struct App {
    /// The way into the proxy.
    pub(crate) door: RwSignal<Door>,
    /// How the browser keeps what is stored.
    pub(crate) care: RwSignal<Care>,
    /// Copies of local folders to IMAP accounts, by the account that is copied.
    pub(crate) copies: RwSignal<BTreeMap<AccountId, (AccountId, CopyState)>>,
    /// The accounts that there were.
    pub(crate) memory: RwSignal<Memory>,
    /// The file that is being written or read.
    pub(crate) transfer: RwSignal<Transfer>,
    /// Whether a file is put together in memory before it is saved.
    pub(crate) gathers: RwSignal<bool>,
    /// The accounts.
    pub(crate) accounts: RwSignal<Accounts>,
    /// Their mailboxes.
    pub(crate) mailboxes: RwSignal<Mailboxes>,
    /// The open mailbox's list.
    pub(crate) list: RwSignal<List>,
    /// What is picked from the list.
    pub(crate) picked: RwSignal<Picked>,
    /// The reading pane.
    pub(crate) reader: RwSignal<Reader>,
    /// The conversation of the opened message.
    pub(crate) conversation: RwSignal<Conversation>,
    /// The message that is being written.
    pub(crate) composer: RwSignal<Option<Composer>>,
    /// The request for the saved draft that is to be opened.
    pub(crate) opening_draft: RwSignal<Option<u32>>,
    /// Requests for attachments that are awaited, with their message and part.
    pub(crate) downloads: RwSignal<BTreeMap<u32, (MessageId, String)>>,
    /// What the form of an account's settings waits for.
    pub(crate) changing: RwSignal<Changing>,
    /// What other settings of an account would delete on its server.
    pub(crate) preview: RwSignal<Preview>,
    /// What the set-up form waits for.
    pub(crate) setup: RwSignal<Progress>,
    /// Where in the set-up the person is.
    pub(crate) step: RwSignal<Step>,
    /// What is in the set-up form.
    pub(crate) form: RwSignal<Form>,
    /// The menu that is open.
    pub(crate) menu: RwSignal<Option<Menu>>,
    /// The dialog that is open.
    pub(crate) dialog: RwSignal<Option<Dialog>>,
    /// The notes in the corner.
    pub(crate) toasts: RwSignal<Toasts>,
    /// Where the person is.
    pub(crate) route: RwSignal<Route>,
    /// Where to take the person.
    pub(crate) landing: RwSignal<Landing>,
    /// Notified when the list shall scroll to its cursor.
    pub(crate) reveal: Trigger,
    /// How many rows of the list are in view.
    pub(crate) page: RwSignal<u32>,
    /// Whether the list of shortcuts is open.
    pub(crate) help: RwSignal<bool>,
    /// Whether there is a network.
    pub(crate) online: RwSignal<bool>,
    /// What is wrong with what is stored, if it can't be used, and whether removing it may help.
    pub(crate) storage_failed: RwSignal<Option<(String, bool)>>,
    /// Whether the browser could not keep the page itself for use without a network.
    pub(crate) page_not_kept: RwSignal<bool>,
    /// Whether the engine did not start.
    pub(crate) engine_failed: RwSignal<bool>,
    pub(super) changes: StoredValue<Changes>,
    pub(super) file: StoredValue<Option<Open>, LocalStorage>,
    pub(super) arriving: StoredValue<BTreeMap<u32, Parts>, LocalStorage>,
    engine: StoredValue<Option<Engine>, LocalStorage>,
}

impl App {
    /// The state at the start; the engine is started and greeted.
    pub(crate) fn start() -> Self {
        let app = Self {
            door: RwSignal::default(),
            care: RwSignal::default(),
            memory: RwSignal::new(Memory::read(
                local::get(local::ACCOUNTS).as_deref(),
                cookie::get().as_deref(),
            )),
            copies: RwSignal::default(),
            transfer: RwSignal::default(),
            gathers: save::watch_whether_files_are_gathered(),
            accounts: RwSignal::default(),
            mailboxes: RwSignal::default(),
            list: RwSignal::default(),
            picked: RwSignal::default(),
            reader: RwSignal::default(),
            conversation: RwSignal::default(),
            composer: RwSignal::new(None),
            opening_draft: RwSignal::default(),
            downloads: RwSignal::default(),
            changing: RwSignal::default(),
            preview: RwSignal::default(),
            setup: RwSignal::default(),
            step: RwSignal::default(),
            form: RwSignal::default(),
            menu: RwSignal::new(None),
            dialog: RwSignal::new(None),
            toasts: RwSignal::default(),
            route: RwSignal::new(history::current()),
            landing: RwSignal::new(Landing::Anywhere),
            reveal: Trigger::new(),
            page: RwSignal::new(1),
            help: RwSignal::new(false),
            online: RwSignal::new(network::is_online()),
            storage_failed: RwSignal::new(None),
            page_not_kept: RwSignal::new(false),
            engine_failed: RwSignal::new(false),
            changes: StoredValue::default(),
            file: StoredValue::new_local(None),
            arriving: StoredValue::new_local(BTreeMap::new()),
            engine: StoredValue::new_local(None),
        };
        match Engine::start(move |event| app.receive(event)) {
            Ok(engine) => app.engine.set_value(Some(engine)),
            Err(_) => app.engine_failed.set(true),
        }
        app.send(Intent::Hello);
        app.send(Intent::Network { online: app.online.get_untracked() });
        app
    }

    /// The state that the views around this one share.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// Tells the engine what the person wants.
    pub(crate) fn send(self, intent: Intent) {
        self.engine.with_value(|engine| {
            if let Some(engine) = engine {
                engine.send(intent);
            }
        });
    }

    /// Tells the engine something that it answers by number; returns that number.
    pub(crate) fn request(self, intent: impl FnOnce(u32) -> Intent) -> u32 {
        let request =
            self.engine.with_value(|engine| engine.as_ref().map_or(0, engine::Engine::new_request));
        self.send(intent(request));
        request
    }

    /// Goes to a place.
    pub(crate) fn go(self, route: Route) {
        let current = self.route.get_untracked();
        if current == route {
            return;
        }
        // Reading message after message is one step of the way back, not many.
        let replace = current.message().is_some() && route.message().is_some();
        history::write(route, replace);
        self.route.set(route);
    }

    /// Goes to a place that replaces the current one: there is no way back to it.
    pub(crate) fn go_instead(self, route: Route) {
        history::write(route, true);
        self.route.set(route);
    }

    /// Begins to set up an account anew; what an earlier visit tried is of no interest to this one.
    pub(crate) fn begin_setup(self) {
        self.setup.set(Progress::default());
        self.start_over();
        self.form.set(Form::default());
    }

    /// Asks which servers an address has.
    pub(crate) fn discover(self, address: String) {
        let request = self.request(|request| Intent::Discover { request, address });
        self.step.set(Step::Looking(request));
    }

    /// Goes back to the first step of the set-up; what is being looked for is looked for no more.
    pub(crate) fn start_over(self) {
        if let Step::Looking(request) = self.step.get_untracked() {
            self.send(Intent::StopDiscovery { request });
        }
        self.step.set(Step::Start);
    }

    /// Tries an access key.
    pub(crate) fn enter_access_key(self, key: String) {
        let key = AccessKey(key);
        let request = self.request(|request| Intent::EnterAccessKey { request, key });
        self.door.update(|door| door.trying(request));
    }

    /// Tests the settings of an account.
    pub(crate) fn test_account(self, draft: AccountDraft) {
        let progress = Progress::about(&draft);
        let testing = self.request(|request| Intent::TestAccount { request, draft });
        self.setup.set(Progress { testing: Some(testing), ..progress });
    }

    /// Adds an account.
    pub(crate) fn add_account(self, draft: AccountDraft) {
        let progress = Progress::about(&draft);
        let adding = self.request(|request| Intent::AddAccount { request, draft });
        self.setup.set(Progress { adding: Some(adding), ..progress });
    }

    /// Tests an account's new settings and keeps them if they work.
    pub(crate) fn change_account(self, account: AccountId, change: AccountChange) {
        let request = self.request(|request| Intent::ChangeAccount { request, account, change });
        self.changing.set(Changing::awaiting(request));
    }

    /// Asks what another setting would delete on an account's server.
    pub(crate) fn preview_retention(self, account: AccountId, retention: Retention) {
        let request =
            self.request(|request| Intent::PreviewRetention { request, account, retention });
        self.preview.update(|preview| preview.ask(request, account, retention));
    }

    /// Asks for the rows that are drawn, unless they were asked for.
    pub(crate) fn show_rows(self, drawn: &Range<u32>) {
        let Some(mailbox) = self.list.with_untracked(List::mailbox) else { return };
        // Nothing that is drawn changes by asking.
        let rows = self.list.try_update_untracked(|list| list.ask(drawn)).flatten();
        if let Some(rows) = rows {
            self.send(Intent::ShowRows { mailbox, rows });
        }
    }

    /// Fetches what is new in all accounts.
    pub(crate) fn refresh(self) {
        let accounts: Vec<_> =
            self.accounts.with_untracked(|accounts| accounts.all().iter().map(|a| a.id).collect());
        for account in accounts {
            self.send(Intent::Refresh { account });
        }
    }
}
