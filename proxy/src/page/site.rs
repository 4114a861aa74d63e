//! All files of the page, read once.
//!
//! Reading them once keeps a set that fits together, even while the next build replaces the folder,
//! and leaves a request no way to name a file outside of it.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, header::CONTENT_SECURITY_POLICY},
};
use sha2::{Digest, Sha256};

use super::encoding::{Coding, Preference};

/// The page's entry: what every client route answers with.
const INDEX: &str = "/index.html";

/// What the build wants in the headers of its page; not served.
const HEADERS: &str = "/headers.json";

/// What headers alone can say, or what is said when there is no page at all.
const NO_FRAMES: &str = "frame-ancestors 'none'";

/// All files of the page.
#[derive(Default)]
pub(crate) struct Site {
    files: HashMap<String, File>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A file in all its forms.
pub(super) struct File {
    pub(super) content_type: HeaderValue,
    pub(super) caching: Caching,
    variants: Vec<Variant>,
}

/// A file in one form.
pub(super) struct Variant {
    pub(super) coding: Coding,
    pub(super) etag: HeaderValue,
    pub(super) body: Bytes,
}

/// How long browsers may keep a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Caching {
    /// Its name changes with its content.
    Forever,
    /// They must ask each time whether it has changed.
    Revalidate,
}

/// Why a set of files is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SiteError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("there is no index.html in it")]
    NoIndex,
    #[error("headers.json: {0}")]
    Headers(String),
}

impl Site {
    /// The page inside the program, if it was built with one.
    pub(crate) fn embedded() -> Self {
        #[cfg(feature = "embed")]
        return super::embedded::site();
        #[cfg(not(feature = "embed"))]
        return Self::new(HashMap::new()).unwrap_or_default();
    }

    /// The page in a folder.
    pub(crate) fn from_folder(folder: &std::path::Path) -> Result<Self, SiteError> {
        let site = Self::new(super::folder::read(folder)?)?;
        if site.is_empty() { Err(SiteError::NoIndex) } else { Ok(site) }
    }

    /// A page of files by their paths, which begin with a slash.
    pub(super) fn new(mut bodies: HashMap<String, Bytes>) -> Result<Self, SiteError> {
        let headers = read_headers(bodies.remove(HEADERS).as_deref())?;
        let mut compressed = HashMap::new();
        for coding in [Coding::Brotli, Coding::Gzip] {
            let pairs = bodies.keys().filter_map(|path| {
                let original = path.strip_suffix(coding.suffix())?;
                bodies.contains_key(original).then(|| (path.clone(), original.to_owned()))
            });
            for (path, original) in pairs.collect::<Vec<_>>() {
                if let Some(body) = bodies.remove(&path) {
                    let variants: &mut Vec<_> = compressed.entry(original).or_default();
                    variants.push(Variant::new(coding, body));
                }
            }
        }
        let files = bodies.into_iter().map(|(path, body)| {
            let mut variants = compressed.remove(&path).unwrap_or_default();
            variants.push(Variant::new(Coding::Identity, body));
            let file =
                File { content_type: content_type(&path), caching: caching(&path), variants };
            (path, file)
        });
        Ok(Self { files: files.collect(), headers })
    }

    /// Whether there is no page.
    pub(crate) fn is_empty(&self) -> bool {
        !self.files.contains_key(INDEX)
    }

    /// Headers for all answers.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The file for a path. What has no dot in its last part is a route of the page's own.
    pub(super) fn find(&self, path: &str) -> Option<&File> {
        let last = path.rsplit('/').next().unwrap_or(path);
        let own_route = !last.contains('.') && !path.starts_with("/api/");
        self.files.get(path).or_else(|| own_route.then(|| self.files.get(INDEX))?)
    }
}

impl File {
    /// The form that a browser likes best; the smaller one if it likes two.
    pub(super) fn variant(&self, accepted: &Preference) -> &Variant {
        // `max_by_key` takes the last of equals, and the variants go from small to large.
        let best = self.variants.iter().rev().max_by_key(|variant| accepted.of(variant.coding));
        best.expect("a file has at least the form that it was read in")
    }

    pub(super) fn has_variants(&self) -> bool {
        self.variants.len() > 1
    }
}

impl Variant {
    fn new(coding: Coding, body: Bytes) -> Self {
        let digest = Sha256::digest(&body);
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        // Each form has its own tag: they differ byte by byte.
        let etag = format!("\"{hex}{}\"", coding.suffix());
        let etag = HeaderValue::from_str(&etag).expect("hexadecimal digits fit into a header");
        Self { coding, etag, body }
    }
}

