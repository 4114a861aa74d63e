//! One account's settings: who can read its mail, and the form that changes them.

use postern_bridge::{
    AccountChange, AccountView, Endpoint, Extent, Fingerprint, Problem, Proof, Retention, Security,
    ServerLogin, ServerRole, TlsEnd,
};

use crate::text;

/// Who can read what passes between this browser and a mail server.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Readers {
    /// This browser and the mail server alone.
    OnlyYou,
    /// The same, as far as the person is right about the server's certificate.
    OnlyYouByOwnTrust,
    /// Also the proxy and its operator.
    Proxy,
    /// Anybody on the way.
    Anybody,
}

impl Readers {
    /// Those of a server's connection.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        match (endpoint.security, endpoint.tls_end, endpoint.trusted) {
            (Security::Plain, _, _) => Self::Anybody,
            (_, TlsEnd::Proxy, _) => Self::Proxy,
            (_, TlsEnd::Browser, Some(_)) => Self::OnlyYouByOwnTrust,
            (_, TlsEnd::Browser, None) => Self::OnlyYou,
        }
    }
}

/// A field of the form, so that a problem can point to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    /// A server's name.
    Host(ServerRole),
    /// A server's port.
    Port(ServerRole),
    /// The name to log in with.
    Username(ServerRole),
}

/// A server as it stands in the form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerEdit {
    /// The host.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: String,
    /// How the connection is protected.
    pub(crate) security: Security,
    /// The user name.
    pub(crate) username: String,
    /// Who makes the secure connection.
    tls_end: TlsEnd,
}

impl ServerEdit {
    fn of(login: &ServerLogin) -> Self {
        let ServerLogin { endpoint, username } = login;
        let Endpoint { host, port, security, tls_end, .. } = endpoint;
        Self {
            host: host.clone(),
            port: port.to_string(),
            security: *security,
            username: username.clone(),
            tls_end: *tls_end,
        }
    }

    fn login(&self, role: ServerRole) -> Result<(String, u16, String), Wrong> {
        let host = self.host.trim().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err((Field::Host(role), text::setup::HOST_WRONG));
        }
        let port = self.port.trim().parse().ok().filter(|port| *port > 0);
        let port = port.ok_or((Field::Port(role), text::setup::PORT_WRONG))?;
        let username = self.username.trim();
        if username.is_empty() {
            return Err((Field::Username(role), text::setup::USERNAME_MISSING));
        }
        Ok((host.to_owned(), port, username.to_owned()))
    }
}

/// The field that has to be mended, and what to do.
type Wrong = (Field, &'static str);

/// What is in the form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Edit {
    /// The person's name.
    pub(crate) name: String,
    /// The incoming server.
    pub(crate) incoming: ServerEdit,
    /// The outgoing server.
    pub(crate) outgoing: ServerEdit,
    /// A new password; empty keeps the stored one.
    pub(crate) password: String,
    /// What the password is.
    pub(crate) proof: Proof,
    /// What a POP3 account does with mail on the server.
    pub(crate) retention: Retention,
    /// How much of each message a POP3 account downloads.
    pub(crate) extent: Extent,
    /// The certificates that the person has confirmed since, each for one host and port.
    confirmed: Vec<(String, u16, Fingerprint)>,
}

impl Edit {
    /// An account's present settings.
    pub(crate) fn of(account: &AccountView) -> Self {
        Self {
            name: account.identity.name.clone(),
            incoming: ServerEdit::of(&account.incoming),
            outgoing: ServerEdit::of(&account.outgoing),
            password: String::new(),
            proof: account.proof,
            retention: account.retention,
            extent: account.extent,
            confirmed: Vec::new(),
        }
    }

    /// One server's fields.
    pub(crate) fn server(&self, role: ServerRole) -> &ServerEdit {
        match role {
            ServerRole::Incoming => &self.incoming,
            ServerRole::Outgoing => &self.outgoing,
        }
    }

    /// One server's fields, to change them.
    pub(crate) fn server_mut(&mut self, role: ServerRole) -> &mut ServerEdit {
        match role {
            ServerRole::Incoming => &mut self.incoming,
            ServerRole::Outgoing => &mut self.outgoing,
        }
    }

    /// Who makes the secure connections; the proxy if it makes one of them.
    pub(crate) fn tls_end(&self) -> TlsEnd {
        match self.incoming.tls_end {
            TlsEnd::Proxy => TlsEnd::Proxy,
            TlsEnd::Browser => self.outgoing.tls_end,
        }
    }

