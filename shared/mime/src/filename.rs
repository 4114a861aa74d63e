//! File names that are safe to save under, on every system.

use crate::text::{is_deceptive, prefix};

/// A safe file name for what a sender called `name`.
///
/// No path, no control or direction characters, no name that Windows reserves, nothing hidden, at
/// most [`crate::limits::FILE_NAME`] bytes, and an extension, guessed from the media type if there
/// is none.
pub(crate) fn safe_file_name(name: Option<&str>, media_type: &str) -> String {
    let last = name.unwrap_or_default().rsplit(['/', '\\']).find(|part| !part.trim().is_empty());
    let mut safe = String::new();
    for c in last.unwrap_or_default().chars() {
        match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => safe.push('_'),
            c if c.is_whitespace() || c.is_control() => {
                if !safe.ends_with(' ') {
                    safe.push(' ');
                }
            }
            c if is_deceptive(c) || is_invisible(c) => {}
            c => safe.push(c),
        }
    }
    let safe = safe.trim_matches([' ', '.']);
    let (stem, extension) = match safe.rsplit_once('.') {
        Some((stem, extension)) if is_extension(extension) => (stem, extension.to_owned()),
        _ => (safe, guessed_extension(media_type).to_owned()),
    };
    let stem =
        prefix(stem, crate::limits::FILE_NAME - extension.len() - 2).trim_end_matches([' ', '.']);
    let stem = if stem.is_empty() { default_stem(media_type) } else { stem };
    let guard = if is_reserved(stem) { "_" } else { "" };
    if extension.is_empty() {
        format!("{guard}{stem}")
    } else {
        format!("{guard}{stem}.{extension}")
    }
}

/// Marks of direction and joiners: they can hide a difference or turn an extension around.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
        | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

fn is_extension(extension: &str) -> bool {
    (1..=10).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Device names, with any extension.
fn is_reserved(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        first.strip_prefix(device).is_some_and(|n| {
            matches!(n, "\u{B9}" | "\u{B2}" | "\u{B3}")
                || n.len() == 1 && n.as_bytes()[0].is_ascii_digit()
        })
    };
    matches!(first.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
}

fn default_stem(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        Some("image") => "image",
        Some("message") => "message",
        Some("text") => "text",
        _ => "attachment",
    }
}

fn guessed_extension(media_type: &str) -> &'static str {
    match media_type {
        "application/gzip" => "gz",
        "application/json" => "json",
        "application/msword" => "doc",
        "application/ics" | "text/calendar" => "ics",
        "application/pdf" => "pdf",
        "application/pgp-encrypted" | "application/pgp-signature" => "asc",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/rtf" | "text/rtf" => "rtf",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.oasis.opendocument.spreadsheet" => "ods",
        "application/vnd.oasis.opendocument.text" => "odt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/xml" | "text/xml" => "xml",
        "application/zip" | "application/x-zip-compressed" => "zip",
        "audio/mp4" => "m4a",
        "audio/mpeg" => "mp3",
        "audio/ogg" => "ogg",
        "audio/wav" | "audio/x-wav" => "wav",
        "image/bmp" => "bmp",
        "image/gif" => "gif",
        "image/heic" => "heic",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/png" => "png",
        "image/svg+xml" => "svg",
        "image/tiff" => "tiff",
        "image/webp" => "webp",
        "message/delivery-status"
        | "message/disposition-notification"
        | "text/plain"
        | "text/rfc822-headers" => "txt",
        "message/rfc822" | "message/global" => "eml",
        "text/css" => "css",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/markdown" => "md",
        "text/vcard" | "text/x-vcard" => "vcf",
        "video/mp4" => "mp4",
        "video/quicktime" => "mov",
        "video/webm" => "webm",
        _ => "",
    }
}
