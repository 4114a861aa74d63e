//! Of all engines of a browser profile one leads: it alone connects and writes.
//!
//! The browser's lock [`LEAD`] says who. The others pass on what their page wants and hand it what
//! comes back; when the leader's page goes, the browser gives the lock to the next. An intent is
//! kept until a leader has taken it, or until its answer is there if it has one, so that none is
//! lost between two leaders; and none is taken twice by one.
//!
//! Each engine also holds a lock named after its page; the leader waits for it, and so learns when
//! that page is gone.
//!
//! Locks can't save us from a page that wakes from a long freeze and still believes that it leads:
//! the store's fencing does.

mod channel;
mod lock;
mod outlet;
mod pending;
mod recall;
mod taken;

use std::{collections::HashMap, rc::Rc};

use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_util::StreamExt;
use postern_bridge::{ClientId, Delta, Down, Intent, ProblemKind, Up, WireError};
use postern_mail::{
    MailError, Store,
    client::Client,
    store::{Packed, StoreError},
};
use wasm_bindgen_futures::spawn_local;

use self::{
    channel::{Channel, Notice},
    lock::{Lock, LockManager},
    outlet::Outlet,
    pending::Pending,
    recall::Recall,
    taken::Taken,
};
use crate::{host::BrowserHost, store::IndexedDbStore, worker::Worker};

/// The lock of the engine that leads.
const LEAD: &str = "postern-engine";

/// The database of this browser profile.
const DATABASE: &str = "postern";

/// What an engine reacts to.
enum Event {
    /// Its page wants something.
    Page(Up),
    /// Another engine said something.
    Heard(Result<Notice, WireError>),
    /// The lead is ours.
    Granted(Option<Lock>),
    /// Another page is gone.
    Gone(ClientId),
    /// The database was closed while we led.
    Closed(StoreError),
}

/// Runs the engine for as long as the worker lives.
pub(crate) async fn run(worker: Worker) {
    let (events, mut queue) = unbounded();
    worker.listen({
        let events = events.clone();
        move |up| tell(&events, Event::Page(up))
    });
    // Nothing is to do before the page has said who it is, and so far nobody else can speak.
    let Some(Event::Page(first)) = queue.next().await else { return };
    let mut engine = Engine::start(worker, first.client, events).await;
    engine.handle(Event::Page(first)).await;
    while let Some(event) = queue.next().await {
        engine.handle(event).await;
    }
}

fn tell(events: &UnboundedSender<Event>, event: Event) {
    // The queue is open as long as the engine runs; after that nobody wants to know.
    let _ = events.unbounded_send(event);
}

struct Engine {
    worker: Worker,
    page: ClientId,
    locks: Option<LockManager>,
    events: UnboundedSender<Event>,
    outlet: Rc<Outlet>,
    recall: Recall,
    pending: Pending,
    lead: Option<Lead>,
    /// A lead that could not be used, because nothing stored could be.
    failed: Option<Failed>,
    /// Tells the leader that our page is there.
    _presence: Option<Lock>,
}

/// What the leader has.
struct Lead {
    client: Client<BrowserHost>,
    /// The other pages, and what was taken of each.
    taken: HashMap<ClientId, Taken>,
    _lock: Option<Lock>,
}

/// What is left of a lead on a store that can't be used.
struct Failed {
    lock: Option<Lock>,
    /// What is wrong and what to do.
    sentence: String,
    /// Whether removing what is stored may help.
    erasable: bool,
}

impl Failed {
    fn delta(&self, erasable: bool) -> Delta {
        Delta::StorageFailed { sentence: self.sentence.clone(), erasable }
    }
}

