//! Fetches what a provider publishes: HTTPS alone, a few redirects, so many bytes.

use std::str::FromStr;

use axum::{
    body::{Body, to_bytes},
    http::{
        Request, Response, Uri,
        header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT},
    },
};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tracing::debug;

use super::{address::Address, reach::Reach};
use crate::{
    limits::{AUTOCONFIG_BYTES, AUTOCONFIG_HEAD, AUTOCONFIG_REDIRECTS},
    policy::Host,
};

/// Where a file is: by HTTPS, on its usual port.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    pub(super) host: Host,
    /// Path and query.
    pub(super) path: String,
}

/// Fetches a file for an address. The query, in which the address may be, goes to hosts of the
/// address's own domain alone.
pub(super) async fn fetch(place: &Place, address: &Address, reach: &Reach<'_>) -> Option<Vec<u8>> {
    let mut place = place.clone();
    for _ in 0..=AUTOCONFIG_REDIRECTS {
        if !address.owns(&place.host) {
            place = place.without_query();
        }
        let response = get(&place, reach).await?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION)?.to_str().ok()?;
            place = place.redirected(location)?;
            continue;
        }
        if !status.is_success() {
            debug!(%status, "no settings file");
            return None;
        }
        let body = to_bytes(Body::new(response.into_body()), AUTOCONFIG_BYTES).await;
        return body.ok().map(Into::into);
    }
    debug!("too many redirects to a settings file");
    None
}

async fn get(place: &Place, reach: &Reach<'_>) -> Option<Response<Incoming>> {
    let stream = reach.web(&place.host).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(AUTOCONFIG_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .ok()?;
    let request = Request::get(&place.path)
        .header(HOST, place.host.to_string())
        .header(USER_AGENT, concat!("Postern/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/xml, text/xml")
        .header(CONNECTION, "close")
        .body(Body::empty())
        .ok()?;
    // The connection ends with the answer, or when nobody waits for it any more.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            debug!(%error, "the connection for a settings file failed");
        }
    });
    sender.send_request(request).await.ok()
}

impl Place {
    /// The place that a `Location` header names, seen from here.
    fn redirected(&self, location: &str) -> Option<Self> {
        let uri = Uri::from_str(location).ok()?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let Some(authority) = uri.authority() else {
            // A path of the same host; from anything else the parser makes an authority or nothing.
            return location.starts_with('/').then(|| Self { host: self.host.clone(), path });
        };
        if uri.scheme_str() != Some("https") || authority.as_str().contains('@') {
            return None;
        }
        if authority.port().is_some() && authority.port_u16() != Some(443) {
            return None;
        }
        Some(Self { host: authority.host().parse().ok()?, path })
    }

    fn without_query(self) -> Self {
        let path = self.path.split('?').next().unwrap_or_default().to_owned();
        Self { path, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, path: &str) -> Place {
        Place { host: host.parse().unwrap(), path: path.into() }
    }

    #[test]
    fn a_redirect_leads_to_https_on_its_port_and_nowhere_else() {
        let here = place("autoconfig.example.org", "/mail/config-v1.1.xml?emailaddress=a");
        for (location, expected) in [
            ("https://b.example.net/x?y=z", Some(place("b.example.net", "/x?y=z"))),
            ("https://B.example.net:443/x", Some(place("b.example.net", "/x"))),
            ("https://b.example.net", Some(place("b.example.net", "/"))),
            ("/other.xml?q", Some(place("autoconfig.example.org", "/other.xml?q"))),
            ("http://b.example.net/x", None),
            ("https://b.example.net:8443/x", None),
            ("https://user@b.example.net/x", None),
            ("https://127.1/x", None),
            ("https://[::1]/x", None),
            ("ftp://b.example.net/x", None),
            ("//b.example.net/x", Some(place("autoconfig.example.org", "//b.example.net/x"))),
            ("other.xml", None),
            ("javascript:alert(1)", None),
            ("", None),
        ] {
            assert_eq!(here.redirected(location), expected, "{location}");
        }
    }

    #[test]
    fn a_query_can_be_left_out() {
        assert_eq!(place("a.example", "/x?y?z").without_query(), place("a.example", "/x"));
        assert_eq!(place("a.example", "/x").without_query(), place("a.example", "/x"));
    }
}
