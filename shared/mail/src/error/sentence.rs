//! What went wrong, as a sentence for a person: what it is, and what to do.

use postern_bridge::{CertificateProblem, RefusedCertificate};

use super::{Closed, Denial, MailError, SAVE_DRAFT};
use crate::{host::TransportError, store::StoreError};

impl MailError {
    pub(super) fn sentence(&self, host: &str) -> String {
        use TransportError as T;
        match self {
            Self::Transport(T::Offline) => {
                "There is no connection to the network or to this Postern's proxy. What is stored \
                 can be read; the rest waits until it is back."
                    .into()
            }
            Self::Transport(T::NotAllowed(reason)) => {
                format!("This Postern does not connect to {host}: {reason}")
            }
            Self::Transport(T::KeyNeeded) => {
                "This Postern is private. Enter the access key that its operator gave you.".into()
            }
            Self::Transport(T::KeyRefused) => "This is not the access key of this Postern. Check \
                 it, or ask the operator for the current one."
                .into(),
            Self::Transport(T::Denied(reason)) => {
                format!("This Postern does not let this page connect: {reason} Reload the page.")
            }
            Self::Transport(T::Busy(reason)) => {
                format!("The proxy asks for patience: {reason} Try again in a minute.")
            }
            Self::Transport(T::UnknownHost) => {
                format!("There is no server named {host}. Check the spelling of the host.")
            }
            Self::Transport(T::LookupFailed) => format!(
                "The address of {host} can't be looked up at the moment: the name servers don't answer, \
                 or can't tell. Try again in a few minutes; if it stays so, tell the operator of this \
                 Postern."
            ),
            Self::Transport(T::ConnectFailed) => format!(
                "{host} does not accept connections on this port. Check the port and the security \
                 setting."
            ),
            Self::Transport(T::TimedOut) | Self::TimedOut(_) => format!(
                "{host} does not answer. The host or port may be wrong, or the server is busy; try \
                 again later."
            ),
            Self::Transport(T::Certificate(refused)) => {
                format!("{} Your password was not sent.", certificate_sentence(refused))
            }
            Self::Transport(T::Tls(reason)) => format!(
                "No secure connection to {host} could be made: {reason} Check the port and the \
                 security setting."
            ),
            Self::Transport(T::Lost) => format!("The connection to {host} was lost."),
            Self::Login(text) => {
                format!("{host} did not accept the user name or the password. It says: “{text}”")
            }
            Self::Token(text) => format!(
                "{host} did not accept the access token. It has probably expired: get a new one from \
                 your provider, and enter it in place of the password. It says: “{text}”"
            ),
            Self::LogInOnPage { page, text } => format!(
                "Your provider wants you to log in with a browser first. Open {page} and do so; then \
                 try again here. {host} says: “{text}”"
            ),
            Self::Refused { what, text } => format!("{host} refused to {what}. It says: “{text}”"),
            Self::Denied { what, why, text } => denial_sentence(host, what, *why, text),
            Self::TooLarge { what, size, limit } => too_large_sentence(host, what, *size, *limit),
            Self::TooManyConnections(text) => format!(
                "{host} allows no more connections to this account. Close mail programs that you \
                 don't need, here or on other devices; it will be asked again. It says: “{text}”"
            ),
            Self::Unavailable(text) => {
                format!("{host} takes no work for now; it will be asked again. It says: “{text}”")
            }
            Self::Closed(closed) => closed.sentence(host),
            Self::Unsupported(what) => format!("{host} does not offer {what}."),
            Self::Protocol(detail) => {
                format!("{host} said something that Postern does not understand ({detail}).")
            }
            Self::Store(StoreError::QuotaExceeded) => {
                "This browser's storage is full. Nothing was lost; free some space and try again."
                    .into()
            }
            Self::NoRoom { subject, size, can_be_less } => {
                no_room_sentence(subject, *size, *can_be_less)
            }
            Self::Store(error) => format!("Stored mail can't be used: {error}."),
            Self::Vault(error) => {
                format!("The password can't be kept or read in this browser: {}.", error.0)
            }
            Self::PasswordMissing => {
                "This account came from a backup, and no password is in one. Enter \
                                      it in the account's settings."
                    .into()
            }
            Self::SettingsLost => {
                "The settings of this account were damaged in this browser; its mail is here. Enter its \
                 servers and its password again in the account's settings. Until then nothing is \
                 downloaded, sent or deleted on the server."
                    .into()
            }
            Self::Input(sentence) => sentence.clone(),
            Self::Incomplete { comes_again: true } => {
                "Part of this message is missing in this browser's storage. It is fetched again as \
                 soon as the server can be reached."
                    .into()
            }
            Self::Incomplete { comes_again: false } => {
                "Part of this message is missing in this browser's storage, and no server has it any \
                 more. If there is a backup, restoring it brings the message back."
                    .into()
            }
            Self::Gone(what) => format!("The {what} is no longer there."),
        }
    }
}

