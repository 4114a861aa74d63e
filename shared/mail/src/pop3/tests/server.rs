//! How one logs in, and what a server says about it.

use std::{cell::Cell, rc::Rc, time::Duration};

use postern_bridge::{
    Proof,
    Retention::{Keep, Secondary},
};
use postern_pop3::Command;

use super::{
    watched::{Watched, run_or_end},
    *,
};
use crate::{
    error::Closed,
    pop3::{ServerNotes, limits::LIST_PATIENCE, server::Server},
    store::MemoryStore,
};

/// A server without mail that says no more of itself than this.
fn offering(capabilities: &'static str) -> Maildrop {
    Maildrop { capabilities, ..Maildrop::new(&[]) }
}

const TIMESTAMP: &str = "POP3 <1896.697170952@dbc.mtview.ca.us>";

fn heard_with(server: Maildrop, security: Security) -> String {
    let host = prepared(server, MemoryStore::new());
    let mut account = account(Keep);
    account.incoming.endpoint.security = security;
    run_account(&host, &account, SAFE).unwrap();
    host.server.borrow().heard.clone()
}

#[test]
fn refusals_are_told_apart_and_passing_ones_are_tried_again() {
    let host = prepared(Maildrop::new(&[]), MemoryStore::new());
    let text = || "no".to_owned();
    let cases = [
        ("[AUTH] no", MailError::Login(text()), false),
        ("no", MailError::Login(text()), false),
        ("[IN-USE] no", MailError::Closed(Closed::InUse(text())), true),
        ("[SYS/TEMP] no", MailError::Closed(Closed::Temporary(text())), true),
        ("[SYS/PERM] no", MailError::Closed(Closed::Permanent(text())), false),
        ("[LOGIN-DELAY] no", MailError::Closed(Closed::TooSoon { wait: 300, delay: None }), true),
    ];
    for (refusal, expected, passing) in cases {
        host.server.borrow_mut().log_in_refusal = Some(refusal);
        let error = run(&host, Keep).unwrap_err();
        assert_eq!(error, expected, "{refusal}");
        assert_eq!(error.is_passing(), passing, "{refusal}");
    }
}

#[test]
fn a_server_that_names_wrong_credentials_means_something_else_when_it_does_not() {
    let mut server = Maildrop::new(&[]);
    server.capabilities = "SASL PLAIN\r\nAUTH-RESP-CODE\r\n";
    server.log_in_refusal = Some("not now");
    let host = prepared(server, MemoryStore::new());
    assert!(matches!(run(&host, Keep), Err(MailError::Refused { .. })));
}

#[test]
fn a_server_that_copies_the_mailbox_at_the_log_in_has_as_much_time_as_for_a_list() {
    for capabilities in ["UIDL\r\nUSER\r\n", "UIDL\r\nSASL PLAIN\r\n"] {
        let server = Maildrop { hangs_at_log_in: true, ..offering(capabilities) };
        let host = prepared(server, MemoryStore::new());
        let begun = host.now.get();
        assert_eq!(run(&host, Keep), Err(MailError::TimedOut("the log-in")));
        let waited = Duration::from_millis(begun.abs_diff(host.now.get()));
        assert!(waited >= LIST_PATIENCE, "{waited:?}");
    }
}

/// The log-in at a server over this connection: how it ended, and its lines.
fn log_in(server: Maildrop, security: Security) -> (Result<(), MailError>, Vec<String>) {
    let host = prepared(server, MemoryStore::new());
    let mut account = account(Keep);
    account.incoming.endpoint.security = security;
    let outcome = run_account(&host, &account, SAFE).map(drop);
    let server = host.server.borrow();
    let verbs = ["AUTH ", "USER ", "PASS ", "APOP "];
    let own = server.heard.lines().filter(|line| verbs.iter().any(|verb| line.starts_with(verb)));
    (outcome, own.map(Into::into).collect())
}

const BOTH: &str = "UIDL\r\nUSER\r\nSASL PLAIN\r\nSTLS\r\n";
const AUTH: &str = "AUTH PLAIN AGFubgBzZWNyZXQ=";

#[test]
fn a_server_that_takes_no_initial_response_is_logged_in_to_with_user_and_pass() {
    for security in [Security::Tls, Security::StartTls] {
        let server = Maildrop { without_initial_response: true, ..offering(BOTH) };
        let (outcome, heard) = log_in(server, security);
        assert_eq!(outcome, Ok(()));
        assert_eq!(heard, [AUTH, "USER ann", "PASS secret"]);
    }
}

