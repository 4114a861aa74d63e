//! What imap-codec writes as a server.

use std::{collections::BTreeSet, num::NonZeroU32};

use arbitrary::{Arbitrary, Unstructured};
use imap_codec::{
    ResponseCodec,
    decode::Decoder,
    encode::Encoder,
    imap_types::{
        IntoStatic,
        extensions::metadata::{MetadataCode, MetadataResponse},
        fetch::MessageDataItem,
        flag::FlagPerm,
        mailbox::Mailbox,
        response::{Bye, Code as TheirCode, Data, Response as Theirs, Status as TheirStatus},
        response::{StatusBody, StatusKind as TheirKind, Tagged},
        sequence::{SeqOrUid, Sequence, SequenceSet as TheirSet},
    },
};
use postern_imap::{
    Event, Limits, Response, SequenceSet, Session,
    response::{Code, Flag, Status, StatusKind},
    session::{Defect, Output},
};

use crate::{for_each, meaning::data};

#[test]
fn every_response_means_the_same() {
    let mut kinds = BTreeSet::new();
    for_each(4000, response, |theirs| match &theirs {
        Theirs::Data(own) if has_star(own) => {}
        Theirs::Data(own) => {
            kinds.insert(kind(own));
            check_data(own);
        }
        // The end of a command is said in the same words.
        Theirs::Status(TheirStatus::Untagged(body) | TheirStatus::Tagged(Tagged { body, .. })) => {
            let StatusBody { kind, code, text } = body;
            let kind = match kind {
                TheirKind::Ok => StatusKind::Ok,
                TheirKind::No => StatusKind::No,
                TheirKind::Bad => StatusKind::Bad,
            };
            let untagged = Theirs::Status(TheirStatus::Untagged(body.clone()));
            check_status(&untagged, kind, code.as_ref(), text.as_ref());
        }
        Theirs::Status(TheirStatus::Bye(Bye { code, text })) => {
            check_status(&theirs, StatusKind::Bye, code.as_ref(), text.as_ref());
        }
        // Those wait for more of a command; the session's own tests have them.
        Theirs::CommandContinuationRequest(_) => {}
    });
    // Messages, annotations and quotas come out of noise too seldom: they have tests of their own below.
    let expected = [
        "Capability",
        "Enabled",
        "Exists",
        "Expunge",
        "Flags",
        "Id",
        "List",
        "Lsub",
        "Namespace",
        "QuotaRoot",
        "Recent",
        "Search",
        "Sort",
        "Status",
        "Thread",
        "Vanished",
    ];
    assert_eq!(Vec::from_iter(kinds), expected, "noise leaves no kind out");
}

#[test]
fn every_item_of_a_message_means_the_same() {
    let mut kinds = BTreeSet::new();
    let item = |noise: &mut Unstructured<'_>| {
        MessageDataItem::arbitrary(noise).map(IntoStatic::into_static)
    };
    for_each(3000, item, |item: MessageDataItem<'static>| {
        kinds.insert(kind(&item));
        check_data(&Data::Fetch { seq: NonZeroU32::MIN, items: item.into() });
    });
    // All but dates, which noise hits too rarely: those are made by hand below.
    assert_eq!(kinds.len(), 13, "noise leaves no kind out: {kinds:?}");
}

#[test]
fn annotations_are_passed_over_as_a_whole() {
    let items = |noise: &mut Unstructured<'_>| {
        MetadataResponse::arbitrary(noise).map(IntoStatic::into_static)
    };
    for_each(300, items, |items: MetadataResponse<'static>| {
        check_data(&Data::Metadata { mailbox: Mailbox::Inbox, items });
    });
}

