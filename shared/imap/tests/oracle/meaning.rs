//! What imap-codec's responses mean, in this crate's types.

use imap_codec::imap_types::{
    body::{BodyStructure as TheirBody, Disposition as TheirDisposition, SpecificFields},
    core::{IString, NString, NString8},
    envelope::{Address, Envelope as TheirEnvelope},
    extensions::{
        binary::Literal8,
        namespace::{Namespace as TheirNamespace, Namespaces as TheirNamespaces},
        thread::Thread as TheirThread,
    },
    fetch::{MessageDataItem, Part, Section},
    flag::FlagFetch,
    mailbox::Mailbox,
    response::Data,
    status::StatusDataItem,
};
use postern_imap::{
    Limits, Response, SequenceSet, Session,
    response::{
        Addresses, BinarySection, BinarySize, BodyPart, BodySection, BodyStructure, Capabilities,
        Content, Disposition, Envelope, EnvelopeAddress, Fetch, Flag, ListEntry, MailboxStatus,
        Multipart, Namespace, Namespaces, Parameters, Quota, QuotaResource, QuotaRoots,
        SearchResult, SortResult, Text, Thread, ThreadedMessage, Vanished,
    },
};
use smol_str::SmolStr;

use crate::responses::set_of;

/// What this response means.
pub(crate) fn data(theirs: &Data<'_>) -> Response {
    match theirs {
        Data::Capability(names) => {
            Response::Capability(capabilities(names.as_ref().iter().map(ToString::to_string)))
        }
        Data::List { items, delimiter, mailbox } => Response::List(ListEntry {
            attributes: items.iter().map(ToString::to_string).collect(),
            delimiter: delimiter.as_ref().map(|own| own.inner() as u8),
            name: name(mailbox),
            ..ListEntry::default()
        }),
        Data::Lsub { items, delimiter, mailbox } => Response::Subscribed(ListEntry {
            attributes: items.iter().map(ToString::to_string).collect(),
            delimiter: delimiter.as_ref().map(|own| own.inner() as u8),
            name: name(mailbox),
            ..ListEntry::default()
        }),
        Data::Status { mailbox, items } => Response::MailboxStatus(status(mailbox, items)),
        Data::Search(numbers, mod_seq) => {
            let all = SequenceSet::from_numbers(numbers.iter().map(|number| number.get()));
            let count = all.as_ref().map_or(0, SequenceSet::count);
            let mod_seq = mod_seq.map(u64::from);
            Response::Search(SearchResult {
                all,
                count: Some(count),
                mod_seq,
                ..SearchResult::default()
            })
        }
        Data::Sort(numbers, mod_seq) => Response::Sort(SortResult {
            numbers: numbers.iter().map(|number| number.get()).collect(),
            mod_seq: mod_seq.map(u64::from),
        }),
        Data::Thread(threads) => Response::Threads(threads.iter().map(thread).collect()),
        Data::Flags(flags) => {
            Response::Flags(flags.iter().map(|flag| Flag::parse(&flag.to_string())).collect())
        }
        Data::Exists(count) => Response::Exists(*count),
        Data::Recent(count) => Response::Recent(*count),
        Data::Expunge(number) => Response::Expunge(number.get()),
        Data::Fetch { seq, items } => Response::Fetch(Box::new(fetch(seq.get(), items.as_ref()))),
        Data::Enabled { capabilities } => {
            Response::Enabled(capabilities.iter().map(ToString::to_string).collect())
        }
        Data::Quota { root, quotas } => Response::Quota(Quota {
            root: root.as_ref().to_vec(),
            resources: quotas
                .as_ref()
                .iter()
                .map(|quota| QuotaResource {
                    name: quota.resource.to_string().to_ascii_uppercase(),
                    usage: quota.usage,
                    limit: quota.limit,
                })
                .collect(),
        }),
        Data::QuotaRoot { mailbox, roots } => Response::QuotaRoots(QuotaRoots {
            mailbox: name(mailbox),
            roots: roots.iter().map(|root| root.as_ref().to_vec()).collect(),
        }),
        Data::Id { parameters } => {
            let fields = parameters.iter().flatten();
            Response::Id(
                fields.map(|(name, value)| (text(name), value.0.as_ref().map(text))).collect(),
            )
        }
        // Nothing is asked that is answered so.
        Data::Metadata { .. } => Response::Unknown("METADATA".into()),
        Data::Vanished { earlier, known_uids } => Response::Vanished(Vanished {
            earlier: *earlier,
            uids: set_of(known_uids).expect("checked before"),
        }),
        Data::Namespace { personal, other, shared } => Response::Namespaces(Namespaces {
            personal: namespaces(personal),
            others: namespaces(other),
            shared: namespaces(shared),
        }),
    }
}

/// As a session learns them.
fn capabilities(names: impl Iterator<Item = String>) -> Capabilities {
    let names: Vec<_> = names.collect();
    let mut session = Session::new(Limits::default());
    session.handle_input(format!("* OK [CAPABILITY {}] hello\r\n", names.join(" ")).as_bytes());
    assert!(session.poll_output().is_some(), "the greeting is told");
    session.capabilities().cloned().expect("the greeting tells them")
}

