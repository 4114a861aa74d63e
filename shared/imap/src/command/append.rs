//! APPEND (RFC 9051 section 6.3.12; RFC 3502, RFC 3516, RFC 6855).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::response::{Flag, format_date_time};

/// A message to put into a mailbox.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AppendMessage {
    /// Its flags.
    pub flags: Vec<Flag>,
    /// When it arrived, in seconds since 1970 (UTC); now if it is not told.
    pub internal_date: Option<i64>,
    /// What its bytes are.
    pub form: MessageForm,
    /// The message.
    pub content: Vec<u8>,
}

/// What the bytes of a message are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MessageForm {
    /// Text without a NUL byte, as every server takes it.
    #[default]
    Text,
    /// Any bytes (BINARY).
    Binary,
    /// Text with UTF-8 in its header (UTF8=ACCEPT, after it was enabled).
    Utf8,
}

/// A message to put into a mailbox, whose bytes come later.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Upload {
    /// Its flags.
    pub flags: Vec<Flag>,
    /// When it arrived, in seconds since 1970 (UTC); now if it is not told.
    pub internal_date: Option<i64>,
    /// What its bytes are.
    pub form: MessageForm,
    /// How many bytes it has.
    pub size: u64,
}

impl Command {
    /// Puts a message into a mailbox.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`] if the name or the message holds a NUL byte, the name a line break, or a
    /// flag can't be sent.
    pub fn append(
        mailbox: &[u8],
        flags: &[Flag],
        message: Vec<u8>,
    ) -> Result<Self, InvalidArgument> {
        let flags = flags.to_vec();
        Self::append_all(mailbox, [AppendMessage { flags, content: message, ..Default::default() }])
    }

    /// Puts messages into a mailbox, all or none of them; several only where the server offers
    /// MULTIAPPEND.
    ///
    /// # Errors
    ///
    /// As for [`append`](Self::append); [`InvalidArgument::Date`] if a date is beyond the calendar,
    /// [`InvalidArgument::Empty`] if there is no message.
    pub fn append_all(
        mailbox: &[u8],
        messages: impl IntoIterator<Item = AppendMessage>,
    ) -> Result<Self, InvalidArgument> {
        let mut encoder = Encoder::new("APPEND").string(mailbox)?;
        let mut count = 0;
        for message in messages {
            let AppendMessage { flags, internal_date, form, content } = message;
            if form != MessageForm::Binary && memchr::memchr(0, &content).is_some() {
                return Err(InvalidArgument::Nul);
            }
            let literal = |encoder: Encoder| encoder.literal(content);
            encoder = append(encoder, &flags, internal_date, form, literal)?;
            count += 1;
        }
        if count == 0 {
            return Err(InvalidArgument::Empty);
        }
        Ok(Self::new("APPEND", encoder.finish()))
    }

    /// Puts messages into a mailbox, all or none of them, whose bytes are given in pieces while
    /// they are sent: see [`Event::ContentWanted`](crate::Event::ContentWanted). Several only where
    /// the server offers MULTIAPPEND.
    ///
    /// # Errors
    ///
    /// As for [`append_all`](Self::append_all).
    pub fn append_streamed(mailbox: &[u8], uploads: &[Upload]) -> Result<Self, InvalidArgument> {
        if uploads.is_empty() {
            return Err(InvalidArgument::Empty);
        }
        let mut encoder = Encoder::new("APPEND").string(mailbox)?;
        for Upload { flags, internal_date, form, size } in uploads {
            let binary = *form == MessageForm::Binary;
            let content = |encoder: Encoder| encoder.content(*size, binary);
            encoder = append(encoder, flags, *internal_date, *form, content)?;
        }
        Ok(Self::new("APPEND", encoder.finish()))
    }
}

fn append(
    mut encoder: Encoder,
    flags: &[Flag],
    internal_date: Option<i64>,
    form: MessageForm,
    content: impl FnOnce(Encoder) -> Encoder,
) -> Result<Encoder, InvalidArgument> {
    // Courier takes `UTF8` for a flag where neither flags nor a date stand before it.
    if !flags.is_empty() || form == MessageForm::Utf8 {
        encoder = encoder.flags(flags)?;
    }
    if let Some(seconds) = internal_date {
        let date = format_date_time(seconds).ok_or(InvalidArgument::Date)?;
        encoder = encoder.text(&format!(" \"{date}\""));
    }
    Ok(match form {
        MessageForm::Text => content(encoder.text(" ")),
        // A tilde before the literal makes it a literal8.
        MessageForm::Binary => content(encoder.text(" ~")),
        MessageForm::Utf8 => content(encoder.text(" UTF8 (~")).text(")"),
    })
}
