//! What is written here as a client; for what is searched for see `searches`.

use std::num::{NonZeroU32, NonZeroU64};

use imap_codec::{
    CommandCodec,
    decode::Decoder,
    imap_types::{
        IntoStatic,
        command::{CommandBody, FetchModifier, SelectParameter, StoreModifier},
        extensions::binary::LiteralOrLiteral8,
        fetch::{MacroOrMessageDataItemNames, MessageDataItemName},
        flag::{Flag as TheirFlag, StoreResponse, StoreType},
        mailbox::{ListMailbox, Mailbox},
    },
};
use postern_imap::{
    Command, Limits, SequenceSet, Session,
    command::{
        AppendMessage, FetchItem, FetchOptions, KnownState, ListReturn, MessageForm, Partial,
        Resync, StoreMode, StoreOptions,
    },
    response::Flag,
    session::Output,
};

use crate::{Noise, responses::set_of};

pub(crate) const CASES: u64 = 1000;

/// What the other implementation reads.
pub(crate) fn decoded(command: Command) -> CommandBody<'static> {
    let mut session = Session::new(Limits::default());
    session.handle_input(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n");
    session.start(command);
    let mut bytes = Vec::new();
    while let Some(output) = session.poll_output() {
        if let Output::Send(more) = output {
            bytes.extend(more);
        }
    }
    let shown = String::from_utf8_lossy(&bytes);
    match CommandCodec::default().decode(&bytes) {
        Ok((b"", command)) => command.body.into_static(),
        other => panic!("{other:?}: {shown}"),
    }
}

#[test]
fn names_mean_the_same() {
    for seed in 0..CASES {
        let mut noise = Noise(seed);
        let (name, other) = (name(&mut noise), name(&mut noise));
        let uids = uids(&mut noise);
        let cases = [
            Command::create(&name),
            Command::delete(&name),
            Command::subscribe(&name),
            Command::unsubscribe(&name),
            Command::status(&name),
            Command::select(&name),
            Command::examine(&name),
            Command::get_quota_root(&name),
            Command::uid_copy(&uids, &name),
            Command::uid_move(&uids, &name),
        ];
        for command in cases {
            let mailbox = match decoded(command.unwrap()) {
                CommandBody::Create { mailbox }
                | CommandBody::Delete { mailbox }
                | CommandBody::Subscribe { mailbox }
                | CommandBody::Unsubscribe { mailbox }
                | CommandBody::Status { mailbox, .. }
                | CommandBody::Select { mailbox, .. }
                | CommandBody::Examine { mailbox, .. }
                | CommandBody::GetQuotaRoot { mailbox } => mailbox,
                CommandBody::Copy { mailbox, sequence_set, uid: true }
                | CommandBody::Move { mailbox, sequence_set, uid: true } => {
                    assert_eq!(set_of(&sequence_set), Some(uids.clone()));
                    mailbox
                }
                other => panic!("another command: {other:?}"),
            };
            assert!(is_name(&mailbox, &name), "{mailbox:?}");
        }
        match decoded(Command::rename(&name, &other).unwrap()) {
            CommandBody::Rename { from, to } => {
                assert!(is_name(&from, &name) && is_name(&to, &other));
            }
            other => panic!("another command: {other:?}"),
        }
        match decoded(Command::list(&name, &ListReturn::default()).unwrap()) {
            CommandBody::List { mailbox_wildcard: ListMailbox::String(pattern), .. } => {
                assert_eq!(pattern.as_ref(), name);
            }
            other => panic!("another command: {other:?}"),
        }
    }
}

#[test]
fn what_is_known_of_a_mailbox_means_the_same() {
    for seed in 0..CASES {
        let mut noise = Noise(seed);
        let known = KnownState {
            uid_validity: number(&mut noise),
            mod_seq: number(&mut noise).into(),
            uids: (noise.below(2) > 0).then(|| uids(&mut noise)),
            places: (noise.below(2) > 0).then(|| (uids(&mut noise), uids(&mut noise))),
        };
        let select = Command::select_with(b"a", &Resync::Since(known.clone())).unwrap();
        let CommandBody::Select { parameters, .. } = decoded(select) else {
            panic!("another command");
        };
        let [
            SelectParameter::QResync {
                uid_validity,
                mod_sequence_value,
                known_uids,
                seq_match_data,
            },
        ] = &*parameters
        else {
            panic!("other parameters: {parameters:?}");
        };
        let decoded = KnownState {
            uid_validity: uid_validity.get(),
            mod_seq: mod_sequence_value.get(),
            uids: known_uids.as_ref().and_then(set_of),
            places: seq_match_data.as_ref().and_then(|(one, other)| set_of(one).zip(set_of(other))),
        };
        assert_eq!(decoded, known);
    }
}

