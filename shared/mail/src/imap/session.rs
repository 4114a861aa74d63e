//! Lets a connection drive the IMAP session.

use postern_imap::{Event, Session, session};

use crate::connection::{self, Output};

impl connection::Session for Session {
    type Event = Event;

    fn handle_input(&mut self, input: &[u8]) {
        Session::handle_input(self, input);
    }

    fn poll_output(&mut self) -> Option<Output<Event>> {
        Session::poll_output(self).map(|output| match output {
            session::Output::Send(bytes) => Output::Send(bytes),
            session::Output::Event(event) => Output::Event(event),
        })
    }
}
