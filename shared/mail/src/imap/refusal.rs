//! What a refusal means, by the code that it carries (RFC 5530, RFC 9051 section 7.1).

use postern_imap::{
    Response,
    response::{Code, Status, StatusKind},
};

use super::overheard::alert;
use crate::{
    MailError,
    error::{Closed, Denial, words},
};

/// Why a command was refused; `None` if it was not. `what` it asked, as in [`MailError::Refused`].
pub(super) fn refusal(what: &'static str, end: &Status) -> Option<MailError> {
    if end.kind == StatusKind::Ok {
        return None;
    }
    let text = words(&end.text);
    let why = match end.code {
        Some(Code::InUse) => return Some(MailError::Closed(Closed::InUse(text))),
        Some(Code::Unavailable | Code::Throttled) => return Some(MailError::Unavailable(text)),
        Some(Code::OverQuota) => Denial::NoRoom,
        Some(Code::NoPermission) => Denial::NotAllowed,
        Some(Code::Limit | Code::TooBig | Code::MessageLimit { .. }) => Denial::TooMuch,
        Some(Code::ContactAdmin) => Denial::AskOperator,
        _ => return Some(MailError::Refused { what, text }),
    };
    Some(MailError::Denied { what, why, text })
}

/// Why a log-in was refused; `None` if it was not. What the server `told` meanwhile may say more than
/// its answer: Gmail tells the address of the page that it wants to be opened, and then refuses.
pub(super) fn log_in_refusal(end: &Status, told: &[Response]) -> Option<MailError> {
    if end.kind == StatusKind::Ok {
        return None;
    }
    let told = || {
        told.iter().filter_map(|response| match response {
            Response::Status(status) => Some(status),
            _ => None,
        })
    };
    let answer = words(&end.text);
    let alerts = told().filter_map(alert).filter(|text| *text != answer);
    let said: Vec<String> = alerts.chain([answer.clone()]).collect();
    let text = words(said.join(" ").trim_end());
    let page = told().chain([end]).find_map(|status| match &status.code {
        Some(Code::WebAlert(page)) if page.starts_with("https://") => Some(words(page)),
        _ => None,
    });
    if let Some(page) = page {
        return Some(MailError::LogInOnPage { page, text });
    }
    Some(match end.code {
        _ if is_about_connections(&text) => MailError::TooManyConnections(text),
        Some(Code::Limit) => MailError::TooManyConnections(text),
        Some(Code::InUse) => MailError::Closed(Closed::InUse(text)),
        Some(Code::Unavailable | Code::Throttled | Code::ServerBug) => MailError::Unavailable(text),
        Some(Code::Expired) => MailError::Denied { what: "log in", why: Denial::Expired, text },
        Some(Code::ContactAdmin) => {
            MailError::Denied { what: "log in", why: Denial::AskOperator, text }
        }
        Some(Code::PrivacyRequired) => {
            MailError::Unsupported("a log-in over a connection that is not secure")
        }
        _ => MailError::Login(text),
    })
}

/// The same for a server that says goodbye instead of hello, or of an answer.
pub(super) fn goodbye(text: &str) -> MailError {
    let text = words(text);
    if is_about_connections(&text) {
        MailError::TooManyConnections(text)
    } else {
        MailError::Unavailable(text)
    }
}

/// Whether a server's words are about too many connections, for which there was no code for long.
fn is_about_connections(text: &str) -> bool {
    let text = text.to_lowercase();
    let many = ["too many", "maximum", "exceeded", "limit"];
    text.contains("connection") && many.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(code: Option<Code>, text: &str) -> Status {
        Status { kind: StatusKind::No, code, text: text.into() }
    }

    #[test]
    fn codes_tell_what_a_refusal_means() {
        let denied = |why| MailError::Denied { what: "try", why, text: "x".into() };
        let cases = [
            (None, MailError::Refused { what: "try", text: "x".into() }),
            (Some(Code::InUse), MailError::Closed(Closed::InUse("x".into()))),
            (Some(Code::Unavailable), MailError::Unavailable("x".into())),
            (Some(Code::OverQuota), denied(Denial::NoRoom)),
            (Some(Code::NoPermission), denied(Denial::NotAllowed)),
            (Some(Code::Limit), denied(Denial::TooMuch)),
            (Some(Code::ContactAdmin), denied(Denial::AskOperator)),
        ];
        for (code, expected) in cases {
            assert_eq!(refusal("try", &end(code, "x")), Some(expected));
        }
        let ok = Status { kind: StatusKind::Ok, code: Some(Code::InUse), text: String::new() };
        assert_eq!(refusal("try", &ok), None);
        assert_eq!(log_in_refusal(&ok, &[]), None);
    }

    #[test]
    fn what_is_told_before_a_log_in_is_refused_says_why() {
        let page = || Code::WebAlert("https://mail.example.org/in".into());
        let refused = |told: Vec<Status>, code, text: &str| {
            let told: Vec<_> = told.into_iter().map(Response::Status).collect();
            log_in_refusal(&end(code, text), &told)
        };
        let on_page = |text: &str| MailError::LogInOnPage {
            page: "https://mail.example.org/in".into(),
            text: text.into(),
        };
        let told = vec![end(Some(page()), "Web login required.")];
        let answer = refused(told, Some(Code::Alert), "Log in via your web browser");
        assert_eq!(answer, Some(on_page("Log in via your web browser")));
        assert_eq!(refused(vec![], Some(page()), "x"), Some(on_page("x")));
        let login = |text: &str| Some(MailError::Login(text.into()));
        let other = Code::WebAlert("javascript:alert(1)".into());
        assert_eq!(refused(vec![], Some(other), "x"), login("x"), "nobody is sent there");
        let told = |text| vec![end(Some(Code::Alert), text), end(None, "such and such")];
        assert_eq!(refused(told("IMAP is off."), None, "No."), login("IMAP is off. No."));
        assert_eq!(refused(told("No."), None, "No."), login("No."), "once is enough");
        assert_eq!(refused(told("IMAP is off."), None, ""), login("IMAP is off."));
    }

    #[test]
    fn a_server_that_says_too_much_is_cut_short() {
        let said = format!("too many connections {}", "x".repeat(16 << 20));
        let told = |error: MailError| error.problem("mail.example.org").sentence.chars().count();
        let refused = end(None, &said);
        let denied = end(Some(Code::OverQuota), &said);
        for error in
            [refusal("try", &refused), refusal("try", &denied), log_in_refusal(&refused, &[])]
        {
            assert!((500..1_000).contains(&told(error.unwrap())));
        }
        assert!((500..1_000).contains(&told(goodbye(&said))));
    }

    #[test]
    fn too_many_connections_are_no_wrong_password() {
        let said = "Maximum number of connections from user+IP exceeded";
        let many = MailError::TooManyConnections(said.into());
        for code in [None, Some(Code::Unavailable), Some(Code::Limit)] {
            assert_eq!(log_in_refusal(&end(code, said), &[]), Some(many.clone()));
        }
        assert_eq!(goodbye(said), many);
        assert_eq!(goodbye("Autologout"), MailError::Unavailable("Autologout".into()));
        let wrong = log_in_refusal(&end(Some(Code::AuthenticationFailed), "Wrong."), &[]);
        assert_eq!(wrong, Some(MailError::Login("Wrong.".into())));
    }
}
