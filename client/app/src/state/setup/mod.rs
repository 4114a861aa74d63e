//! Setting up an account: its steps, what is typed, found and guessed, and what is recommended.

mod choice;
mod form;
mod progress;
mod server;
mod step;
mod stranger;

pub(crate) use choice::{Devices, Keeping, recommend};
pub(crate) use form::Form;
pub(crate) use progress::{Outcome, Progress};
pub(crate) use server::Server;
pub(crate) use step::{Step, Trouble};
pub(crate) use stranger::Stranger;

/// A field of the form, so that a problem can point to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    /// The mail address.
    Address,
    /// The password.
    Password,
    /// The incoming server's name.
    IncomingHost,
    /// The incoming server's port.
    IncomingPort,
    /// The user name.
    Username,
    /// The outgoing server's name.
    OutgoingHost,
    /// The outgoing server's port.
    OutgoingPort,
}
