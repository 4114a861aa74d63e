//! Mozilla's autoconfig files: what a provider publishes for mail programs.
//!
//! The format is described in the draft "Autoconfig: Obtain configuration for mail clients"
//! (draft-ietf-mailmaint-autoconfig). What it does not know is passed over; a document type
//! declaration, and with it every entity, is refused.

use postern_bridge::{Authentication, Candidate, Protection, Service, Source, UserName};
use roxmltree::{Document, Node, ParsingOptions};

use super::address::Address;
use crate::{
    limits::{AUTOCONFIG_NODES, AUTOCONFIG_SERVERS, USER_NAME},
    policy::Host,
};

const ADDRESS: &str = "%EMAILADDRESS%";
const LOCAL_PART: &str = "%EMAILLOCALPART%";
const DOMAIN: &str = "%EMAILDOMAIN%";

/// A server as a file names it, whoever asks: with its placeholders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Server {
    service: Service,
    host: String,
    port: u16,
    protection: Protection,
    username: String,
    authentication: Vec<Authentication>,
}

/// The file is not one that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadFile {
    #[error("it is not UTF-8")]
    Encoding,
    #[error("it is not XML that is accepted: {0}")]
    Xml(#[from] roxmltree::Error),
    #[error("it is something else than a client configuration")]
    Other,
}

/// Reads a file; servers without protection and for other protocols are left out.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Server>, BadFile> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadFile::Encoding)?;
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: AUTOCONFIG_NODES, entity_resolver: None };
    let document = Document::parse_with_options(text, options)?;
    let root = document.root_element();
    if root.tag_name().name() != "clientConfig" {
        return Err(BadFile::Other);
    }
    let providers = root.children().filter(|node| node.has_tag_name_of("emailProvider"));
    let servers = providers.flat_map(|provider| provider.children()).filter_map(server);
    Ok(servers.take(AUTOCONFIG_SERVERS).collect())
}

impl Server {
    /// The server for an address; `None` if its host is none, or would tell the address to the DNS.
    pub(super) fn candidate(&self, address: &Address, source: Source) -> Option<Candidate> {
        let host = self.host.replace(DOMAIN, address.domain());
        let host: Host = host.parse().ok()?;
        Some(Candidate {
            service: self.service,
            host: host.to_string(),
            port: self.port,
            protection: self.protection,
            username: username(&self.username, address)?,
            authentication: self.authentication.clone(),
            source,
            offers: None,
        })
    }
}

