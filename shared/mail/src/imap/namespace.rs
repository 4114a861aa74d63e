//! Where the server has a person's own mailboxes.

use postern_imap::{Command, Response, response::Namespaces};

use super::{ImapClient, spelling};
use crate::{Host, MailError, Transport};

impl<T: Transport> ImapClient<T> {
    /// What the paths of a person's own mailboxes begin with, the inbox apart: as NAMESPACE
    /// (RFC 2342) tells. Empty where they begin with nothing, and where the server does not tell.
    pub(super) async fn own_prefix<H: Host<Transport = T>>(
        &mut self,
        host: &H,
    ) -> Result<Vec<u8>, MailError> {
        if let Some(known) = &self.own_prefix {
            return Ok(known.clone());
        }
        let capabilities = self.capabilities(host).await?;
        let mut prefix = Vec::new();
        if capabilities.has("NAMESPACE") {
            let what = "say where folders are";
            let answer = self.run_all(host, vec![Command::namespace()], what).await?;
            let told = answer.responses.into_iter().find_map(|response| match response {
                Response::Namespaces(told) => Some(told),
                _ => None,
            });
            prefix = told.map(own).unwrap_or_default();
            prefix = spelling::from_server(prefix, self.enabled.spelling);
        }
        self.own_prefix = Some(prefix.clone());
        Ok(prefix)
    }
}

/// The prefix of the first personal namespace, which is the one for new mailboxes.
fn own(told: Namespaces) -> Vec<u8> {
    let Some(first) = told.personal.into_iter().next() else { return Vec::new() };
    let mut prefix = first.prefix;
    // Some leave out the delimiter that belongs to it.
    if let Some(delimiter) = first.delimiter.filter(|own| !prefix.ends_with(&[*own]))
        && !prefix.is_empty()
    {
        prefix.push(delimiter);
    }
    prefix
}

#[cfg(test)]
mod tests {
    use postern_imap::response::Namespace;

    use super::*;

    #[test]
    fn the_first_personal_namespace_ends_in_its_delimiter() {
        let told = |prefix: &str, delimiter| {
            let personal = vec![Namespace { prefix: prefix.into(), delimiter }];
            own(Namespaces { personal, ..Namespaces::default() })
        };
        assert_eq!(told("INBOX.", Some(b'.')), b"INBOX.");
        assert_eq!(told("INBOX", Some(b'/')), b"INBOX/");
        assert_eq!(told("", Some(b'/')), b"");
        assert_eq!(told("#mh", None), b"#mh");
        assert_eq!(own(Namespaces::default()), b"");
    }
}
