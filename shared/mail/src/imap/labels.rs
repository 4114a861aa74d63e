//! Gmail's labels (X-GM-EXT-1), which are there what tags are elsewhere.
//!
//! They come with a message's flags, and are kept among its keywords, so that all else treats both
//! alike. Those of Gmail itself, such as `\Inbox` or `\Starred`, begin with a backslash: folders and
//! marks tell the same, and they are no tags. What begins with `$`, such as `$Forwarded`, is a keyword
//! there as well. In the mailbox of a label its messages are told without it.
//!
//! A label that is given or taken raises the mod-sequence of its message, so that it is asked for with
//! the flags that have changed, and shows among the counts that are asked for once a minute. What
//! Gmail tells unasked has flags alone: then the tags stay what they are until that. QRESYNC, which
//! Gmail has not, would tell no labels either.

use postern_bridge::{Mark, is_label};
use postern_imap::{
    command::FetchItem,
    mailbox_name::{self, Spelling},
    response::Capabilities,
};

use super::ImapClient;
use crate::{Host, MailError, Transport};

impl<T: Transport> ImapClient<T> {
    /// How labels are spelled, where the server has them.
    pub(super) async fn labels<H: Host<Transport = T>>(
        &mut self,
        host: &H,
    ) -> Result<Option<Spelling>, MailError> {
        let is_offered = are_offered(&self.capabilities(host).await?);
        Ok(is_offered.then_some(self.enabled.spelling))
    }

    /// The label that a mark is on this server; `None` if it is a flag.
    pub(super) async fn label<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mark: &Mark,
    ) -> Result<Option<Vec<u8>>, MailError> {
        let spelling = self.labels(host).await?;
        Ok(match (mark, spelling) {
            (Mark::Keyword(name), Some(spelling)) if is_label(name) => {
                Some(mailbox_name::encode_to(name, spelling))
            }
            _ => None,
        })
    }
}

/// Whether a server has labels.
pub(super) fn are_offered(capabilities: &Capabilities) -> bool {
    capabilities.has("X-GM-EXT-1")
}

/// What must be fetched to know a message's flags and tags.
pub(super) fn items(labels: Option<Spelling>) -> Vec<FetchItem> {
    let labels = labels.map(|_| FetchItem::GmailLabels);
    [FetchItem::Flags].into_iter().chain(labels).collect()
}

/// The tags among a message's labels.
pub(super) fn tags(labels: &[Vec<u8>], spelling: Spelling) -> impl Iterator<Item = String> {
    let names = labels.iter().map(move |label| mailbox_name::decode_from(label, spelling));
    names.filter(|name| is_label(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_tags_but_for_those_of_gmail_itself_and_what_nobody_could_give() {
        let longest = "x".repeat(225);
        let labels = [
            br"\Inbox".to_vec(),
            br"\Muted".to_vec(),
            b"$Junk".to_vec(),
            b"Muy Importante".to_vec(),
            b"Entw&APw-rfe/a\"b".to_vec(),
            "gr\u{f6}\u{df}e".into(),
            b"".to_vec(),
            b"  ".to_vec(),
            b"two\nlines".to_vec(),
            b"caf\xe9".to_vec(),
            longest.clone().into_bytes(),
            format!("{longest}x").into_bytes(),
        ];
        let told: Vec<_> = tags(&labels, Spelling::ModifiedUtf7).collect();
        assert_eq!(told, ["Muy Importante", "Entw\u{fc}rfe/a\"b", "gr\u{f6}\u{df}e", &*longest]);
        let plain = [b"Entw&APw-rfe".to_vec(), b"R&D".to_vec()];
        let told: Vec<_> = tags(&plain, Spelling::Utf8).collect();
        assert_eq!(told, ["Entw&APw-rfe", "R&D"], "as it is spelled");
    }
}
