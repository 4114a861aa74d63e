//! How mailboxes are named to the server, and how in the store.
//!
//! The store spells paths in modified UTF-7, whatever was agreed on with the server: what was stored
//! before UTF-8 was spoken stays what it is, and a server that speaks it at one log-in and not at
//! the next, or over one connection and not over another, has the same mailboxes.

use std::borrow::Cow;

use postern_imap::{
    Response,
    mailbox_name::{self, Spelling},
};

/// A stored path as the server wants it.
pub(super) fn to_server(path: &[u8], spelling: Spelling) -> Cow<'_, [u8]> {
    match (spelling, std::str::from_utf8(path)) {
        (Spelling::Utf8, Ok(_)) if path.contains(&b'&') => {
            mailbox_name::decode(path).into_bytes().into()
        }
        // Bytes that mean nothing in UTF-8 are those that the server gave.
        _ => path.into(),
    }
}

/// A path from the server as it is stored.
pub(super) fn from_server(path: Vec<u8>, spelling: Spelling) -> Vec<u8> {
    if spelling == Spelling::ModifiedUtf7 {
        return path;
    }
    match String::from_utf8(path) {
        Ok(name) => mailbox_name::encode(&name),
        Err(error) => error.into_bytes(),
    }
}

/// Spells the names of mailboxes in what the server told as they are stored.
pub(super) fn spell(responses: &mut [Response], spelling: Spelling) {
    for response in responses {
        let name = match response {
            Response::List(entry) | Response::Subscribed(entry) => &mut entry.name,
            Response::MailboxStatus(status) => &mut status.name,
            Response::MyRights(rights) => &mut rights.mailbox,
            _ => continue,
        };
        *name = from_server(std::mem::take(name), spelling);
    }
}

/// What a stored path says in either spelling; `None` if that can't be told for certain.
pub(super) fn meaning(path: &[u8]) -> Option<String> {
    std::str::from_utf8(path).is_ok().then(|| mailbox_name::decode(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_stored_the_same_whatever_the_server_speaks() {
        for name in ["INBOX", "Entwürfe", "R&D", "a/台北 & b", "&AOQ-"] {
            let plain = from_server(mailbox_name::encode(name), Spelling::ModifiedUtf7);
            let utf8 = from_server(name.as_bytes().to_vec(), Spelling::Utf8);
            assert_eq!(plain, utf8, "{name}");
            assert_eq!(*to_server(&utf8, Spelling::Utf8), *name.as_bytes());
            assert_eq!(*to_server(&utf8, Spelling::ModifiedUtf7), *plain);
        }
    }

    #[test]
    fn a_path_that_is_neither_goes_back_as_it_came() {
        let path = b"caf\xe9 &AOQ-";
        for spelling in [Spelling::Utf8, Spelling::ModifiedUtf7] {
            let stored = from_server(path.to_vec(), spelling);
            assert_eq!(*to_server(&stored, spelling), path[..]);
        }
        assert_eq!(meaning(path), None);
    }
}
