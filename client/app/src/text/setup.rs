//! Setting up an account.

pub(crate) const WELCOME: &str = "Welcome to Postern";
pub(crate) const WELCOME_DETAIL: &str = "A mail client that lives in your browser and talks to your mail provider itself. Your mail is kept by your provider or in this browser, and nowhere else.";
pub(crate) const ADD_TITLE: &str = "Add an account";
pub(crate) const DEMO_TITLE: &str = "Just looking?";
pub(crate) const DEMO_DETAIL: &str = "A demo mailbox with invented mail runs beside this page. Read it, answer it, try everything; nothing leaves this machine.";
pub(crate) const DEMO: &str = "Try the demo";
pub(crate) const DEMO_POP3: &str = "Try it with POP3";
pub(crate) const DEMO_NAME: &str = "Demo";
pub(crate) const OWN_TITLE: &str = "Your own mail";
pub(crate) const NAME: &str = "Your name";
pub(crate) const NAME_HINT: &str = "Others see it beside your address.";
pub(crate) const ADDRESS: &str = "Mail address";
pub(crate) const PASSWORD: &str = "Password";
pub(crate) const PASSWORD_HINT: &str =
    "Kept encrypted in this browser. Some providers want an app password here.";
pub(crate) const TOKEN: &str = "It is an access token (OAuth 2.0), not a password";
pub(crate) const TOKEN_MEANS: &str = "Paste the token in place of the password; it is kept encrypted in this browser and sent by OAUTHBEARER or XOAUTH2. Tokens expire: when your server refuses this one, put a new one in its place.";
pub(crate) const CHOICE_TITLE: &str = "How should your mail come in?";
pub(crate) const DEVICES: &str = "On how many devices do you read this mail?";
pub(crate) const DEVICES_SEVERAL: &str = "Several, or a phone too";
pub(crate) const DEVICES_ONE: &str = "Only here";
pub(crate) const KEEPING: &str = "Where should your mail be kept?";
pub(crate) const KEEPING_PROVIDER: &str = "At my provider";
pub(crate) const KEEPING_HERE: &str = "Here, in this browser";
pub(crate) const IMAP: &str = "IMAP";
pub(crate) const IMAP_DETAIL: &str =
    "Mail and folders stay on the server. Every device sees the same.";
pub(crate) const POP3: &str = "POP3";
pub(crate) const POP3_DETAIL: &str =
    "Mail is downloaded into this browser and can be read without a network.";
pub(crate) const RECOMMENDED: &str = "Fits you";
pub(crate) const WHY_IMAP_SEVERAL: &str =
    "IMAP fits: each device shows the same mail, read marks and folders.";
pub(crate) const WHY_IMAP_SEVERAL_THOUGH_HERE: &str = "IMAP fits better: with several devices, mail that one of them downloads would be missing on the others. What you have opened can be read offline with IMAP as well.";
pub(crate) const WHY_IMAP_PROVIDER: &str =
    "IMAP fits: your mail and folders stay at your provider, who also backs them up.";
pub(crate) const WHY_IMAP_ONE: &str =
    "IMAP fits in most cases, and lets you add a second device later.";
pub(crate) const WHY_POP3: &str = "POP3 fits: all of your mail is stored here and opens at once, also offline. Then it is for you to back it up.";
pub(crate) const NOT_BOTH: &str =
    "Use one of them for a mailbox, on all of your devices: mixed, mail may seem to vanish.";
pub(crate) const RETENTION: &str = "On the server, after a message is stored here";
pub(crate) const RETENTION_KEEP: &str = "Keep it (recommended)";
pub(crate) const RETENTION_DELETE: &str = "Delete it once it is safely stored";
pub(crate) const RETENTION_DAYS_BEFORE: &str = "Delete it after";
pub(crate) const RETENTION_DAYS_AFTER: &str = "days";
pub(crate) const RETENTION_DELETES: &str = "Each message will be deleted from the server as soon as it is stored here. From then on this browser holds the only copy: other devices will not see it, and if you clear this browser's data or lose this device, your mail is gone for good.";
pub(crate) fn retention_deletes_after(days: u16) -> String {
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    format!(
        "Each message will be deleted from the server {days} after it was stored here. From then on this browser holds the only copy."
    )
}
pub(crate) const SERVERS_TITLE: &str = "Servers";
pub(crate) const SERVERS_DETAIL: &str =
    "What you leave as it is was found, or guessed from your address.";
pub(crate) const INCOMING: &str = "Incoming mail";
pub(crate) const OUTGOING: &str = "Outgoing mail";
pub(crate) const HOST: &str = "Server";
pub(crate) const PORT: &str = "Port";
pub(crate) const SECURITY: &str = "Protection";
pub(crate) const SECURITY_TLS: &str = "TLS (recommended)";
pub(crate) const SECURITY_STARTTLS: &str = "STARTTLS";
pub(crate) const SECURITY_PLAIN: &str = "None";
pub(crate) const USERNAME: &str = "User name";
pub(crate) const UNPROTECTED: &str = "Without protection, anybody on the way can read your password and your mail. Choose this only for a server of your own, on your own network.";
pub(crate) const TLS_END: &str = "Who makes the secure connection?";
pub(crate) const TLS_END_PROXY: &str = "This Postern's proxy";
pub(crate) const TLS_END_BROWSER: &str = "This browser";
pub(crate) const TLS_END_PROXY_MEANS: &str = "Whoever operates the proxy could read your password and your mail as they pass through; it stores neither. Choose this if your server's certificate comes from an authority that the operator trusts, or if this device is too slow.";
pub(crate) const TLS_END_BROWSER_MEANS: &str = "The proxy carries what it can't read: only this browser and your mail server can read your mail. The server needs a certificate of a public authority, or one that you confirm by its fingerprint.";
pub(crate) const TEST: &str = "Test";
pub(crate) const TESTING: &str = "Testing…";
pub(crate) const ADD: &str = "Add account";
pub(crate) const ADDING: &str = "Adding…";
pub(crate) const WORKS: &str = "These settings work.";
pub(crate) const ADDRESS_WRONG: &str = "Write your mail address, such as name@example.org.";
pub(crate) const PASSWORD_MISSING: &str = "Write the password of your mail account.";
pub(crate) const HOST_WRONG: &str = "Write the server's name, such as imap.example.org.";
pub(crate) const PORT_WRONG: &str = "A port is a number from 1 to 65535.";
pub(crate) const USERNAME_MISSING: &str =
    "Write the name to log in with; often it is your mail address.";
