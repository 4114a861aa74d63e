//! What servers answer, and what people write.

use super::{
    super::{discard, mark_filed, mark_unfiled, raw, retry, test},
    *,
};
use crate::{
    record::CHUNK,
    store::{KeyRange, Table},
    testing::FailingStore,
};
use postern_bridge::{Attachment, Proof};

fn host() -> TestHost<Submission> {
    TestHost::new(Submission::new())
}

fn failed_sentence(host: &TestHost<Submission>) -> String {
    match entry(host).state {
        State::Failed(sentence) => sentence,
        state => panic!("{state:?}"),
    }
}

#[test]
fn a_message_arrives_as_it_was_written_and_blind_copies_stay_blind() {
    let host = host();
    let id = queue(&host);
    let mut states = Vec::new();
    let password = Secret::new("secret");
    let mut changed = |entry: &Entry| states.push(entry.state.clone());
    block_on(transmit(&host, &account(), &password, id, &mut changed)).unwrap();
    assert_eq!(states, [State::Sending, State::Committing, State::Sent]);
    let taken = host.server.borrow().taken[0].clone();
    assert_eq!(taken.recipients, ["ben@example.org", "cy@example.org"]);
    assert_eq!(taken.raw.as_bytes(), block_on(raw(&host, id)).unwrap());
    assert!(!taken.raw.contains("cy@example.org"));
    assert!(taken.raw.contains("\r\n.\r\n"), "a lone dot survives");
    assert!(taken.raw.contains(&format!("Message-ID: <{}>", entry(&host).message_id)));
}

#[test]
fn a_large_message_arrives_whole() {
    let host = host();
    let mut draft = draft();
    draft.attachments.push(Attachment {
        name: "large.bin".into(),
        media_type: String::new(),
        content: vec![7; 2 * CHUNK],
    });
    let id = take(&host, &draft).unwrap();
    send(&host, id).unwrap();
    assert_eq!(host.server.borrow().taken[0].raw.as_bytes(), block_on(raw(&host, id)).unwrap());
}

#[test]
fn a_refused_recipient_is_named_and_nobody_gets_the_message() {
    let host = host();
    host.server.borrow_mut().answers.insert("RCPT TO:<cy@example.org>", "550 5.1.1 who?\r\n");
    let id = queue(&host);
    send(&host, id).unwrap();
    let sentence = failed_sentence(&host);
    assert!(sentence.contains("cy@example.org") && sentence.contains("who?"), "{sentence}");
    assert!(host.server.borrow().heard.ends_with("RSET\n"));
    assert!(!host.server.borrow().heard.contains("DATA"));
}

#[test]
fn permanent_refusals_fail_and_passing_ones_wait() {
    let permanent = [("MAIL FROM:<ann@example.org> SIZE=", "550"), ("DATA", "554"), (".", "552")];
    for (line, code) in permanent {
        for passing in [false, true] {
            let host = host();
            let id = queue(&host);
            let line = match line {
                "DATA" | "." => line.to_owned(),
                mail => format!("{mail}{}", entry(&host).size),
            };
            let code = if passing { "451" } else { code };
            let answer: &'static str = format!("{code} 9.9.9 not so\r\n").leak();
            host.server.borrow_mut().answers.insert(line.leak(), answer);
            let outcome = send(&host, id);
            if passing {
                let error = outcome.unwrap_err();
                assert_eq!(error, MailError::Unavailable("9.9.9 not so".into()));
                assert!(error.is_passing());
                assert_eq!(entry(&host).state, State::Queued);
            } else {
                assert_eq!(outcome, Ok(()));
                assert!(failed_sentence(&host).contains("not so"));
            }
        }
    }
}

#[test]
fn a_wrong_password_is_the_account_s_fault_and_the_message_waits() {
    let host = host();
    let id = queue(&host);
    host.server.borrow_mut().answers.insert("AUTH PLAIN AGFubgBzZWNyZXQ=", "535 5.7.8 wrong\r\n");
    let error = send(&host, id).unwrap_err();
    assert_eq!(error, MailError::Login("wrong".into()));
    assert!(error.refuses_log_in() && !error.is_passing(), "another try may lock the account");
    assert_eq!(entry(&host).state, State::Queued);
}

#[test]
fn a_server_that_puts_one_off_is_asked_again_and_one_that_refuses_is_not() {
    for (lines, answer, is_asked_again, is_log_in) in [
        (&["EHLO [127.0.0.1]"][..], "421 4.3.2 not now\r\n", true, false),
        (&["EHLO [127.0.0.1]", "HELO [127.0.0.1]"], "554 5.7.1 not you\r\n", false, false),
        // More tries may lock the account.
        (&["AUTH PLAIN"], "421 4.7.0 too many tries\r\n", false, true),
    ] {
        let host = host();
        let id = queue(&host);
        host.server.borrow_mut().answers.extend(lines.iter().map(|line| (*line, answer)));
        let error = send(&host, id).unwrap_err();
        assert_eq!(error.is_passing(), is_asked_again, "{error:?}");
        assert_eq!(error.refuses_log_in(), is_log_in, "{error:?}");
        assert_eq!(entry(&host).state, State::Queued);
    }
}