    /// Whether a password would travel unprotected.
    pub(crate) fn is_unprotected(&self) -> bool {
        [self.incoming.security, self.outgoing.security].contains(&Security::Plain)
    }

    /// Whether these are other settings than some earlier ones, beyond a password that was forgotten.
    pub(crate) fn differs(&self, earlier: &Self) -> bool {
        let forgotten = Self { password: String::new(), ..earlier.clone() };
        self != earlier && *self != forgotten
    }

    /// Lets both secure connections be made here or there.
    pub(crate) fn set_tls_end(&mut self, end: TlsEnd) {
        (self.incoming.tls_end, self.outgoing.tls_end) = (end, end);
    }

    /// Notes that the person trusts a certificate for a host and port.
    pub(crate) fn trust(&mut self, host: &str, port: u16, fingerprint: Fingerprint) {
        self.confirmed.push((host.to_owned(), port, fingerprint));
    }

    /// The settings to test and keep. Trust is kept from the account's present settings, unless
    /// another certificate was confirmed since; it is for one server, not for whichever takes its
    /// place.
    ///
    /// # Errors
    ///
    /// The first field that has to be mended, and what to do.
    pub(crate) fn change(&self, present: &AccountView) -> Result<AccountChange, Wrong> {
        Ok(AccountChange {
            name: self.name.trim().to_owned(),
            incoming: self.login(ServerRole::Incoming, present)?,
            outgoing: self.login(ServerRole::Outgoing, present)?,
            password: (!self.password.is_empty()).then(|| match self.proof {
                Proof::Password => self.password.clone(),
                // It was pasted, perhaps with a line break.
                Proof::Token => self.password.trim().to_owned(),
            }),
            proof: self.proof,
            retention: self.retention,
            extent: self.extent,
        })
    }

    fn login(&self, role: ServerRole, present: &AccountView) -> Result<ServerLogin, Wrong> {
        let (host, port, username) = self.server(role).login(role)?;
        let same = |of: &str, of_port: u16| of.eq_ignore_ascii_case(&host) && of_port == port;
        let confirmed = self.confirmed.iter().rfind(|(of, of_port, _)| same(of, *of_port));
        let known = &present.server(role).endpoint;
        let trusted = match confirmed {
            Some((.., fingerprint)) => Some(*fingerprint),
            None => known.trusted.filter(|_| same(&known.host, known.port)),
        };
        let ServerEdit { security, tls_end, .. } = *self.server(role);
        Ok(ServerLogin { endpoint: Endpoint { host, port, security, tls_end, trusted }, username })
    }
}

/// What the form waits for and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changing {
    /// The request that changes the account.
    request: Option<u32>,
    /// What came of it.
    pub(crate) outcome: Option<Outcome>,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The settings are kept.
    Saved,
    /// A field has to be mended first.
    Wrong(Field, &'static str),
    /// A server refused.
    Failed(Problem),
}

impl Changing {
    /// Waits for an answer.
    pub(crate) fn awaiting(request: u32) -> Self {
        Self { request: Some(request), outcome: None }
    }

    /// Whether an answer is awaited.
    pub(crate) fn is_busy(&self) -> bool {
        self.request.is_some()
    }

