//! Servers that send too much, or never come to an end.

use std::{future::pending, time::Duration};

use super::*;
use crate::imap::news::News;

#[test]
fn an_answer_takes_up_no_more_than_it_may() {
    let run = |megabytes: usize| {
        let host = host_with_inbox();
        let line = format!("* LIST () \"/\" {}\r\n", "x".repeat(1 << 20));
        let mut client = ready(&host, vec![("NOOP", ok(&line.repeat(megabytes)))]);
        now(client.noop(&host))
    };
    assert_eq!(run(63), Ok(()));
    assert!(matches!(run(65), Err(MailError::Protocol(_))));
}

#[test]
fn a_server_that_is_always_still_there_does_not_hold_a_command_for_ever() {
    let host = host_with_inbox();
    let mut client = ready(&host, vec![("NOOP", String::new())]);
    host.wire.borrow_mut().drip = "* OK Still here\r\n".into();
    assert!(matches!(now(client.noop(&host)), Err(MailError::TimedOut(_))));
    let minutes = host.wire.borrow().now / 60_000;
    assert!((30..32).contains(&minutes), "{minutes}");
}

/// How many minutes a client waits for news of a server that says every fifty seconds that it is
/// still there, if it would wait for so many.
fn waits(most: u64) -> i64 {
    let host = host_with_inbox();
    let script = vec![("IDLE", "+ idling\r\n".into()), ("DONE", "A1 OK done\r\n".into())];
    let greeting = "* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n";
    let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
    let selected = Selected { uid_validity: 9, ..Selected::new(INBOX) };
    (client.selected, client.news) = (Some(selected), Some(News::default()));
    host.wire.borrow_mut().drip = "* OK Still here\r\n".into();
    let mut never = Box::pin(pending::<()>());
    let patience = Duration::from_secs(most * 60);
    let (came, news) = now(client.wait_for_news(&host, INBOX, patience, &mut never));
    assert_eq!((came, news), (None, Ok(false)));
    host.wire.borrow().now / 60_000
}

#[test]
fn idle_ends_in_time_however_often_the_server_says_that_it_is_there() {
    assert!((15..17).contains(&waits(15)), "it is time to look at the others");
    assert!((26..30).contains(&waits(60)), "it must be begun anew");
}
