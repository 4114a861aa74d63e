//! What is kept of HTML: the allow-lists for elements, attributes and URLs, applied to the parsed
//! tree.
//!
//! Everything that is not named is dropped. The filter decides on each attribute that the lists let
//! through, and its last arm drops.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
};

use ammonia::{Builder, UrlRelative};

use super::{
    css,
    elements::{ATTRIBUTES, ELEMENT_ATTRIBUTES, ELEMENTS},
    images::{ImageBudget, InlineImages},
};
use crate::limits;

/// Links open elsewhere, and where they open learns nothing.
const LINK_REL: &str = "noopener noreferrer nofollow";
const LINK_TARGET: &str = "_blank";

/// What the filter found on its way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Remote resources that were dropped.
    blocked: AtomicU32,
    /// Whether any colour is set.
    colours: AtomicBool,
    /// Images that are shown, and how much of them may still be.
    images: Mutex<ImageBudget>,
}

/// Findings as plain values.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) remote_blocked: u32,
    pub(super) sets_colours: bool,
    pub(super) images_shown: HashSet<String>,
}

/// Parses, filters and writes HTML.
pub(super) fn apply(html: &str, images: &InlineImages) -> (String, Found) {
    let findings = Arc::new(Findings::default());
    let filter = Arc::clone(&findings);
    let images = images.clone();
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.into_iter().collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(ATTRIBUTES.into_iter().collect())
        .tag_attributes(
            ELEMENT_ATTRIBUTES
                .into_iter()
                .map(|(element, names)| (element, names.iter().copied().collect()))
                .collect::<HashMap<_, _>>(),
        )
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some(LINK_REL))
        .set_tag_attribute_value("a", "target", LINK_TARGET)
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| {
            filter.attribute(&images, element, attribute, value)
        });
    let html = builder.clean(html).to_string();
    let shown = findings.images.lock().unwrap_or_else(PoisonError::into_inner).take_shown();
    let found = Found {
        remote_blocked: findings.blocked.load(Relaxed),
        sets_colours: findings.colours.load(Relaxed),
        images_shown: shown,
    };
    (html, found)
}

impl Findings {
    /// The value that an attribute keeps, if any.
    fn attribute<'v>(
        &self,
        images: &InlineImages,
        element: &str,
        attribute: &str,
        value: &'v str,
    ) -> Option<Cow<'v, str>> {
        if value.len() > limits::HTML_ATTRIBUTE_VALUE {
            return None;
        }
        match (element, attribute) {
            ("a", "href") => link(value).map(Cow::Owned),
            // Set above; the mail's own are gone before they come here.
            ("a", "rel") => Some(Cow::Borrowed(LINK_REL)),
            ("a", "target") => Some(Cow::Borrowed(LINK_TARGET)),
            ("img", "src") => self.image(images, value).map(Cow::Owned),
            (_, "background") => {
                self.block_if_remote(value);
                None
            }
            (_, "style") => {
                let style = css::style_attribute(value);
                self.blocked.fetch_add(style.remote_blocked, Relaxed);
                self.colours.fetch_or(style.sets_colours, Relaxed);
                (!style.css.is_empty()).then_some(Cow::Owned(style.css))
            }
            (_, "bgcolor") | ("font" | "hr", "color") => {
                self.colours.store(true, Relaxed);
                is_plain(value).then_some(Cow::Borrowed(value))
            }
            (
                _,
                "align" | "alt" | "border" | "cellpadding" | "cellspacing" | "class" | "colspan"
                | "dir" | "face" | "height" | "hspace" | "id" | "lang" | "noshade" | "nowrap"
                | "open" | "reversed" | "rowspan" | "size" | "span" | "start" | "title" | "type"
                | "valign" | "value" | "vspace" | "width",
            ) => Some(Cow::Borrowed(value)),
            _ => None,
        }
    }

    /// The `data:` URL of an inline image; anything else is counted if it is remote.
    fn image(&self, images: &InlineImages, source: &str) -> Option<String> {
        let source = source.trim();
        let id = source.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:"));
        if id.is_none() {
            self.block_if_remote(source);
            return None;
        }
        let mut budget = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        budget.show(images, &source[4..])
    }

    fn block_if_remote(&self, url: &str) {
        if is_remote(url) {
            self.blocked.fetch_add(1, Relaxed);
        }
    }
}

/// A link's URL if it has a scheme that a person may follow, without the white space and control
/// characters that browsers ignore.
fn link(url: &str) -> Option<String> {
    let url: String = url.trim().chars().filter(|c| !c.is_control()).collect();
    let (scheme, _) = url.split_once(':')?;
    ["http", "https", "mailto", "tel"]
        .iter()
        .any(|allowed| scheme.eq_ignore_ascii_case(allowed))
        .then_some(url)
}

/// Whether a URL names something on another machine.
pub(super) fn is_remote(url: &str) -> bool {
    let start: String = url
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .take(6)
        .collect::<String>()
        .to_ascii_lowercase();
    ["http:", "https:", "//", "\\\\", "/\\", "\\/"].iter().any(|remote| start.starts_with(remote))
}

/// Letters, digits and what colours are written with.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_alphanumeric() || b"#(),.% -".contains(&b))
}
