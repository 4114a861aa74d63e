//! Access tokens in place of passwords, against Dovecot.

use std::io::Write;

use anyhow::{Context, Result};
use postern_bridge::{Proof, Security, ServerLogin};
use postern_mail::{MailError, Secret, imap::ImapClient, pop3};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    native::{NativeHost, endpoint},
};

use super::run;

#[test]
fn a_token_logs_in_and_one_that_is_refused_is_told_as_one() -> Result<()> {
    run(async || {
        for mechanism in ["oauthbearer", "xoauth2"] {
            let Some(dovecot) = Dovecot::taking_tokens(mechanism)? else {
                // Past what the test harness captures.
                let skipped = "SKIPPED: since 2.4 Dovecot takes no tokens that nobody has issued";
                writeln!(std::io::stderr(), "{}: {skipped}", module_path!())?;
                return Ok(());
            };
            let host = NativeHost::trusting([dovecot.authority.root()]);
            let login = |address| ServerLogin {
                endpoint: endpoint(address, Security::Tls),
                username: "ben".into(),
            };
            let (imap, pop3s) = (login(dovecot.imaps), login(dovecot.pop3s));
            let token = |text: &str| Secret::new(text).proving_by(Proof::Token);

            let valid = token(PASSWORD);
            let client = ImapClient::connect(&host, &imap, &valid).await?;
            client.logout(&host).await;
            assert!(pop3::test(&host, &pop3s, &valid).await?.found.contains("works"));

            let expired = token("expired");
            let refused = ImapClient::connect(&host, &imap, &expired).await.err();
            let by_pop3 = pop3::test(&host, &pop3s, &expired).await.err();
            for error in [refused, by_pop3] {
                let error = error.context("an expired token logs in")?;
                assert!(matches!(error, MailError::Token(_)), "{mechanism}: {error:?}");
                let sentence = error.problem("mail.example.org").sentence;
                assert!(sentence.contains("has probably expired"), "{sentence}");
            }
            // What is a password is never sent as a token.
            let password = Secret::new(PASSWORD);
            let error = pop3::test(&host, &pop3s, &password).await.err();
            assert!(error.is_some(), "{mechanism} with a password");
        }
        Ok(())
    })
}
