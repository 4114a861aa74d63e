//! mbox (RFC 4155, and what people call mboxo, mboxrd, mboxcl and mboxcl2).
//!
//! Messages stand one after the other, each after a line that begins with `From `. The dialects
//! differ in how such a line within a message is told from a separator:
//!
//! | Dialect | In a message |
//! |---|---|
//! | mboxo | `From ` is written `>From ` |
//! | mboxrd | so are `>From `, `>>From `…: another `>` before each. Written here |
//! | mboxcl | as mboxo, and `Content-Length` tells where the message ends |
//! | mboxcl2 | nothing is quoted; `Content-Length` alone tells |
//!
//! Line ends are LF in the file and CRLF in messages.

mod from_line;
mod reader;
mod start;
mod status;
mod writer;

pub(crate) use from_line::civil;
pub use reader::{Event, Reader};
pub use start::{may_be_mail, may_be_message, without_separator};
pub use status::Status;
pub use writer::Writer;