#[test]
fn a_wrong_password_is_tried_once_more_and_only_where_that_may_help() {
    let refused = |capabilities, refusal, security| {
        log_in(Maildrop { log_in_refusal: Some(refusal), ..offering(capabilities) }, security)
    };
    let (outcome, heard) = refused(BOTH, "no", Security::Tls);
    assert_eq!(outcome, Err(MailError::Login("no".into())));
    assert_eq!(heard, [AUTH, "USER ann", "PASS secret"]);
    // Not after a reason, not where it would show what was hidden, and not what is not offered.
    let scram = "UIDL\r\nUSER\r\nSASL SCRAM-SHA-256\r\n";
    for (capabilities, refusal, security) in [
        (BOTH, "[AUTH] no", Security::Tls),
        (BOTH, "[SYS/TEMP] no", Security::Tls),
        (BOTH, "[SYS/PERM] no", Security::Tls),
        (BOTH, "[IN-USE] no", Security::Tls),
        (BOTH, "[LOGIN-DELAY] no", Security::Tls),
        (BOTH, "[X-NEW] no", Security::Tls),
        (BOTH, "no", Security::Plain),
        (scram, "no", Security::Plain),
        (scram, "[SYS/TEMP] no", Security::Tls),
        ("UIDL\r\nSASL PLAIN\r\n", "no", Security::Tls),
        ("UIDL\r\nUSER\r\nSASL LOGIN\r\n", "no", Security::Tls),
    ] {
        let (outcome, heard) = refused(capabilities, refusal, security);
        assert!(outcome.is_err());
        assert_eq!(heard.len(), 1, "{capabilities} {refusal}: {heard:?}");
    }
}

#[test]
fn where_scram_is_refused_another_way_is_tried_once() {
    let wrong = "[AUTH] wrong";
    for (capabilities, others) in [
        ("UIDL\r\nSASL SCRAM-SHA-256 PLAIN\r\n", &[AUTH][..]),
        ("UIDL\r\nUSER\r\nSASL SCRAM-SHA-1\r\n", &["USER ann", "PASS secret"]),
    ] {
        let scripted = || Maildrop { scram_refusal: Some(wrong), ..offering(capabilities) };
        let (outcome, heard) = log_in(scripted(), Security::Tls);
        assert_eq!(outcome, Ok(()));
        assert_eq!(heard[1..], *others);
        assert!(heard[0].starts_with("AUTH SCRAM-"), "{heard:?}");
        let server = Maildrop { log_in_refusal: Some(wrong), ..scripted() };
        let (outcome, heard) = log_in(server, Security::Tls);
        assert_eq!(outcome, Err(MailError::Login("wrong".into())));
        assert_eq!(heard[1..], *others);
    }
}

#[test]
fn the_way_that_was_taken_after_a_refusal_is_the_only_one_that_is_tried_again() {
    let scram = offering("UIDL\r\nUSER\r\nSASL SCRAM-SHA-256 PLAIN\r\n");
    let scram = Maildrop { scram_refusal: Some("no"), ..scram };
    let old = Maildrop { without_initial_response: true, ..offering(BOTH) };
    for (server, way) in [(scram, "AUTH PLAIN"), (old, "PASS secret")] {
        let host = prepared(server, MemoryStore::new());
        let tries = [(); 3].map(|()| {
            run(&host, Keep).unwrap();
            let heard = std::mem::take(&mut host.server.borrow_mut().heard);
            assert!(heard.contains(way), "{heard}");
            heard.lines().filter(|line| line.starts_with("AUTH ") || *line == "USER ann").count()
        });
        assert_eq!(tries, [2, 1, 1], "{way}");
    }
}

#[test]
fn a_second_try_that_is_never_answered_says_nothing_of_the_password() {
    for others in ["USER\r\nSASL SCRAM-SHA-256\r\n", "SASL SCRAM-SHA-256 PLAIN\r\n"] {
        let capabilities = format!("UIDL\r\n{others}").leak();
        let (scram_refusal, hangs_at_log_in) = (Some("no"), true);
        let server = Maildrop { scram_refusal, hangs_at_log_in, ..offering(capabilities) };
        let host = prepared(server, MemoryStore::new());
        assert_eq!(run(&host, Keep), Err(MailError::TimedOut("the log-in")), "{others}");
    }
}

