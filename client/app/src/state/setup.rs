//! The form that sets up an account: what is typed, what is guessed, and what is recommended.

use postern_bridge::{
    AccountDraft, Endpoint, Fingerprint, Identity, Problem, ProblemKind, Protocol,
    RefusedCertificate, Retention, Security, ServerLogin, TestReport, TlsEnd,
};

use crate::{address, text};

/// A field of the form, so that a problem can point to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    /// The mail address.
    Address,
    /// The password.
    Password,
    /// The incoming server's name.
    IncomingHost,
    /// The incoming server's port.
    IncomingPort,
    /// The user name.
    Username,
    /// The outgoing server's name.
    OutgoingHost,
    /// The outgoing server's port.
    OutgoingPort,
}

/// The person's answer to "On how many devices do you read this mail?"
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Devices {
    /// On this one alone.
    One,
    /// On several, or on others' computers.
    Several,
}

/// The person's answer to "Where should the mail be kept?"
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keeping {
    /// At the provider.
    Provider,
    /// In this browser.
    Here,
}

/// The protocol that fits the answers, and why; `None` while nothing was answered.
pub(crate) fn recommend(
    devices: Option<Devices>,
    keeping: Option<Keeping>,
) -> Option<(Protocol, &'static str)> {
    match (devices, keeping) {
        (Some(Devices::Several), Some(Keeping::Here)) => {
            Some((Protocol::Imap, text::setup::WHY_IMAP_SEVERAL_THOUGH_HERE))
        }
        (Some(Devices::Several), _) => Some((Protocol::Imap, text::setup::WHY_IMAP_SEVERAL)),
        (_, Some(Keeping::Provider)) => Some((Protocol::Imap, text::setup::WHY_IMAP_PROVIDER)),
        (_, Some(Keeping::Here)) => Some((Protocol::Pop3, text::setup::WHY_POP3)),
        (Some(Devices::One), None) => Some((Protocol::Imap, text::setup::WHY_IMAP_ONE)),
        (None, None) => None,
    }
}

/// The standard port (RFC 8314, RFC 9051, RFC 1939, RFC 6409).
pub(crate) fn incoming_port(protocol: Protocol, security: Security) -> u16 {
    match (protocol, security) {
        (Protocol::Imap, Security::Tls) => 993,
        (Protocol::Imap, Security::StartTls | Security::Plain) => 143,
        (Protocol::Pop3, Security::Tls) => 995,
        (Protocol::Pop3, Security::StartTls | Security::Plain) => 110,
    }
}

/// The standard submission port (RFC 8314, RFC 6409).
pub(crate) fn outgoing_port(security: Security) -> u16 {
    match security {
        Security::Tls => 465,
        Security::StartTls | Security::Plain => 587,
    }
}

/// A server's fields. What the person has not typed follows the address and the choices.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Server {
    /// The host as typed; `None` while it is guessed.
    pub(crate) host: Option<String>,
    /// The port as typed; `None` while it is the standard one.
    pub(crate) port: Option<String>,
    /// How the connection is protected.
    pub(crate) security: Security,
    /// The user name as typed; `None` while it is the address.
    pub(crate) username: Option<String>,
}

/// What is in the form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Form {
    /// The person's name.
    pub(crate) name: String,
    /// The mail address.
    pub(crate) address: String,
    /// The password.
    pub(crate) password: String,
    /// The answer to the first question.
    pub(crate) devices: Option<Devices>,
    /// The answer to the second question.
    pub(crate) keeping: Option<Keeping>,
    /// The protocol.
    pub(crate) protocol: Protocol,
    /// The incoming server.
    pub(crate) incoming: Server,
    /// The outgoing server; it has no user name of its own unless one was typed.
    pub(crate) outgoing: Server,
    /// What a POP3 account does with mail on the server.
    pub(crate) retention: Retention,
    /// Who makes the secure connections.
    pub(crate) tls_end: TlsEnd,
    /// The certificates that the person trusts, each for one host and port.
    pub(crate) trusted: Vec<(String, u16, Fingerprint)>,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            name: String::new(),
            address: String::new(),
            password: String::new(),
            devices: None,
            keeping: None,
            protocol: Protocol::Imap,
            incoming: Server::default(),
            outgoing: Server::default(),
            retention: Retention::Keep,
            tls_end: TlsEnd::Browser,
            trusted: Vec::new(),
        }
    }
}

