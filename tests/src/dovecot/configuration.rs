//! Dovecot's configuration, which 2.4 spells in another way than those before it.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};

use super::{Options, PASSWORD};
use crate::{owner::Owner, ports::Addresses};

/// Which configuration a Dovecot reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    /// 2.3 and before.
    Old,
    /// 2.4 and after.
    New,
}

impl Version {
    pub(super) fn of(binary: &Path) -> Result<Self> {
        let told = Command::new(binary).arg("--version").output()?;
        Self::read(&String::from_utf8_lossy(&told.stdout))
            .with_context(|| format!("{} does not tell its version", binary.display()))
    }

    fn read(told: &str) -> Option<Self> {
        let mut numbers = told.split(['.', '-', ' ']).map(str::parse::<u32>);
        let version = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(if version < (2, 4) { Self::Old } else { Self::New })
    }

    pub(super) fn configuration(
        self,
        path: &Path,
        owner: &Owner,
        addresses: &Addresses,
        options: Options,
    ) -> String {
        let path = path.display().to_string();
        let own = match self {
            Self::Old => old(&path, owner),
            Self::New => new(&path, owner),
        };
        let quota = options.storage.map(|kilobytes| match self {
            Self::Old => old_quota(kilobytes),
            Self::New => new_quota(kilobytes),
        });
        own + &quota.unwrap_or_default() + &common(&path, owner, addresses, options)
    }
}

fn old_quota(kilobytes: u32) -> String {
    format!(
        "mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage={kilobytes}K
}}
"
    )
}

fn new_quota(kilobytes: u32) -> String {
    format!(
        "mail_plugins {{
  quota = yes
}}
protocol imap {{
  mail_plugins {{
    imap_quota = yes
  }}
}}
quota \"User quota\" {{
  storage_size = {kilobytes}K
}}
"
    )
}

/// What is spelled in the old way.
fn old(path: &str, Owner { uid, gid, .. }: &Owner) -> String {
    format!(
        "ssl_cert = <{path}/certificate.pem
ssl_key = <{path}/key.pem
disable_plaintext_auth = no
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
"
    )
}

/// The same in the new way.
fn new(path: &str, Owner { uid, gid, .. }: &Owner) -> String {
    format!(
        "dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl_server_cert_file = {path}/certificate.pem
ssl_server_key_file = {path}/key.pem
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
pop3_uidl_format = %{{uid | hex(8)}}%{{uidvalidity | hex(8)}}
passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {path}/home/%{{user}}
  }}
}}
"
    )
}

/// What every version understands.
fn common(path: &str, owner: &Owner, addresses: &Addresses, options: Options) -> String {
    let Options { mechanisms, connections, locks_pop3, .. } = options;
    let locks_pop3 = if locks_pop3 { "yes" } else { "no" };
    let Owner { name: internal, by_root, .. } = owner;
    // Log-in processes refuse to be root or the internal user where they can be another.
    let login = if *by_root { "dovenull" } else { internal.as_str() };
    let [imap, imaps, pop3, pop3s] =
        [addresses.imap, addresses.imaps, addresses.pop3, addresses.pop3s].map(|own| own.port());
    format!(
        "base_dir = {path}/run
state_dir = {path}/state
log_path = {path}/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
auth_failure_delay = 0
auth_mechanisms = {mechanisms}
default_login_user = {login}
default_internal_user = {internal}
first_valid_uid = 1
mail_max_userip_connections = {connections}
pop3_lock_session = {locks_pop3}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_and_from_2_4_are_told_apart() {
        assert_eq!(Version::read("2.3.19.1 (9b53102964)\n"), Some(Version::Old));
        assert_eq!(Version::read("2.4.1-4 (7d8c0e5759)\n"), Some(Version::New));
        assert_eq!(Version::read("3.0"), Some(Version::New));
        assert_eq!(Version::read("no version"), None);
    }
}
