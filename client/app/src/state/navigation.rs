//! What follows from where the person is, and where to take the person when nothing is chosen.

use leptos::prelude::*;
use postern_bridge::{Intent, MailboxId};

use super::{App, Landing, reader::Reader};
use crate::{
    browser::{history, network},
    route::Route,
};

impl App {
    /// Makes list, reading pane and engine follow the route, for as long as the page lives.
    pub(crate) fn follow(self) {
        history::on_change(move |route| {
            self.route.set(route);
            if route != Route::Folders {
                self.landing.set(Landing::Done);
            }
        });
        network::on_change(move |online| {
            self.online.set(online);
            self.send(Intent::Network { online });
        });
        if self.route.get_untracked() != Route::Folders {
            self.landing.set(Landing::Done);
        }
        self.follow_mailbox();
        self.follow_message();
        self.follow_conversation();
        self.land();
        self.leave_what_is_gone();
    }

    fn follow_mailbox(self) {
        let mailbox = Memo::new(move |_| self.route.get().mailbox());
        Effect::new(move |shown: Option<Option<MailboxId>>| {
            let mailbox = mailbox.get();
            if shown != Some(mailbox) {
                self.list.update(|list| list.open(mailbox));
                self.picked.update(|picked| picked.clear());
                if let Some(mailbox) = mailbox {
                    self.send(Intent::OpenMailbox { mailbox });
                    self.show_rows(&(0..0));
                }
            }
            mailbox
        });
    }

    fn follow_message(self) {
        let message = Memo::new(move |_| self.route.get().message());
        Effect::new(move |_| match message.get() {
            Some(message) => {
                self.reader.set(Reader::Opening(message));
                self.list.update(|list| list.mark(message));
                self.send(Intent::OpenMessage { message });
            }
            None => self.reader.set(Reader::Closed),
        });
    }

    fn land(self) {
        Effect::new(move |_| {
            let inbox = match self.landing.get() {
                Landing::Done => return,
                Landing::Account(account) => {
                    self.mailboxes.with(|mailboxes| mailboxes.inbox(account))
                }
                Landing::Anywhere => self.accounts.with(|accounts| {
                    self.mailboxes.with(|mailboxes| {
                        accounts.all().iter().find_map(|account| mailboxes.inbox(account.id))
                    })
                }),
            };
            if let Some(inbox) = inbox {
                self.landing.set(Landing::Done);
                if self.route.get_untracked() == Route::Folders {
                    self.go(Route::Mailbox(inbox));
                }
            }
        });
    }

    /// A mailbox can go while it is open, or be named by an old address.
    fn leave_what_is_gone(self) {
        Effect::new(move |_| {
            let Some(mailbox) = self.route.get().mailbox() else { return };
            let gone = self.accounts.with(|accounts| {
                self.mailboxes.with(|mailboxes| {
                    accounts.known()
                        && accounts.all().iter().all(|account| mailboxes.of(account.id).is_some())
                        && mailboxes.get(mailbox).is_none()
                })
            });
            if gone {
                self.landing.set(Landing::Anywhere);
                self.go_instead(Route::Folders);
            }
        });
    }
}
