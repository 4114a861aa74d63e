//! Rows that come and go, and the cursor among them.

use postern_bridge::Flags;

use super::*;

pub(in crate::state) const MAILBOX: MailboxId = MailboxId(1);

/// A row of one unread message.
pub(in crate::state) fn row(uid: u32) -> Row {
    Row {
        id: MessageId { mailbox: MAILBOX, uid },
        key: MessageId { mailbox: MAILBOX, uid },
        messages: 1,
        unread: 1,
        correspondents: String::new(),
        subject: String::new(),
        preview: String::new(),
        date: 0,
        flags: Flags::default(),
        keywords: vec![],
        has_attachments: false,
    }
}

fn rows(uids: impl IntoIterator<Item = u32>) -> Vec<Row> {
    uids.into_iter().map(row).collect()
}

fn open(total: u32, uids: impl IntoIterator<Item = u32>) -> List {
    let mut list = List::default();
    list.open(Some(MAILBOX));
    list.apply(MAILBOX, total, 0, rows(uids), true, Shown::Messages);
    list
}

#[test]
fn rows_of_another_mailbox_are_ignored() {
    let mut list = open(2, [2, 1]);
    list.apply(MailboxId(9), 7, 0, rows([7]), true, Shown::Messages);
    assert_eq!(list.total(), Some(2));
}

#[test]
fn rows_of_another_search_are_ignored_and_the_old_ones_stay_until_the_answer_comes() {
    let search = |request| Search {
        request,
        scope: SearchScope::Mailbox,
        query: "beans".into(),
        state: None,
    };
    let view = |request| Shown::Found(SearchView { request, state: SearchState::Searching });
    let mut list = open(2, [2, 1]);
    list.put_cursor(1);
    list.search(Some(search(7)));
    list.apply(MAILBOX, 2, 0, rows([2, 1]), true, Shown::Messages);
    list.apply(MAILBOX, 2, 0, rows([5, 6]), true, view(6));
    assert_eq!((list.total(), list.cursor()), (Some(2), 1));
    list.apply(MAILBOX, 2, 0, rows([9, 1]), true, view(7));
    assert_eq!((list.row(0).unwrap().id.uid, list.cursor()), (9, 0));
    assert_eq!(list.searched().unwrap().state, Some(SearchState::Searching));
    list.search(None);
    list.apply(MAILBOX, 2, 0, rows([9, 1]), true, view(7));
    assert_eq!(list.row(0).unwrap().id.uid, 9);
    list.apply(MAILBOX, 2, 0, rows([2, 1]), true, Shown::Messages);
    assert_eq!((list.row(0).unwrap().id.uid, list.searched()), (2, None));
}

#[test]
fn windows_of_an_unchanged_list_add_up() {
    let mut list = open(4, [4, 3]);
    list.apply(MAILBOX, 4, 2, rows([2, 1]), true, Shown::Messages);
    assert_eq!((0..4).filter_map(|i| list.row(i)).count(), 4);
}

#[test]
fn rows_are_asked_for_once() {
    let mut list = List::default();
    list.open(Some(MAILBOX));
    assert_eq!(list.ask(&(0..0)), Some(0..50));
    list.apply(MAILBOX, 1000, 0, rows((950..1000).rev()), true, Shown::Messages);
    assert_eq!(list.ask(&(0..20)), None);
    assert_eq!(list.ask(&(31..51)), Some(0..150));
    list.open(Some(MailboxId(2)));
    assert_eq!(list.ask(&(0..0)), Some(0..50));
}

#[test]
fn a_changed_total_forgets_rows_whose_numbers_no_longer_hold() {
    let mut list = open(4, [4, 3, 2, 1]);
    list.apply(MAILBOX, 5, 0, rows([5, 4]), true, Shown::Messages);
    assert_eq!(list.row(1).unwrap().id.uid, 4);
    assert_eq!(list.row(2), None);
}

