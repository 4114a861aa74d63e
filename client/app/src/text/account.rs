//! One account: who can read its mail, its servers, its settings.

use postern_bridge::{Endpoint, Protocol, Security, ServerRole};

use crate::state::account::Readers;

pub(crate) const OPEN: &str = "Settings";
pub(crate) const OPEN_SETTINGS: &str = "Open settings";
pub(crate) const GONE: &str = "This account is no longer there";
pub(crate) const GONE_DETAIL: &str = "It was removed, perhaps in another tab.";
pub(crate) const READERS: &str = "Who can read your mail";
pub(crate) const READERS_SHORT: &str = "Read by";
pub(crate) const ADDRESS: &str = "Server";
pub(crate) const PROTECTION: &str = "Protection";
pub(crate) const VERSION: &str = "TLS version";
pub(crate) const CIPHER: &str = "Cipher";
pub(crate) const MADE_BY: &str = "Secure connection";
pub(crate) const MADE_BY_BROWSER: &str = "Made by this browser";
pub(crate) const MADE_BY_PROXY: &str = "Made by this Postern's proxy";
pub(crate) const CERTIFICATE: &str = "Certificate";
pub(crate) const BY_AUTHORITY: &str = "A public authority vouches for it";
pub(crate) const BY_PROXY: &str = "The proxy has verified it";
pub(crate) const BY_YOU: &str = "Trusted by you";
pub(crate) const STOP_TRUSTING: &str = "Stop trusting it";
pub(crate) const NOT_SEEN: &str =
    "There has been no connection with these settings yet. What protects it will be shown here.";
pub(crate) const EDIT: &str = "Settings";
pub(crate) const NEW_PASSWORD: &str = "New password";
pub(crate) const NEW_PASSWORD_HINT: &str = "Leave it empty to keep the one that is stored.";
pub(crate) const SAVE: &str = "Test and save";
pub(crate) const SAVING: &str = "Testing…";
pub(crate) const SAVED: &str = "Saved. The account uses these settings now.";
pub(crate) const TESTED_FIRST: &str =
    "Both servers are tried with the new settings first. If one refuses, nothing is changed.";
pub(crate) const LOOK: &str = "Look at the certificate";

/// Where a server is; of an account that has lost its settings nothing tells.
pub(crate) fn address(endpoint: &Endpoint) -> String {
    match &*endpoint.host {
        "" => "Not known any more".to_owned(),
        host => format!("{host}:{}", endpoint.port),
    }
}

pub(crate) fn little_room(percent: u64) -> &'static str {
    match percent {
        0..100 => {
            "The mailbox is nearly full. Once it is, the server refuses new mail: delete some, and empty the trash."
        }
        _ => {
            "The mailbox is full, and the server refuses new mail. Delete some, and empty the trash."
        }
    }
}

pub(crate) fn room(used: &str, limit: &str, percent: u64) -> String {
    format!("{used} of {limit} on the server in use ({percent} %)")
}

pub(crate) fn room_messages(used: &str, limit: &str, percent: u64) -> String {
    format!("{used} of {limit} messages ({percent} %)")
}

pub(crate) fn readers(readers: Readers) -> &'static str {
    match readers {
        Readers::OnlyYou => {
            "Only this browser and your mail server. The proxy carries ciphertext: it can read neither your password nor your mail."
        }
        Readers::OnlyYouByOwnTrust => {
            "Only this browser and the server whose certificate you trust. The proxy carries ciphertext: it can read neither your password nor your mail."
        }
        Readers::Proxy => {
            "This Postern's proxy decrypts your mail on its way: whoever runs it could read your password and your mail. It stores neither."
        }
        Readers::Anybody => {
            "Anybody on the way, this Postern's proxy among them: your password and your mail travel as clear text."
        }
    }
}

pub(crate) fn readers_short(readers: Readers) -> &'static str {
    match readers {
        Readers::OnlyYou | Readers::OnlyYouByOwnTrust => "You and your mail server",
        Readers::Proxy => "Also whoever runs this proxy",
        Readers::Anybody => "Anybody on the way",
    }
}

pub(crate) fn server(role: ServerRole, protocol: Protocol) -> &'static str {
    match (role, protocol) {
        (ServerRole::Incoming, Protocol::Imap) => "Incoming mail (IMAP)",
        (ServerRole::Incoming, Protocol::Pop3) => "Incoming mail (POP3)",
        (ServerRole::Outgoing, _) => "Outgoing mail (SMTP)",
    }
}

pub(crate) fn protection(security: Security) -> &'static str {
    match security {
        Security::Tls => "TLS from the start",
        Security::StartTls => "STARTTLS, required",
        Security::Plain => "None",
    }
}

pub(crate) const ODDITIES: &str = "What this server got wrong";

pub(crate) const ODDITIES_DETAIL: &str = "Some of what this server said made no sense. Postern passed over it and went on. If something is missing here, tell whoever runs the server:";

/// Something that makes no sense, and how often it was said.
pub(crate) fn oddity(what: &str, times: u32) -> String {
    if times == 1 { what.to_owned() } else { format!("{what} ({times} times)") }
}
