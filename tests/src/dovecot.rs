//! A real Dovecot, on ports of its own, in a directory of its own.

mod configuration;

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use configuration::Version;
use postern_bridge::Fingerprint;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tempfile::TempDir;

use crate::{certificate::Authority, owner::Owner, ports::Addresses, program::Program};

/// The password of every user.
pub const PASSWORD: &str = "correct-horse-battery";

/// How often it is tried, with other ports each time.
const ATTEMPTS: usize = 3;

/// What another client did to a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Elsewhere {
    /// It was read.
    Read,
    /// It was removed for good.
    Expunged,
}

/// A running Dovecot that knows every user name; ended when dropped.
pub struct Dovecot {
    /// Ended before its directory goes.
    _process: Program,
    directory: TempDir,
    owner: Owner,
    /// How many messages were delivered; no two may share a file name.
    delivered: AtomicUsize,
    /// IMAP over TLS.
    pub imaps: SocketAddr,
    /// POP3 over TLS.
    pub pop3s: SocketAddr,
    /// IMAP in clear text, with STARTTLS.
    pub imap: SocketAddr,
    /// POP3 in clear text, with STLS.
    pub pop3: SocketAddr,
    /// Who signed its certificate, which is for `localhost`.
    pub authority: Authority,
    /// The SHA-256 digest of its certificate.
    pub fingerprint: Fingerprint,
}

/// What a Dovecot may do otherwise than others.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The log-in mechanisms that it offers.
    pub mechanisms: &'static str,
    /// How many connections a user may have at a time.
    pub connections: u32,
    /// How many kilobytes (of 1,024 bytes) a user's mail may have, where that is limited.
    pub storage: Option<u32>,
    /// Whether a POP3 session has the mailbox for itself.
    pub locks_pop3: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { mechanisms: "plain login", connections: 100, storage: None, locks_pop3: false }
    }
}

impl Dovecot {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// If Dovecot is not installed or does not come up.
    pub fn start() -> Result<Self> {
        Self::start_with(Options::default())
    }

    /// Starts one that takes access tokens by this mechanism, of which [`PASSWORD`] is the only one that
    /// is valid. `None` since Dovecot 2.4, which has whoever has issued them vouch for them.
    ///
    /// # Errors
    ///
    /// If Dovecot is not installed or does not come up.
    pub fn taking_tokens(mechanism: &'static str) -> Result<Option<Self>> {
        match Version::of(&binary()?)? {
            Version::Old => {
                let options = Options { mechanisms: mechanism, ..Options::default() };
                Self::start_with(options).map(Some)
            }
            Version::New => Ok(None),
        }
    }

    /// Starts one that does something otherwise.
    ///
    /// # Errors
    ///
    /// If Dovecot is not installed or does not come up.
    pub fn start_with(options: Options) -> Result<Self> {
        let directory = TempDir::with_prefix("postern-dovecot-")?;
        let path = directory.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        let owner = Owner::choose(path, "dovecot")?;
        let home = path.join("home");
        fs::create_dir(&home)?;
        owner.give(&home)?;
        let authority = Authority::new();
        let certificate = authority.issue(&["localhost", "127.0.0.1"]);
        let der = CertificateDer::from_pem_slice(certificate.certificate.as_bytes())?;
        let fingerprint = postern_certificate::fingerprint(&der).into();
        fs::write(path.join("certificate.pem"), certificate.certificate)?;
        fs::write(path.join("key.pem"), certificate.key)?;
        let mut started = spawn(path, &owner, options);
        for _ in 1..ATTEMPTS {
            if started.is_ok() {
                break;
            }
            // Somebody else may have taken one of the ports.
            started = spawn(path, &owner, options);
        }
        let (process, Addresses { imap, imaps, pop3, pop3s }) = started?;
        Ok(Self {
            _process: process,
            directory,
            owner,
            delivered: AtomicUsize::new(0),
            imaps,
            pop3s,
            imap,
            pop3,
            authority,
            fingerprint,
        })
    }

    /// Puts a message into a user's inbox, as a delivery would.
    ///
    /// # Errors
    ///
    /// If the maildir can't be written.
    pub fn deliver(&self, user: &str, message: &[u8]) -> Result<()> {
        self.deliver_all(user, [message])
    }

