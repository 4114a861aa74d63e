//! Response codes: the machine-readable part of a status response (RFC 9051 section 7.1).
//!
//! Others come from RFC 5530 (refusals), 4315 and 7162 (UIDs and mod-sequences), 5182 (saved
//! results), 6154 (special use), 8474 (object identifiers), 4978 (compression), 9585 (progress),
//! 9586 and 9738 (limits), 4314 (rights), 5465 (NOTIFY), 2193 and 2221 (other servers), and from vendors.

mod copied;

pub use copied::CopiedUids;

use super::{Capabilities, Flag, mailbox::is_object_id};
use crate::{
    SequenceSet,
    limits::Limits,
    token::{Arena, Token, TokenDefect, text_tokens},
};

/// A response code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Code {
    /// ALERT: the text must be shown to the person.
    Alert,
    /// ALREADYEXISTS: a mailbox of this name is already there.
    AlreadyExists,
    /// APPENDUID: the UIDVALIDITY and UIDs that appended messages got (RFC 4315, RFC 3502).
    AppendUid {
        /// The mailbox's UIDVALIDITY.
        uid_validity: u32,
        /// The UIDs, ascending; more than one only after an APPEND of several messages.
        uids: SequenceSet,
    },
    /// AUTHENTICATIONFAILED: user name or password is wrong.
    AuthenticationFailed,
    /// AUTHORIZATIONFAILED: the log-in was right, but not for the account that was asked for.
    AuthorizationFailed,
    /// BADCHARSET: the search's charset is unknown; those that are known, if the server says so.
    BadCharset(Vec<String>),
    /// CANNOT: never possible, such as a name that no mailbox may have.
    Cannot,
    /// CAPABILITY.
    Capability(Capabilities),
    /// CLIENTBUG: the client did something that makes no sense.
    ClientBug,
    /// CLOSED: the mailbox that was selected before is closed; what follows is about the new one.
    Closed,
    /// COMPRESSIONACTIVE (RFC 4978).
    CompressionActive,
    /// CONTACTADMIN: the person should talk to whoever runs the server.
    ContactAdmin,
    /// COPYUID: which UIDs became which (RFC 4315).
    CopyUid(CopiedUids),
    /// CORRUPTION: the server found its own data damaged.
    Corruption,
    /// EXPIRED: the log-in is too old, such as a password that must be changed.
    Expired,
    /// EXPUNGEISSUED: another client removed some of the messages.
    ExpungeIssued,
    /// HASCHILDREN: a mailbox with others under it can't be deleted.
    HasChildren,
    /// HIGHESTMODSEQ (RFC 7162).
    HighestModSeq(u64),
    /// INPROGRESS (RFC 9585).
    InProgress(Progress),
    /// INUSE: someone else holds what is needed; try again.
    InUse,
    /// LIMIT: more than the server allows.
    Limit,
    /// MAILBOXID: the identifier of the mailbox that was selected or made (RFC 8474).
    MailboxId(String),
    /// MESSAGELIMIT (RFC 9738): only so many messages at once; where the server stopped.
    MessageLimit {
        /// How many messages a command may touch.
        limit: u32,
        /// The lowest UID that was touched, if some were.
        last_uid: Option<u32>,
    },
    /// MODIFIED: these messages were changed meanwhile and were left alone (RFC 7162).
    Modified(SequenceSet),
    /// NOMODSEQ: the mailbox has no mod-sequences (RFC 7162).
    NoModSeq,
    /// NONEXISTENT: there is no such mailbox.
    NonExistent,
    /// MYRIGHTS: what this account may do with the mailbox that was selected, one letter for each
    /// right (RFC 4314 section 2.1); Courier tells it so.
    MyRights(String),
    /// NOPERM: this account may not do that.
    NoPermission,
    /// NOTIFICATIONOVERFLOW: too much happens, so that the server tells nothing any more until it is
    /// asked to again (RFC 5465 section 5.8).
    NotificationOverflow,
    /// NOTSAVED: the result of the search could not be kept (RFC 5182).
    NotSaved,
    /// OVERQUOTA.
    OverQuota,
    /// PARSE: a message's header could not be parsed.
    Parse,
    /// PERMANENTFLAGS: the flags that can be changed for good.
    PermanentFlags(Vec<Flag>),
    /// PRIVACYREQUIRED: only with TLS.
    PrivacyRequired,
    /// READ-ONLY.
    ReadOnly,
    /// READ-WRITE.
    ReadWrite,
    /// REFERRAL: where else the mailbox, or the account, is (RFC 2193, RFC 2221).
    Referral(String),
    /// SERVERBUG.
    ServerBug,
    /// THROTTLED: too many requests (Gmail).
    Throttled,
    /// TOOBIG: a message or a literal is too large (RFC 7889, RFC 7888).
    TooBig,
    /// TRYCREATE: the mailbox does not exist but could be created.
    TryCreate,
    /// UIDNEXT.
    UidNext(u32),
    /// UIDNOTSTICKY: UIDs are others in the next session.
    UidNotSticky,
    /// UIDREQUIRED: the command must be used with UIDs (RFC 9586).
    UidRequired,
    /// UIDVALIDITY.
    UidValidity(u32),
    /// UNAVAILABLE: the server can't do it now; try later.
    Unavailable,
    /// UNKNOWN-CTE: a part's transfer encoding is unknown, so that it can't be had decoded
    /// (RFC 3516).
    UnknownEncoding,
    /// UNSEEN: the sequence number of the first unseen message (RFC 3501).
    Unseen(u32),
    /// USEATTR: no mailbox can be made for this use (RFC 6154).
    UseAttribute,
    /// WEBALERT: an address that the person must open in a browser (Gmail).
    WebAlert(String),
    /// Any other, or one whose payload makes no sense.
    Other {
        /// Its name, in upper case.
        name: String,
        /// What stands behind it, as it was sent but for bytes that are not UTF-8, cut where it is
        /// longer than [`Limits::payload`] allows; may be empty.
        payload: String,
    },
}

