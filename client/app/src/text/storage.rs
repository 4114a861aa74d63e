//! What is stored in this browser, and how safe it is there.

pub(crate) const KEEP: &str = "Keep it safe";
pub(crate) const KEEPING: &str = "Asking the browser…";
pub(crate) const NOT_NOW: &str = "Not now";
pub(crate) const NOT_KEPT: &str = "This browser may delete stored mail when the disk runs full; Safari and others also do so after some time without a visit. With POP3 it can hold the only copy: ask the browser to keep it.";
pub(crate) const NOT_KEPT_BEFORE_DELETING: &str = "This browser may still delete stored mail when the disk runs full, or after some time without a visit. Nothing should be deleted on the server before it promises not to.";
pub(crate) const REFUSED: &str = "The browser did not promise it. Most do once Postern is installed as an app, is among the bookmarks, or has been used for a while. Until then, make backups.";
pub(crate) const PAUSED: &str = "This browser's storage is full, so downloads are paused. What is stored is safe, and the rest waits on the server. Free some space; downloads go on by themselves.";

pub(crate) const STORED_HERE: &str = "Stored here";

pub(crate) fn stored(messages: u32, size: &str) -> String {
    match messages {
        0 => "Nothing yet".to_owned(),
        1 => format!("1 message, {size}"),
        messages => format!("{messages} messages, {size}"),
    }
}

pub(crate) fn nearly_full(percent: u64) -> String {
    format!(
        "{percent} % of the space that this browser gives to Postern is in use. When it is full, downloads pause."
    )
}
