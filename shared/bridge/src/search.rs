//! Searching: where, and how far it is.

use serde::{Deserialize, Serialize};

/// Where to look for messages.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum SearchScope {
    /// In the open mailbox. A query that names mailboxes is looked for in all of them.
    #[default]
    Mailbox,
    /// In all mailboxes of the account.
    Account,
}

/// What rows were found by.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SearchView {
    /// The number of the search.
    pub request: u32,
    /// How far it is.
    pub state: SearchState,
}

/// How far a search is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SearchState {
    /// More may be found.
    Searching,
    /// All was searched.
    Whole,
    /// There is no network: what is stored was searched, which may not be all.
    Offline,
    /// What is stored was searched, and the server could not be asked for all of the rest: why.
    Partly(String),
}
