//! A real Courier IMAP and POP3, on ports of its own, in a root folder of its own: its programs know
//! where their files are from when they were compiled.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    certificate::Authority,
    dovecot::PASSWORD,
    ports::{Addresses, Listeners},
    program::{Program, end},
    unpacked::Unpacked,
};

/// How long the server that knows the passwords may take to come up.
const PATIENCE: Duration = Duration::from_secs(60);

const IMAP: &[&str] = &["/usr/lib/courier/courier/imaplogin", "/usr/bin/imapd", "Maildir"];
const POP3: &[&str] = &[
    "/usr/lib/courier/courier/courierpop3login",
    "/usr/lib/courier/courier/courierpop3d",
    "Maildir",
];
/// Does TLS and starts the program that follows.
const TLS: &[&str] = &["/usr/bin/couriertls", "-server", "-tcpd"];

/// What IMAP announces, as Debian configures it, and plain passwords.
const CAPABILITIES: &str = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT \
                            THREAD=REFERENCES SORT QUOTA IDLE AUTH=PLAIN";

/// A running Courier; ended when dropped.
pub struct Courier {
    _doors: Vec<Door>,
    _passwords: Program,
    files: Arc<Unpacked>,
    /// Where it listens.
    pub addresses: Addresses,
    /// Who signed its certificate, which is for `localhost`.
    pub authority: Authority,
}

impl Courier {
    /// Starts one that knows these users.
    ///
    /// # Errors
    ///
    /// If Courier was not unpacked or does not come up.
    pub fn start(users: &[&str]) -> Result<Self> {
        Self::start_without(None, users)
    }

    /// The same, and it does not announce this capability.
    ///
    /// # Errors
    ///
    /// If Courier was not unpacked or does not come up.
    pub fn start_without(capability: Option<&str>, users: &[&str]) -> Result<Self> {
        let offered = CAPABILITIES.split_whitespace().filter(|own| Some(*own) != capability);
        let offered = offered.collect::<Vec<_>>().join(" ");
        let files = Unpacked::copy("courier")?;
        let authority = Authority::new();
        furnish(&files, &authority)?;
        add(&files, users)?;
        let passwords = start_passwords(&files)?;
        let files = Arc::new(files);
        let listeners = Listeners::bind()?;
        let addresses = listeners.addresses()?;
        let tls = |program| [TLS, program].concat();
        let doors = [
            (listeners.imap, IMAP.to_vec()),
            (listeners.imaps, tls(IMAP)),
            (listeners.pop3, POP3.to_vec()),
            (listeners.pop3s, tls(POP3)),
        ];
        let doors =
            doors.map(|(listener, program)| Door::open(listener, program, offered.clone(), &files));
        let doors = doors.into_iter().collect::<Result<_>>()?;
        addresses.wait(|| Ok(()))?;
        Ok(Self { _doors: doors, _passwords: passwords, files, addresses, authority })
    }

    /// What Courier logged, for a failing test.
    pub fn log(&self) -> String {
        fs::read_to_string(self.files.path("log")).unwrap_or_default()
    }

    /// What is in a user's home but for the messages, a path a line, for a failing test: Courier goes by
    /// what it finds there.
    pub fn home(&self, user: &str) -> String {
        let mut paths = String::new();
        list(&self.files.path(format!("home/{user}")), &mut paths);
        paths
    }
}

/// Adds all paths in a folder, in those within too but where messages are.
fn list(folder: &Path, paths: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_folder = path.is_dir();
        *paths += &format!("{}{}\n", path.display(), if is_folder { "/" } else { "" });
        if is_folder && !path.ends_with("cur") && !path.ends_with("new") {
            list(&path, paths);
        }
    }
}

/// Puts into the root folder what every program expects there.
fn furnish(files: &Unpacked, authority: &Authority) -> Result<()> {
    for folder in ["dev", "home", "tmp", "etc/courier"] {
        files.make_directory(folder)?;
    }
    for folder in ["tmp", "run/courier/authdaemon"] {
        files.give_directory(folder)?;
    }
    // Files will do, where a device is only opened and read or written: not everybody may make one.
    let mut randomness = vec![0; 64 * 1024];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut randomness).expect("the system has randomness");
    files.give_file("dev/urandom", randomness)?;
    files.give_file("dev/null", "")?;
    let (uid, gid) = (files.owner.uid, files.owner.gid);
    // TLS is done by a user of this name.
    let users = format!("root:x:0:0::/:\nnobody:x:{uid}:{gid}::/:\ncourier:x:{uid}:{gid}::/:\n");
    fs::write(files.path("etc/passwd"), users)?;
    let groups = format!("root:x:0:\nnogroup:x:{gid}:\ncourier:x:{gid}:\n");
    fs::write(files.path("etc/group"), groups)?;
    let modules = "authmodulelist=\"authuserdb\"\nauthmodulelistorig=\"authuserdb\"\ndaemons=3\n\
                   authdaemonvar=/run/courier/authdaemon\nDEFAULTOPTIONS=\"\"\nLOGGEROPTS=\"\"\n";
    fs::write(files.path("etc/courier/authdaemonrc"), modules)?;
    let certificate = authority.issue(&["localhost", "127.0.0.1"]);
    let both = format!("{}{}", certificate.key, certificate.certificate);
    files.give_file("etc/courier/certificate.pem", both).map(drop)
}

