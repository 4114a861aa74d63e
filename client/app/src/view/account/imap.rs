//! What stands out at an IMAP account's server.

use leptos::prelude::*;
use postern_bridge::{AccountId, Oddity};

use super::part;
use crate::{
    state::App,
    text,
    view::icons::{self, Icon},
};

/// What the server has said that makes no sense.
#[component]
pub(super) fn ImapCard(account: AccountId) -> impl IntoView {
    let app = App::here();
    let oddities = part(app, account, |account| account.oddities.clone());
    let shown = move || oddities.get().filter(|oddities| !oddities.is_empty());
    let item = |Oddity { what, times }| view! { <li>{text::account::oddity(&what, times)}</li> };
    move || {
        shown().map(|oddities| {
            view! {
                <section class="card imap-card" data-test="oddities">
                    <h2>{text::account::ODDITIES}</h2>
                    <p class="note">
                        <Icon glyph=icons::WARNING />
                        {text::account::ODDITIES_DETAIL}
                    </p>
                    <ul>{oddities.into_iter().map(item).collect_view()}</ul>
                </section>
            }
        })
    }
}
