//! The page's Content-Security-Policy.

use super::dist::integrity;

/// The policy for the page's `<meta>` element, with the inline scripts that it allows.
///
/// `style-src 'unsafe-inline'` is for mail: a message is shown in a sandboxed `srcdoc` frame, which
/// inherits this policy, and its sanitised styles are inline. Scripts have no such exception.
pub(super) fn page(inline_scripts: &[&str]) -> String {
    let hashes: String = inline_scripts
        .iter()
        .map(|script| format!(" '{}'", integrity(script.as_bytes())))
        .collect();
    [
        "default-src 'none'",
        &format!("script-src 'self' 'wasm-unsafe-eval'{hashes}"),
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    .join("; ")
}

/// The same for the response's header, with what browsers heed only there.
pub(super) fn header(page: &str) -> String {
    format!("{page}; frame-ancestors 'none'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_given_inline_scripts_are_allowed() {
        let policy = page(&["alert(1)"]);
        // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
        let script = "script-src 'self' 'wasm-unsafe-eval' \
                      'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';";
        assert!(policy.contains(script), "{policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"));
        assert!(policy.starts_with("default-src 'none'; "));
    }

    #[test]
    fn the_header_also_forbids_framing() {
        assert!(header(&page(&[])).ends_with("; form-action 'none'; frame-ancestors 'none'"));
    }
}
