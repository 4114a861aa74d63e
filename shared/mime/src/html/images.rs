//! Images that come with the message and that its HTML refers to as `cid:` (RFC 2392).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::limits;

/// The inline images of one message by their `Content-ID`.
///
/// Only PNG, JPEG, GIF and WebP, told by their first bytes and not by what the message claims; at
/// most [`limits::INLINE_IMAGES`] of at most [`limits::INLINE_IMAGE`] bytes.
#[derive(Clone, Debug, Default)]
pub struct InlineImages {
    data_urls: Arc<HashMap<String, String>>,
}

impl InlineImages {
    /// Takes the images that can be shown; of two with the same id, the first.
    pub fn new(images: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut data_urls = HashMap::new();
        for (id, content) in images {
            if data_urls.len() == limits::INLINE_IMAGES {
                break;
            }
            if let Some(media_type) = media_type(&content)
                && content.len() <= limits::INLINE_IMAGE
            {
                data_urls.entry(id).or_insert_with(|| {
                    format!("data:{media_type};base64,{}", STANDARD.encode(content))
                });
            }
        }
        Self { data_urls: Arc::new(data_urls) }
    }

    /// The `data:` URL for what follows `cid:`, which may be percent-encoded.
    fn data_url(&self, reference: &str) -> Option<(&str, &str)> {
        let id = percent_decoded(reference.trim());
        self.data_urls.get_key_value(&id).map(|(id, url)| (id.as_str(), url.as_str()))
    }
}

/// Which images one document shows, and how many bytes it may still use for them: each use is a
/// copy.
#[derive(Debug)]
pub(super) struct ImageBudget {
    left: usize,
    shown: HashSet<String>,
}

impl Default for ImageBudget {
    fn default() -> Self {
        Self { left: limits::INLINE_IMAGES_TOTAL, shown: HashSet::new() }
    }
}

impl ImageBudget {
    pub(super) fn show(&mut self, images: &InlineImages, reference: &str) -> Option<String> {
        let (id, url) = images.data_url(reference)?;
        self.left = self.left.checked_sub(url.len())?;
        self.shown.insert(id.to_owned());
        Some(url.to_owned())
    }

    pub(super) fn take_shown(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.shown)
    }
}

fn media_type(content: &[u8]) -> Option<&'static str> {
    match content {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| tail.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