/// Compares without a namespace: files with and without one are about.
trait HasTagName {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl HasTagName for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn server(node: Node<'_, '_>) -> Option<Server> {
    let service = match (node.tag_name().name(), node.attribute("type")?) {
        ("incomingServer", "imap") => Service::Imap,
        ("incomingServer", "pop3") => Service::Pop3,
        ("outgoingServer", "smtp") => Service::Submission,
        _ => return None,
    };
    let text = |name: &str| {
        let child = node.children().find(|child| child.has_tag_name_of(name))?;
        child.text().map(str::trim).filter(|text| !text.is_empty())
    };
    let protection = match text("socketType")?.to_ascii_uppercase().as_str() {
        "SSL" | "TLS" => Protection::Tls,
        "STARTTLS" => Protection::StartTls,
        // "plain": a password would travel in the open.
        _ => return None,
    };
    let methods = node.children().filter(|child| child.has_tag_name_of("authentication"));
    let mut authentication = Vec::new();
    for method in methods.filter_map(|method| method.text()).map(method) {
        if !authentication.contains(&method) {
            authentication.push(method);
        }
    }
    Some(Server {
        service,
        host: short(text("hostname")?)?,
        port: text("port")?.parse().ok()?,
        protection,
        username: short(text("username").unwrap_or(ADDRESS))?,
        authentication,
    })
}

/// A template that can be filled in: what it becomes is some times longer.
fn short(template: &str) -> Option<String> {
    (template.len() <= USER_NAME).then(|| template.to_owned())
}

fn method(text: &str) -> Authentication {
    match text.trim().to_ascii_lowercase().as_str() {
        // "plain" and "secure" are older names.
        "password-cleartext" | "plain" => Authentication::Password,
        "password-encrypted" | "secure" => Authentication::EncryptedPassword,
        "oauth2" => Authentication::OAuth2,
        _ => Authentication::Other,
    }
}

fn username(template: &str, address: &Address) -> Option<UserName> {
    let whole = format!("{LOCAL_PART}@{DOMAIN}");
    let name = match template {
        ADDRESS => return Some(UserName::Address),
        LOCAL_PART => return Some(UserName::LocalPart),
        template if template == whole => return Some(UserName::Address),
        template => template
            .replace(ADDRESS, &address.whole())
            .replace(LOCAL_PART, address.local())
            .replace(DOMAIN, address.domain()),
    };
    (name.len() <= USER_NAME && !name.contains(char::is_control)).then_some(UserName::Other(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(xml: &str) -> Vec<Candidate> {
        let address = Address::parse("ada@example.org").ok().unwrap();
        let servers = parse(xml.as_bytes()).unwrap();
        servers.iter().filter_map(|s| s.candidate(&address, Source::Autoconfig)).collect()
    }

    fn summary(xml: &str) -> Vec<String> {
        let line = |c: &Candidate| {
            format!("{:?} {}:{} {:?} {:?}", c.service, c.host, c.port, c.protection, c.username)
        };
        candidates(xml).iter().map(line).collect()
    }

    fn file(servers: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"x\">\
             {servers}</emailProvider></clientConfig>"
        )
    }

    fn imap(inner: &str) -> String {
        file(&format!(
            "<incomingServer type=\"imap\"><hostname>imap.example.org</hostname>\
             <port>993</port><socketType>SSL</socketType>{inner}</incomingServer>"
        ))
    }

    #[test]
    fn a_large_providers_file_is_read_with_all_of_its_servers_in_order() {
        let xml = include_str!("fixtures/large-provider.xml");
        assert_eq!(
            summary(xml),
            [
                "Imap imap.example.net:993 Tls Address",
                "Imap imap.example.net:143 StartTls Address",
                "Pop3 pop3.example.net:995 Tls Address",
                "Submission smtp.example.net:465 Tls Address",
                "Submission smtp.example.net:587 StartTls LocalPart",
            ]
        );
        let first = &candidates(xml)[0];
        assert_eq!(first.authentication, [Authentication::OAuth2, Authentication::Password]);
    }

    #[test]
    fn a_hosting_panels_file_puts_the_domain_into_its_hosts() {
        assert_eq!(
            summary(include_str!("fixtures/hosting-panel.xml")),
            [
                "Imap mail.example.org:993 Tls Address",
                "Pop3 mail.example.org:995 Tls Address",
                "Submission mail.example.org:465 Tls Other(\"ada.example.org\")",
            ]
        );
    }

    #[test]
    fn what_is_unknown_is_passed_over() {
        assert_eq!(
            summary(include_str!("fixtures/unknown-elements.xml")),
            ["Imap imap.example.org:993 Tls Address"]
        );
    }

    #[test]
    fn servers_without_protection_are_never_candidates() {
        for kind in ["plain", "PLAIN", "", "none"] {
            let xml = imap("").replace("SSL", kind);
            assert!(candidates(&xml).is_empty(), "{kind}");
        }
    }

    #[test]
    fn user_names_have_several_forms() {
        for (template, expected) in [
            ("%EMAILADDRESS%", UserName::Address),
            ("%EMAILLOCALPART%@%EMAILDOMAIN%", UserName::Address),
            ("%EMAILLOCALPART%", UserName::LocalPart),
            (" ", UserName::Address),
            ("%EMAILDOMAIN%\\%EMAILLOCALPART%", UserName::Other("example.org\\ada".into())),
            ("p1815", UserName::Other("p1815".into())),
        ] {
            let xml = imap(&format!("<username>{template}</username>"));
            assert_eq!(candidates(&xml)[0].username, expected, "{template}");
        }
        assert_eq!(candidates(&imap(""))[0].username, UserName::Address);
    }

    #[test]
    fn a_user_name_has_a_length() {
        let named = |length| imap(&format!("<username>{}</username>", "a".repeat(length)));
        assert_eq!(candidates(&named(USER_NAME)).len(), 1);
        assert_eq!(candidates(&named(USER_NAME + 1)).len(), 0);
    }

    #[test]
    fn a_host_that_is_none_or_holds_the_address_is_left_out() {
        for host in [
            "127.1",
            "imap example org",
            "https://imap.example.org",
            "%EMAILADDRESS%.example.net",
            "%EMAILLOCALPART%.example.net",
            "%UNKNOWN%.example.net",
        ] {
            let xml = imap("").replace("imap.example.org", host);
            assert!(candidates(&xml).is_empty(), "{host}");
        }
    }

    #[test]
    fn a_document_type_is_refused_and_with_it_every_entity() {
        for xml in
            [include_str!("fixtures/entity-bomb.xml"), include_str!("fixtures/external-entity.xml")]
        {
            assert!(matches!(
                parse(xml.as_bytes()),
                Err(BadFile::Xml(roxmltree::Error::DtdDetected))
            ));
        }
    }

    #[test]
    fn what_is_no_configuration_is_an_error() {
        for xml in [
            "",
            "not found",
            "<html><body>Not found</body></html>",
            "<!DOCTYPE html><html></html>",
            "<clientConfig><emailProvider>",
            "<config/>",
        ] {
            assert!(parse(xml.as_bytes()).is_err(), "{xml}");
        }
        assert!(matches!(parse(b"<clientConfig>\xff</clientConfig>"), Err(BadFile::Encoding)));
    }

    #[test]
    fn a_file_has_so_many_nodes_and_servers_and_no_more() {
        let server = "<incomingServer type=\"imap\"><hostname>a.example</hostname>\
                      <port>993</port><socketType>SSL</socketType></incomingServer>";
        let many = file(&server.repeat(AUTOCONFIG_SERVERS + 1));
        assert_eq!(parse(many.as_bytes()).unwrap().len(), AUTOCONFIG_SERVERS);
        // The document itself, two elements, and what is between them.
        let nodes = AUTOCONFIG_NODES as usize - 3;
        assert!(parse(file(&"<a/>".repeat(nodes)).as_bytes()).is_ok());
        assert!(parse(file(&"<a/>".repeat(nodes + 1)).as_bytes()).is_err());
    }

    #[test]
    fn a_deep_file_is_an_answer_and_no_stack_overflow() {
        let depth = 9_000;
        let xml = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(xml.as_bytes()).is_err());
    }
}