fn status(mailbox: &Mailbox<'_>, items: &[StatusDataItem]) -> MailboxStatus {
    let mut status = MailboxStatus { name: name(mailbox), ..MailboxStatus::default() };
    for item in items {
        match item {
            StatusDataItem::Messages(count) => status.messages = Some(*count),
            StatusDataItem::Recent(count) => status.recent = Some(*count),
            StatusDataItem::UidNext(next) => status.uid_next = Some(next.get()),
            StatusDataItem::UidValidity(validity) => status.uid_validity = Some(validity.get()),
            StatusDataItem::Unseen(count) => status.unseen = Some(*count),
            StatusDataItem::Deleted(count) => status.deleted = Some(*count),
            StatusDataItem::DeletedStorage(bytes) => status.deleted_storage = Some(*bytes),
            StatusDataItem::Size(bytes) => status.size = Some(*bytes),
            StatusDataItem::HighestModSeq(mod_seq) => status.highest_mod_seq = Some(*mod_seq),
        }
    }
    status
}

fn thread(theirs: &TheirThread) -> Thread {
    let mut thread = Thread::default();
    collect(theirs, None, &mut thread.messages);
    thread
}

fn collect(theirs: &TheirThread, mut parent: Option<usize>, messages: &mut Vec<ThreadedMessage>) {
    let answers: &[TheirThread] = match theirs {
        TheirThread::Members { prefix, answers } => {
            for number in prefix.as_ref() {
                messages.push(ThreadedMessage { number: number.get(), parent });
                parent = Some(messages.len() - 1);
            }
            answers.as_ref().map_or(&[], |answers| answers.as_ref())
        }
        TheirThread::Nested { answers } => answers.as_ref(),
    };
    for answer in answers {
        collect(answer, parent, messages);
    }
}

fn fetch(sequence: u32, items: &[MessageDataItem<'_>]) -> Fetch {
    let mut fetch = Fetch { sequence, ..Fetch::default() };
    let whole = |section: &str, value| BodySection {
        section: section.into(),
        origin: None,
        content: content(value),
    };
    for item in items {
        match item {
            MessageDataItem::Body(own) | MessageDataItem::BodyStructure(own) => {
                fetch.body_structure = Some(structure(own));
            }
            MessageDataItem::BodyExt { section, origin, data } => {
                fetch.sections.push(BodySection {
                    section: section
                        .as_ref()
                        .map(|own| (*section_name(own)).into())
                        .unwrap_or_default(),
                    origin: origin.map(u64::from),
                    content: content(data),
                });
            }
            MessageDataItem::Envelope(own) => fetch.envelope = Some(envelope(own)),
            MessageDataItem::Flags(flags) => {
                let name = |flag: &FlagFetch<'_>| match flag {
                    FlagFetch::Flag(flag) => flag.to_string(),
                    FlagFetch::Recent => r"\Recent".into(),
                };
                fetch.flags = Some(flags.iter().map(|flag| Flag::parse(&name(flag))).collect());
            }
            MessageDataItem::InternalDate(date) => {
                fetch.internal_date = Some(date.as_ref().timestamp());
            }
            MessageDataItem::Rfc822(value) => fetch.sections.push(whole("", value)),
            MessageDataItem::Rfc822Header(value) => fetch.sections.push(whole("HEADER", value)),
            MessageDataItem::Rfc822Text(value) => fetch.sections.push(whole("TEXT", value)),
            MessageDataItem::Rfc822Size(size) => fetch.size = Some((*size).into()),
            MessageDataItem::Uid(uid) => fetch.uid = Some(uid.get()),
            MessageDataItem::Binary { section, value } => fetch.binary.push(BinarySection {
                section: (*numbers(section)).into(),
                origin: None,
                content: match value {
                    NString8::NString(value) => content(value),
                    NString8::Literal8(Literal8 { data, .. }) => Content::Held((&**data).into()),
                },
            }),
            MessageDataItem::BinarySize { section, size } => {
                fetch
                    .binary_sizes
                    .push(BinarySize { section: (*numbers(section)).into(), size: (*size).into() });
            }
            MessageDataItem::ModSeq(mod_seq) => fetch.mod_seq = Some(mod_seq.get()),
        }
    }
    fetch
}

fn section_name(section: &Section<'_>) -> String {
    let part =
        |part: Option<&Part>| part.map(|part| numbers(part.0.as_ref()) + ".").unwrap_or_default();
    match section {
        Section::Part(own) => numbers(own.0.as_ref()),
        Section::Header(own) => part(own.as_ref()) + "HEADER",
        Section::Text(own) => part(own.as_ref()) + "TEXT",
        Section::Mime(own) => part(Some(own)) + "MIME",
        Section::HeaderFields(own, _) => part(own.as_ref()) + "HEADER.FIELDS",
        Section::HeaderFieldsNot(own, _) => part(own.as_ref()) + "HEADER.FIELDS.NOT",
    }
}