#[test]
fn a_log_in_that_is_put_off_is_tried_again() {
    let host = host();
    let id = queue(&host);
    host.server.borrow_mut().answers.insert("AUTH PLAIN", "454 4.7.0 not now\r\n");
    let error = send(&host, id).unwrap_err();
    assert_eq!(error, MailError::Unavailable("not now".into()));
    assert!(error.is_passing());
    assert_eq!(entry(&host).state, State::Queued);
}

#[test]
fn where_scram_is_refused_another_way_is_tried_once() {
    let host = host();
    let id = queue(&host);
    let mut server = host.server.borrow_mut();
    server.offers = "250-mail\r\n250 AUTH SCRAM-SHA-256 PLAIN\r\n";
    server.answers.insert("AUTH SCRAM-SHA-256", "535 5.7.8 wrong\r\n");
    server.answers.insert("AUTH PLAIN", "535 5.7.8 wrong\r\n");
    drop(server);
    assert_eq!(send(&host, id), Err(MailError::Login("wrong".into())));
    assert_eq!(host.server.borrow().heard.matches("AUTH ").count(), 2);
    // However it puts an end to it, the password is wrong.
    host.server.borrow_mut().answers.insert("AUTH PLAIN", "421 4.7.0 too many tries\r\n");
    assert_eq!(send(&host, id), Err(MailError::Login("wrong".into())));
    // What says nothing of the password is told as it is.
    host.server.borrow_mut().answers.insert("AUTH PLAIN", "454 4.7.0 not now\r\n");
    assert_eq!(send(&host, id), Err(MailError::Unavailable("not now".into())));
    host.server.borrow_mut().answers.insert("AUTH PLAIN", "");
    assert_eq!(send(&host, id), Err(MailError::TimedOut("the log-in")));
    host.server.borrow_mut().answers.remove("AUTH PLAIN");
    assert_eq!(send(&host, id), Ok(()));
    assert_eq!(host.server.borrow().taken.len(), 1);
    // The next time it is the first.
    host.server.borrow_mut().heard.clear();
    assert_eq!(send(&host, queue(&host)), Ok(()));
    assert_eq!(host.server.borrow().heard.matches("AUTH ").count(), 1);
    assert_eq!(host.server.borrow().taken.len(), 2);
}

#[test]
fn a_token_that_has_expired_is_told_and_the_message_waits() {
    let host = host();
    host.server.borrow_mut().offers = "250-mail\r\n250 AUTH PLAIN XOAUTH2\r\n";
    let id = queue(&host);
    let mut server = host.server.borrow_mut();
    // user=ann, then the token.
    let log_in = "AUTH XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgeWEyOQEB";
    // What is wrong, for which the server wants an answer before it refuses.
    server.answers.insert(log_in, "334 eyJzdGF0dXMiOiI0MDEifQ==\r\n");
    server.answers.insert("", "535 5.7.8 too old\r\n");
    drop(server);
    let token = Secret::new("ya29").proving_by(Proof::Token);
    let send = || block_on(transmit(&host, &account(), &token, id, &mut |_| {})).map(drop);
    assert_eq!(send(), Err(MailError::Token("too old".into())));
    assert_eq!(entry(&host).state, State::Queued);
    host.server.borrow_mut().offers = "250-mail\r\n250 AUTH PLAIN\r\n";
    let outcome = send();
    assert!(matches!(outcome, Err(MailError::Unsupported(_))), "{outcome:?}");
    assert!(!host.server.borrow().heard.contains("AUTH PLAIN"));
}

#[test]
fn a_message_that_the_server_can_not_take_is_not_offered() {
    let host = host();
    host.server.borrow_mut().offers = "250-mail\r\n250 SIZE 10\r\n";
    let id = queue(&host);
    send(&host, id).unwrap();
    assert!(failed_sentence(&host).contains("too large"));
    assert!(!host.server.borrow().heard.contains("MAIL"));
}

#[test]
fn a_required_upgrade_comes_before_the_password_or_there_is_none() {
    let host = host();
    let mut login = account().outgoing;
    login.endpoint.security = Security::StartTls;
    let password = Secret::new("secret");
    assert!(block_on(test(&host, &login, &password)).unwrap().found.contains("works"));
    let heard = host.server.borrow().heard.clone();
    assert!(
        heard.starts_with("EHLO [127.0.0.1]\nSTARTTLS\nEHLO [127.0.0.1]\nAUTH PLAIN "),
        "{heard}"
    );
    host.server.borrow_mut().heard.clear();
    host.server.borrow_mut().offers = "250-mail\r\n250 AUTH PLAIN\r\n";
    assert_eq!(block_on(test(&host, &login, &password)), Err(MailError::Unsupported("STARTTLS")));
    assert!(!host.server.borrow().heard.contains("AUTH"));
}