    /// Takes over an answer; that to an older request is ignored.
    pub(crate) fn changed(&mut self, request: u32, result: Result<(), Problem>) {
        if self.request == Some(request) {
            self.request = None;
            self.outcome = Some(match result {
                Ok(()) => Outcome::Saved,
                Err(problem) => Outcome::Failed(problem),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::ProblemKind;

    use super::*;
    use crate::state::accounts::tests::account;

    fn trusted() -> AccountView {
        let mut view = account(1, "ada@example.org");
        view.incoming.endpoint.trusted = Some([7; 32].into());
        view
    }

    #[test]
    fn an_untouched_form_changes_nothing() {
        let view = trusted();
        let change = Edit::of(&view).change(&view).unwrap();
        assert_eq!((change.incoming, change.outgoing), (view.incoming, view.outgoing));
        assert_eq!(change.password, None);
    }

    #[test]
    fn trust_stays_with_its_host_and_port() {
        let view = trusted();
        for (host, port, kept) in [
            ("IMAP.example.org", "993", true),
            ("imap.example.com", "993", false),
            ("imap.example.org", "143", false),
        ] {
            let mut edit = Edit::of(&view);
            (edit.incoming.host, edit.incoming.port) = (host.into(), port.into());
            let endpoint = edit.change(&view).unwrap().incoming.endpoint;
            assert_eq!(endpoint.trusted.is_some(), kept, "{host}:{port}");
        }
    }

    #[test]
    fn each_server_keeps_its_end_of_tls_until_another_is_chosen() {
        let mut view = account(1, "ada@example.org");
        view.incoming.endpoint.tls_end = TlsEnd::Browser;
        view.outgoing.endpoint.tls_end = TlsEnd::Proxy;
        let mut edit = Edit::of(&view);
        assert_eq!(edit.tls_end(), TlsEnd::Proxy);
        assert_eq!(edit.change(&view).unwrap().incoming, view.incoming);
        assert_eq!(edit.change(&view).unwrap().outgoing, view.outgoing);
        edit.set_tls_end(TlsEnd::Browser);
        assert_eq!(edit.tls_end(), TlsEnd::Browser);
        assert_eq!(edit.change(&view).unwrap().outgoing.endpoint.tls_end, TlsEnd::Browser);
    }

    #[test]
    fn a_certificate_is_trusted_for_the_server_that_showed_it() {
        let view = account(1, "ada@example.org");
        let mut edit = Edit::of(&view);
        edit.trust("smtp.example.org", 465, [9; 32].into());
        let change = edit.change(&view).unwrap();
        assert_eq!(change.incoming.endpoint.trusted, None);
        assert_eq!(change.outgoing.endpoint.trusted, Some([9; 32].into()));
    }

    #[test]
    fn what_was_trusted_while_the_form_was_open_is_kept() {
        let edit = Edit::of(&account(1, "ada@example.org"));
        let view = trusted();
        assert_eq!(edit.change(&view).unwrap().incoming, view.incoming);
    }

    #[test]
    fn what_can_not_be_right_is_pointed_to() {
        let wrong = |spoil: fn(&mut Edit)| {
            let mut edit = Edit::of(&trusted());
            spoil(&mut edit);
            edit.change(&trusted()).map(drop).map_err(|(field, _)| field)
        };
        let (incoming, outgoing) = (ServerRole::Incoming, ServerRole::Outgoing);
        assert_eq!(wrong(|edit| edit.incoming.host.clear()), Err(Field::Host(incoming)));
        assert_eq!(wrong(|edit| edit.outgoing.port = "0".into()), Err(Field::Port(outgoing)));
        assert_eq!(wrong(|edit| edit.incoming.username.clear()), Err(Field::Username(incoming)));
    }

    #[test]
    fn a_password_that_was_forgotten_makes_no_other_settings() {
        let empty = Edit::of(&trusted());
        let typed = Edit { password: "secret".into(), ..empty.clone() };
        assert!(!empty.differs(&empty));
        assert!(!empty.differs(&typed));
        assert!(typed.differs(&empty));
        assert!(Edit { name: "Ada".into(), ..empty.clone() }.differs(&typed));
    }

    #[test]
    fn a_server_without_protection_is_told() {
        let mut edit = Edit::of(&trusted());
        assert!(!edit.is_unprotected());
        edit.outgoing.security = Security::Plain;
        assert!(edit.is_unprotected());
    }

    #[test]
    fn who_can_read_depends_on_protection_and_on_where_tls_ends() {
        let endpoint = trusted().incoming.endpoint;
        let readers = |security, tls_end, trusted| {
            Readers::of(&Endpoint { security, tls_end, trusted, ..endpoint.clone() })
        };
        use TlsEnd::{Browser, Proxy};
        assert_eq!(readers(Security::Tls, Browser, None), Readers::OnlyYou);
        assert_eq!(readers(Security::StartTls, Browser, None), Readers::OnlyYou);
        let own = readers(Security::Tls, Browser, endpoint.trusted);
        assert_eq!(own, Readers::OnlyYouByOwnTrust);
        assert_eq!(readers(Security::Tls, Proxy, endpoint.trusted), Readers::Proxy);
        assert_eq!(readers(Security::Plain, Browser, None), Readers::Anybody);
    }

    #[test]
    fn an_answer_to_an_older_request_is_ignored() {
        let mut changing = Changing::awaiting(2);
        changing.changed(1, Err(Problem::new(ProblemKind::Login, "Wrong.")));
        assert!(changing.is_busy());
        changing.changed(2, Ok(()));
        assert_eq!(changing.outcome, Some(Outcome::Saved));
        assert!(!changing.is_busy());
    }
}