#[test]
fn quotas_and_dates_that_are_made_by_hand_mean_the_same() {
    let quotas = [
        "\"\" (STORAGE 10 512)",
        "own (STORAGE 0 1048576 MESSAGE 12 20000)",
        r#""a \"b\"" (MAILBOX 3 4 ANNOTATION-STORAGE 5 6)"#,
        "{3}\r\na]b (X-OWN 7 18446744073709551615)",
    ];
    let dates = [
        "17-Jul-1996 02:44:25 -0700",
        "01-Jan-1970 00:00:00 +0000",
        "31-Dec-1969 23:59:59 +0000",
        "29-Feb-2024 12:00:00 +1400",
        "31-Dec-1999 23:59:59 -0030",
        "19-Jan-2038 03:14:08 +0000",
    ];
    let quotas = quotas.map(|quota| format!("* QUOTA {quota}\r\n"));
    let dates = dates.map(|date| format!("* 1 FETCH (INTERNALDATE \"{date}\" UID 5)\r\n"));
    let mut kinds = BTreeSet::new();
    for line in quotas.iter().chain(&dates) {
        match ResponseCodec::default().decode(line.as_bytes()) {
            Ok((b"", Theirs::Data(theirs))) => {
                kinds.insert(kind(&theirs));
                check_data(&theirs.into_static());
            }
            other => panic!("{line}: {other:?}"),
        }
    }
    assert_eq!(Vec::from_iter(kinds), ["Fetch", "Quota"]);
}

