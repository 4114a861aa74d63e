//! The certificate that an account can't connect for.

use leptos::prelude::*;
use postern_bridge::{AccountId, Fingerprint, Intent, RefusedCertificate, ServerRole};

use super::{edit::connect_here, part};
use crate::{
    browser::focus,
    state::{App, account::Edit},
    view::certificate::Refused,
};

/// Shown while the last connection to this server failed for its certificate.
#[component]
pub(super) fn RefusedServer(
    /// The account.
    account: AccountId,
    /// Which of its servers.
    server: ServerRole,
    /// What is in the form that changes the account.
    edit: RwSignal<Edit>,
) -> impl IntoView {
    let app = App::here();
    let id = match server {
        ServerRole::Incoming => "refused-incoming",
        ServerRole::Outgoing => "refused-outgoing",
    };
    let refused = part(app, account, move |account| account.server_state(server).refused.clone());
    let before = move || {
        let seen = app.accounts.with_untracked(|accounts| {
            accounts.get(account).and_then(|account| account.server_state(server).session.clone())
        });
        seen.and_then(|session| session.certificate)
    };
    let trust = move |trusted: Option<Fingerprint>| {
        if let Some(RefusedCertificate { host, port, .. }) = refused.get_untracked().flatten() {
            app.send(Intent::TrustCertificate { account, server, host, port, trusted });
        }
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
                            id
                            asked=false
                            refused
                            before=before()
                            busy=false
                            on_retry=retry
                            on_trust=Callback::new(move |fingerprint| trust(Some(fingerprint)))
                            on_distrust=Some(Callback::new(move |()| trust(None)))
                            on_browser=Some(
                                Callback::new(move |()| connect_here(app, account, edit)),
                            )
                        />
                    }
                })
        }}
    }
}