#[test]
fn a_server_that_hangs_up_on_a_second_try_has_refused_the_log_in() {
    let server = || Maildrop { log_in_refusal: Some("no"), ..offering(BOTH) };
    let host = prepared(server(), MemoryStore::new());
    let (carried, at_user) = (Rc::clone(&host.carried), Rc::new(Cell::new(0)));
    let seen = Rc::clone(&at_user);
    host.server.borrow_mut().watcher = Some(Box::new(move |line| {
        if line.starts_with("USER") {
            seen.set(carried.get());
        }
    }));
    run(&host, Keep).unwrap_err();
    for cut in at_user.get() - "USER ann\r\n".len()..host.carried.get() {
        let host = prepared(server(), MemoryStore::new());
        host.cut.set(Some(cut));
        assert_eq!(run(&host, Keep), Err(MailError::Login("no".into())), "{cut}");
    }
}

#[test]
fn a_password_that_pass_can_not_carry_is_told_as_refused() {
    let server = Maildrop { log_in_refusal: Some("no"), ..offering(BOTH) };
    let host = prepared(server, MemoryStore::new());
    let (account, password) = (account(Keep), Secret::new("two\nlines"));
    let job = Job { account: &account, password: &password, inbox: INBOX, safety: SAFE };
    let outcome = block_on(download(&host, job, &mut |_| {}));
    assert_eq!(outcome, Err(MailError::Login("no".into())));
    assert!(!host.server.borrow().heard.contains("PASS"));
}

#[test]
fn an_access_token_goes_where_one_is_taken_and_nowhere_else() {
    let run_with = |capabilities, refusal| {
        let mut server = Maildrop::new(&[]);
        (server.capabilities, server.log_in_refusal) = (capabilities, refusal);
        server.greeting = TIMESTAMP;
        let host = prepared(server, MemoryStore::new());
        let token = Secret::new("ya29").proving_by(Proof::Token);
        let account = account(Keep);
        let job = Job { account: &account, password: &token, inbox: INBOX, safety: SAFE };
        let outcome = block_on(download(&host, job, &mut |_| {}));
        let heard = host.server.borrow().heard.clone();
        (outcome.map(drop), heard)
    };
    let (outcome, heard) = run_with("UIDL\r\nUSER\r\nSASL PLAIN XOAUTH2\r\n", None);
    assert_eq!(outcome, Ok(()));
    // user=ann, then the token.
    let line = "AUTH XOAUTH2 dXNlcj1hbm4BYXV0aD1CZWFyZXIgeWEyOQEB\n";
    assert!(heard.contains(line) && !heard.contains("USER"), "{heard}");
    let (outcome, _) = run_with("UIDL\r\nSASL OAUTHBEARER\r\n", Some("[AUTH] too old"));
    assert_eq!(outcome, Err(MailError::Token("too old".into())));
    let (outcome, heard) = run_with("UIDL\r\nUSER\r\nSASL OAUTHBEARER\r\n", Some("too old"));
    assert_eq!(outcome, Err(MailError::Token("too old".into())));
    assert!(!heard.contains("USER") && !heard.contains("PASS"), "{heard}");
    let (outcome, heard) = run_with("UIDL\r\nUSER\r\nSASL PLAIN\r\n", None);
    assert!(matches!(outcome, Err(MailError::Unsupported(_))), "{outcome:?}");
    assert!(!["USER", "PASS", "APOP", "AUTH"].iter().any(|own| heard.contains(own)), "{heard}");
}

#[test]
fn the_password_is_not_shown_on_a_line_that_anybody_can_listen_to() {
    let with_timestamp = || {
        let mut server = Maildrop::new(&[]);
        server.greeting = TIMESTAMP;
        server
    };
    let heard = heard_with(with_timestamp(), Security::Plain);
    assert!(heard.contains("APOP ann ") && !heard.contains("AUTH"), "{heard}");
    // Under TLS the usual ways are safe, and better known.
    let heard = heard_with(with_timestamp(), Security::Tls);
    assert!(heard.contains("AUTH PLAIN") && !heard.contains("APOP"), "{heard}");
    // A timestamp without a password kept for it.
    let mut server = with_timestamp();
    server.log_in_refusal = Some("apop");
    let heard = heard_with(server, Security::Plain);
    assert!(heard.contains("APOP ann ") && heard.contains("AUTH PLAIN"), "{heard}");
    // Nothing else is offered.
    let mut server = with_timestamp();
    server.capabilities = "UIDL\r\n";
    let heard = heard_with(server, Security::Tls);
    assert!(heard.contains("APOP ann ") && !heard.contains("USER"), "{heard}");
}