impl Form {
    /// Takes over an answer to the questions and follows the recommendation.
    pub(crate) fn answer(&mut self, devices: Option<Devices>, keeping: Option<Keeping>) {
        (self.devices, self.keeping) = (devices, keeping);
        if let Some((protocol, _)) = recommend(devices, keeping) {
            self.protocol = protocol;
        }
    }

    fn endpoint(&self, host: &str, port: &str, security: Security) -> Result<Endpoint, Wrong> {
        let host = host.trim().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(Wrong::Host);
        }
        let port = port.trim().parse().ok().filter(|port| *port > 0).ok_or(Wrong::Port)?;
        let trusted =
            self.trusted.iter().rev().find(|(of_host, of_port, _)| {
                of_host.eq_ignore_ascii_case(host) && *of_port == port
            });
        let trusted = trusted.map(|(.., fingerprint)| *fingerprint);
        Ok(Endpoint { host: host.to_owned(), port, security, tls_end: self.tls_end, trusted })
    }

    /// The incoming host: typed or guessed.
    pub(crate) fn incoming_host(&self) -> String {
        let service = match self.protocol {
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop",
        };
        self.incoming.host.clone().unwrap_or_else(|| guess(service, &self.address))
    }

    /// The outgoing host: typed or guessed.
    pub(crate) fn outgoing_host(&self) -> String {
        self.outgoing.host.clone().unwrap_or_else(|| guess("smtp", &self.address))
    }

    /// The incoming port: typed or standard.
    pub(crate) fn incoming_port(&self) -> String {
        let standard = || incoming_port(self.protocol, self.incoming.security).to_string();
        self.incoming.port.clone().unwrap_or_else(standard)
    }

    /// The outgoing port: typed or standard.
    pub(crate) fn outgoing_port(&self) -> String {
        let standard = || outgoing_port(self.outgoing.security).to_string();
        self.outgoing.port.clone().unwrap_or_else(standard)
    }

    /// The user name: typed or the address.
    pub(crate) fn username(&self) -> String {
        self.incoming.username.clone().unwrap_or_else(|| self.address.trim().to_owned())
    }

    /// The user name for sending: typed or that for receiving.
    pub(crate) fn outgoing_username(&self) -> String {
        self.outgoing.username.clone().unwrap_or_else(|| self.username())
    }

    /// Whether a password would travel unprotected.
    pub(crate) fn is_unprotected(&self) -> bool {
        [self.incoming.security, self.outgoing.security].contains(&Security::Plain)
    }

    /// The settings to test or to add.
    ///
    /// # Errors
    ///
    /// The first field that has to be mended, and what to do.
    pub(crate) fn draft(&self) -> Result<AccountDraft, (Field, &'static str)> {
        let address = self.address.trim();
        if !address::is_address(address) {
            return Err((Field::Address, text::setup::ADDRESS_WRONG));
        }
        if self.password.is_empty() {
            return Err((Field::Password, text::setup::PASSWORD_MISSING));
        }
        let incoming = self
            .endpoint(&self.incoming_host(), &self.incoming_port(), self.incoming.security)
            .map_err(|wrong| wrong.of(Field::IncomingHost, Field::IncomingPort))?;
        let username = self.username().trim().to_owned();
        if username.is_empty() {
            return Err((Field::Username, text::setup::USERNAME_MISSING));
        }
        let outgoing = self
            .endpoint(&self.outgoing_host(), &self.outgoing_port(), self.outgoing.security)
            .map_err(|wrong| wrong.of(Field::OutgoingHost, Field::OutgoingPort))?;
        Ok(AccountDraft {
            identity: Identity { name: self.name.trim().into(), address: address.into() },
            protocol: self.protocol,
            incoming: ServerLogin { endpoint: incoming, username },
            outgoing: ServerLogin {
                endpoint: outgoing,
                username: self.outgoing_username().trim().to_owned(),
            },
            password: self.password.clone(),
            retention: match self.protocol {
                Protocol::Imap => Retention::Keep,
                Protocol::Pop3 => self.retention,
            },
        })
    }
}