impl Closed {
    fn sentence(&self, host: &str) -> String {
        match self {
            Self::InUse(text) => format!(
                "Another program has this mailbox open at {host}. Close it there, or wait: Postern \
                 asks again in some minutes. The server says: “{text}”"
            ),
            Self::TooSoon { wait, delay: Some(delay) } => format!(
                "{host} allows one log-in every {}. Postern asks again in {}.",
                span(*delay),
                span(*wait)
            ),
            Self::TooSoon { wait, delay: None } => format!(
                "{host} does not allow another log-in so soon. Postern asks again in {}.",
                span(*wait)
            ),
            Self::Temporary(text) => format!(
                "{host} has a fault that will probably pass. Postern asks again in some minutes. \
                 The server says: “{text}”"
            ),
            Self::Permanent(text) => format!(
                "{host} has a fault that only its operator can mend. Tell your provider what the \
                 server says: “{text}”"
            ),
        }
    }
}

/// A number of seconds in words, rounded up.
fn span(seconds: u32) -> String {
    let (number, unit) = match seconds {
        0..=90 => (seconds, "second"),
        91..=5400 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

/// Which message has no room in the browser, and what to do.
fn no_room_sentence(subject: &str, size: u64, can_be_less: bool) -> String {
    const SHOWN: usize = 80;
    let mut name: String = subject.chars().take(SHOWN).collect();
    if name.len() < subject.len() {
        name.push('…');
    }
    let name = if name.is_empty() { String::new() } else { format!(" “{name}”") };
    let megabytes = size.div_ceil(1_000_000);
    let advice = match can_be_less {
        true => {
            "Free some space, or choose in the account's settings to download only the headers of \
             messages as large as this one."
        }
        false => {
            "Free some space on this device: a later download tries again. Messages that you delete here \
             may be nowhere else; save a backup first."
        }
    };
    format!(
        "This browser's storage has no room for the message{name} ({megabytes} MB). It stays on the \
         server, and nothing was lost. {advice}"
    )
}

/// How much a message exceeds what a server takes; and what to do, where the person still writes it.
fn too_large_sentence(host: &str, what: &str, size: u64, limit: u64) -> String {
    // So that the one is always less than the other.
    let unit = if limit < 1_000_000 { ("kB", 1_000) } else { ("MB", 1_000_000) };
    let (name, bytes) = unit;
    let advice = match what {
        SAVE_DRAFT => {
            " It was not sent there, and is kept here. Leave out attachments, or make them smaller."
        }
        _ => "",
    };
    format!(
        "{host} takes no message of more than {} {name}, and this one has {} {name}.{advice}",
        limit / bytes,
        size.div_ceil(bytes)
    )
}

/// What to do about a refusal, as a sentence.
fn denial_sentence(host: &str, what: &str, why: Denial, text: &str) -> String {
    let sentence = match why {
        Denial::NoRoom => format!(
            "There is no room left on {host}, so that it refused to {what}. Delete messages there and \
             empty the trash, or ask for more room; then try again."
        ),
        Denial::NotAllowed => format!(
            "This account may not do that: {host} refused to {what}. Whoever runs it can allow it."
        ),
        Denial::TooMuch => {
            format!("This is more than {host} takes at once, so that it refused to {what}.")
        }
        Denial::Expired => format!(
            "The password for {host} has expired. Set a new one with your provider, then enter it in \
             the account's settings."
        ),
        Denial::AskOperator => {
            format!("{host} refused to {what}. Ask whoever runs it, or your provider's support.")
        }
    };
    format!("{sentence} It says: “{text}”")
}

/// What is wrong with a certificate, as a sentence.
fn certificate_sentence(refused: &RefusedCertificate) -> String {
    use CertificateProblem as P;
    let what = match &refused.problem {
        P::Expired => "has expired.",
        P::NotYetValid => "is not valid yet.",
        P::OtherHost => "belongs to another host.",
        P::UnknownIssuer => "was not issued by an authority that browsers trust.",
        P::SelfSigned => "was issued by the server itself, so that nobody vouches for it.",
        P::Revoked => "was revoked by its issuer.",
        P::Changed { .. } => "is not the one that you trusted.",
        P::Other(sentence) => {
            return format!("The certificate of {} was not accepted: {sentence}", refused.host);
        }
    };
    format!("The certificate of {} {what}", refused.host)
}

#[cfg(test)]
mod tests {
    use postern_bridge::TlsEnd;

    use super::*;

    #[test]
    fn a_closed_mailbox_is_told_with_what_to_do() {
        let told = |closed| MailError::Closed(closed).problem("pop.example.org").sentence;
        for (closed, expected) in [
            (Closed::InUse("locked".into()), "Close it there, or wait"),
            (Closed::TooSoon { wait: 61, delay: Some(900) }, "one log-in every 15 minutes"),
            (Closed::TooSoon { wait: 300, delay: None }, "again in 5 minutes"),
            (Closed::TooSoon { wait: 1, delay: Some(7201) }, "every 3 hours"),
            (Closed::Temporary("busy".into()), "will probably pass"),
            (Closed::Permanent("broken".into()), "Tell your provider"),
        ] {
            let sentence = told(closed);
            assert!(sentence.contains("pop.example.org"), "{sentence}");
            assert!(sentence.contains(expected), "{sentence}");
        }
    }

    #[test]
    fn a_message_without_room_is_named_as_far_as_it_is_known() {
        let told = |subject: &str| {
            let (subject, size) = (subject.to_owned(), 20_000_001);
            MailError::NoRoom { subject, size, can_be_less: true }.problem("").sentence
        };
        assert!(told("Figs").contains("for the message “Figs” (21 MB). It stays on the server"));
        assert!(told("").contains("for the message (21 MB)"));
        assert!(told(&"ä".repeat(81)).contains(&format!("“{}…”", "ä".repeat(80))));
    }

    #[test]
    fn the_settings_are_named_only_where_they_would_make_room() {
        for (can_be_less, advice) in [
            (true, "only the headers of messages as large as this one"),
            (false, "a later download tries again"),
            (false, "may be nowhere else; save a backup first"),
        ] {
            let error = MailError::NoRoom { subject: "Figs".into(), size: 20_000_001, can_be_less };
            let sentence = error.problem("").sentence;
            assert!(sentence.contains(advice), "{sentence}");
            assert_eq!(sentence.contains("settings"), can_be_less, "{sentence}");
            assert_eq!(error.is_mended_in_settings(), can_be_less);
        }
    }

    #[test]
    fn a_name_that_can_not_be_looked_up_is_tried_again_and_no_matter_of_the_settings() {
        use TransportError::{LookupFailed, UnknownHost};
        for (error, advice) in [(UnknownHost, "Check the spelling"), (LookupFailed, "Try again")] {
            let is_passing = error == LookupFailed;
            let error = MailError::Transport(error);
            let sentence = error.problem("imap.example.org").sentence;
            assert!(sentence.contains("imap.example.org"), "{sentence}");
            assert!(sentence.contains(advice), "{sentence}");
            assert_eq!(error.is_passing(), is_passing);
            assert_eq!(error.is_mended_in_settings(), !is_passing);
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_told_with_the_limit() {
        for (size, limit, expected) in [
            (35_651_585, 35_651_584, "more than 35 MB, and this one has 36 MB"),
            (2_001, 2_000, "more than 2 kB, and this one has 3 kB"),
        ] {
            // What was sent, or is copied, is not written any more.
            for (what, is_draft) in [(SAVE_DRAFT, true), ("file the copy", false)] {
                let error = MailError::TooLarge { what, size, limit };
                let sentence = error.problem("mail.example.org").sentence;
                assert!(sentence.contains("mail.example.org takes no message"), "{sentence}");
                assert!(sentence.contains(expected), "{sentence}");
                assert_eq!(sentence.contains("It was not sent there"), is_draft, "{sentence}");
                assert_eq!(sentence.contains("Leave out attachments"), is_draft, "{sentence}");
            }
        }
    }

    #[test]
    fn a_refused_certificate_is_told_with_its_host() {
        for problem in [
            CertificateProblem::SelfSigned,
            CertificateProblem::Other("The certificate can't be read.".into()),
        ] {
            let refused = RefusedCertificate {
                host: "mail.example.org".into(),
                port: 993,
                verifier: TlsEnd::Browser,
                problem,
                certificate: None,
            };
            let sentence = certificate_sentence(&refused);
            assert!(sentence.contains("mail.example.org"), "{sentence}");
        }
    }

    #[test]
    fn a_refusal_tells_what_to_do_and_what_passes_is_tried_again() {
        let text = || "x".to_owned();
        let denied = |why| MailError::Denied { what: "save the message", why, text: text() };
        let cases = [
            (denied(Denial::NoRoom), "empty the trash", false),
            (denied(Denial::NotAllowed), "may not do that", false),
            (denied(Denial::TooMuch), "more than", false),
            (denied(Denial::Expired), "Set a new one", false),
            (denied(Denial::AskOperator), "Ask whoever runs it", false),
            (MailError::Closed(Closed::InUse(text())), "Close it there", true),
            (MailError::TooManyConnections(text()), "Close mail programs", true),
            (MailError::Unavailable(text()), "will be asked again", true),
        ];
        for (error, advice, passing) in cases {
            let sentence = error.problem("mail.example.org").sentence;
            assert!(sentence.contains("mail.example.org"), "{sentence}");
            assert!(sentence.contains(advice) && sentence.ends_with("“x”"), "{sentence}");
            assert_eq!(error.is_passing(), passing, "{sentence}");
        }
    }
}
