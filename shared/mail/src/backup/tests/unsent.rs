//! What waits to be sent is in a backup.

use postern_bridge::{Address, OutgoingMessage};

use super::{
    restoring::{restored, restored_into},
    *,
};
use crate::outbox;

/// Puts a message into the outbox; its number.
pub(super) fn enqueue(host: &TestStore<MemoryStore>, subject: &str) -> u32 {
    let own = super::account(3, Protocol::Pop3);
    let address = |address: &str| Address { name: String::new(), address: address.into() };
    let draft = OutgoingMessage {
        to: vec![address("cleo@example.org")],
        bcc: vec![address("dan@example.org")],
        subject: subject.into(),
        text: "Hello.\n".into(),
        ..OutgoingMessage::empty(own.id)
    };
    block_on(outbox::enqueue(host, &own, &draft, None)).unwrap()
}

#[test]
fn a_message_that_waits_to_be_sent_comes_back_once_and_is_not_sent_by_itself() {
    let host = filled(MemoryStore::new());
    let id = enqueue(&host, "On its way");
    let [was] = &block_on(outbox::entries(&host)).unwrap()[..] else { panic!("one waits") };
    let (_, mut file) = saved(&host, ExportFormat::Zip);

    let (after, imported) = restored(&mut file);
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (8, 0, 0));
    let [is] = &block_on(outbox::entries(&after)).unwrap()[..] else { panic!("one is restored") };
    assert_eq!(is.state, outbox::State::Uncertain, "it may have been sent since");
    assert_eq!((&is.sender, &is.recipients), (&was.sender, &was.recipients));
    assert_eq!((&is.subject, &is.message_id), (&was.subject, &was.message_id));
    let raw = block_on(outbox::raw(&host, id)).unwrap();
    assert_eq!(block_on(outbox::raw(&after, is.id)).unwrap(), raw);

    let (again, imported) = restored_into(after.store, &mut file);
    assert_eq!((imported.messages, imported.duplicates), (0, 8));
    assert_eq!(block_on(outbox::entries(&again)).unwrap().len(), 1);
    // Where it was never lost it stays as it is.
    let (same, imported) = restored_into(host.store, &mut file);
    assert_eq!((imported.messages, imported.duplicates), (0, 8));
    let [is] = &block_on(outbox::entries(&same)).unwrap()[..] else { panic!("one waits") };
    assert_eq!(is, was);
}

#[test]
fn the_copy_of_a_sent_message_comes_back_as_that() {
    let host = filled(MemoryStore::new());
    enqueue(&host, "Sent");
    let mut was = block_on(outbox::entries(&host)).unwrap().remove(0);
    was.state = outbox::State::Unfiled("It is full.".into());
    block_on(host.store.apply(vec![was.put()], Durability::Strict)).unwrap();
    let (_, mut file) = saved(&host, ExportFormat::Zip);
    let (after, _) = restored(&mut file);
    assert_eq!(block_on(outbox::entries(&after)).unwrap()[0].state, was.state);
}

#[test]
fn an_unsent_message_of_a_backup_that_can_not_be_sent_is_left_out_and_told() {
    let host = filled(MemoryStore::new());
    let own = super::account(3, Protocol::Pop3);
    let entry = |recipients: &[&str]| outbox::Entry {
        id: 0,
        account: own.id,
        sender: "ann3@example.org".into(),
        recipients: recipients.iter().map(|own| (*own).into()).collect(),
        subject: "On its way".into(),
        message_id: "waits@example.org".into(),
        state: outbox::State::Queued,
        created: 0,
        filed: false,
        size: 0,
        eight_bit: false,
        origin: None,
    };
    for recipients in [&[][..], &["nobody"], &["cleo@example.org", "x@y\r\nRCPT TO:<z@y>"]] {
        let restored = block_on(outbox::restore(&host, entry(recipients), b"Subject: x\r\n\r\n"));
        assert!(matches!(restored, Err(MailError::Input(_))), "{recipients:?}: {restored:?}");
    }
    assert_eq!(block_on(outbox::entries(&host)).unwrap(), []);
}
