//! Files of all kinds are written and read.

use super::*;

/// A store with an empty POP3 account, and its inbox.
fn empty() -> (TestStore<MemoryStore>, MailboxId) {
    let host = TestHost::with_store(NoServer, MemoryStore::new());
    let own = account(3, Protocol::Pop3);
    let mut batch = vec![own.put()];
    batch.extend(block_on(create_local_mailboxes(&host, own.id)).unwrap());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    let inbox = inbox(&host.store, own.id);
    (host, inbox)
}

fn contents(store: &impl Store) -> Vec<Seen> {
    everything(store, AccountId(3)).remove(&vec!["Inbox".to_owned()]).unwrap()
}

/// Without their line ends: a file has other ones.
fn texts(seen: &[Seen]) -> Vec<String> {
    let text = |raw: &[u8]| String::from_utf8(raw.to_vec()).unwrap().replace(['\r', '\n'], "|");
    let mut texts: Vec<_> = seen.iter().map(|(raw, ..)| text(raw)).collect();
    texts.sort();
    texts
}

#[test]
fn an_mbox_file_comes_back_with_flags_and_without_duplicates() {
    let (_, mut file) = written(ExportFormat::Mbox);
    let (host, inbox) = empty();
    let imported = block_on(import(&host, inbox, &mut file)).unwrap();
    // The same message is in it three times.
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (5, 2, 0));
    let seen = contents(&host.store);
    let first =
        seen.iter().find(|(raw, ..)| raw.ends_with(b"\r\n\r\nFrom here\r\n>From there\r\n"));
    assert_eq!(first.unwrap().1, Flags::default());
    let second = seen.iter().find(|(raw, ..)| raw.ends_with(b"\r\n\r\ntwo\r\n")).unwrap();
    assert_eq!((second.1.flagged, second.1.answered, second.1.seen), (true, true, true));
    assert_eq!(second.2, ["work"]);
    assert!(seen.iter().all(|(raw, ..)| !raw.starts_with(b"X-Postern")));
    assert_no_stray_bytes(&host.store);

    let again = block_on(import(&host, inbox, &mut file)).unwrap();
    assert_eq!((again.messages, again.duplicates), (0, 7));
}