/// What the form waits for and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// The request of a test that runs.
    pub(crate) testing: Option<u32>,
    /// The request that adds an account.
    pub(crate) adding: Option<u32>,
    /// What the last test or addition said.
    pub(crate) outcome: Option<Outcome>,
    /// The certificate that it failed for, and whether it was an addition.
    pub(crate) refused: Option<(Box<RefusedCertificate>, bool)>,
    /// The incoming and the outgoing host that were tried.
    pub(crate) hosts: (String, String),
}

/// What a test or an addition said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The settings work.
    Works(TestReport),
    /// They do not; the field to look at, if one is known.
    Fails(Option<Field>, String),
}

impl Progress {
    /// What is known before anything was asked about these settings.
    pub(crate) fn about(draft: &AccountDraft) -> Self {
        let hosts = (draft.incoming.endpoint.host.clone(), draft.outgoing.endpoint.host.clone());
        Self { hosts, ..Self::default() }
    }

    /// Whether an answer is awaited.
    pub(crate) fn is_busy(&self) -> bool {
        self.testing.is_some() || self.adding.is_some()
    }

    /// Notes that a field has to be mended before anything is asked.
    pub(crate) fn reject(&mut self, field: Field, sentence: &str) {
        self.outcome = Some(Outcome::Fails(Some(field), sentence.to_owned()));
    }

    /// Takes over what a test found; an older test's answer is ignored.
    pub(crate) fn tested(&mut self, request: u32, result: Result<TestReport, Problem>) {
        if self.testing == Some(request) {
            self.testing = None;
            self.outcome = Some(match result {
                Ok(report) => Outcome::Works(report),
                Err(problem) => self.failure(problem, false),
            });
        }
    }

    /// Takes over that an account could not be added; an older request's answer is ignored.
    pub(crate) fn add_failed(&mut self, request: u32, problem: Problem) {
        if self.adding == Some(request) {
            self.adding = None;
            self.outcome = Some(self.failure(problem, true));
        }
    }

    fn failure(&mut self, problem: Problem, adding: bool) -> Outcome {
        self.refused = problem.certificate.map(|refused| (refused, adding));
        let field = match problem.kind {
            ProblemKind::Unreachable
            | ProblemKind::NotAllowed
            | ProblemKind::Certificate
            | ProblemKind::Server => self.server_in(&problem.sentence),
            ProblemKind::Login => Some(Field::Password),
            ProblemKind::Offline
            | ProblemKind::AccessKey
            | ProblemKind::Storage
            | ProblemKind::Input
            | ProblemKind::Gone => None,
        };
        Outcome::Fails(field, problem.sentence)
    }

    /// The server that a sentence names, unless it could be either.
    fn server_in(&self, sentence: &str) -> Option<Field> {
        let (incoming, outgoing) = &self.hosts;
        match (names(sentence, incoming), names(sentence, outgoing)) {
            (true, false) => Some(Field::IncomingHost),
            (false, true) => Some(Field::OutgoingHost),
            _ => None,
        }
    }
}

/// Whether a sentence has the host's whole name in it, and not only as the end of a longer one.
fn names(sentence: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    sentence
        .to_ascii_lowercase()
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-'))
        .any(|word| !host.is_empty() && word.trim_end_matches('.') == host)
}

fn guess(service: &str, address: &str) -> String {
    let domain = address::domain(address);
    if domain.is_empty() { domain } else { format!("{service}.{domain}") }
}

/// What is wrong with a server's fields.
enum Wrong {
    Host,
    Port,
}