fn numbers(section: &[std::num::NonZeroU32]) -> String {
    section.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

fn structure(theirs: &TheirBody<'_>) -> BodyStructure {
    match theirs {
        TheirBody::Single { body, extension_data } => {
            let (kind, lines, message) = match &body.specific {
                SpecificFields::Basic { r#type, subtype } => {
                    (format!("{}/{}", lower(r#type), lower(subtype)), None, None)
                }
                SpecificFields::Text { subtype, number_of_lines } => {
                    (format!("text/{}", lower(subtype)), Some((*number_of_lines).into()), None)
                }
                SpecificFields::Message { envelope: own, body_structure, number_of_lines } => (
                    "message/rfc822".to_owned(),
                    Some((*number_of_lines).into()),
                    Some(Box::new((envelope(own), structure(body_structure)))),
                ),
            };
            let tail = extension_data.as_ref().and_then(|own| own.tail.as_ref());
            let (disposition, languages, location) = extension(tail);
            BodyStructure::Part(Box::new(BodyPart {
                media_type: kind.into(),
                parameters: parameters(&body.basic.parameter_list),
                id: or_empty(&body.basic.id),
                description: or_empty(&body.basic.description),
                encoding: lower(&body.basic.content_transfer_encoding),
                size: body.basic.size.into(),
                lines,
                md5: extension_data.as_ref().and_then(|own| bytes(&own.md5)),
                disposition,
                languages,
                location,
                message,
            }))
        }
        TheirBody::Multi { bodies, subtype, extension_data } => {
            let tail = extension_data.as_ref().and_then(|own| own.tail.as_ref());
            let (disposition, languages, location) = extension(tail);
            let given = extension_data.as_ref().map(|own| parameters(&own.parameter_list));
            BodyStructure::Multipart(Box::new(Multipart {
                subtype: lower(subtype),
                parts: bodies.as_ref().iter().map(structure).collect(),
                parameters: given.unwrap_or_default(),
                disposition,
                languages,
                location,
            }))
        }
    }
}

type Extension = (Option<Disposition>, Vec<String>, Option<Text>);

fn extension(tail: Option<&TheirDisposition<'_>>) -> Extension {
    let language = tail.and_then(|own| own.tail.as_ref());
    let location = language.and_then(|own| own.tail.as_ref());
    let disposition = tail.and_then(|own| own.disposition.as_ref());
    (
        disposition
            .map(|(kind, given)| Disposition { kind: lower(kind), parameters: parameters(given) }),
        language.map(|own| own.language.iter().map(text).collect()).unwrap_or_default(),
        location.and_then(|own| bytes(&own.location)),
    )
}

fn parameters(theirs: &[(IString<'_>, IString<'_>)]) -> Parameters {
    theirs.iter().map(|(name, value)| (lower(name), value.as_ref().into())).collect()
}

fn envelope(theirs: &TheirEnvelope<'_>) -> Envelope {
    Envelope {
        date: or_empty(&theirs.date),
        subject: or_empty(&theirs.subject),
        addresses: Addresses::new([
            addresses(&theirs.from),
            addresses(&theirs.sender),
            addresses(&theirs.reply_to),
            addresses(&theirs.to),
            addresses(&theirs.cc),
            addresses(&theirs.bcc),
        ]),
        in_reply_to: or_empty(&theirs.in_reply_to),
        message_id: or_empty(&theirs.message_id),
    }
}

fn addresses(theirs: &[Address<'_>]) -> Vec<EnvelopeAddress> {
    let address = |own: &Address<'_>| {
        Some(EnvelopeAddress {
            name: or_empty(&own.name),
            mailbox: or_empty(&own.mailbox),
            host: bytes(&own.host)?,
        })
    };
    theirs.iter().filter_map(address).collect()
}

fn namespaces(theirs: &TheirNamespaces<'_>) -> Vec<Namespace> {
    let namespace = |own: &TheirNamespace<'_>| Namespace {
        prefix: own.prefix.as_ref().to_vec(),
        delimiter: own.delimiter.as_ref().map(|own| own.inner() as u8),
    };
    theirs.iter().map(namespace).collect()
}

fn name(mailbox: &Mailbox<'_>) -> Vec<u8> {
    match mailbox {
        Mailbox::Inbox => b"INBOX".to_vec(),
        Mailbox::Other(other) => other.as_ref().to_vec(),
    }
}

fn content(value: &NString<'_>) -> Content {
    bytes(value).map_or(Content::Missing, Content::Held)
}

fn bytes(value: &NString<'_>) -> Option<Text> {
    value.0.as_ref().map(|value| value.as_ref().into())
}

fn or_empty(value: &NString<'_>) -> Text {
    bytes(value).unwrap_or_default()
}

fn text(value: &IString<'_>) -> String {
    String::from_utf8_lossy(value.as_ref()).into_owned()
}

fn lower(value: &IString<'_>) -> SmolStr {
    text(value).to_ascii_lowercase().into()
}
