//! QUOTA and QUOTAROOT responses (RFC 9208 section 4).

use crate::token::Token;

/// How much of something may be used, and how much is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    /// The quota root; may be empty.
    pub root: Vec<u8>,
    /// What is limited.
    pub resources: Vec<QuotaResource>,
}

/// One limited thing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QuotaResource {
    /// `STORAGE` (in units of 1,024 bytes), `MESSAGE`, `MAILBOX`, … in upper case.
    pub name: String,
    /// How much is used.
    pub usage: u64,
    /// How much may be used.
    pub limit: u64,
}

/// The quota roots that count for a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QuotaRoots {
    /// The mailbox's name as the server spells it.
    pub mailbox: Vec<u8>,
    /// The quota roots.
    pub roots: Vec<Vec<u8>>,
}

impl Quota {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let (root, resources) = arguments.split_first()?;
        // Courier leaves the list out where nothing is limited.
        let resources = resources.first().map_or(Some(&[][..]), Token::list)?;
        let (triples, _) = resources.as_chunks::<3>();
        let resource = |[name, usage, limit]: &[Token<'_>; 3]| {
            Some(QuotaResource {
                name: name.text()?.to_ascii_uppercase(),
                usage: usage.number()?,
                limit: limit.number()?,
            })
        };
        let resources = triples.iter().filter_map(resource).collect();
        Some(Self { root: root.name()?.to_vec(), resources })
    }
}

impl QuotaRoots {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let (mailbox, roots) = arguments.split_first()?;
        let roots = roots.iter().filter_map(Token::name).map(<[u8]>::to_vec).collect();
        Some(Self { mailbox: mailbox.name()?.to_vec(), roots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Response,
        response::{Defect, tests::parse_bytes, tests::response},
    };

    #[test]
    fn a_root_that_limits_nothing_may_come_without_a_list() {
        let nothing = || Response::Quota(Quota { root: b"ROOT".to_vec(), resources: vec![] });
        assert_eq!(response(r#"* QUOTA "ROOT""#), nothing());
        assert_eq!(response(r#"* QUOTA "ROOT" ()"#), nothing());
        let (_, defect) = parse_bytes(b"* QUOTA \"ROOT\" STORAGE\r\n");
        assert_eq!(defect, Some(Defect::Senseless("QUOTA".into())));
    }

    #[test]
    fn quotas_and_their_roots_are_read() {
        assert_eq!(
            response(r#"* QUOTA "" (storage 10 512 MESSAGE 3 x X-ANNOTATION-STORAGE 1 2)"#),
            Response::Quota(Quota {
                root: vec![],
                resources: vec![
                    QuotaResource { name: "STORAGE".into(), usage: 10, limit: 512 },
                    QuotaResource { name: "X-ANNOTATION-STORAGE".into(), usage: 1, limit: 2 },
                ],
            })
        );
        assert_eq!(
            response(r#"* QUOTAROOT INBOX "User quota" b"#),
            Response::QuotaRoots(QuotaRoots {
                mailbox: b"INBOX".to_vec(),
                roots: vec![b"User quota".to_vec(), b"b".to_vec()],
            })
        );
        assert_eq!(
            response("* QUOTAROOT comp.mail.mime"),
            Response::QuotaRoots(QuotaRoots { mailbox: b"comp.mail.mime".to_vec(), roots: vec![] })
        );
    }
}
