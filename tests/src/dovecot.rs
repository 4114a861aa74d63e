//! A real Dovecot, on ports of its own, in a directory of its own.

use std::{
    fs,
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use postern_bridge::Fingerprint;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tempfile::TempDir;

use crate::certificate::Authority;

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
    _process: Process,
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

/// Which system users Dovecot runs as: its log-in processes refuse to be root.
struct Owner {
    login: String,
    internal: String,
    uid: u32,
    gid: u32,
}

impl Dovecot {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// If Dovecot is not installed or does not come up.
    pub fn start() -> Result<Self> {
        let directory = TempDir::with_prefix("postern-dovecot-")?;
        let path = directory.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        let owner = Owner::choose(path)?;
        let home = path.join("home");
        fs::create_dir(&home)?;
        owner.give(&home)?;
        let authority = Authority::new();
        let certificate = authority.issue(&["localhost", "127.0.0.1"]);
        let der = CertificateDer::from_pem_slice(certificate.certificate.as_bytes())?;
        let fingerprint = postern_certificate::fingerprint(&der).into();
        fs::write(path.join("certificate.pem"), certificate.certificate)?;
        fs::write(path.join("key.pem"), certificate.key)?;
        let mut started = spawn(path, &owner);
        for _ in 1..ATTEMPTS {
            if started.is_ok() {
                break;
            }
            // Somebody else may have taken one of the ports.
            started = spawn(path, &owner);
        }
        let (process, [imap, imaps, pop3, pop3s]) = started?;
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
            // Dovecot numbers messages in the order of their names, which begin with a time.
            let name = format!("{}.M{number}P1.test", 1_700_000_000 + number);
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
        for _ in 0..600 {
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

/// A running Dovecot process; ended when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // SIGTERM lets the master end its children; SIGKILL would leave them behind.
        let pid = self.0.id().to_string();
        let ended = Command::new("kill").arg(&pid).status();
        if !ended.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// Starts Dovecot on four free ports: IMAP, IMAP over TLS, POP3, POP3 over TLS.
fn spawn(path: &Path, owner: &Owner) -> Result<(Process, [SocketAddr; 4])> {
    let addresses = free_ports()?;
    let configuration = path.join("dovecot.conf");
    let ports = addresses.map(|address| address.port());
    fs::write(&configuration, configure(path, owner, ports))?;
    let process = Command::new(binary()?)
        .arg("-F")
        .arg("-c")
        .arg(&configuration)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("Dovecot could not be started")?;
    let mut process = Process(process);
    match wait_until_up(&mut process.0, addresses) {
        Ok(()) => Ok((process, addresses)),
        Err(error) => Err(error.context(format!("Dovecot's log:\n{}", log(path)))),
    }
}

fn wait_until_up(process: &mut Child, addresses: [SocketAddr; 4]) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    for address in addresses {
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.try_wait()? {
                bail!("Dovecot ended at once ({status})");
            }
            ensure!(Instant::now() < deadline, "Dovecot does not come up");
            sleep(Duration::from_millis(20));
        }
    }
    // The ports were free for a moment: it may be somebody else who answers.
    let mut greeting = [0; 4];
    let mut imap = TcpStream::connect(addresses[0])?;
    imap.set_read_timeout(Some(Duration::from_secs(10)))?;
    imap.read_exact(&mut greeting).context("no greeting on Dovecot's port")?;
    ensure!(&greeting == b"* OK", "it is not Dovecot that answers on its port");
    if let Some(status) = process.try_wait()? {
        bail!("Dovecot ended at once ({status})");
    }
    Ok(())
}

fn log(path: &Path) -> String {
    fs::read_to_string(path.join("log")).unwrap_or_default()
}

impl Owner {
    /// As root, the users of Dovecot's own package; otherwise whoever runs the tests.
    fn choose(directory: &Path) -> Result<Self> {
        let metadata = fs::metadata(directory)?;
        if metadata.uid() != 0 {
            let name = Command::new("id").arg("-un").output()?;
            let name = String::from_utf8(name.stdout)?.trim().to_owned();
            let (uid, gid) = (metadata.uid(), metadata.gid());
            return Ok(Self { login: name.clone(), internal: name, uid, gid });
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let user = users.lines().find(|line| line.starts_with("dovecot:"));
        let fields: Vec<_> = user.context("there is no user dovecot")?.split(':').collect();
        let (uid, gid) = (fields[2].parse()?, fields[3].parse()?);
        Ok(Self { login: "dovenull".into(), internal: "dovecot".into(), uid, gid })
    }

    fn give(&self, path: &Path) -> Result<()> {
        Ok(chown(path, Some(self.uid), Some(self.gid))?)
    }
}

fn binary() -> Result<PathBuf> {
    let places = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/opt/homebrew/sbin/dovecot"];
    let found = places.iter().map(PathBuf::from).find(|path| path.exists());
    found.context("Dovecot is not installed; `cargo xtask test` says how to get it")
}

/// Ports that nobody uses now; Dovecot can't take what the system gives by itself.
fn free_ports<const N: usize>() -> Result<[SocketAddr; N]> {
    let mut listeners = Vec::with_capacity(N);
    for _ in 0..N {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    }
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    for (address, listener) in addresses.iter_mut().zip(&listeners) {
        *address = listener.local_addr()?;
    }
    Ok(addresses)
}

fn configure(path: &Path, owner: &Owner, [imap, imaps, pop3, pop3s]: [u16; 4]) -> String {
    let path = path.display();
    let Owner { login, internal, uid, gid } = owner;
    format!(
        "base_dir = {path}/run
state_dir = {path}/state
log_path = {path}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{path}/certificate.pem
ssl_key = <{path}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login
default_login_user = {login}
default_internal_user = {internal}
first_valid_uid = 1
mail_max_userip_connections = 100
mail_location = maildir:~/Maildir
pop3_uidl_format = %08Xu%08Xv
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={path}/home/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = subscribe
    special_use = \\Trash
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service anvil {{
  chroot =
}}
"
    )
}