#[test]
fn fetches_mean_the_same() {
    let items = [
        (FetchItem::Envelope, MessageDataItemName::Envelope),
        (FetchItem::Flags, MessageDataItemName::Flags),
        (FetchItem::InternalDate, MessageDataItemName::InternalDate),
        (FetchItem::Size, MessageDataItemName::Rfc822Size),
        (FetchItem::BodyStructure, MessageDataItemName::BodyStructure),
        (FetchItem::ModSeq, MessageDataItemName::ModSeq),
        (
            FetchItem::section(""),
            MessageDataItemName::BodyExt { section: None, partial: None, peek: true },
        ),
        (
            FetchItem::BinarySize { section: "1.2".into() },
            MessageDataItemName::BinarySize { section: vec![one(1), one(2)] },
        ),
        (
            FetchItem::Binary {
                section: "3".into(),
                partial: Some(Partial { origin: 5, count: 7 }),
            },
            MessageDataItemName::Binary {
                section: vec![one(3)],
                partial: Some((5, one(7))),
                peek: true,
            },
        ),
    ];
    for seed in 0..CASES {
        let mut noise = Noise(seed);
        let (ours, mut theirs): (Vec<_>, Vec<_>) =
            items.iter().filter(|_| noise.below(2) > 0).cloned().unzip();
        theirs.insert(0, MessageDataItemName::Uid);
        let since = (noise.below(2) > 0).then(|| u64::from(number(&mut noise)));
        let options =
            FetchOptions { changed_since: since, vanished: noise.below(2) > 0, window: None };
        let uids = uids(&mut noise);
        let fetch = Command::uid_fetch_with(&uids, &ours, &options).unwrap();
        let CommandBody::Fetch { sequence_set, macro_or_item_names, uid: true, modifiers } =
            decoded(fetch)
        else {
            panic!("another command");
        };
        assert_eq!(set_of(&sequence_set), Some(uids));
        assert_eq!(macro_or_item_names, MacroOrMessageDataItemNames::MessageDataItemNames(theirs));
        let mut expected = Vec::new();
        if let Some(since) = since.and_then(NonZeroU64::new) {
            expected.push(FetchModifier::ChangedSince(since));
            expected.extend(options.vanished.then_some(FetchModifier::Vanished));
        }
        assert_eq!(modifiers, expected);
    }
}

#[test]
fn changes_mean_the_same() {
    for seed in 0..CASES {
        let mut noise = Noise(seed);
        let uids = uids(&mut noise);
        let flags: Vec<_> = (0..noise.below(4)).map(|_| flag(&mut noise)).collect();
        let (mode, expected) = [
            (StoreMode::Add, StoreType::Add),
            (StoreMode::Remove, StoreType::Remove),
            (StoreMode::Replace, StoreType::Replace),
        ][noise.below(3) as usize];
        let options = StoreOptions {
            unchanged_since: (noise.below(2) > 0).then(|| number(&mut noise).into()),
            tell: noise.below(2) > 0,
        };
        let store = Command::uid_store_with(&uids, mode, &flags, options).unwrap();
        let CommandBody::Store {
            sequence_set,
            kind,
            response,
            flags: theirs,
            uid: true,
            modifiers,
        } = decoded(store)
        else {
            panic!("another command");
        };
        assert_eq!((set_of(&sequence_set), kind), (Some(uids.clone()), expected));
        assert_eq!(response == StoreResponse::Answer, options.tell);
        assert_eq!(our_flags(&theirs), flags);
        let unchanged = options.unchanged_since.map(StoreModifier::UnchangedSince);
        assert_eq!(modifiers, Vec::from_iter(unchanged));

        let CommandBody::ExpungeUid { sequence_set } = decoded(Command::uid_expunge(&uids)) else {
            panic!("another command");
        };
        assert_eq!(set_of(&sequence_set), Some(uids));
    }
}

#[test]
fn messages_arrive_as_they_were_given() {
    for seed in 0..CASES {
        let mut noise = Noise(seed);
        let form = [MessageForm::Text, MessageForm::Binary][noise.below(2) as usize];
        let mut content = noise.bytes();
        if form == MessageForm::Text {
            content.retain(|byte| *byte != 0);
        }
        let flags: Vec<_> = (0..noise.below(4)).map(|_| flag(&mut noise)).collect();
        let seconds = (noise.below(2) > 0).then(|| i64::from(number(&mut noise)));
        let message = AppendMessage {
            flags: flags.clone(),
            internal_date: seconds,
            form,
            content: content.clone(),
        };
        let CommandBody::Append { flags: theirs, date, message, .. } =
            decoded(Command::append_all(b"a", [message]).unwrap())
        else {
            panic!("another command");
        };
        assert_eq!(our_flags(&theirs), flags);
        assert_eq!(date.map(|date| date.as_ref().timestamp()), seconds);
        match message {
            LiteralOrLiteral8::Literal(literal) => assert_eq!(literal.as_ref(), content),
            LiteralOrLiteral8::Literal8(literal) => assert_eq!(*literal.data, *content),
        }
    }
}

fn flag(noise: &mut Noise) -> Flag {
    [Flag::Seen, Flag::Draft, Flag::Other("$Junk".into()), Flag::Other(r"\X".into())]
        [noise.below(4) as usize]
        .clone()
}

fn our_flags(theirs: &[TheirFlag<'_>]) -> Vec<Flag> {
    theirs.iter().map(|flag| Flag::parse(&flag.to_string())).collect()
}

/// Text with what could break out of quotes.
pub(crate) fn text(noise: &mut Noise) -> String {
    const PIECES: [&str; 12] =
        ["a", "Z", " ", "\"", "\\", "(", ")", "{5}", "{5+}", "\u{e4}", "日本", "* OK"];
    (0..noise.below(6)).map(|_| PIECES[noise.below(12) as usize]).collect()
}

fn name(noise: &mut Noise) -> Vec<u8> {
    format!("x{}", text(noise)).into_bytes()
}

fn is_name(theirs: &Mailbox<'_>, name: &[u8]) -> bool {
    matches!(theirs, Mailbox::Other(other) if other.as_ref() == name)
}

pub(crate) fn uids(noise: &mut Noise) -> SequenceSet {
    let ranges = 1 + noise.below(4);
    let range = |noise: &mut Noise| {
        let start = number(noise);
        start..=start.saturating_add(noise.below(20) as u32)
    };
    SequenceSet::from_ranges((0..ranges).map(|_| range(noise))).unwrap()
}

pub(crate) fn number(noise: &mut Noise) -> u32 {
    1 + noise.below(u64::from(u32::MAX) - 1) as u32
}

fn one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}