/// How far a command is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// The tag of the command.
    pub tag: Option<String>,
    /// How much is done.
    pub done: Option<u64>,
    /// How much there is.
    pub total: Option<u64>,
}

impl Code {
    /// Reads what stands between the brackets.
    pub(super) fn parse(text: &[u8], limits: &Limits) -> (Option<Self>, Option<TokenDefect>) {
        let arena = Arena::default();
        let read = text_tokens(text, &arena, limits);
        let Some((name, arguments)) = read.items.split_first() else {
            return (None, read.defect);
        };
        let name = name.text().unwrap_or_default().to_ascii_uppercase();
        let code = Self::bare(&name).or_else(|| Self::with_payload(&name, arguments, limits));
        let other = || Self::Other { payload: payload(text, limits), name };
        (Some(code.unwrap_or_else(other)), read.defect)
    }

    /// The codes that say all by their name.
    fn bare(name: &str) -> Option<Self> {
        Some(match name {
            "ALERT" => Self::Alert,
            "ALREADYEXISTS" => Self::AlreadyExists,
            "AUTHENTICATIONFAILED" => Self::AuthenticationFailed,
            "AUTHORIZATIONFAILED" => Self::AuthorizationFailed,
            "CANNOT" => Self::Cannot,
            "CLIENTBUG" => Self::ClientBug,
            "CLOSED" => Self::Closed,
            "COMPRESSIONACTIVE" => Self::CompressionActive,
            "CONTACTADMIN" => Self::ContactAdmin,
            "CORRUPTION" => Self::Corruption,
            "EXPIRED" => Self::Expired,
            "EXPUNGEISSUED" => Self::ExpungeIssued,
            "HASCHILDREN" => Self::HasChildren,
            "INUSE" => Self::InUse,
            "LIMIT" => Self::Limit,
            "NOMODSEQ" => Self::NoModSeq,
            "NONEXISTENT" => Self::NonExistent,
            "NOPERM" => Self::NoPermission,
            "NOTIFICATIONOVERFLOW" => Self::NotificationOverflow,
            "NOTSAVED" => Self::NotSaved,
            // RFC 9051 and RFC 9208; the second name is what older servers say.
            "OVERQUOTA" | "QUOTAEXCEEDED" => Self::OverQuota,
            "PARSE" => Self::Parse,
            "PRIVACYREQUIRED" => Self::PrivacyRequired,
            "READ-ONLY" => Self::ReadOnly,
            "READ-WRITE" => Self::ReadWrite,
            "SERVERBUG" => Self::ServerBug,
            "THROTTLED" => Self::Throttled,
            "TOOBIG" => Self::TooBig,
            "TRYCREATE" => Self::TryCreate,
            "UIDNOTSTICKY" => Self::UidNotSticky,
            "UIDREQUIRED" => Self::UidRequired,
            "UNAVAILABLE" => Self::Unavailable,
            "UNKNOWN-CTE" => Self::UnknownEncoding,
            "USEATTR" => Self::UseAttribute,
            _ => return None,
        })
    }