impl Wrong {
    fn of(self, host: Field, port: Field) -> (Field, &'static str) {
        match self {
            Self::Host => (host, text::setup::HOST_WRONG),
            Self::Port => (port, text::setup::PORT_WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> Form {
        Form { address: "Ada@Example.org".into(), password: "secret".into(), ..Form::default() }
    }

    #[test]
    fn the_questions_recommend_a_protocol_and_say_why() {
        use Devices::{One, Several};
        use Keeping::{Here, Provider};
        for (devices, keeping, expected) in [
            (None, None, None),
            (Some(One), None, Some(Protocol::Imap)),
            (Some(One), Some(Here), Some(Protocol::Pop3)),
            (Some(One), Some(Provider), Some(Protocol::Imap)),
            (Some(Several), None, Some(Protocol::Imap)),
            (Some(Several), Some(Here), Some(Protocol::Imap)),
            (None, Some(Here), Some(Protocol::Pop3)),
        ] {
            assert_eq!(recommend(devices, keeping).map(|(protocol, _)| protocol), expected);
        }
    }

    #[test]
    fn servers_are_guessed_from_the_address_until_they_are_typed() {
        let mut form = filled();
        assert_eq!(form.incoming_host(), "imap.example.org");
        assert_eq!(form.incoming_port(), "993");
        form.protocol = Protocol::Pop3;
        form.incoming.security = Security::StartTls;
        assert_eq!(form.incoming_host(), "pop.example.org");
        assert_eq!(form.incoming_port(), "110");
        form.incoming.host = Some("mail.example.org".into());
        form.incoming.port = Some("1100".into());
        form.protocol = Protocol::Imap;
        assert_eq!(form.incoming_host(), "mail.example.org");
        assert_eq!(form.incoming_port(), "1100");
        assert_eq!(form.outgoing_host(), "smtp.example.org");
        assert_eq!(form.outgoing_port(), "465");
    }

    #[test]
    fn the_user_name_is_the_address_until_it_is_typed() {
        let mut form = filled();
        assert_eq!(form.draft().unwrap().incoming.username, "Ada@Example.org");
        form.incoming.username = Some("ada".into());
        let draft = form.draft().unwrap();
        assert_eq!(
            (draft.incoming.username, draft.outgoing.username),
            ("ada".into(), "ada".into())
        );
    }

    #[test]
    fn the_first_wrong_field_is_named() {
        let field = |change: fn(&mut Form)| {
            let mut form = filled();
            change(&mut form);
            form.draft().unwrap_err().0
        };
        assert_eq!(field(|form| form.address = "ada".into()), Field::Address);
        assert_eq!(field(|form| form.password.clear()), Field::Password);
        assert_eq!(field(|form| form.incoming.host = Some(" ".into())), Field::IncomingHost);
        assert_eq!(field(|form| form.incoming.port = Some("0".into())), Field::IncomingPort);
        assert_eq!(field(|form| form.incoming.username = Some(String::new())), Field::Username);
        assert_eq!(field(|form| form.outgoing.port = Some("65536".into())), Field::OutgoingPort);
    }

    #[test]
    fn retention_is_for_pop3_alone() {
        let mut form = filled();
        form.retention = Retention::DeleteAfterDownload;
        assert_eq!(form.draft().unwrap().retention, Retention::Keep);
        form.protocol = Protocol::Pop3;
        assert_eq!(form.draft().unwrap().retention, Retention::DeleteAfterDownload);
    }

    #[test]
    fn a_problem_points_to_the_server_that_its_sentence_names() {
        let blamed = |incoming: &str, outgoing: &str, sentence: &str| {
            let mut form = filled();
            form.incoming.host = Some(incoming.into());
            form.outgoing.host = Some(outgoing.into());
            let draft = form.draft().unwrap();
            let mut progress = Progress { testing: Some(1), ..Progress::about(&draft) };
            let kind = ProblemKind::Unreachable;
            progress.tested(1, Err(Problem::new(kind, sentence)));
            match progress.outcome {
                Some(Outcome::Fails(field, _)) => field,
                other => panic!("{other:?}"),
            }
        };
        let (imap, smtp) = ("imap.example.org", "SMTP.example.org");
        for (incoming, outgoing, sentence, expected) in [
            (imap, smtp, "No answer from imap.example.org.", Some(Field::IncomingHost)),
            (imap, smtp, "smtp.example.org:465 refused.", Some(Field::OutgoingHost)),
            (imap, smtp, "Nobody answered.", None),
            (imap, imap, "No answer from imap.example.org.", None),
            ("example.org", smtp, "No answer from smtp.example.org.", Some(Field::OutgoingHost)),
        ] {
            assert_eq!(blamed(incoming, outgoing, sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn an_older_tests_answer_is_ignored() {
        let mut progress = Progress { testing: Some(2), ..Progress::default() };
        let problem = Problem::new(ProblemKind::Login, "Wrong.");
        progress.tested(1, Err(problem.clone()));
        assert!(progress.is_busy());
        progress.tested(2, Err(problem));
        assert_eq!(progress.outcome, Some(Outcome::Fails(Some(Field::Password), "Wrong.".into())));
    }
}
