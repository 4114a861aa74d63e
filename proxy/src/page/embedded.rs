//! The page inside the program.

use std::borrow::Cow;

use axum::body::Bytes;
use rust_embed::RustEmbed;

use super::site::Site;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../dist"]
struct Dist;

/// The page as it was when the program was built.
pub(super) fn site() -> Site {
    let files = Dist::iter().filter_map(|path| {
        let body = match Dist::get(&path)?.data {
            Cow::Borrowed(body) => Bytes::from_static(body),
            Cow::Owned(body) => body.into(),
        };
        Some((format!("/{path}"), body))
    });
    Site::new(files.collect()).expect("the build writes headers that can be read")
}
