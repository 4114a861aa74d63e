//! Sans-I/O SMTP submission session (RFC 6409 and 5321, with RFC 1870, 2920, 3207, 4954 and 6531).
//!
//! Feed what the server sends to [`Session::handle_input`], give commands with [`Session::start`],
//! and drain [`Session::poll_output`] until it says `None`. Commands are queued and carried out one
//! after the other; each gives one event.
//!
//! **The final dot.** After [`Event::ContentWanted`], the message goes out with
//! [`Session::content`], in as many pieces as one likes. Only [`Session::finish`] writes the dot
//! that hands the message over. So a caller can note durably that it is about to do so: before the
//! dot the message was certainly not accepted; after it, only the server's answer tells.
//!
//! Invariant: no socket, no clock; every size and count that the server controls has a bound, in
//! [`limits`].
//!
//! ```
//! use postern_smtp::{Command, Event, Output, Session};
//!
//! let mut session = Session::new();
//! session.handle_input(b"220 mail.example.org ESMTP\r\n");
//! assert!(matches!(session.poll_output(), Some(Output::Event(Event::Greeting(_)))));
//! session.start(Command::hello("[127.0.0.1]")?)?;
//! assert_eq!(session.poll_output(), Some(Output::Send(b"EHLO [127.0.0.1]\r\n".to_vec())));
//! # Ok::<(), postern_smtp::CommandError>(())
//! ```

mod address;
mod command;
mod error;
mod event;
mod exchange;
mod extensions;
pub mod limits;
mod reply;
mod session;
mod stuff;

pub use address::{Address, AddressError};
pub use command::{Command, CommandError, Envelope, HelloName};
pub use error::SessionError;
pub use event::{Event, Output, Request};
pub use extensions::Extensions;
pub use reply::{EnhancedCode, Reply};
pub use session::Session;
