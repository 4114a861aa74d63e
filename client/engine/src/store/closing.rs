//! Noticing that a database was closed under us.

use std::{cell::RefCell, rc::Rc};

use postern_mail::store::StoreError;
use wasm_bindgen::prelude::*;
use web_sys::{IdbDatabase, IdbVersionChangeEvent};

/// Whether an open database can still be used.
#[derive(Default)]
pub(super) struct Closing {
    /// Why it was closed, if it was.
    why: RefCell<Option<StoreError>>,
    /// Who wants to know.
    tell: RefCell<Option<Tell>>,
    handlers: RefCell<Option<Handlers>>,
}

/// Told why a database was closed.
pub(super) type Tell = Box<dyn FnOnce(StoreError)>;

struct Handlers {
    _on_version_change: Closure<dyn FnMut(IdbVersionChangeEvent)>,
    _on_close: Closure<dyn FnMut()>,
}

impl Closing {
    /// Closes the database when another page wants to upgrade or delete it, which would wait for us,
    /// and notices when the browser has closed it, as it does when the person clears its data.
    pub(super) fn watch(database: &IdbDatabase) -> Rc<Self> {
        let closing = Rc::<Self>::default();
        let (open, own) = (database.clone(), Rc::downgrade(&closing));
        let on_version_change =
            Closure::<dyn FnMut(_)>::new(move |event: IdbVersionChangeEvent| {
                open.close();
                let why = match event.new_version() {
                    Some(_) => StoreError::NewerSchema,
                    None => StoreError::Failed("the stored mail was deleted".into()),
                };
                if let Some(own) = own.upgrade() {
                    own.close(why);
                }
            });
        let own = Rc::downgrade(&closing);
        let on_close = Closure::<dyn FnMut()>::new(move || {
            if let Some(own) = own.upgrade() {
                own.close(StoreError::Failed("the browser has closed the stored mail".into()));
            }
        });
        database.set_onversionchange(Some(on_version_change.as_ref().unchecked_ref()));
        database.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        *closing.handlers.borrow_mut() =
            Some(Handlers { _on_version_change: on_version_change, _on_close: on_close });
        closing
    }

    /// Has somebody told, once.
    pub(super) fn when_closed(&self, tell: Tell) {
        *self.tell.borrow_mut() = Some(tell);
    }

    /// Whether the database can be used.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.why.borrow().clone().map_or(Ok(()), Err)
    }

    /// The database is no longer ours to watch.
    pub(super) fn leave(&self, database: &IdbDatabase) {
        database.set_onversionchange(None);
        database.set_onclose(None);
    }

    fn close(&self, why: StoreError) {
        let tell = self.tell.borrow_mut().take();
        self.why.borrow_mut().get_or_insert(why.clone());
        if let Some(tell) = tell {
            tell(why);
        }
    }
}