/// Tells the users and their passwords to Courier's own database.
fn add(files: &Unpacked, users: &[&str]) -> Result<()> {
    let (uid, gid) = (files.owner.uid, files.owner.gid);
    let hash = run(&mut files.inside("/usr/sbin/userdbpw"), &format!("{PASSWORD}\n"))?;
    let hash = hash.trim();
    let (mut places, mut hashes) = (String::new(), String::new());
    for user in users {
        places += &format!("{user}\tuid={uid}|gid={gid}|home=/home/{user}|_=\n");
        hashes += &format!("{user}\tsystempw={hash}\n");
        for folder in ["", "/Maildir", "/Maildir/cur", "/Maildir/new", "/Maildir/tmp"] {
            files.give_directory(&format!("home/{user}{folder}"))?;
        }
    }
    for (lines, name) in [(places, "userdb.dat"), (hashes, "userdbshadow.dat")] {
        let mut command = files.inside("/usr/lib/courier/courier-authlib/makedatprog");
        command.args(["-", "/etc/courier/new"]).arg(format!("/etc/courier/{name}"));
        run(&mut command, &format!("{lines}.\n"))?;
    }
    Ok(())
}

/// Runs a program to its end; returns what it says.
fn run(command: &mut Command, input: &str) -> Result<String> {
    let name = command.get_program().to_owned();
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().with_context(|| format!("starting {}", name.display()))?;
    child.stdin.take().context("the input is piped")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{command:?} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

fn start_passwords(files: &Unpacked) -> Result<Program> {
    let mut command = files.inside("/usr/lib/courier/courier-authlib/authdaemond");
    let mut program = Program::start(&mut command, &files.path("passwords.log"))?;
    let deadline = Instant::now() + PATIENCE;
    while !files.path("run/courier/authdaemon/socket").exists() {
        program.check()?;
        ensure!(Instant::now() < deadline, "authdaemond: {}", program.last_words());
        sleep(Duration::from_millis(10));
    }
    Ok(program)
}

/// A port whose connections are given to a program each, as couriertcpd would.
struct Door {
    address: SocketAddr,
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Door {
    fn open(
        listener: TcpListener,
        program: Vec<&'static str>,
        offered: String,
        files: &Arc<Unpacked>,
    ) -> Result<Self> {
        let address = listener.local_addr()?;
        let closing = Arc::new(AtomicBool::new(false));
        let log = OpenOptions::new().create(true).append(true).open(files.path("log"))?;
        let (closes, files) = (Arc::clone(&closing), Arc::clone(files));
        let thread = thread::spawn(move || {
            let mut guests = Vec::<Child>::new();
            while let Ok((stream, peer)) = listener.accept() {
                if closes.load(Ordering::Relaxed) {
                    break;
                }
                guests.retain_mut(|guest| matches!(guest.try_wait(), Ok(None)));
                let command = greet(&files, &program, &offered, (address, peer));
                // A connection that finds no program is closed, which is what the test will see.
                guests.extend(serve(command, stream, &log));
            }
            guests.iter_mut().for_each(end);
        });
        Ok(Self { address, closing, thread: Some(thread) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        // It waits for a connection.
        let knocked = TcpStream::connect(self.address);
        if let (Ok(_), Some(thread)) = (knocked, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

/// The command that serves a connection; its environment is that of Debian's configuration.
fn greet(
    files: &Unpacked,
    program: &[&str],
    offered: &str,
    (address, peer): (SocketAddr, SocketAddr),
) -> Command {
    let mut command = files.inside(program[0]);
    command.args(&program[1..]);
    let port = |address: SocketAddr| address.port().to_string();
    command.env("PROTOCOL", "TCP").env("MAILDIRPATH", "Maildir").env("PATH", "/usr/bin");
    command.env("TCPREMOTEIP", "127.0.0.1").env("TCPREMOTEPORT", port(peer));
    command.env("TCPLOCALIP", "127.0.0.1").env("TCPLOCALPORT", port(address));
    command.env("IMAP_CAPABILITY", offered).env("IMAP_CAPABILITY_TLS", offered);
    command.env("IMAP_KEYWORDS", "1").env("IMAP_ACL", "1").env("IMAP_UMASK", "022");
    // Locks and news want a daemon for changed files, which would outlive the test: so it looks for
    // news itself, each second.
    command.env("IMAP_USELOCKS", "0").env("IMAP_ENHANCEDIDLE", "0").env("IMAP_IDLE_TIMEOUT", "1");
    command.env("IMAP_TRASHFOLDERNAME", "Trash").env("IMAP_EMPTYTRASH", "");
    // In clear text there are USER and PASS alone.
    command.env("POP3AUTH", "").env("POP3AUTH_TLS", "PLAIN LOGIN");
    command.env("IMAP_STARTTLS", "YES").env("POP3_STARTTLS", "YES");
    command.env("COURIERTLS", "/usr/bin/couriertls").env("TLS_VERIFYPEER", "NONE");
    command.env("TLS_CERTFILE", "/etc/courier/certificate.pem");
    command
}

fn serve(mut command: Command, stream: TcpStream, log: &File) -> Option<Child> {
    let output = OwnedFd::from(stream.try_clone().ok()?);
    command.stdin(OwnedFd::from(stream)).stdout(output).stderr(log.try_clone().ok()?);
    // Whatever it does to its group meets nobody else.
    command.process_group(0).spawn().ok()
}