/// The build's headers, and a Content-Security-Policy in any case.
fn read_headers(json: Option<&[u8]>) -> Result<Vec<(HeaderName, HeaderValue)>, SiteError> {
    let invalid = |error: &dyn std::fmt::Display| SiteError::Headers(error.to_string());
    let mut texts: HashMap<String, String> = match json {
        Some(json) => serde_json::from_slice(json).map_err(|error| invalid(&error))?,
        None => HashMap::new(),
    };
    let policy = texts
        .entry(CONTENT_SECURITY_POLICY.as_str().to_owned())
        .or_insert_with(|| "default-src 'self'".to_owned());
    if !policy.contains("frame-ancestors") {
        policy.push_str("; ");
        policy.push_str(NO_FRAMES);
    }
    let parse = |(name, value): (String, String)| {
        let name = HeaderName::try_from(name).map_err(|error| invalid(&error))?;
        Ok((name, HeaderValue::try_from(value).map_err(|error| invalid(&error))?))
    };
    texts.into_iter().map(parse).collect()
}

fn content_type(path: &str) -> HeaderValue {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    HeaderValue::from_static(match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        _ => mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream"),
    })
}

/// Files under `/assets/` never change if their name, or that of their folder, ends in `-` and 16
/// hexadecimal digits.
fn caching(path: &str) -> Caching {
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let has_hash = |part: &str| {
        let name = part.split('.').next().unwrap_or(part);
        name.rsplit_once('-').is_some_and(|(_, hash)| is_hash(hash))
    };
    match path.strip_prefix("/assets/") {
        Some(path) if path.split('/').any(has_hash) => Caching::Forever,
        _ => Caching::Revalidate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> Result<Site, SiteError> {
        let own = |(path, body): &(&str, &str)| (path.to_string(), Bytes::from(body.to_string()));
        Site::new(files.iter().map(own).collect())
    }

    #[test]
    fn files_have_their_types() {
        for (path, expected) in [
            ("/index.html", "text/html; charset=utf-8"),
            ("/assets/app-0123456789abcdef.js", "text/javascript; charset=utf-8"),
            ("/assets/app-0123456789abcdef.wasm", "application/wasm"),
            ("/manifest.webmanifest", "application/manifest+json"),
            ("/icon.svg", "image/svg+xml"),
            ("/icon.png", "image/png"),
            ("/font.woff2", "font/woff2"),
            ("/unknown", "application/octet-stream"),
        ] {
            assert_eq!(content_type(path), expected, "{path}");
        }
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        for (path, expected) in [
            ("/assets/app-0123456789abcdef.js", Caching::Forever),
            ("/assets/deep/a-b-0123456789abcdef.module.js", Caching::Forever),
            ("/assets/snippets-0123456789abcdef/inline0.js", Caching::Forever),
            ("/app-0123456789abcdef.js", Caching::Revalidate),
            ("/assets/app-0123456789abcde.js", Caching::Revalidate),
            ("/assets/app-0123456789abcdef0.js", Caching::Revalidate),
            ("/assets/app-0123456789abcdeg.js", Caching::Revalidate),
            ("/assets/0123456789abcdef.js", Caching::Revalidate),
            ("/assets/app.js", Caching::Revalidate),
            ("/sw.js", Caching::Revalidate),
        ] {
            assert_eq!(caching(path), expected, "{path}");
        }
    }

    #[test]
    fn compressed_files_are_forms_of_their_originals_and_nothing_by_themselves() {
        let site = site(&[
            ("/index.html", "i"),
            ("/index.html.br", "b"),
            ("/index.html.gz", "g"),
            ("/archive.gz", "a"),
        ])
        .unwrap();
        assert_eq!(site.find("/").unwrap().variants.len(), 3);
        assert!(site.find("/index.html.br").is_none());
        assert!(site.find("/archive.gz").is_some());
    }

    #[test]
    fn the_policy_of_the_build_gets_what_only_a_header_can_say() {
        let site =
            site(&[("/headers.json", r#"{"content-security-policy": "default-src 'none'"}"#)]);
        let site = site.unwrap();
        assert_eq!(site.headers.len(), 1);
        assert_eq!(site.headers[0].1, "default-src 'none'; frame-ancestors 'none'");
        assert!(site.find("/headers.json").is_none());
    }

    #[test]
    fn headers_that_can_not_be_read_are_an_error() {
        for json in ["", "[]", r#"{"a b": "c"}"#, r#"{"a": "\n"}"#, r#"{"a": 1}"#] {
            assert!(
                matches!(site(&[("/headers.json", json)]), Err(SiteError::Headers(_))),
                "{json}"
            );
        }
    }
}