#[test]
fn utf_8_is_asked_for_before_the_log_in() {
    let mut server = Maildrop::new(&[]);
    server.capabilities = "UTF8 USER\r\nSASL PLAIN\r\n";
    let heard = heard_with(server, Security::Tls);
    assert!(heard.starts_with("CAPA\nUTF8\nAUTH PLAIN "), "{heard}");
}

#[test]
fn no_log_in_comes_sooner_than_the_server_allows() {
    let mut server = Maildrop::new(&[]);
    server.capabilities = "UIDL\r\nSASL PLAIN\r\nLOGIN-DELAY 900\r\n";
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    let heard = host.server.borrow().heard.len();
    host.advance(Duration::from_secs(600));
    let too_soon = |wait| Err(MailError::Closed(Closed::TooSoon { wait, delay: Some(900) }));
    assert_eq!(run(&host, Keep), too_soon(300));
    assert_eq!(host.server.borrow().heard.len(), heard, "it was not even asked");
    host.advance(Duration::from_secs(300));
    run(&host, Keep).unwrap();
    // A clock that jumps a year ahead has waited long enough.
    host.advance(Duration::from_secs(365 * 86400));
    run(&host, Keep).unwrap();
}

#[test]
fn a_server_that_complains_before_it_was_known_is_left_alone_as_well() {
    let mut server = Maildrop::new(&[]);
    server.capabilities = "SASL PLAIN\r\nLOGIN-DELAY 60\r\n";
    server.log_in_refusal = Some("[LOGIN-DELAY] too soon");
    let host = prepared(server, MemoryStore::new());
    assert!(run(&host, Keep).is_err());
    let heard = host.server.borrow().heard.len();
    assert!(run(&host, Keep).is_err());
    assert_eq!(host.server.borrow().heard.len(), heard);
}

#[test]
fn what_the_server_says_of_itself_is_remembered() {
    let mut server = Maildrop::new(&[]);
    server.capabilities = "UIDL\r\nEXPIRE 30 USER\r\nIMPLEMENTATION Shlemazle v302\r\n";
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    let notes = block_on(ServerNotes::load(&host.store, AccountId(1))).unwrap();
    assert_eq!(notes.implementation.as_deref(), Some("Shlemazle v302"));
    assert_eq!((notes.expires, notes.login_delay, notes.last_login), (Some(30), None, None));
}

#[test]
fn what_another_program_removes_is_told_but_not_to_a_secondary_computer() {
    let all = ["one", "two"].map(|subject| format!("Subject: {subject}\r\n\r\n").into_bytes());
    for (policy, told) in [(Keep, 1), (Secondary, 0)] {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        assert_eq!(run(&host, policy).unwrap().vanished, 0);
        host.server.borrow_mut().messages.remove(0);
        assert_eq!(run(&host, policy).unwrap().vanished, told, "{policy:?}");
        assert_eq!(run(&host, policy).unwrap().vanished, 0, "each message once");
        assert_complete(&host, &all);
        let notes = block_on(ServerNotes::load(&host.store, AccountId(1))).unwrap();
        assert_eq!(notes.removed_elsewhere, told);
    }
}

const DAY: Duration = Duration::from_secs(86400);

/// What goes missing `days` after the first download at a server that deletes after 30 days; the
/// message was sent `age` days before.
fn missing_after(days: u32, age: u32) -> u32 {
    // The host's clock begins on 14 November 2023.
    let sent = 14 - age;
    let date = format!("{sent} Nov 2023 00:00:00 +0000");
    let all = [format!("Date: {date}\r\nSubject: one\r\n\r\n").into_bytes()];
    let mut server = Maildrop::new(&all);
    server.capabilities = "UIDL\r\nEXPIRE 30\r\n";
    let host = prepared(server, MemoryStore::new());
    run(&host, Keep).unwrap();
    host.advance(DAY * days);
    host.server.borrow_mut().messages.clear();
    run(&host, Keep).unwrap().vanished
}

