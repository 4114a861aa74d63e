//! Attachments on their way to the person's disk.

use leptos::prelude::*;
use postern_bridge::{AttachmentView, Intent, MessageId, Problem};

use super::{App, toasts::Toasts};

impl App {
    /// Fetches an attachment in order to save it.
    pub(crate) fn fetch_attachment(self, message: MessageId, section: String) {
        let part = section.clone();
        let request = self.request(|request| Intent::FetchAttachment { request, message, section });
        self.downloads.update(|downloads| {
            downloads.insert(request, (message, part));
        });
    }

    /// Takes the next bytes of an attachment, unless nobody waits for it.
    pub(super) fn take_attachment_data(self, request: u32, offset: u64, bytes: &[u8]) {
        if !self.downloads.with_untracked(|downloads| downloads.contains_key(&request)) {
            return;
        }
        self.arriving.update_value(|arriving| {
            let mut parts = arriving.remove(&request).unwrap_or_default();
            if offset == 0 {
                parts = Default::default();
            }
            // What does not follow, or has no room, is missed at the end.
            if parts.size() == offset && parts.add(bytes).is_ok() {
                arriving.insert(request, parts);
            }
        });
    }

    /// Saves an attachment of which all has come.
    pub(super) fn save_attachment(self, request: u32, result: Result<AttachmentView, Problem>) {
        let awaited = self.downloads.try_update(|downloads| downloads.remove(&request)).flatten();
        let arrived = self.arriving.try_update_value(|arriving| arriving.remove(&request));
        match result {
            Ok(attachment) if awaited.is_some() => {
                let parts = arrived.flatten().unwrap_or_default();
                let whole = parts.size() == attachment.size;
                // The browser itself tells of a download that fails later.
                if !whole || parts.save(&attachment.name).is_err() {
                    self.toasts.update(Toasts::not_saved);
                }
            }
            Ok(_) => {}
            Err(problem) => self.toasts.update(|toasts| toasts.problem(problem)),
        }
    }
}
