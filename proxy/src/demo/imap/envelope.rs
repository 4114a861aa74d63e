//! ENVELOPE (RFC 9051 section 7.5.2).

use mail_parser::{Addr, Address, HeaderName, Message};

use super::{structure::unfolded, write};
use crate::demo::correspondent::encoded;

/// Writes the envelope of a message. `raw` is what the offsets of its headers count in.
pub(super) fn write(message: &Message<'_>, raw: &[u8]) -> Vec<u8> {
    let text = |name: HeaderName<'static>| {
        let header = message.headers().iter().rev().find(|header| header.name == name);
        write::nstring(header.map(|header| unfolded(header, raw)).as_deref())
    };
    let from = message.from();
    let fields = [
        text(HeaderName::Date),
        text(HeaderName::Subject),
        addresses(from),
        addresses(message.sender().or(from)),
        addresses(message.reply_to().or(from)),
        addresses(message.to()),
        addresses(message.cc()),
        addresses(message.bcc()),
        text(HeaderName::InReplyTo),
        text(HeaderName::MessageId),
    ];
    [b"(", fields.join(&b' ').as_slice(), b")"].concat()
}

fn addresses(list: Option<&Address<'_>>) -> Vec<u8> {
    let mut written = Vec::new();
    match list {
        Some(Address::List(list)) => list.iter().for_each(|one| written.extend(address(one))),
        Some(Address::Group(groups)) => {
            for group in groups {
                let name = group.name.as_deref().unwrap_or("undisclosed-recipients");
                written.extend(entry(None, Some(name.as_bytes()), None));
                group.addresses.iter().for_each(|one| written.extend(address(one)));
                written.extend(entry(None, None, None));
            }
        }
        None => {}
    }
    if written.is_empty() { b"NIL".to_vec() } else { [b"(", written.as_slice(), b")"].concat() }
}

fn address(address: &Addr<'_>) -> Vec<u8> {
    let name = address.name().map(|name| encoded(name).replace("\r\n ", " "));
    let whole = address.address().unwrap_or_default();
    let (local, domain) = whole.rsplit_once('@').unwrap_or((whole, ""));
    entry(name.as_deref().map(str::as_bytes), Some(local.as_bytes()), Some(domain.as_bytes()))
}

fn entry(name: Option<&[u8]>, mailbox: Option<&[u8]>, host: Option<&[u8]>) -> Vec<u8> {
    let fields = [name, None, mailbox, host].map(write::nstring);
    [b"(", fields.join(&b' ').as_slice(), b")"].concat()
}
