//! Response codes: the machine-readable part of a status response (RFC 9051 section 7.1, RFC 5530).

use super::{Capabilities, Flag};
use crate::{
    SequenceSet,
    limits::Limits,
    token::{Token, TokenDefect, text_tokens},
};

/// A response code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Code {
    /// ALERT: the text must be shown to the person.
    Alert,
    /// CAPABILITY.
    Capability(Capabilities),
    /// PERMANENTFLAGS: the flags that can be changed for good.
    PermanentFlags(Vec<Flag>),
    /// READ-ONLY.
    ReadOnly,
    /// READ-WRITE.
    ReadWrite,
    /// TRYCREATE: the mailbox does not exist but could be created.
    TryCreate,
    /// UIDNEXT.
    UidNext(u32),
    /// UIDVALIDITY.
    UidValidity(u32),
    /// UNSEEN: the sequence number of the first unseen message.
    Unseen(u32),
    /// APPENDUID: the UIDVALIDITY and UID that an appended message got (RFC 4315).
    AppendUid {
        /// The mailbox's UIDVALIDITY.
        uid_validity: u32,
        /// The message's UID.
        uid: u32,
    },
    /// COPYUID: which UIDs became which (RFC 4315).
    CopyUid {
        /// The other mailbox's UIDVALIDITY.
        uid_validity: u32,
        /// The UIDs here.
        source: SequenceSet,
        /// The UIDs there, in the same order.
        destination: SequenceSet,
    },
    /// HIGHESTMODSEQ (RFC 7162).
    HighestModSeq(u64),
    /// AUTHENTICATIONFAILED: user name or password is wrong.
    AuthenticationFailed,
    /// UNAVAILABLE: the server can't do it now; try later.
    Unavailable,
    /// OVERQUOTA.
    OverQuota,
    /// NONEXISTENT.
    NonExistent,
    /// Any other; its name, in upper case.
    Other(String),
}

impl Code {
    /// Reads what stands between the brackets.
    pub(super) fn parse(text: &[u8], limits: &Limits) -> (Option<Self>, Option<TokenDefect>) {
        let read = text_tokens(text, limits);
        let Some((name, arguments)) = read.items.split_first() else {
            return (None, read.defect);
        };
        let name = name.text().unwrap_or_default().to_ascii_uppercase();
        let number = || arguments.first()?.number();
        let code = match &*name {
            "ALERT" => Some(Self::Alert),
            "CAPABILITY" => Some(Self::Capability(Capabilities::from_tokens(arguments, limits))),
            "PERMANENTFLAGS" => arguments
                .first()
                .and_then(Token::list)
                .map(|flags| Self::PermanentFlags(Flag::all(flags))),
            "READ-ONLY" => Some(Self::ReadOnly),
            "READ-WRITE" => Some(Self::ReadWrite),
            "TRYCREATE" => Some(Self::TryCreate),
            "UIDNEXT" => number().map(Self::UidNext),
            "UIDVALIDITY" => number().map(Self::UidValidity),
            "UNSEEN" => number().map(Self::Unseen),
            "APPENDUID" => append_uid(arguments),
            "COPYUID" => copy_uid(arguments),
            "HIGHESTMODSEQ" => arguments.first().and_then(Token::number).map(Self::HighestModSeq),
            "AUTHENTICATIONFAILED" => Some(Self::AuthenticationFailed),
            "UNAVAILABLE" => Some(Self::Unavailable),
            "OVERQUOTA" => Some(Self::OverQuota),
            "NONEXISTENT" => Some(Self::NonExistent),
            _ => None,
        };
        (Some(code.unwrap_or(Self::Other(name))), read.defect)
    }
}

fn append_uid(arguments: &[Token<'_>]) -> Option<Code> {
    let [uid_validity, uid] = arguments else { return None };
    Some(Code::AppendUid { uid_validity: uid_validity.number()?, uid: uid.number()? })
}

fn copy_uid(arguments: &[Token<'_>]) -> Option<Code> {
    let [uid_validity, source, destination] = arguments else { return None };
    Some(Code::CopyUid {
        uid_validity: uid_validity.number()?,
        source: SequenceSet::parse(source.atom()?)?,
        destination: SequenceSet::parse(destination.atom()?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("APPENDUID 38505 3955", Code::AppendUid { uid_validity: 38505, uid: 3955 }),
            (
                "COPYUID 38505 304,319:320 3956:3958",
                Code::CopyUid {
                    uid_validity: 38505,
                    source: SequenceSet::parse(b"304,319:320").unwrap(),
                    destination: SequenceSet::parse(b"3956:3958").unwrap(),
                },
            ),
            ("BADCHARSET (UTF-8)", Code::Other("BADCHARSET".into())),
            ("UIDNEXT soon", Code::Other("UIDNEXT".into())),
        ];
        for (text, code) in cases {
            assert_eq!(
                Code::parse(text.as_bytes(), &Limits::default()),
                (Some(code), None),
                "{text}"
            );
        }
    }
}
