//! Where in the page the person is, as the address bar's fragment: `#/mailbox/3/message/17`.

use postern_bridge::{AccountId, MailboxId, MessageId};

/// A place in the page. On a narrow screen each is a pane, and the browser's "back" leads up.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Route {
    /// The folder list.
    #[default]
    Folders,
    /// A mailbox's list.
    Mailbox(MailboxId),
    /// An opened message.
    Message(MessageId),
    /// An opened message that a search from another mailbox has found.
    Found {
        /// The mailbox whose list stays open.
        from: MailboxId,
        /// The message.
        message: MessageId,
    },
    /// Adding an account.
    Setup,
    /// The accounts and their removal.
    Accounts,
    /// What is stored, and backups of it.
    Storage,
    /// One account's settings.
    Account(AccountId),
}

impl Route {
    /// Reads a fragment, with or without `#`; what it does not know leads to the folder list.
    pub(crate) fn parse(fragment: &str) -> Self {
        let path = fragment.trim_start_matches('#').trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["setup"] => Self::Setup,
            ["accounts"] => Self::Accounts,
            ["storage"] => Self::Storage,
            ["account", account] => {
                account.parse().map_or(Self::Accounts, |id| Self::Account(AccountId(id)))
            }
            ["mailbox", mailbox] => {
                mailbox.parse().map_or(Self::Folders, |id| Self::Mailbox(MailboxId(id)))
            }
            ["mailbox", mailbox, "message", uid] => match (mailbox.parse(), uid.parse()) {
                (Ok(mailbox), Ok(uid)) => {
                    Self::Message(MessageId { mailbox: MailboxId(mailbox), uid })
                }
                _ => Self::Folders,
            },
            ["mailbox", from, "found", mailbox, uid] => {
                match (from.parse(), mailbox.parse(), uid.parse()) {
                    (Ok(from), Ok(mailbox), Ok(uid)) => Self::Found {
                        from: MailboxId(from),
                        message: MessageId { mailbox: MailboxId(mailbox), uid },
                    },
                    _ => Self::Folders,
                }
            }
            _ => Self::Folders,
        }
    }

    /// The fragment that leads here.
    pub(crate) fn fragment(self) -> String {
        match self {
            Self::Folders => "#/".into(),
            Self::Mailbox(MailboxId(id)) => format!("#/mailbox/{id}"),
            Self::Message(MessageId { mailbox: MailboxId(mailbox), uid }) => {
                format!("#/mailbox/{mailbox}/message/{uid}")
            }
            Self::Found { from: MailboxId(from), message } => {
                let MessageId { mailbox: MailboxId(mailbox), uid } = message;
                format!("#/mailbox/{from}/found/{mailbox}/{uid}")
            }
            Self::Setup => "#/setup".into(),
            Self::Accounts => "#/accounts".into(),
            Self::Storage => "#/storage".into(),
            Self::Account(AccountId(id)) => format!("#/account/{id}"),
        }
    }

    /// The mailbox that this place is in.
    pub(crate) fn mailbox(self) -> Option<MailboxId> {
        match self {
            Self::Mailbox(mailbox) => Some(mailbox),
            Self::Message(message) => Some(message.mailbox),
            Self::Found { from, .. } => Some(from),
            Self::Folders | Self::Setup | Self::Accounts | Self::Storage | Self::Account(_) => None,
        }
    }

    /// The message that is open here.
    pub(crate) fn message(self) -> Option<MessageId> {
        match self {
            Self::Message(message) | Self::Found { message, .. } => Some(message),
            _ => None,
        }
    }

    /// One level up.
    pub(crate) fn parent(self) -> Self {
        match self {
            Self::Message(message) => Self::Mailbox(message.mailbox),
            Self::Found { from, .. } => Self::Mailbox(from),
            Self::Account(_) | Self::Storage => Self::Accounts,
            _ => Self::Folders,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_survives_the_address_bar() {
        let mailbox = MailboxId(3);
        for route in [
            Route::Folders,
            Route::Mailbox(mailbox),
            Route::Message(MessageId { mailbox, uid: u32::MAX }),
            Route::Found { from: mailbox, message: MessageId { mailbox: MailboxId(8), uid: 2 } },
            Route::Setup,
            Route::Accounts,
            Route::Storage,
            Route::Account(AccountId(4)),
        ] {
            assert_eq!(Route::parse(&route.fragment()), route);
        }
    }

    #[test]
    fn an_unknown_fragment_leads_to_the_folders() {
        for fragment in
            ["", "#", "#/nowhere", "#/mailbox/x", "#/mailbox/1/message/-1", "#/mailbox/1/found/2"]
        {
            assert_eq!(Route::parse(fragment), Route::Folders, "{fragment}");
        }
    }

    #[test]
    fn back_leads_from_the_message_over_the_list_to_the_folders() {
        let mailbox = MailboxId(3);
        let message = Route::Message(MessageId { mailbox, uid: 1 });
        assert_eq!(message.parent(), Route::Mailbox(mailbox));
        assert_eq!(message.parent().parent(), Route::Folders);
        let found = Route::Found { from: mailbox, message: MessageId { mailbox, uid: 1 } };
        assert_eq!(found.parent(), Route::Mailbox(mailbox));
        assert_eq!(Route::Account(AccountId(1)).parent(), Route::Accounts);
    }
}