#[test]
fn a_zip_of_ours_can_be_read_into_one_folder_as_well() {
    let (_, mut file) = written(ExportFormat::Zip);
    let (host, inbox) = empty();
    let imported = block_on(import(&host, inbox, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (5, 2, 0));
}

#[test]
fn a_message_file_whose_separator_an_earlier_version_kept_is_known_again() {
    for text in ["one\r\n".to_owned(), "many\r\n".repeat(300)] {
        let (host, inbox) = empty();
        let message = format!("Message-ID: <1@x>\r\nSubject: x\r\n\r\n{text}");
        let with = |from: &str| format!("{from}{message}").into_bytes();
        let [raw, other] = ["From ada Thu Jan  1 00:00:00 1970\r\n", "X-Other: y\r\n"].map(with);
        let mut folder: Mailbox =
            block_on(record::get(&host.store, &record::mailbox_key(inbox))).unwrap().unwrap();
        let id = MessageId { mailbox: inbox, uid: folder.uid_next };
        (folder.uid_next, folder.total) = (id.uid + 1, 1);
        let summary = postern_mime::summary(&raw);
        let (message_id, subject) = (summary.message_id, summary.subject);
        let body = Body::Whole { size: raw.len() as u64 };
        let stored = crate::changes::tests::message(id);
        let mut batch = put_body(id, &raw);
        batch.extend(Message { message_id, subject, body, ..stored }.put_listed());
        batch.push(folder.put());
        block_on(host.store.apply(batch, Durability::Strict)).unwrap();
        for (raw, expected) in [(&raw, (0, 1)), (&with(""), (0, 1)), (&other, (1, 0))] {
            let imported = block_on(import(&host, inbox, &mut File::named("x.eml", raw))).unwrap();
            assert_eq!((imported.messages, imported.duplicates), expected);
        }
    }
}

#[test]
fn single_messages_and_foreign_archives_are_read() {
    let (host, inbox) = empty();
    let message = b"Subject: alone\n\nFrom x Thu Jan  1 00:00:00 1970\nlast\n";
    let mut file = File::named("Alone.EML", message);
    assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, 1);
    let (raw, flags, ..) = contents(&host.store).remove(0);
    assert!(raw.ends_with(b"\r\n\r\nFrom x Thu Jan  1 00:00:00 1970\r\nlast\r\n"));
    assert!(flags.seen, "what says nothing of it has been read");

    let mut writer = postern_archive::zip::Writer::new();
    let mbox = "From x Thu Jan  1 00:00:00 1970\nSubject: 1\n\na\n\nFrom x Thu Jan  1 00:00:00 1970\nSubject: 2\nX-Mozilla-Status: 0000\n\nb\n";
    for (name, content) in [
        ("../../../Mail/Inbox", mbox.as_bytes()),
        ("a/b.eml", b"Subject: 3\n\nc\n"),
        ("a/picture.png", b"no mail"),
        ("a/", b""),
        ("empty.eml", b""),
        ("Alone again.eml", message),
    ] {
        writer.start(name, 0, b"").unwrap();
        writer.write(content).unwrap();
    }
    writer.finish().unwrap();
    let mut file = File::named("x.zip", &writer.take_output());
    let imported = block_on(import(&host, inbox, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (3, 1, 2));
    assert!(imported.problems[0].starts_with("a/picture.png: "), "{:?}", imported.problems);
    assert_eq!(texts(&contents(&host.store)).len(), 4);
    let unread = contents(&host.store).iter().filter(|(_, flags, ..)| !flags.seen).count();
    assert_eq!(unread, 1);
}

#[test]
fn what_another_program_has_deleted_and_not_cleared_away_stays_away_and_is_told() {
    let (host, inbox) = empty();
    let mbox = "From x Thu Jan  1 00:00:00 1970\nX-Mozilla-Status: 0009\nSubject: gone\n\na\n\n\
                From x Thu Jan  1 00:00:00 1970\nX-Mozilla-Status: 0001\nSubject: there\n\nb\n";
    let mut file = File::named("Inbox", mbox.as_bytes());
    let imported = block_on(import(&host, inbox, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.skipped), (1, 1));
    assert!(texts(&contents(&host.store))[0].contains("Subject: there"));
}

#[test]
fn a_zip_that_was_cut_is_told_and_not_taken_for_a_message() {
    let (_, file) = written(ExportFormat::Zip);
    let half = &file.bytes[..file.bytes.len() / 2];
    let (host, inbox) = empty();
    let mut file = File::named("half.zip", half);
    assert!(matches!(block_on(import(&host, inbox, &mut file)), Err(MailError::Input(_))));
    assert!(contents(&host.store).is_empty());
}

#[test]
fn keywords_that_no_server_would_take_are_left_out() {
    let (host, inbox) = empty();
    let odd = ["a", &"x".repeat(300), "b]", "\u{fc}"].join(" ");
    let mbox = format!("From x\nX-Keywords: {odd}\nSubject: 1\n\na\n");
    let mut file = File::named("x.mbox", mbox.as_bytes());
    assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, 1);
    let all: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    assert_eq!(all[0].keywords, ["a"]);
}

#[test]
fn a_file_that_is_no_mail_gives_nothing() {
    let (host, inbox) = empty();
    let mut nothing = File::named("x", b"");
    let imported = block_on(import(&host, inbox, &mut nothing)).unwrap();
    assert_eq!(imported, postern_bridge::Imported::default());
    assert_eq!(contents(&host.store), []);
}

