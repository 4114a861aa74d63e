//! Unfinished messages.

use serde::{Deserialize, Serialize};

use crate::{MessageId, OutgoingMessage};

/// An unfinished message, to be written on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SavedDraft {
    /// Where it is saved.
    pub id: MessageId,
    /// What was written.
    pub message: OutgoingMessage,
}
