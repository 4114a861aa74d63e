//! Sans-I/O POP3 client session (RFC 1939, with RFC 2449, 2595, 3206, 5034 and 6856).
//!
//! Feed what the server sends to [`Session::handle_input`], give commands with [`Session::start`],
//! and drain [`Session::poll_output`] until it says `None`. Commands are queued and answered in
//! order; several are on their way at once if the server offers PIPELINING and
//! [`Session::set_pipelining`] was called. Message content comes out in chunks as it arrives, so
//! that memory does not depend on a message's size.
//!
//! Invariant: no socket, no clock; every size and count that the server controls has a bound, in
//! [`limits`].
//!
//! ```
//! use postern_pop3::{Command, Event, Output, Session};
//!
//! let mut session = Session::new();
//! session.handle_input(b"+OK ready\r\n");
//! assert!(matches!(session.poll_output(), Some(Output::Event(Event::Greeting(_)))));
//! session.start(Command::Stat)?;
//! assert_eq!(session.poll_output(), Some(Output::Send(b"STAT\r\n".to_vec())));
//! session.handle_input(b"+OK 2 320\r\n");
//! let event = Event::Status { count: 2, size: 320 };
//! assert_eq!(session.poll_output(), Some(Output::Event(event)));
//! # Ok::<(), postern_pop3::CommandError>(())
//! ```

mod answer;
mod apop;
mod capability;
mod command;
mod error;
mod event;
pub mod limits;
mod line;
mod session;
mod unstuff;

pub use capability::{Capabilities, Expire};
pub use command::{Apop, Command, CommandError};
pub use error::SessionError;
pub use event::{Event, Numbered, Output, Request, Response, ResponseCode};
pub use session::Session;
