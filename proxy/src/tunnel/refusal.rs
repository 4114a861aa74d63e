//! Reasons, as a code for the program and a sentence for a person.

use postern_tunnel::{Refusal, Refused};

pub(super) fn refuse(code: Refusal, message: impl Into<String>) -> Refused {
    Refused { code, message: message.into(), certificate: None }
}

pub(super) fn bad_request(message: &str) -> Refused {
    refuse(Refusal::BadRequest, message)
}

pub(super) fn shutting_down() -> Refused {
    refuse(Refusal::ShuttingDown, "The proxy is about to stop. Connect again in a moment.")
}