#[test]
fn a_file_that_does_not_begin_like_mail_is_refused() {
    let ole = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 5000]].concat();
    let files: [(&str, &[u8]); 6] = [
        ("scan.pdf", b"%PDF-1.7\nSubject: x\n\na\n"),
        ("Letter.msg", &ole),
        ("Letter.eml", &ole),
        ("beach.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01"),
        ("nothing.mbox", &[0; 100_000]),
        ("note\n.txt", b"Dear Ann,\nthe beans are up.\n"),
    ];
    let (host, inbox) = empty();
    for (name, bytes) in files {
        let refused = block_on(import(&host, inbox, &mut File::named(name, bytes)));
        let Err(MailError::Input(sentence)) = refused else { panic!("{name}: {refused:?}") };
        assert!(sentence.starts_with("This is no mail"), "{name}: {sentence}");
    }
    assert_eq!(contents(&host.store), []);
    // In an archive it is passed over.
    let mut writer = postern_archive::zip::Writer::new();
    for (name, bytes) in [("Letter.eml", ole.as_slice()), ("Inbox", b"From x\nSubject: 1\n\na\n")] {
        writer.start(name, 0, b"").unwrap();
        writer.write(bytes).unwrap();
    }
    writer.finish().unwrap();
    let mut file = File::named("x.zip", &writer.take_output());
    let imported = block_on(import(&host, inbox, &mut file)).unwrap();
    assert_eq!(
        (imported.messages, imported.problems.join("|")),
        (1, "Letter.eml: it is no mail".into())
    );
    assert_no_stray_bytes(&host.store);
}

#[test]
fn a_message_that_does_not_begin_with_a_field_is_read_where_its_name_says_that_it_is_one() {
    let messages = [
        "\r\nno header\r\n",
        "\r\nno header, but a note: this\r\n",
        "Microsoft Mail Internet Headers Version 2.0\r\nSubject: x\r\n\r\na\r\n",
        " folded\r\nSubject: x\r\n\r\na\r\n",
    ];
    for message in messages {
        let (host, inbox) = empty();
        for name in ["x.mbox", "x"] {
            let mut file = File::named(name, message.as_bytes());
            assert!(block_on(import(&host, inbox, &mut file)).is_err(), "{message:?}");
        }
        let mut file = File::named("x.EML", message.as_bytes());
        assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, 1, "{message:?}");
        // It is the same in an archive.
        let mut writer = postern_archive::zip::Writer::new();
        writer.start("a/x.eml", 0, b"").unwrap();
        writer.write(message.as_bytes()).unwrap();
        writer.finish().unwrap();
        let mut file = File::named("x.zip", &writer.take_output());
        let imported = block_on(import(&host, inbox, &mut file)).unwrap();
        assert_eq!((imported.duplicates, imported.skipped), (1, 0), "{message:?}");
        assert_eq!(contents(&host.store)[0].0, message.as_bytes());
    }
    for name in ["x.eml", "x.mbox"] {
        let (host, inbox) = empty();
        let mut file = File::named(name, b"Subject : x\r\n\r\na\r\n");
        assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, 1, "{name}");
    }
}

#[test]
fn a_mark_and_in_an_mbox_file_blank_lines_before_the_first_line_are_no_part_of_a_message() {
    let mut files = vec![("x.eml", "\u{feff}".to_owned())];
    for before in ["\u{feff}", "\n\r\n", "\u{feff}\n"] {
        for separator in ["", "From x Thu Jan  1 00:00:00 1970\n"] {
            files.push(("x.mbox", format!("{before}{separator}")));
        }
    }
    for (name, before) in files {
        let (host, inbox) = empty();
        let bytes = format!("{before}Subject: 1\n\na\n");
        let mut file = File::named(name, bytes.as_bytes());
        assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, 1);
        assert_eq!(texts(&contents(&host.store)), ["Subject: 1||||a||"], "{bytes:?}");
    }
}

#[test]
fn a_message_without_a_header_keeps_its_body() {
    let (host, inbox) = empty();
    let mut file = File::named("x.eml", b"\r\nSubject: this is the body\r\n");
    assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, 1);
    assert_eq!(contents(&host.store)[0].0, file.bytes);
    let all: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    assert_eq!(all[0].subject, "");
}

#[test]
fn a_message_that_differs_only_in_its_text_is_another_one() {
    let (host, inbox) = empty();
    let letter = |text: &str| format!("Message-ID: <1@x>\n\n{text}\n");
    for (text, new) in [("a", 1), ("b", 1), ("a", 0), ("a\r\n\r\n", 0)] {
        let mut file = File::named("x.eml", letter(text).as_bytes());
        assert_eq!(block_on(import(&host, inbox, &mut file)).unwrap().messages, new, "{text:?}");
    }
}