    fn with_payload(name: &str, arguments: &[Token<'_>], limits: &Limits) -> Option<Self> {
        let first = arguments.first();
        let number = || first?.number();
        Some(match name {
            "APPENDUID" => return append_uid(arguments),
            "BADCHARSET" => Self::BadCharset(texts(first)),
            "CAPABILITY" => Self::Capability(Capabilities::from_tokens(arguments, limits)),
            "COPYUID" => return CopiedUids::parse(arguments).map(Self::CopyUid),
            "HIGHESTMODSEQ" => Self::HighestModSeq(first?.number()?),
            "INPROGRESS" => Self::InProgress(progress(first)),
            "MAILBOXID" => {
                Self::MailboxId(texts(first).into_iter().next().filter(|id| is_object_id(id))?)
            }
            "MESSAGELIMIT" => Self::MessageLimit {
                limit: number()?,
                last_uid: arguments.get(1).and_then(Token::number),
            },
            "MODIFIED" => Self::Modified(SequenceSet::parse(first?.atom()?)?),
            "MYRIGHTS" => Self::MyRights(first?.text()?),
            "PERMANENTFLAGS" => Self::PermanentFlags(Flag::all(first?.list()?)),
            "REFERRAL" => Self::Referral(first?.text()?),
            "UIDNEXT" => Self::UidNext(number()?),
            "UIDVALIDITY" => Self::UidValidity(number()?),
            "UNSEEN" => Self::Unseen(number()?),
            "WEBALERT" => Self::WebAlert(first?.text()?),
            _ => return None,
        })
    }
}

/// What stands behind a code's name.
fn payload(code: &[u8], limits: &Limits) -> String {
    let code = code.trim_ascii_start();
    let end = code.iter().position(|byte| *byte == b' ').unwrap_or(code.len());
    let payload = code[end..].trim_ascii();
    String::from_utf8_lossy(&payload[..payload.len().min(limits.payload)]).into_owned()
}

fn append_uid(arguments: &[Token<'_>]) -> Option<Code> {
    let [uid_validity, uids] = arguments else { return None };
    let uids = SequenceSet::parse(uids.atom()?)?;
    Some(Code::AppendUid { uid_validity: uid_validity.number()?, uids })
}

fn progress(payload: Option<&Token<'_>>) -> Progress {
    let fields = payload.and_then(Token::list).unwrap_or_default();
    Progress {
        tag: fields.first().and_then(Token::text),
        done: fields.get(1).and_then(Token::number),
        total: fields.get(2).and_then(Token::number),
    }
}

/// The texts of a list.
fn texts(list: Option<&Token<'_>>) -> Vec<String> {
    list.and_then(Token::list).unwrap_or_default().iter().filter_map(Token::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        match Code::parse(text.as_bytes(), &Limits::default()) {
            (Some(code), None) => code,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn other(name: &str, payload: &str) -> Code {
        Code::Other { name: name.into(), payload: payload.into() }
    }

    fn set(text: &str) -> SequenceSet {
        SequenceSet::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn codes_are_understood_and_others_keep_their_name() {
        let cases = [
            ("ALERT", Code::Alert),
            ("READ-WRITE", Code::ReadWrite),
            ("UIDNEXT 4392", Code::UidNext(4392)),
            ("uidvalidity 3857529045", Code::UidValidity(3_857_529_045)),
            ("HIGHESTMODSEQ 715194045007", Code::HighestModSeq(715_194_045_007)),
            (
                r"PERMANENTFLAGS (\Deleted \*)",
                Code::PermanentFlags(vec![Flag::Deleted, Flag::Other(r"\*".into())]),
            ),
            ("APPENDUID 38505 3955", Code::AppendUid { uid_validity: 38505, uids: 3955.into() }),
            (
                "APPENDUID 38505 3955:3957",
                Code::AppendUid { uid_validity: 38505, uids: set("3955:3957") },
            ),
            ("BADCHARSET", Code::BadCharset(vec![])),
            ("BADCHARSET (US-ASCII utf-8)", {
                Code::BadCharset(vec!["US-ASCII".into(), "utf-8".into()])
            }),
            ("MODIFIED 7,9", Code::Modified(set("7,9"))),
            ("MAILBOXID (F2212ea87-6097)", Code::MailboxId("F2212ea87-6097".into())),
            ("MESSAGELIMIT 1000 23221", {
                Code::MessageLimit { limit: 1000, last_uid: Some(23221) }
            }),
            ("INPROGRESS", Code::InProgress(Progress::default())),
            (r#"INPROGRESS ("A1" 175 NIL)"#, {
                Code::InProgress(Progress { tag: Some("A1".into()), done: Some(175), total: None })
            }),
            ("WEBALERT https://example.org/x", Code::WebAlert("https://example.org/x".into())),
            (r#"MYRIGHTS "acdilrsw""#, Code::MyRights("acdilrsw".into())),
            ("NOTIFICATIONOVERFLOW", Code::NotificationOverflow),
            ("REFERRAL imap://ann;AUTH=*@other/", {
                Code::Referral("imap://ann;AUTH=*@other/".into())
            }),
            ("X-NEW  (a b) ", other("X-NEW", "(a b)")),
            ("BADEVENT (MessageNew FlagChange)", { other("BADEVENT", "(MessageNew FlagChange)") }),
            ("METADATA LONGENTRIES 2199", other("METADATA", "LONGENTRIES 2199")),
            ("UIDNEXT soon", other("UIDNEXT", "soon")),
            ("COPYUID 1 2:4 7", other("COPYUID", "1 2:4 7")),
            ("MODIFIED", other("MODIFIED", "")),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn the_codes_of_rfc_5530_and_9051_are_all_known() {
        for name in "ALERT ALREADYEXISTS AUTHENTICATIONFAILED AUTHORIZATIONFAILED CANNOT CLIENTBUG \
                     CLOSED CONTACTADMIN CORRUPTION EXPIRED EXPUNGEISSUED HASCHILDREN INUSE LIMIT \
                     NONEXISTENT NOPERM OVERQUOTA PARSE PRIVACYREQUIRED READ-ONLY READ-WRITE \
                     SERVERBUG TRYCREATE UIDNOTSTICKY UNAVAILABLE UNKNOWN-CTE BADCHARSET NOTSAVED"
            .split_ascii_whitespace()
        {
            assert_ne!(code(&name.to_ascii_lowercase()), other(name, ""), "{name}");
        }
    }

    #[test]
    fn what_stands_behind_an_unknown_code_is_kept_up_to_the_limit() {
        let limits = Limits { payload: 5, ..Limits::default() };
        let kept = |text: &str| Code::parse(text.as_bytes(), &limits).0.unwrap();
        assert_eq!(kept("X abcde"), other("X", "abcde"));
        assert_eq!(kept("X abcdef"), other("X", "abcde"));
        assert_eq!(kept("X abcdü"), other("X", "abcd\u{fffd}"), "a letter is not kept by halves");
    }
}
