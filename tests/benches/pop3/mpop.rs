//! The same mail comes to mpop, into a maildir.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, time::Instant};

use anyhow::{Context, Result, ensure};
use postern_tests::dovecot::{Dovecot, PASSWORD};
use tokio::process::Command;

use crate::{Mail, USER};

/// Seconds in which it has everything, over TLS with the server's certificate checked; `None` if it
/// is not installed.
pub(crate) async fn receive(dovecot: &Dovecot, mail: Mail) -> Result<Option<f64>> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(at("mail").join(part))?;
    }
    fs::write(at("root.pem"), dovecot.authority.root_pem())?;
    let config = format!(
        "defaults\ntls on\ntls_starttls off\ntls_trust_file {root}\nkeep on\n\
         account bench\nhost localhost\nport {port}\nuser {USER}\npassword {PASSWORD}\n\
         auth user\ndelivery maildir {mail}\nuidls_file {uidls}\n",
        root = at("root.pem").display(),
        port = dovecot.pop3s.port(),
        mail = at("mail").display(),
        uidls = at("uidls").display(),
    );
    fs::write(at("config"), config)?;
    // It refuses a file with a password that others may read.
    fs::set_permissions(at("config"), fs::Permissions::from_mode(0o600))?;

    let mut mpop = Command::new("mpop");
    mpop.arg("--file").arg(at("config")).args(["--quiet", "bench"]).stdin(Stdio::null());
    let start = Instant::now();
    let output = match mpop.output().await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        output => output.context("starting mpop")?,
    };
    let took = start.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "mpop: {said}");
    let count = fs::read_dir(at("mail").join("new"))?.count();
    ensure!(count == mail.messages, "mpop has {count} of {} messages", mail.messages);
    Ok(Some(took.as_secs_f64()))
}
