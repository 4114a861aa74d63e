//! The page around a sanitised body.

use super::Sanitised;

const STYLE: &str = include_str!("document.css");

/// Nothing may load but the images that the document carries; nothing may run. The frame's sandbox
/// says the same again. Looking up the hosts of links ahead of time, which would tell a sender that
/// the mail is open, is switched off apart from it.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A complete document that shows these bodies, one after the other.
///
/// Mail with colours of its own gets a white page, for it was designed on one; other mail follows
/// the theme and gets lines of a readable length.
pub(crate) fn document(bodies: &[Sanitised]) -> String {
    let theme = if bodies.iter().any(|body| body.sets_colours) { " class=\"light\"" } else { "" };
    let body = bodies.iter().map(|body| body.html.as_str()).collect::<Vec<_>>().join("<hr>");
    format!(
        "<!doctype html><html{theme}><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta http-equiv=\"x-dns-prefetch-control\" content=\"off\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>{STYLE}</style></head><body>{body}</body></html>"
    )
}

/// Plain text as a body among others.
pub(crate) fn escaped_text(text: &str) -> Sanitised {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Sanitised {
        html: format!("<div class=\"postern-text\">{escaped}</div>"),
        ..Sanitised::default()
    }
}
