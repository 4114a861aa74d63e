//! The certificate that an account can't connect for.

use leptos::prelude::*;
use postern_bridge::{AccountId, Fingerprint, Intent, ServerRole};

use super::part;
use crate::{browser::focus, state::App, view::certificate::Refused};

/// Shown while the last connection to this server failed for its certificate.
#[component]
pub(super) fn RefusedServer(account: AccountId, server: ServerRole) -> impl IntoView {
    let app = App::here();
    let refused = part(app, account, move |account| account.server_state(server).refused.clone());
    let before = move || {
        let seen = app.accounts.with_untracked(|accounts| {
            accounts.get(account).and_then(|account| account.server_state(server).session.clone())
        });
        seen.and_then(|session| session.certificate)
    };
    let trust = move |trusted: Option<Fingerprint>| {
        app.send(Intent::TrustCertificate { account, server, trusted });
        focus::give(".page h1");
    };
    let retry = Callback::new(move |()| app.send(Intent::Refresh { account }));
    view! {
        {move || {
            refused
                .get()
                .flatten()
                .map(|refused| {
                    view! {
                        <Refused
                            refused
                            before=before()
                            busy=false
                            on_retry=retry
                            on_trust=Callback::new(move |fingerprint| trust(Some(fingerprint)))
                            on_distrust=Some(Callback::new(move |()| trust(None)))
                        />
                    }
                })
        }}
    }
}
