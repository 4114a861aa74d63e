//! What is known of a POP3 account's server, and of other programs at the same mailbox.

use leptos::prelude::*;
use postern_bridge::{AccountId, Pop3View, Protocol};

use super::part;
use crate::{
    state::App,
    text,
    view::{
        certificate::fact,
        icons::{self, Glyph, Icon},
    },
};

/// The protocol of an account, and the address of another one that is about the same mailbox over
/// the other protocol.
fn sharing_mailbox(app: App, account: AccountId) -> Memo<Option<(Protocol, String)>> {
    Memo::new(move |_| {
        app.accounts.with(|accounts| {
            let own = accounts.get(account)?;
            let other = accounts.all().iter().find(|other| own.shares_mailbox_with(other))?;
            Some((own.protocol, other.identity.address.clone()))
        })
    })
}

/// That another account is about the same mailbox.
#[component]
pub(super) fn SharedMailbox(account: AccountId) -> impl IntoView {
    let shared = sharing_mailbox(App::here(), account);
    move || {
        shared.get().map(|(own, address)| {
            view! {
                <p class="note is-warning" data-test="shared-mailbox">
                    <Icon glyph=icons::WARNING />
                    {text::pop3::shared_mailbox(own, &address)}
                </p>
            }
        })
    }
}

/// What the server says of itself, and what stands out there.
#[component]
pub(super) fn Pop3Card(account: AccountId) -> impl IntoView {
    let app = App::here();
    let server = part(app, account, |account| Some((account.pop3.clone()?, account.extent)));
    let shared = sharing_mailbox(app, account);
    let shown = move || server.get().flatten().filter(|(view, _)| *view != Pop3View::default());
    move || {
        shown().map(|(view, extent)| {
            let days = view.expires;
            let lost = days.and_then(|days| text::pop3::expires_before_it_is_here(days, extent));
            let facts = [
                view.implementation.map(|name| (text::pop3::IMPLEMENTATION, name)),
                view.expires.map(|days| (text::pop3::EXPIRES, text::pop3::expires(days))),
                view.login_delay
                    .map(|delay| (text::pop3::LOGIN_DELAY, text::pop3::login_delay(delay))),
            ];
            let facts: Vec<_> = facts.into_iter().flatten().collect();
            let some = |count: u32| (count > 0).then_some(count);
            view! {
                <section class="card pop3-card" data-test="pop3-server">
                    <h2>{text::pop3::SERVER}</h2>
                    {(!facts.is_empty())
                        .then(|| {
                            view! {
                                <dl class="facts">
                                    {facts.into_iter().map(|(name, value)| fact(name, value)).collect_view()}
                                </dl>
                            }
                        })}
                    {lost.map(|sentence| note("expires-before", icons::WARNING, sentence))}
                    {some(view.removed_elsewhere)
                        .map(|count| {
                            let imap = shared.get().map(|(_, address)| address);
                            let sentence = text::pop3::removed_elsewhere(count, imap.as_deref());
                            note("removed-elsewhere", icons::WARNING, sentence)
                        })}
                    {view.hold.map(|hold| note("deletion-hold", icons::SHIELD, text::pop3::hold(hold).into()))}
                    {some(view.unidentified)
                        .map(|count| note("unidentified", icons::SHIELD, text::pop3::unidentified(count)))}
                    {some(view.left_out)
                        .map(|count| note("left-out", icons::WARNING, text::pop3::left_out(count)))}
                    {some(view.unreadable)
                        .map(|count| {
                            note("unreadable", icons::WARNING, text::pop3::unreadable(count))
                        })}
                    {some(view.defects)
                        .map(|count| note("defects", icons::WARNING, text::pop3::defects(count)))}
                </section>
            }
        })
    }
}

fn note(test: &'static str, glyph: Glyph, sentence: String) -> impl IntoView {
    view! {
        <p class="note" data-test=test>
            <Icon glyph />
            {sentence}
        </p>
    }
}