#[test]
fn the_cursor_stays_on_its_message_when_mail_arrives() {
    let mut list = open(3, [3, 2, 1]);
    list.put_cursor(1);
    list.apply(MAILBOX, 4, 0, rows([4, 3, 2, 1]), true, Shown::Messages);
    assert_eq!(list.cursor(), 2);
}

#[test]
fn the_cursor_stays_in_the_list() {
    let mut list = open(3, [3, 2, 1]);
    list.move_cursor(99);
    assert_eq!(list.cursor(), 2);
    list.move_cursor(-99);
    assert_eq!(list.cursor(), 0);
    list.put_cursor(2);
    list.apply(MAILBOX, 1, 0, rows([3]), true, Shown::Messages);
    assert_eq!(list.cursor(), 0);
    list.apply(MAILBOX, 0, 0, vec![], true, Shown::Messages);
    assert_eq!(list.cursor(), 0);
}

#[test]
fn a_message_is_marked_before_its_row_is_known() {
    let mut list = List::default();
    list.open(Some(MAILBOX));
    list.mark(MessageId { mailbox: MAILBOX, uid: 2 });
    list.apply(MAILBOX, 3, 0, rows([3, 2, 1]), false, Shown::Messages);
    assert_eq!(list.cursor(), 1);
}

#[test]
fn a_list_of_conversations_keeps_its_cursor_on_the_one_that_is_open() {
    let mut list = open(4, [4, 3, 2, 1]);
    list.put_cursor(1);
    list.apply(MAILBOX, 2, 0, rows([4, 3]), true, Shown::Conversations);
    assert!(list.is_grouped());
    assert_eq!((list.cursor(), list.row(2)), (1, None));
    // An answer comes to the one under the cursor, which is on top now, and goes by the same key.
    let id = |uid| MessageId { mailbox: MAILBOX, uid };
    let mut now = rows([5, 4]);
    now[0].key = id(3);
    list.apply(MAILBOX, 2, 0, now, true, Shown::Conversations);
    assert_eq!((list.cursor(), list.find(id(3)).unwrap().id), (0, id(5)));
    // It goes by another key.
    list.rekey(id(3), id(2));
    let mut now = rows([6, 5]);
    now[1].key = id(2);
    list.apply(MAILBOX, 2, 0, now, true, Shown::Conversations);
    assert_eq!(list.cursor(), 1);
    list.put_cursor(0);
    list.rekey(id(2), id(9));
    assert_eq!(list.cursor(), 0, "it is elsewhere");
    // As single messages again, it is on the newest one of its conversation.
    list.rekey(id(6), id(1));
    list.apply(MAILBOX, 4, 0, rows([7, 6, 5, 1]), true, Shown::Messages);
    assert_eq!(list.cursor(), 1);
}

#[test]
fn a_conversation_is_marked_by_any_message_that_is_its_row() {
    let mut list = open(2, [4, 3]);
    let id = |uid| MessageId { mailbox: MAILBOX, uid };
    list.mark(id(8));
    let mut now = rows([9, 8]);
    now[1].key = id(1);
    list.apply(MAILBOX, 2, 0, now, true, Shown::Conversations);
    assert_eq!(list.cursor(), 1);
    // It was marked by its message, and is followed by its key.
    let mut now = rows([11, 10, 9]);
    now[0].key = id(1);
    list.apply(MAILBOX, 3, 0, now, true, Shown::Conversations);
    assert_eq!(list.cursor(), 0);
}

#[test]
fn rows_kept_do_not_grow_with_the_mailbox() {
    let mut list = open(100_000, 0..50);
    for start in (50..20_000).step_by(50) {
        list.apply(MAILBOX, 100_000, start, rows(start..start + 50), true, Shown::Messages);
    }
    assert!(list.rows.len() <= 2 * KEPT_AROUND as usize + 50);
    assert!(list.row(19_999).is_some());
}