#[test]
fn what_can_not_be_sent_is_not_queued() {
    let host = host();
    for recipient in ["", "ben", "b@c>\r\nDATA", "b c@d"] {
        let mut draft = draft();
        draft.to = vec![address(recipient)];
        let refused = take(&host, &draft);
        assert!(matches!(refused, Err(MailError::Input(_))), "{recipient:?}");
    }
    let mut nobody = draft();
    nobody.to.clear();
    nobody.bcc.clear();
    assert!(take(&host, &nobody).is_err());
    assert_eq!(block_on(entries(&host)).unwrap(), []);
}

#[test]
fn a_message_with_a_broken_id_can_be_answered() {
    let host = host();
    let mut draft = draft();
    draft.references = vec!["fine@example.org".into(), "not <fine>".into()];
    let id = take(&host, &draft).unwrap();
    let raw = String::from_utf8(block_on(raw(&host, id)).unwrap()).unwrap();
    assert!(raw.contains("References: <fine@example.org>"));
}

#[test]
fn only_what_was_sent_is_filed_and_then_its_bytes_are_dropped() {
    let host = host();
    let id = queue(&host);
    assert!(block_on(mark_filed(&host, id)).is_err());
    send(&host, id).unwrap();
    block_on(mark_filed(&host, id)).unwrap();
    assert!(entry(&host).filed);
    assert!(block_on(raw(&host, id)).is_err());
    assert!(block_on(retry(&host, id)).is_err());
}

#[test]
fn a_copy_that_was_refused_is_kept_until_the_person_has_it_filed_or_drops_it() {
    let host = host();
    let id = queue(&host);
    let refuse = || block_on(mark_unfiled(&host, id, "It is full.".into()));
    assert!(refuse().is_err(), "it is not sent");
    send(&host, id).unwrap();
    refuse().unwrap();
    assert_eq!(entry(&host).state, State::Unfiled("It is full.".into()));
    assert!(refuse().is_err() && block_on(mark_filed(&host, id)).is_err());
    assert!(!block_on(raw(&host, id)).unwrap().is_empty());
    assert_eq!(block_on(retry(&host, id)).unwrap().state, State::Sent, "it is not sent twice");
    assert!(block_on(discard(&host, id)).is_err());
    refuse().unwrap();
    block_on(discard(&host, id)).unwrap();
    assert_eq!(block_on(entries(&host)).unwrap(), []);
}

#[test]
fn a_message_that_waits_is_left_as_it_is_by_a_retry_and_one_on_its_way_has_none() {
    let host = TestHost::with_store(Submission::new(), FailingStore::default());
    let id = queue(&host);
    let (queued, writes) = (entry(&host), host.store.writes.get());
    assert_eq!(block_on(retry(&host, id)), Ok(queued.clone()));
    assert_eq!(host.store.writes.get(), writes);
    for state in [State::Sending, State::Committing] {
        let busy = Entry { state, ..queued.clone() };
        block_on(host.store.apply(vec![busy.put()], Durability::Strict)).unwrap();
        let refused = block_on(retry(&host, id)).unwrap_err();
        assert_eq!(refused, MailError::Input("The message is already on its way.".into()));
        assert_eq!(entry(&host), busy);
    }
}

#[test]
fn a_discarded_message_leaves_nothing_behind() {
    let host = host();
    let other = queue(&host);
    let id = queue(&host);
    block_on(discard(&host, id)).unwrap();
    assert_eq!(entry(&host).id, other);
    assert!(!block_on(raw(&host, other)).unwrap().is_empty());
    block_on(discard(&host, other)).unwrap();
    let keys = block_on(host.store.keys(Table::Outbox, &KeyRange::all())).unwrap();
    assert_eq!(keys, []);
}

#[test]
fn the_same_request_again_is_the_same_message() {
    let host = host();
    let first = queue(&host);
    let origin = Some((ClientId(7), 1));
    let again = || block_on(enqueue(&host, &account(), &draft(), origin)).unwrap();
    let second = again();
    assert_ne!(first, second);
    assert_eq!(again(), second);
    assert_eq!(block_on(entries(&host)).unwrap().len(), 2);
}

#[test]
fn a_message_of_an_account_that_is_gone_is_not_taken() {
    let host = host();
    let refused = block_on(enqueue(&host, &account(), &draft(), None));
    assert_eq!(refused, Err(MailError::Gone("account")));
    assert_eq!(block_on(entries(&host)).unwrap(), []);
}

#[test]
fn what_was_sent_is_not_dropped_before_its_copy_is_made() {
    let host = host();
    let id = queue(&host);
    send(&host, id).unwrap();
    assert!(block_on(discard(&host, id)).is_err());
    assert!(block_on(raw(&host, id)).is_ok());
}