impl Engine {
    /// Joins the others and asks for the lead.
    async fn start(worker: Worker, page: ClientId, events: UnboundedSender<Event>) -> Self {
        let locks = lock::manager(&worker.navigator());
        let mut presence = None;
        let mut channel = None;
        if let Some(manager) = &locks {
            presence = lock::acquire(manager, &presence_lock(page)).await;
        }
        // A browser that refuses one lock has none for us.
        let locks = locks.filter(|_| presence.is_some());
        match locks.clone() {
            Some(locks) => {
                channel = Channel::join({
                    let events = events.clone();
                    move |notice| tell(&events, Event::Heard(notice))
                });
                let events = events.clone();
                spawn_local(async move {
                    let lock = lock::acquire(&locks, LEAD).await;
                    tell(&events, Event::Granted(lock));
                });
            }
            // Without locks each page leads when it opens, and fences off those before.
            None => tell(&events, Event::Granted(None)),
        }
        Self {
            outlet: Rc::new(Outlet::new(worker.clone(), page, channel)),
            worker,
            page,
            locks,
            events,
            recall: Recall::default(),
            pending: Pending::default(),
            lead: None,
            failed: None,
            _presence: presence,
        }
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Page(Up { intent: Intent::EraseStorage, .. }) => self.erase().await,
            Event::Page(up) => {
                self.recall.note(&up.intent);
                self.intend(up);
            }
            Event::Heard(Ok(notice)) => self.hear(notice),
            Event::Heard(Err(_)) => self.worker.problem(
                ProblemKind::Gone,
                "Another tab runs a different version of Postern. Reload all of its tabs.".into(),
            ),
            Event::Granted(lock) => self.take_lead(lock).await,
            Event::Closed(why) => {
                let delta = Delta::StorageFailed { sentence: closed(&why), erasable: false };
                self.outlet.deliver(Down { client: None, delta });
            }
            Event::Gone(client) => {
                if let Some(lead) = &mut self.lead {
                    lead.taken.remove(&client);
                    lead.client.leave(client);
                    self.outlet.set_listeners(lead.taken.len());
                }
            }
        }
    }

    /// Brings an intent of our own page to whoever leads.
    fn intend(&mut self, up: Up) {
        match &self.lead {
            Some(lead) => lead.client.handle(up),
            None => {
                let number = self.pending.add(&up);
                self.outlet.say(&Notice::Intent { number, up });
            }
        }
    }

    fn hear(&mut self, notice: Notice) {
        match (notice, &mut self.lead) {
            (Notice::Intent { number, up }, Some(_)) => self.serve(number, up),
            (Notice::Intent { up, .. }, None) => {
                if let Some(failed) = &self.failed {
                    // Only our own page can have it removed.
                    let delta = failed.delta(false);
                    self.outlet.say(&Notice::Delta(Down { client: Some(up.client), delta }));
                }
            }
            (Notice::Taken { client, number }, None) if client == self.page => {
                self.pending.taken(number);
            }
            (Notice::Delta(down), None) if down.client.is_none_or(|to| to == self.page) => {
                self.pending.answered(&down.delta);
                self.worker.send(&down);
            }
            (Notice::Lead, None) => {
                self.introduce_page();
                for (number, up) in self.pending.iter() {
                    self.outlet.say(&Notice::Intent { number, up: up.clone() });
                }
            }
            // What is meant for others.
            _ => {}
        }
    }

    /// As the leader, takes an intent of another page.
    fn serve(&mut self, number: u64, up: Up) {
        let Some(lead) = &mut self.lead else { return };
        let client = up.client;
        if !lead.taken.contains_key(&client) {
            watch(self.locks.as_ref(), self.events.clone(), client);
        }
        let is_new = lead.taken.entry(client).or_default().insert(number);
        self.outlet.set_listeners(lead.taken.len());
        self.outlet.say(&Notice::Taken { client, number });
        if is_new {
            lead.client.handle(up);
        }
    }

    async fn take_lead(&mut self, lock: Option<Lock>) {
        let started = start_client(&self.worker, Rc::clone(&self.outlet), self.events.clone());
        match started.await {
            Ok(client) => {
                self.lead = Some(Lead { client, taken: HashMap::new(), _lock: lock });
                self.outlet.say(&Notice::Lead);
                self.introduce_page();
                for up in self.pending.take() {
                    self.intend(up);
                }
            }
            Err(error) => {
                self.fail(Failed { lock, sentence: sentence(&error), erasable: is_damage(&error) });
            }
        }
    }

    fn fail(&mut self, failed: Failed) {
        let delta = failed.delta(failed.erasable);
        self.failed = Some(failed);
        self.worker.send(&Down { client: None, delta });
    }

    /// Removes a database that could not be used, and begins afresh. One that another version or a
    /// moment with more room may be able to use is left alone, whatever the page asks for.
    async fn erase(&mut self) {
        let Some(failed) = self.failed.take_if(|failed| failed.erasable) else { return };
        match IndexedDbStore::erase(DATABASE).await {
            Ok(()) => self.take_lead(failed.lock).await,
            Err(error) => self.fail(Failed { sentence: sentence(&error.into()), ..failed }),
        }
    }

    /// Tells a new leader what our page shows.
    fn introduce_page(&mut self) {
        for up in self.recall.intents(self.page) {
            self.intend(up);
        }
    }
}

async fn start_client(
    worker: &Worker,
    outlet: Rc<Outlet>,
    events: UnboundedSender<Event>,
) -> Result<Client<BrowserHost>, MailError> {
    let store = IndexedDbStore::open(DATABASE).await?;
    store.when_closed(move |why| tell(&events, Event::Closed(why)));
    let store = Packed::new(store);
    store.take_lead().await?;
    let host = BrowserHost::new(store, &worker.navigator(), worker.crypto(), &worker.origin());
    Client::start(Rc::new(host), move |down| outlet.deliver(down)).await
}

/// Whether what is stored can't be used any more, as far as can be told: not if another version of
/// Postern can, or more room on the disk is all that it needs.
fn is_damage(error: &MailError) -> bool {
    matches!(error, MailError::Store(StoreError::Damaged(_) | StoreError::Failed(_)))
}

/// Why nothing that is stored can be shown, and what to do.
fn sentence(error: &MailError) -> String {
    match error {
        MailError::Store(StoreError::NewerSchema) => {
            "The mail in this browser was stored by a newer version of Postern. Nothing was \
             changed; reload the page to get that version."
                .into()
        }
        MailError::Store(StoreError::Damaged(detail) | StoreError::Failed(detail)) => format!(
            "It is damaged, or the browser can't read it now. Nothing was changed. Reload the page; \
             if that does not help, start afresh. (What is known: {detail})"
        ),
        error => error.problem("This browser").sentence,
    }
}

/// What the pages are told when the database was closed while they were open.
fn closed(why: &StoreError) -> String {
    match why {
        StoreError::NewerSchema => sentence(&why.clone().into()),
        _ => "What is stored in this browser was deleted while Postern was open, or can't be read \
              any more. Reload the page to see what is left, and how to bring the rest back."
            .into(),
    }
}

/// Tells when a page is gone.
fn watch(locks: Option<&LockManager>, events: UnboundedSender<Event>, client: ClientId) {
    let Some(locks) = locks.cloned() else { return };
    spawn_local(async move {
        // The lock itself is given back at once.
        if lock::acquire(&locks, &presence_lock(client)).await.is_some() {
            tell(&events, Event::Gone(client));
        }
    });
}

/// The lock that an engine holds while its page is there.
fn presence_lock(page: ClientId) -> String {
    format!("postern-page-{:016x}", page.0)
}
