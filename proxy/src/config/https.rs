//! `[https]` and `[acme]`: HTTPS that the proxy ends itself.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    ConfigError, Problems, table,
    value::{list, one},
};
use crate::policy::Host;

/// How often certificate files are looked at, unless it is set.
const RELOAD: Duration = Duration::from_secs(10);

/// How long browsers keep to HTTPS, unless it is set: half a year.
const HSTS: Duration = Duration::from_secs(182 * 24 * 60 * 60);

/// Where certificates come from, unless it is set.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

table! {
    /// `[https]` as it is written.
    pub struct HttpsSettings("https_") {
        /// A PEM file with the certificate and those of its issuers: the proxy then speaks HTTPS alone
        #[arg(value_name = "FILE")]
        pub certificate: Option<PathBuf>,

        /// A PEM file with the certificate's key
        #[arg(value_name = "FILE")]
        pub key: Option<PathBuf>,

        /// How often the two files are looked at, so that a new pair is used without a restart; SIGHUP
        /// does so at once [default: 10]
        #[arg(value_name = "S")]
        pub reload_seconds: Option<u32>,

        /// Where to listen for requests without TLS, to answer them with the address that has it
        #[arg(value_name = "ADDRESS")]
        pub redirect_listen: Option<String>,

        /// How long browsers shall refuse to come without TLS; 0 does not tell them [default: 15724800]
        #[arg(value_name = "S")]
        pub hsts_seconds: Option<u32>,
    }
}

table! {
    /// `[acme]` as it is written.
    pub struct AcmeSettings("acme_") {
        /// The names to get a certificate for by ACME, as from Let's Encrypt; they must lead to port
        /// 443 of this proxy
        #[arg(value_name = "NAME", value_delimiter = ',')]
        pub domains: Option<Vec<String>>,

        /// A mail address for the certificate authority to write to
        #[arg(value_name = "ADDRESS")]
        pub contact: Option<String>,

        /// The folder for the account's key and the certificate: the only place where the proxy writes
        #[arg(value_name = "DIR")]
        pub cache: Option<PathBuf>,

        /// The authority's directory [default: Let's Encrypt's]
        #[arg(value_name = "URL")]
        pub directory: Option<String>,
    }
}

/// HTTPS that the proxy ends itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Https {
    /// Where its certificate comes from.
    pub identity: Identity,
    /// Where requests without TLS are answered with the address that has it.
    pub redirect_listen: Option<SocketAddr>,
    /// How long browsers shall refuse to come without TLS (RFC 6797); zero does not tell them.
    pub hsts: Duration,
}

/// Where the proxy's own certificate comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// From files.
    Files(CertificateFiles),
    /// From an authority, by ACME (RFC 8555) with the challenge TLS-ALPN-01 (RFC 8737).
    Acme(Acme),
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateFiles {
    /// The certificate and those of its issuers.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// How often they are looked at.
    pub reload: Duration,
}

/// How to get a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acme {
    /// The names.
    pub domains: Vec<String>,
    /// Where the authority can write to, as `mailto:` address.
    pub contact: Option<String>,
    /// Where the account's key and the certificate are kept.
    pub cache: PathBuf,
    /// The authority's directory.
    pub directory: String,
}

/// What the two tables come to; none if neither files nor names are given.
pub(super) fn https(
    https: HttpsSettings,
    acme: AcmeSettings,
    problems: &mut Problems,
) -> Option<Https> {
    let redirect_listen =
        problems.take(one::<SocketAddr>("https.redirect_listen", https.redirect_listen.clone()));
    let hsts = https.hsts_seconds.map_or(HSTS, |seconds| Duration::from_secs(seconds.into()));
    let files = files(&https, problems);
    let acme = self::acme(acme, problems);
    let identity = match (files, acme) {
        (Some(_), Some(_)) => {
            let both =
                "`https.certificate` is set as well: the certificate can come from one alone";
            problems.add(ConfigError::new("acme.domains", both));
            None
        }
        (Some(files), None) => Some(Identity::Files(files)),
        (None, acme) => acme.map(Identity::Acme),
    };
    if identity.is_none() && https.redirect_listen.is_some() && problems.is_empty() {
        let nowhere = "there is no HTTPS to lead to: set `https.certificate` or `acme.domains`";
        problems.add(ConfigError::new("https.redirect_listen", nowhere));
    }
    Some(Https { identity: identity?, redirect_listen: redirect_listen?, hsts })
}

fn files(https: &HttpsSettings, problems: &mut Problems) -> Option<CertificateFiles> {
    let reload = match https.reload_seconds {
        Some(0) => Err(ConfigError::new("https.reload_seconds", "must be at least 1 second")),
        seconds => Ok(seconds.map_or(RELOAD, |seconds| Duration::from_secs(seconds.into()))),
    };
    let reload = problems.take(reload);
    let missing = |key, other: &str| {
        ConfigError::new(key, format!("must be set as well: `{other}` is useless without it"))
    };
    let pair = match (&https.certificate, &https.key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.clone(), key.clone()))),
        (Some(_), None) => Err(missing("https.key", "https.certificate")),
        (None, Some(_)) => Err(missing("https.certificate", "https.key")),
        (None, None) => Ok(None),
    };
    let (certificate, key) = problems.take(pair).flatten()?;
    Some(CertificateFiles { certificate, key, reload: reload? })
}

fn acme(acme: AcmeSettings, problems: &mut Problems) -> Option<Acme> {
    let domains = problems.take(list::<Domain>("acme.domains", acme.domains));
    let contact = problems.take(acme.contact.map(contact).transpose());
    let directory = problems.take(directory(acme.directory));
    let domains: Vec<_> = domains?.into_iter().map(|Domain(name)| name).collect();
    if domains.is_empty() {
        return None;
    }
    let missing = "must name a folder that stays, as the authority gives out only so many \
                   certificates a week";
    let cache = acme.cache.ok_or_else(|| ConfigError::new("acme.cache", missing));
    Some(Acme { domains, contact: contact?, cache: problems.take(cache)?, directory: directory? })
}

/// A name that a certificate can be got for.
struct Domain(String);

impl std::str::FromStr for Domain {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = text.contains('.') && matches!(text.parse(), Ok(Host::Name(_)));
        let problem = "must be a name such as mail.example.org, without `*`";
        if is_name { Ok(Self(text.to_ascii_lowercase())) } else { Err(problem) }
    }
}

fn contact(text: String) -> Result<String, ConfigError> {
    let address = text.strip_prefix("mailto:").unwrap_or(&text);
    match address.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() => {
            Ok(format!("mailto:{address}"))
        }
        _ => Err(ConfigError::new("acme.contact", "must be a mail address")),
    }
}

fn directory(url: Option<String>) -> Result<String, ConfigError> {
    let url = url.unwrap_or_else(|| LETS_ENCRYPT.to_owned());
    let uri = url.parse::<axum::http::Uri>().ok();
    let is_https = uri.is_some_and(|uri| uri.scheme_str() == Some("https"));
    is_https.then_some(url).ok_or_else(|| {
        ConfigError::new("acme.directory", "must be a URL that begins with https://")
    })
}