#[test]
fn what_the_server_deletes_by_itself_is_no_other_program_s_doing() {
    assert_eq!(missing_after(31, 0), 0);
    assert_eq!(missing_after(5, 0), 1, "too early for the server's own rule");
    // It had the message long before it was first asked.
    assert_eq!(missing_after(20, 10), 0);
    assert_eq!(missing_after(5, 10), 1);
}

#[test]
fn what_was_deleted_after_a_backup_was_made_is_no_other_program_s_doing() {
    let all =
        ["one", "two", "three"].map(|subject| format!("Subject: {subject}\r\n\r\n").into_bytes());
    for is_wiped in [true, false] {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        run(&host, Keep).unwrap();
        // As after a restore: the rows count as unverified.
        let mut batch = vec![ServerNotes::forget(AccountId(1))];
        batch.retain(|_| is_wiped);
        let rows = ledger(&host.store).into_iter();
        batch.extend(rows.map(|row| LedgerRow { verified: None, ..row }.put()));
        block_on(host.store.apply(batch, Durability::Strict)).unwrap();
        host.server.borrow_mut().messages.remove(0);
        host.advance(Duration::from_secs(60));
        // A first try does not get through.
        host.cut.set(Some(9));
        run(&host, Keep).unwrap_err();
        host.cut.set(None);
        assert_eq!(run(&host, Keep).unwrap().vanished, 0, "{is_wiped}");
        assert_eq!(removed_elsewhere(&host.store), 0);
        host.server.borrow_mut().messages.remove(0);
        assert_eq!(run(&host, Keep).unwrap().vanished, 1);
        assert_complete(&host, &all);
    }
}

fn removed_elsewhere<D: Store>(store: &D) -> u32 {
    block_on(ServerNotes::load(store, AccountId(1))).unwrap().removed_elsewhere
}

#[test]
fn what_comes_back_is_not_missing_any_more() {
    let all = ["one", "two"].map(|subject| format!("Subject: {subject}\r\n\r\n").into_bytes());
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    let messages = std::mem::take(&mut host.server.borrow_mut().messages);
    run(&host, Keep).unwrap();
    assert_eq!(removed_elsewhere(&host.store), 2);
    host.server.borrow_mut().messages = messages[..1].to_vec();
    run(&host, Keep).unwrap();
    assert_eq!(removed_elsewhere(&host.store), 1);
    assert_complete(&host, &all);
}

#[test]
fn what_is_missing_is_told_even_if_the_process_ends_as_it_is_found_out() {
    let all = ["one", "two"].map(|subject| format!("Subject: {subject}\r\n\r\n").into_bytes());
    let ended_at = |operation: Option<usize>| {
        let mut store = Watched::new();
        let host = prepared(Maildrop::new(&all), store.clone());
        run(&host, Keep).unwrap();
        store.watch(|_, _| {});
        let host = TestHost::with_store(Maildrop::new(&all[..1]), store.clone());
        store.moments.end.set(operation);
        let account = account(Keep);
        run_or_end(run_job(&host, &account, SAFE), &store.moments);
        store.moments.end.set(None);
        (host, store)
    };
    let operations = ended_at(None).1.moments.done.get();
    assert!(operations > 5);
    for operation in 0..operations {
        let (host, store) = ended_at(Some(operation));
        drop(host);
        let later = TestHost::with_store(Maildrop::new(&all[..1]), store.inner.clone());
        run(&later, Keep).unwrap();
        assert_eq!(removed_elsewhere(&later.store), 1, "operation {operation}");
    }
}

#[test]
fn the_largest_message_is_compared_and_one_byte_more_breaks_it_off() {
    let raw = b"Subject: x\r\n\r\na text\r\n".to_vec();
    for (largest, expected) in [(raw.len(), Ok(true)), (raw.len() - 1, Err(()))] {
        let host = prepared(Maildrop::new(std::slice::from_ref(&raw)), MemoryStore::new());
        let handed_out = block_on(async {
            let (login, password) = (account(Keep).incoming, Secret::new("secret"));
            let mut server = Server::open(&host, &login, &password).await?;
            server.largest = largest as u64;
            server.start(Command::Retr(1))?;
            server.content("a message", |_| ()).await
        });
        assert_eq!(handed_out.map_err(drop), expected);
    }
}
