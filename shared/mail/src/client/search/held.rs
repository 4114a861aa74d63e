//! Catalogues of the mailboxes that are searched, which are kept as long as nothing changes there: a
//! person types on, and searches again.

use std::{collections::HashMap, rc::Rc};

use futures_util::lock::Mutex;
use postern_bridge::MailboxId;

use crate::{
    Store,
    search::{Catalogue, Reader, limits},
    store::StoreError,
};

/// What is held of mailboxes.
#[derive(Default)]
pub(in crate::client) struct Held {
    mailboxes: HashMap<MailboxId, Rc<Mutex<Growing>>>,
}

/// A mailbox's catalogue, as far as it has been read: who stops searching leaves it as it is, and
/// the next one reads on.
pub(super) struct Growing {
    reader: Reader,
    is_whole: bool,
    pub(super) catalogue: Catalogue,
}

impl Held {
    /// The catalogue of a mailbox. Before more than a few are held, all others are dropped.
    pub(super) fn of(&mut self, mailbox: MailboxId) -> Rc<Mutex<Growing>> {
        if let Some(own) = self.mailboxes.get(&mailbox) {
            return Rc::clone(own);
        }
        let size = |own: &Rc<Mutex<Growing>>| own.try_lock().map_or(0, |own| own.catalogue.len());
        if self.mailboxes.values().map(size).sum::<usize>() > limits::HELD {
            self.mailboxes.clear();
        }
        let (reader, catalogue) = (Reader::new(mailbox), Catalogue::default());
        let own = Rc::new(Mutex::new(Growing { reader, is_whole: false, catalogue }));
        self.mailboxes.insert(mailbox, Rc::clone(&own));
        own
    }

    /// Something has changed in a mailbox.
    pub(in crate::client) fn drop_changed(&mut self, mailbox: MailboxId) {
        self.mailboxes.remove(&mailbox);
    }

    /// Drops all but some.
    pub(in crate::client) fn keep_only(&mut self, mailboxes: &[MailboxId]) {
        self.mailboxes.retain(|mailbox, _| mailboxes.contains(mailbox));
    }
}

impl Growing {
    /// Reads another piece; false if all has been read.
    pub(super) async fn read_on(&mut self, store: &impl Store) -> Result<bool, StoreError> {
        if !self.is_whole {
            self.is_whole = !self.reader.next(store, &mut self.catalogue).await?;
        }
        Ok(!self.is_whole)
    }
}
