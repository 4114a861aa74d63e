//! What a new leader must be told about a page.

use postern_bridge::{ClientId, Intent, Up};

/// What a page has on show, as far as its leader must know it.
#[derive(Default)]
pub(super) struct Recall {
    network: Option<Intent>,
    mailbox: Option<Intent>,
    search: Option<Intent>,
    rows: Option<Intent>,
    conversation: Option<Intent>,
}

impl Recall {
    /// Notes an intent of the page.
    pub(super) fn note(&mut self, intent: &Intent) {
        match intent {
            Intent::Network { .. } => self.network = Some(intent.clone()),
            Intent::OpenMailbox { .. } => {
                self.mailbox = Some(intent.clone());
                (self.search, self.rows, self.conversation) = (None, None, None);
            }
            Intent::OpenConversation { .. } => self.conversation = Some(intent.clone()),
            Intent::CloseConversation => self.conversation = None,
            Intent::Search { query, .. } => {
                self.search = Some(intent.clone()).filter(|_| !query.trim().is_empty());
                self.rows = None;
            }
            Intent::ShowRows { .. } => self.rows = Some(intent.clone()),
            _ => {}
        }
    }

    /// The intents that bring a new leader up to date, in order.
    pub(super) fn intents(&self, client: ClientId) -> impl Iterator<Item = Up> + use<> {
        let shown = [&self.network, &self.mailbox, &self.search, &self.rows, &self.conversation]
            .map(Clone::clone);
        std::iter::once(Intent::Hello)
            .chain(shown.into_iter().flatten())
            .map(move |intent| Up { client, intent })
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{MailboxId, MessageId, SearchScope};

    use super::*;

    const CLIENT: ClientId = ClientId(7);

    fn recalled(noted: &[Intent]) -> Vec<Intent> {
        let mut recall = Recall::default();
        noted.iter().for_each(|intent| recall.note(intent));
        recall.intents(CLIENT).map(|up| up.intent).collect()
    }

    #[test]
    fn a_page_that_shows_nothing_only_says_hello() {
        assert_eq!(recalled(&[]), [Intent::Hello]);
    }

    #[test]
    fn the_last_mailbox_and_its_rows_are_recalled() {
        let [first, second] = [1, 2].map(MailboxId);
        let open = |mailbox| Intent::OpenMailbox { mailbox };
        let show = |mailbox, rows| Intent::ShowRows { mailbox, rows };
        let online = Intent::Network { online: true };
        let noted = [
            open(first),
            show(first, 0..50),
            online.clone(),
            open(second),
            show(second, 0..50),
            show(second, 50..100),
        ];
        let expected = [Intent::Hello, online, open(second), show(second, 50..100)];
        assert_eq!(recalled(&noted), expected);
        assert_eq!(
            recalled(&[open(first), show(first, 0..50), open(second)]),
            [Intent::Hello, open(second)]
        );
    }

    #[test]
    fn the_open_conversation_is_recalled_until_it_is_closed_or_another_mailbox_is_opened() {
        let [first, second] = [1, 2].map(MailboxId);
        let open = |mailbox| Intent::OpenMailbox { mailbox };
        let conversation =
            |uid| Intent::OpenConversation { message: MessageId { mailbox: first, uid } };
        let noted = [open(first), conversation(1), conversation(2)];
        assert_eq!(recalled(&noted), [Intent::Hello, open(first), conversation(2)]);
        let noted = [open(first), conversation(1), Intent::CloseConversation];
        assert_eq!(recalled(&noted), [Intent::Hello, open(first)]);
        assert_eq!(
            recalled(&[open(first), conversation(1), open(second)]),
            [Intent::Hello, open(second)]
        );
    }

    #[test]
    fn a_search_is_recalled_until_it_ends() {
        let mailbox = MailboxId(1);
        let open = Intent::OpenMailbox { mailbox };
        let search = |query: &str| Intent::Search {
            request: 3,
            mailbox,
            scope: SearchScope::Mailbox,
            query: query.into(),
        };
        let show = Intent::ShowRows { mailbox, rows: 0..50 };
        let found = [open.clone(), search("beans"), show.clone()];
        assert_eq!(recalled(&found), [Intent::Hello, open.clone(), search("beans"), show]);
        for end in [search(" "), open.clone()] {
            let noted = [open.clone(), search("beans"), end];
            assert_eq!(recalled(&noted), [Intent::Hello, open.clone()]);
        }
    }
}
