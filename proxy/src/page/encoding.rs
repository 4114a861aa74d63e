//! Which form of a file a browser takes (RFC 9110, section 12.5.3).

use axum::http::HeaderValue;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

/// How much a browser likes each coding, in thousandths; zero is not at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Preference {
    brotli: u16,
    gzip: u16,
    identity: u16,
}

impl Coding {
    /// The name in `Content-Encoding`.
    pub(super) fn token(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What the build adds to the name of a file that is compressed so.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }
}

impl Preference {
    /// Reads `Accept-Encoding`.
    pub(super) fn from_headers<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let (mut brotli, mut gzip, mut identity, mut rest) = (None, None, None, None);
        let texts = values.into_iter().filter_map(|value| value.to_str().ok());
        for item in texts.flat_map(|text| text.split(',')) {
            let (coding, parameter) = item.split_once(';').unwrap_or((item, ""));
            let quality = Some(quality(parameter));
            match coding.trim().to_ascii_lowercase().as_str() {
                "br" => brotli = quality,
                "gzip" | "x-gzip" => gzip = quality,
                "identity" => identity = quality,
                "*" => rest = quality,
                _ => {}
            }
        }
        Self {
            brotli: brotli.or(rest).unwrap_or(0),
            gzip: gzip.or(rest).unwrap_or(0),
            // Acceptable unless said otherwise, but nobody's first choice.
            identity: identity.or(rest.filter(|rest| *rest == 0)).unwrap_or(1),
        }
    }

    pub(super) fn of(&self, coding: Coding) -> u16 {
        match coding {
            Coding::Brotli => self.brotli,
            Coding::Gzip => self.gzip,
            Coding::Identity => self.identity,
        }
    }
}

/// Reads `q=0.5` as thousandths; without it, all of them; what is no quality counts as none.
fn quality(parameter: &str) -> u16 {
    let parameter = parameter.trim();
    if parameter.is_empty() {
        return 1000;
    }
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    match value.and_then(|value| value.trim().parse::<f32>().ok()) {
        Some(value) if (0.0..=1.0).contains(&value) => (value * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(accept: &str) -> Option<Coding> {
        let preference = Preference::from_headers([&HeaderValue::from_str(accept).unwrap()]);
        let ranked = [Coding::Identity, Coding::Gzip, Coding::Brotli]
            .into_iter()
            .max_by_key(|coding| preference.of(*coding))?;
        (preference.of(ranked) > 0).then_some(ranked)
    }

    #[test]
    fn the_best_accepted_coding_is_chosen() {
        use Coding::{Brotli, Gzip, Identity};
        for (accept, coding) in [
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("gzip, deflate", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("", Some(Identity)),
            ("deflate", Some(Identity)),
            ("*", Some(Brotli)),
            ("br;q=0.5, gzip;q=0.8", Some(Gzip)),
            ("br; q=0.5 , gzip; q=0.5", Some(Brotli)),
            ("br;q=0, *;q=0.1", Some(Gzip)),
            ("BR", Some(Brotli)),
            ("br;q=0, gzip;q=0", Some(Identity)),
            ("gzip;q=0.3, identity;q=0.9", Some(Identity)),
            ("br;q=nonsense, gzip", Some(Gzip)),
            ("br;q=2, gzip", Some(Gzip)),
            ("identity;q=0, gzip", Some(Gzip)),
            ("*;q=0", None),
        ] {
            assert_eq!(best(accept), coding, "{accept}");
        }
    }
}
