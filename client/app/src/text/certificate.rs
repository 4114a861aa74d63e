//! Certificates: what they say, why one was refused, what to do then.

use postern_bridge::{CertificateDetails, CertificateProblem, RefusedCertificate, TlsEnd};

pub(crate) const SUBJECT: &str = "Issued to";
pub(crate) const ISSUER: &str = "Issued by";
pub(crate) const NAMES: &str = "For";
pub(crate) const FROM: &str = "Valid from";
pub(crate) const UNTIL: &str = "Valid until";
pub(crate) const FINGERPRINT: &str = "SHA-256 fingerprint";
pub(crate) const HOST: &str = "Server";
pub(crate) const NOBODY: &str = "(no name)";
pub(crate) const NOTHING_SENT: &str =
    "Postern has stopped before your name and password were sent: the server has neither.";
pub(crate) const MEANING: &str = "What it may mean";
pub(crate) const PRESENTED: &str = "The certificate that the server shows";
pub(crate) const BEFORE: &str = "The one that you trusted";
pub(crate) const NOW: &str = "The one that the server shows now";
pub(crate) const RETRY: &str = "Try again";
pub(crate) const CHECK_PUBLIC: &str = "Trust public authorities again";
pub(crate) const IN_BROWSER: &str = "Connect from this browser";
pub(crate) const TRUST_SUMMARY: &str = "I know this server, and want to trust this certificate…";
pub(crate) const TRUST_CHANGED_SUMMARY: &str =
    "I know why it has changed, and want to trust the new one…";
pub(crate) const ASK_OPERATOR: &str = "Ask whoever runs the server for the SHA-256 fingerprint of its certificate, by telephone or in person, not by mail. Then type or paste it here.";
pub(crate) const GIVEN: &str = "The fingerprint that you were given";
pub(crate) const COMPARED: &str =
    "Or: I have compared every digit above with the fingerprint that I was given.";
pub(crate) const SAME: &str = "It is the same.";
pub(crate) const OTHER: &str =
    "It is another one. This is not the certificate that you were told about: don't trust it.";
pub(crate) const CONFIRM_FIRST: &str = "Confirm the fingerprint first.";
pub(crate) const TRUST_MEANS: &str = "Only this certificate will be accepted from then on, for this server and this account alone. If it changes, Postern stops and asks again.";

pub(crate) fn title(refused: &RefusedCertificate) -> String {
    let host = &refused.host;
    match refused.problem {
        CertificateProblem::Changed { .. } => {
            format!("Stop: the certificate of {host} has changed")
        }
        _ => format!("{host} could not prove who it is"),
    }
}

/// What is wrong, in one sentence.
pub(crate) fn problem(refused: &RefusedCertificate) -> String {
    use CertificateProblem as P;
    let what = match &refused.problem {
        P::Expired => "Its certificate has expired.",
        P::NotYetValid => "Its certificate is not valid yet.",
        P::OtherHost => "Its certificate was made out to another server.",
        P::UnknownIssuer => "Its certificate comes from an issuer that browsers don't know.",
        P::SelfSigned => "It has signed its certificate itself.",
        P::Revoked => "Its certificate was revoked by the authority that issued it.",
        P::Changed { .. } => "It does not show the certificate that you trusted.",
        P::Other(sentence) => return sentence.clone(),
    };
    what.to_owned()
}

/// What it may mean, the likeliest first.
pub(crate) fn meanings(refused: &RefusedCertificate) -> &'static [&'static str] {
    use CertificateProblem as P;
    const BETWEEN: &str = "Somebody is between you and the server, such as the owner of this network, and wants to read along.";
    if refused.verifier == TlsEnd::Proxy {
        return &[
            "This Postern's proxy makes the secure connections of this account, and does not know the server's authority. Its operator can add it.",
            "If this browser makes the connection instead, you can look at the certificate and decide.",
            BETWEEN,
        ];
    }
    match &refused.problem {
        P::Expired => &[
            "Most often it was not renewed in time. Whoever runs the server has to do that; try again later.",
            "The clock of this device is wrong.",
            BETWEEN,
        ],
        P::NotYetValid => &["The clock of this device is wrong: set it and try again.", BETWEEN],
        P::OtherHost => &[
            "The server's name in the settings is not the one that your provider names. Compare it with those below.",
            BETWEEN,
        ],
        P::UnknownIssuer | P::SelfSigned => &[
            "The server belongs to you or your organisation, and makes its own certificates: then whoever runs it can tell you the fingerprint.",
            BETWEEN,
        ],
        P::Revoked => {
            &["Its key may have been stolen. Don't connect; ask whoever runs the server."]
        }
        P::Changed { verifies: true, .. } => &[
            "The server has a new certificate, and a public authority vouches for it. Most likely you need not trust one by yourself any more.",
            "Somebody has got hold of the server's name and stands in for it.",
        ],
        P::Changed { verifies: false, .. } => &[
            BETWEEN,
            "The server has a new certificate. Whoever runs it can tell you so, and its fingerprint. Until then, don't connect.",
        ],
        P::Other(_) => {
            &["The server is set up wrongly. Whoever runs it has to mend that.", BETWEEN]
        }
    }
}

pub(crate) fn trust(host: &str) -> String {
    format!("Trust for {host}")
}

pub(crate) fn incomplete(digits: usize) -> String {
    format!("A SHA-256 fingerprint has 64 digits; these are {digits}.")
}

pub(crate) fn not_a_digit(c: char) -> String {
    format!("“{c}” is no digit of a fingerprint: it has only 0 to 9 and A to F.")
}

/// Whom a certificate is for, as a list.
pub(crate) fn names(details: &CertificateDetails) -> String {
    details.names.join(", ")
}
