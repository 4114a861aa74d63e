//! A real Cyrus IMAP, on ports of its own, in a directory of its own.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    certificate::Authority, dovecot::PASSWORD, ports::Addresses, program::Program,
    unpacked::Unpacked,
};

/// How often it is tried, with other ports each time.
const ATTEMPTS: usize = 3;

/// A running Cyrus IMAP; ended when dropped.
pub struct Cyrus {
    /// Ended before its directory goes.
    master: Program,
    _files: Unpacked,
    /// Where it listens.
    pub addresses: Addresses,
    /// Who signed its certificate, which is for `localhost`.
    pub authority: Authority,
}

impl Cyrus {
    /// Starts one that knows these users; their mailboxes are made when they log in.
    ///
    /// # Errors
    ///
    /// If Cyrus IMAP was not unpacked or does not come up.
    pub fn start(users: &[&str]) -> Result<Self> {
        Self::start_with("", users)
    }

    /// The same, with these lines of its configuration (imapd.conf(5)) besides.
    ///
    /// # Errors
    ///
    /// If Cyrus IMAP was not unpacked or does not come up.
    pub fn start_with(lines: &str, users: &[&str]) -> Result<Self> {
        let files = Unpacked::copy("cyrus")?;
        // Without the folder for sockets nobody would be told of news.
        for folder in ["state", "state/config", "state/config/socket", "state/mail"] {
            files.give_directory(folder)?;
        }
        let authority = Authority::new();
        let certificate = authority.issue(&["localhost", "127.0.0.1"]);
        files.give_file("state/certificate.pem", certificate.certificate)?;
        files.give_file("state/key.pem", certificate.key)?;
        for user in users {
            add(&files, user)?;
        }
        files.owner.give(&files.path("state/passwords"))?;
        let mut started = spawn(&files, lines);
        for _ in 1..ATTEMPTS {
            if started.is_ok() {
                break;
            }
            // Somebody else may have taken one of the ports.
            started = spawn(&files, lines);
        }
        let (master, addresses) = started?;
        Ok(Self { master, _files: files, addresses, authority })
    }

    /// What Cyrus said, for a failing test; the rest is in the system's log.
    pub fn log(&self) -> String {
        self.master.last_words()
    }
}

/// Tells a user's password to SASL's own database.
fn add(files: &Unpacked, user: &str) -> Result<()> {
    let mut command = files.program("usr/sbin/saslpasswd2");
    command.args(["-p", "-c", "-u", "localhost", "-f"]).arg(files.path("state/passwords"));
    let mut child = sasl(&mut command, files).arg(user).stdin(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("the input is piped")?;
    input.write_all(PASSWORD.as_bytes())?;
    drop(input);
    let status = child.wait()?;
    ensure!(status.success(), "saslpasswd2 ended with {status}");
    Ok(())
}

/// SASL's plugins are where the system has them, or in the copy if it has none.
fn sasl<'a>(command: &'a mut Command, files: &Unpacked) -> &'a mut Command {
    let architecture = format!("{}-linux-gnu/sasl2", std::env::consts::ARCH);
    let own = files.path("usr/lib").join(&architecture);
    let system = Path::new("/usr/lib").join(&architecture);
    command.env("SASL_PATH", format!("{}:{}", own.display(), system.display()))
}

/// Starts Cyrus on free ports.
fn spawn(files: &Unpacked, lines: &str) -> Result<(Program, Addresses)> {
    let addresses = Addresses::free()?;
    let options = files.give_file("state/imapd.conf", options(files) + lines)?;
    let services = files.give_file("state/cyrus.conf", services(files, &addresses))?;
    let mut command = files.program("usr/lib/cyrus/bin/master");
    sasl(&mut command, files).arg("-C").arg(options).arg("-M").arg(services);
    command.arg("-p").arg(files.path("state/master.pid"));
    let mut master = Program::start(&mut command, &files.path("state/log"))?;
    let up = addresses.wait(|| master.check());
    up.with_context(|| format!("Cyrus does not come up: {}", master.last_words()))?;
    Ok((master, addresses))
}

/// imapd.conf(5).
fn options(files: &Unpacked) -> String {
    let state = files.path("state");
    let state = state.display();
    let user = &files.owner.name;
    format!(
        "configdirectory: {state}/config
defaultpartition: default
partition-default: {state}/mail
cyrus_user: {user}
servername: localhost
idlesocket: {state}/idle
tls_server_cert: {state}/certificate.pem
tls_server_key: {state}/key.pem
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {state}/passwords
sasl_mech_list: PLAIN LOGIN
conversations: yes
munge8bit: no
autocreate_quota: 1000000
autocreate_inbox_folders: Drafts|Sent|Trash
autocreate_subscribe_folders: Drafts|Sent|Trash
xlist-drafts: Drafts
xlist-sent: Sent
xlist-trash: Trash
"
    )
}

/// cyrus.conf(5).
fn services(files: &Unpacked, addresses: &Addresses) -> String {
    let programs = files.path("usr/lib/cyrus/bin");
    let options = files.path("state/imapd.conf");
    let command = |name| format!("{}/{name} -C {}", programs.display(), options.display());
    let Addresses { imap, imaps, pop3, pop3s } = addresses;
    format!(
        "START {{
  recover cmd=\"{recover} -r\"
  idled cmd=\"{idled}\"
}}
SERVICES {{
  imap cmd=\"{imapd}\" listen=\"{imap}\"
  imaps cmd=\"{imapd} -s\" listen=\"{imaps}\"
  pop3 cmd=\"{pop3d}\" listen=\"{pop3}\"
  pop3s cmd=\"{pop3d} -s\" listen=\"{pop3s}\"
}}
",
        recover = command("ctl_cyrusdb"),
        idled = command("idled"),
        imapd = command("imapd"),
        pop3d = command("pop3d"),
    )
}
