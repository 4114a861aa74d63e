//! What is asked, in this order, and what must come of it.
//!
//! The inbox gets the messages 1 to 4, of which 2 answers 1, and 4 answers 2. Then 1 is copied, 2 moved
//! where the server can, and others remove 1 and 3.

mod account;
mod changes;
mod messages;

use postern_imap::{
    Command,
    command::{AppendMessage, InvalidArgument, SearchKey},
    response::Flag,
};

use super::{Known, answer::Answer};

/// All of them.
pub(crate) const STEPS: [&[Step]; 3] = [account::STEPS, messages::STEPS, changes::STEPS];

/// A command, and what its answer must mean.
pub(crate) struct Step {
    /// What it is about, for the output of a failure.
    pub(crate) what: &'static str,
    /// What the server must offer and, behind `!`, must not; else the step is left out.
    pub(crate) needs: &'static [&'static str],
    /// What another client does before.
    pub(crate) elsewhere: &'static [&'static str],
    pub(crate) command: fn(&Known) -> Command,
    pub(crate) check: fn(&mut Known, &Answer),
}

/// When the first message arrived, in seconds since 1970. Each comes a day after the one before.
const FIRST_ARRIVED: i64 = 1_740_787_200;
const DAY: i64 = 24 * 60 * 60;

/// Their headers differ in whom they answer; of the third, the server can decode the text.
const MESSAGES: [&str; 4] = [
    "From: Ada Marsh <ada@example.org>\r\nSubject: Garden\r\n\
     Date: Sat, 01 Mar 2025 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n\
     The beans are up.\r\n",
    "From: Ben Hollis <ben@example.org>\r\nSubject: Re: Garden\r\n\
     Date: Sun, 02 Mar 2025 00:00:00 +0000\r\nMessage-ID: <2@example.org>\r\n\
     In-Reply-To: <1@example.org>\r\nReferences: <1@example.org>\r\n\r\nSnails?\r\n",
    "From: Ben Hollis <ben@example.org>\r\nSubject: Beans\r\n\
     Date: Mon, 03 Mar 2025 00:00:00 +0000\r\nMessage-ID: <3@example.org>\r\n\
     MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
     Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n",
    "From: Ada Marsh <ada@example.org>\r\nSubject: Re: Garden\r\n\
     Date: Tue, 04 Mar 2025 00:00:00 +0000\r\nMessage-ID: <4@example.org>\r\n\
     In-Reply-To: <2@example.org>\r\nReferences: <1@example.org> <2@example.org>\r\n\r\n\
     None.\r\n",
];

/// A step that any server can take.
const ANY: Step =
    Step { what: "", needs: &[], elsewhere: &[], command: |_| Command::noop(), check: |_, _| {} };

fn said(command: Result<Command, InvalidArgument>) -> Command {
    command.expect("nothing in it is invalid")
}

fn folder(known: &Known, name: &str) -> Vec<u8> {
    [&known.prefix, name.as_bytes()].concat()
}

fn trips(known: &Known) -> Vec<u8> {
    folder(known, "Trips")
}

fn garden() -> SearchKey {
    SearchKey::Subject("garden".into())
}

fn arrived(number: u32) -> i64 {
    FIRST_ARRIVED + i64::from(number - 1) * DAY
}

/// A message by its number; the second has been read.
fn message(number: u32) -> AppendMessage {
    AppendMessage {
        flags: if number == 2 { vec![Flag::Seen] } else { Vec::new() },
        internal_date: Some(arrived(number)),
        content: MESSAGES[number as usize - 1].into(),
        ..AppendMessage::default()
    }
}