    /// Puts many messages into a user's inbox, the first one as the oldest.
    ///
    /// # Errors
    ///
    /// If the maildir can't be written.
    pub fn deliver_all<M: AsRef<[u8]>>(
        &self,
        user: &str,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<()> {
        let maildir = self.maildir(user)?;
        for message in messages {
            let number = self.delivered.fetch_add(1, Ordering::Relaxed);
            // Dovecot numbers messages in the order of their names, which begin with a time. It looks
            // names up by their last characters: were those the same, that would take it most of its
            // time.
            let name = format!("{}.test.M{number:07}", 1_700_000_000 + number);
            let temporary = maildir.join("tmp").join(&name);
            fs::write(&temporary, message)?;
            self.owner.give(&temporary)?;
            fs::rename(temporary, maildir.join("new").join(name))?;
        }
        Ok(())
    }

    /// How many messages are in a user's inbox, read or not.
    ///
    /// # Errors
    ///
    /// If the maildir can't be read.
    pub fn count(&self, user: &str) -> Result<usize> {
        let maildir = self.maildir(user)?;
        Ok(fs::read_dir(maildir.join("new"))?.count() + fs::read_dir(maildir.join("cur"))?.count())
    }

    /// The messages in a user's inbox, in no particular order. One that vanishes just now is left out.
    ///
    /// # Errors
    ///
    /// If the maildir can't be read.
    pub fn messages(&self, user: &str) -> Result<Vec<Vec<u8>>> {
        let maildir = self.maildir(user)?;
        let mut messages = Vec::new();
        // What is moved from the one to the other meanwhile is in the second, or was in the first.
        for directory in ["new", "cur"] {
            for file in fs::read_dir(maildir.join(directory))? {
                messages.extend(fs::read(file?.path()).ok());
            }
        }
        Ok(messages)
    }

    /// Removes every message from a user's inbox, as another client would.
    ///
    /// # Errors
    ///
    /// If the maildir can't be written.
    pub fn expunge_all(&self, user: &str) -> Result<()> {
        let maildir = self.maildir(user)?;
        for directory in ["new", "cur"] {
            for message in fs::read_dir(maildir.join(directory))? {
                fs::remove_file(message?.path())?;
            }
        }
        Ok(())
    }

    /// Marks messages in a user's inbox as read or removes them, as another client would: those of
    /// which the place in the order of delivery satisfies `pick`.
    ///
    /// # Errors
    ///
    /// If the maildir can't be written.
    pub fn change(
        &self,
        user: &str,
        change: Elsewhere,
        pick: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let maildir = self.maildir(user)?;
        let mut files: Vec<PathBuf> = Vec::new();
        for directory in ["new", "cur"] {
            for message in fs::read_dir(maildir.join(directory))? {
                files.push(message?.path());
            }
        }
        files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        for path in files.iter().enumerate().filter(|(at, _)| pick(*at)).map(|(_, path)| path) {
            match change {
                Elsewhere::Expunged => fs::remove_file(path)?,
                Elsewhere::Read => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let name = name.split(":2,").next().unwrap_or_default();
                    fs::rename(path, maildir.join("cur").join(format!("{name}:2,S")))?;
                }
            }
        }
        Ok(())
    }

    /// Makes the server number a user's messages anew, with another UIDVALIDITY.
    ///
    /// # Errors
    ///
    /// If the maildir can't be written.
    pub fn renumber(&self, user: &str) -> Result<()> {
        for file in fs::read_dir(self.maildir(user)?)? {
            let path = file?.path();
            if path.is_file() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Waits until a message in a user's inbox has these maildir flags.
    ///
    /// # Errors
    ///
    /// If none comes to have them.
    pub async fn wait_for_flags(&self, user: &str, flags: &str) -> Result<()> {
        let current = self.maildir(user)?.join("cur");
        let suffix = format!(":2,{flags}");
        for _ in 0..1200 {
            for message in fs::read_dir(&current)? {
                if message?.file_name().to_string_lossy().ends_with(&suffix) {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("no message of {user} has the flags {flags}")
    }

    /// What Dovecot logged, for a failing test.
    pub fn log(&self) -> String {
        log(self.directory.path())
    }

    fn maildir(&self, user: &str) -> Result<PathBuf> {
        let home = self.directory.path().join("home").join(user);
        let maildir = home.join("Maildir");
        for directory in
            [&home, &maildir, &maildir.join("tmp"), &maildir.join("new"), &maildir.join("cur")]
        {
            if !directory.exists() {
                fs::create_dir(directory)?;
                self.owner.give(directory)?;
            }
        }
        Ok(maildir)
    }
}

/// Starts Dovecot on free ports.
fn spawn(path: &Path, owner: &Owner, options: Options) -> Result<(Program, Addresses)> {
    let addresses = Addresses::free()?;
    let configuration = path.join("dovecot.conf");
    let binary = binary()?;
    let version = Version::of(&binary)?;
    fs::write(&configuration, version.configuration(path, owner, &addresses, options))?;
    let mut command = Command::new(binary);
    command.arg("-F").arg("-c").arg(&configuration);
    let mut process = Program::start(&mut command, &path.join("output"))?;
    let up = addresses.wait(|| process.check());
    up.with_context(|| format!("Dovecot's log:\n{}", log(path)))?;
    Ok((process, addresses))
}

fn log(path: &Path) -> String {
    fs::read_to_string(path.join("log")).unwrap_or_default()
}

fn binary() -> Result<PathBuf> {
    let places = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/opt/homebrew/sbin/dovecot"];
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    found.context("Dovecot is not installed; `cargo xtask test` says how to get it")
}
