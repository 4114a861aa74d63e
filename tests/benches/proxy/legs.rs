//! Where TLS ends on both sides of a relay.

use std::fmt;

/// What a relay does on its two legs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Legs {
    /// Whether it ends the page's TLS.
    pub(crate) page_tls: bool,
    /// Whether it does TLS with the mail server.
    pub(crate) upstream_tls: bool,
}

impl Legs {
    /// It carries bytes, and something else ends the page's TLS, if anything.
    pub(crate) const BLIND: Self = Self { page_tls: false, upstream_tls: false };
    pub(crate) const UPSTREAM_TLS: Self = Self { page_tls: false, upstream_tls: true };
    pub(crate) const PAGE_TLS: Self = Self { page_tls: true, upstream_tls: false };
    pub(crate) const BOTH_TLS: Self = Self { page_tls: true, upstream_tls: true };

    pub(crate) const ALL: [Self; 4] =
        [Self::BLIND, Self::UPSTREAM_TLS, Self::PAGE_TLS, Self::BOTH_TLS];

    /// Whether it does TLS at all.
    pub(crate) fn have_tls(self) -> bool {
        self.page_tls || self.upstream_tls
    }
}

impl fmt::Display for Legs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.page_tls, self.upstream_tls) {
            (false, false) => "blind",
            (false, true) => "TLS upstream",
            (true, false) => "TLS with the page",
            (true, true) => "TLS on both sides",
        })
    }
}
