//! Searching from the open folder, and reading what was found.

use leptos::prelude::*;
use postern_bridge::{Intent, MessageId, SearchScope};

use super::{
    App,
    list::{List, Search},
    picked::Kind,
};
use crate::route::Route;

impl App {
    /// Searches for what was typed; for nothing, all of the folder is shown again.
    pub(crate) fn search(self, scope: SearchScope, typed: &str) {
        let query = typed.trim().to_owned();
        let Some(mailbox) = self.list.with_untracked(List::mailbox) else { return };
        let before = self.list.with_untracked(|list| {
            list.searched().map(|search| (search.scope, search.query.clone()))
        });
        let is_known = match before {
            Some((before, known)) => before == scope && known == query,
            None => query.is_empty(),
        };
        if is_known {
            return;
        }
        self.picked.update(|picked| picked.clear());
        let sent = query.clone();
        let request =
            self.request(|request| Intent::Search { request, mailbox, scope, query: sent });
        let search = Search { request, scope, query, state: None };
        self.list.update(|list| list.search(Some(search).filter(|own| !own.query.is_empty())));
    }

    /// Ends the search, if there is one; whether there was.
    pub(crate) fn end_search(self) -> bool {
        let is_search = self.is_searching();
        self.search(SearchScope::Mailbox, "");
        is_search
    }

    /// Whether the list shows what was found.
    pub(crate) fn is_searching(self) -> bool {
        self.list.with_untracked(|list| list.searched().is_some())
    }

    /// Where a message of the list is read: what was found elsewhere leaves the list as it is.
    pub(crate) fn route_to(self, message: MessageId) -> Route {
        match self.list.with_untracked(List::mailbox) {
            Some(from) if from != message.mailbox && self.is_searching() => {
                Route::Found { from, message }
            }
            _ => Route::Message(message),
        }
    }

    /// What the list's rows are.
    pub(super) fn list_kind(self) -> Kind {
        self.list.with_untracked(|list| match list.searched() {
            Some(search) => Kind::Found(search.request),
            None if list.is_grouped() => Kind::Conversations,
            None => Kind::Messages,
        })
    }
}
