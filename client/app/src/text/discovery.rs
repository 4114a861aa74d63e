//! What is said while the servers of an address are looked for, and about what was found.

use postern_bridge::{Protocol, Source};

pub(crate) const CONTINUE: &str = "Continue";
pub(crate) const BY_HAND: &str = "Settings by hand";
pub(crate) const START_DETAIL: &str =
    "Your address and its password are enough for most providers.";
pub(crate) const TRY_AGAIN: &str = "Try again";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const LOOKING_DETAIL: &str = "Asking what it publishes for mail programs, and then at the usual names. This can take up to 20 seconds. Your password stays here.";
pub(crate) const OFFLINE: &str = "There is no connection to the network or to this Postern's proxy, so nobody can look your settings up. Try again when it is back, or enter them by hand.";
pub(crate) const FOUND_TITLE: &str = "Your mail servers";
pub(crate) const CHANGE_ADDRESS: &str = "Change";
pub(crate) const ANSWERS: &str = "Answers";
pub(crate) const SILENT: &str = "Did not answer";
pub(crate) const TLS: &str = "TLS";
pub(crate) const STARTTLS: &str = "STARTTLS";
pub(crate) const READ_HERE: &str = "The secure connection begins in this browser: this Postern's proxy carries what it can't read.";
pub(crate) const READ_BY_PROXY: &str = "This Postern's proxy makes the secure connection, so its operator could read your mail as it passes.";
pub(crate) const NO_PASSWORDS: &str = "This provider says that it takes no passwords from mail programs. Make an “app password” on its web site, and use that one here; or, if you have an access token, choose “Settings by hand”.";
pub(crate) const BY_HAND_TITLE: &str = "Settings by hand";
pub(crate) const LOOK_UP: &str = "Look them up";
pub(crate) const ASK_TITLE: &str = "Send your password to another domain?";
pub(crate) const ASK_WARNING: &str = "Only go on if this is your mail provider. Nothing was sent to a mail server yet but questions about what it offers.";
pub(crate) const ASK_YES: &str = "Yes, that is my provider";
pub(crate) const ASK_NO: &str = "No, do not send it";
pub(crate) const NOT_SENT: &str = "Your password was not sent. You can change the servers by hand.";

pub(crate) fn looking(domain: &str) -> String {
    format!("Looking for the mail servers of {domain}…")
}

pub(crate) fn source(source: &Source, domain: &str) -> String {
    match source {
        Source::Autoconfig => format!("{domain} publishes these settings."),
        Source::Dns => format!("{domain} names these servers in its DNS entries."),
        Source::Provider(provider) => {
            format!("{provider} takes the mail of {domain} and publishes these settings.")
        }
        Source::Probe => format!("These servers answer at the usual names of {domain}."),
        Source::Proxy => "This Postern runs these servers itself.".to_owned(),
    }
}

pub(crate) fn stranger(source: &Source, domain: &str) -> String {
    match source {
        Source::Autoconfig => format!("{domain} names it in the settings that it publishes."),
        Source::Dns => format!("{domain} names it in its DNS entries."),
        Source::Provider(provider) => {
            format!("{provider}, which takes the mail of {domain}, names it.")
        }
        Source::Probe => "It answers at a usual name.".to_owned(),
        Source::Proxy => "This Postern runs it itself.".to_owned(),
    }
}

pub(crate) fn not_of(domain: &str) -> String {
    format!("It is not part of {domain}.")
}

pub(crate) fn only(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => {
            "Your provider offers IMAP: mail and folders stay on its server, and every device sees the same."
        }
        Protocol::Pop3 => {
            "Your provider offers POP3 alone: mail is downloaded into this browser and can be read without a network."
        }
    }
}

pub(crate) fn nothing_found(domain: &str) -> String {
    format!(
        "Nothing was found for {domain}: it publishes no settings, and no mail server answers at its usual names. What stands below is guessed; your provider's help pages name the right servers."
    )
}

pub(crate) fn no_incoming(domain: &str) -> String {
    format!(
        "No server was found that keeps the mail of {domain}; the one to send through was. What stands below for incoming mail is guessed."
    )
}

pub(crate) fn no_outgoing(domain: &str) -> String {
    format!(
        "No server was found that sends mail for {domain}; the one that keeps it was. What stands below for outgoing mail is guessed."
    )
}