/// The name of an enum's variant.
fn kind(value: &impl std::fmt::Debug) -> String {
    let shown = format!("{value:?}");
    shown.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

fn check_data(theirs: &Data<'static>) {
    let (bytes, mut ours) = read(&Theirs::Data(theirs.clone()));
    forget_field_names(&mut ours);
    assert_eq!(ours, data(theirs), "{}", String::from_utf8_lossy(&bytes));
}

fn response(noise: &mut Unstructured<'_>) -> arbitrary::Result<Theirs<'static>> {
    Theirs::arbitrary(noise).map(IntoStatic::into_static)
}

/// The bytes, and what they mean here.
fn read(theirs: &Theirs<'_>) -> (Vec<u8>, Response) {
    let bytes = ResponseCodec::default().encode(theirs).dump();
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK hello\r\n");
    session.handle_input(&bytes);
    // What is not known is said to be so.
    let is_known =
        |output: &Output| !matches!(output, Output::Event(Event::Defect(Defect::Unknown(_))));
    let mut events = std::iter::from_fn(|| session.poll_output()).skip(1).filter(is_known);
    let shown = String::from_utf8_lossy(&bytes);
    let response = match events.next() {
        Some(Output::Event(Event::Response(response))) => response,
        Some(Output::Event(Event::Goodbye(status))) => Response::Status(status),
        other => panic!("{shown} is understood as {other:?}"),
    };
    assert!(events.next().is_none(), "more than one response: {shown}");
    (bytes, response)
}

fn check_status(theirs: &Theirs<'_>, kind: StatusKind, code: Option<&TheirCode<'_>>, text: &str) {
    match code {
        Some(TheirCode::Modified(set)) if set_of(set).is_none() => return,
        // It makes addresses up that none can be, and writes them as they are.
        Some(TheirCode::Referral(page)) if !is_address(page) => return,
        _ => {}
    }
    let (bytes, ours) = read(theirs);
    let shown = String::from_utf8_lossy(&bytes);
    let Response::Status(Status { kind: our_kind, code: our_code, text: our_text }) = ours else {
        panic!("no status: {shown}");
    };
    assert_eq!((our_kind, &*our_text), (kind, text.trim()), "{shown}");
    match (code, our_code) {
        (None, None) => {}
        (Some(theirs), Some(ours)) => check_code(theirs, &ours, &shown),
        (theirs, ours) => panic!("{theirs:?} became {ours:?}: {shown}"),
    }
}

fn check_code(theirs: &TheirCode<'_>, ours: &Code, shown: &str) {
    let expected = match theirs {
        TheirCode::Alert => Code::Alert,
        TheirCode::BadCharset { allowed } => {
            Code::BadCharset(allowed.iter().map(|name| name.as_ref().into()).collect())
        }
        TheirCode::Capability(names) => {
            let Code::Capability(ours) = ours else { panic!("{ours:?}: {shown}") };
            assert!(names.as_ref().iter().all(|name| ours.has(&name.to_string())), "{shown}");
            return;
        }
        TheirCode::Metadata(own) => Code::Other {
            name: "METADATA".into(),
            payload: match own {
                MetadataCode::LongEntries(bytes) => format!("LONGENTRIES {bytes}"),
                MetadataCode::MaxSize(bytes) => format!("MAXSIZE {bytes}"),
                MetadataCode::TooMany => "TOOMANY".into(),
                MetadataCode::NoPrivate => "NOPRIVATE".into(),
            },
        },
        TheirCode::Parse => Code::Parse,
        TheirCode::PermanentFlags(flags) => {
            let flags = flags.iter().map(|flag| Flag::parse(&permanent(flag)));
            Code::PermanentFlags(flags.collect())
        }
        TheirCode::ReadOnly => Code::ReadOnly,
        TheirCode::ReadWrite => Code::ReadWrite,
        TheirCode::Referral(page) => Code::Referral(page.to_string()),
        TheirCode::TryCreate => Code::TryCreate,
        TheirCode::UidNext(next) => Code::UidNext(next.get()),
        TheirCode::UidValidity(validity) => Code::UidValidity(validity.get()),
        TheirCode::Unseen(number) => Code::Unseen(number.get()),
        TheirCode::CompressionActive => Code::CompressionActive,
        TheirCode::OverQuota => Code::OverQuota,
        TheirCode::TooBig => Code::TooBig,
        TheirCode::UnknownCte => Code::UnknownEncoding,
        TheirCode::AppendUid { uid_validity, uid } => {
            Code::AppendUid { uid_validity: uid_validity.get(), uids: uid.get().into() }
        }
        TheirCode::CopyUid { uid_validity, .. } => {
            match ours {
                Code::CopyUid(copied) => assert_eq!(copied.uid_validity, uid_validity.get()),
                // Its two lists are of different lengths.
                Code::Other { name, .. } => assert_eq!(name, "COPYUID", "{shown}"),
                ours => panic!("{ours:?}: {shown}"),
            }
            return;
        }
        TheirCode::UidNotSticky => Code::UidNotSticky,
        TheirCode::HighestModSeq(mod_seq) => Code::HighestModSeq(mod_seq.get()),
        TheirCode::Modified(set) => Code::Modified(set_of(set).expect("checked before")),
        TheirCode::NoModSeq => Code::NoModSeq,
        TheirCode::Closed => Code::Closed,
        TheirCode::Other(_) => {
            Code::Other { name: "IMAP-CODEC-CODE-OTHER>".into(), payload: String::new() }
        }
    };
    assert_eq!(*ours, expected, "{shown}");
}

fn permanent(flag: &FlagPerm<'_>) -> String {
    match flag {
        FlagPerm::Flag(flag) => flag.to_string(),
        FlagPerm::Asterisk => r"\*".into(),
    }
}

/// The names of header fields come back in any spelling; no more is asked of them than that they
/// are told apart from what follows.
fn forget_field_names(response: &mut Response) {
    if let Response::Fetch(fetch) = response {
        for section in &mut fetch.sections {
            if let Some(end) = memchr::memmem::find(&section.section, b" (") {
                section.section = section.section[..end].into();
            }
        }
    }
}

/// Whether it can be the address of a page or a mailbox (RFC 5092).
fn is_address(text: &str) -> bool {
    let may_be = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?;=@&%+,!$*".contains(&byte);
    !text.is_empty() && text.bytes().all(may_be)
}

/// A star stands for a number that only a server knows; no server sends it.
fn has_star(theirs: &Data<'_>) -> bool {
    matches!(theirs, Data::Vanished { known_uids, .. } if set_of(known_uids).is_none())
}

/// `None` if there is a star in it.
pub(crate) fn set_of(theirs: &TheirSet) -> Option<SequenceSet> {
    let number = |number: &SeqOrUid| match number {
        SeqOrUid::Value(value) => Some(value.get()),
        SeqOrUid::Asterisk => None,
    };
    let ranges: Option<Vec<_>> = theirs
        .0
        .as_ref()
        .iter()
        .map(|own| match own {
            Sequence::Single(one) => number(one).map(|one| one..=one),
            Sequence::Range(one, other) => {
                let (one, other) = (number(one)?, number(other)?);
                Some(one.min(other)..=one.max(other))
            }
        })
        .collect();
    SequenceSet::from_ranges(ranges?)
}
