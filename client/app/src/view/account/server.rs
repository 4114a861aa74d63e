//! How one server is reached, and what protects the way.

use leptos::prelude::*;
use postern_bridge::{
    AccountId, Endpoint, Intent, Quota, Security, ServerRole, Share, TlsEnd, TlsSession,
};

use super::part;
use crate::{
    browser::focus,
    format,
    state::App,
    text,
    view::certificate::{CertificateFacts, fact},
};

/// Server, protection, TLS session and certificate.
#[component]
pub(super) fn ServerCard(account: AccountId, server: ServerRole) -> impl IntoView {
    let app = App::here();
    let endpoint = part(app, account, move |account| account.server(server).endpoint.clone());
    let session = part(app, account, move |account| account.server_state(server).session.clone());
    let protocol = part(app, account, |account| account.protocol);
    let title = move || protocol.get().map(|protocol| text::account::server(server, protocol));
    let test = match server {
        ServerRole::Incoming => "server-incoming",
        ServerRole::Outgoing => "server-outgoing",
    };
    let stop_trusting = move || {
        if let Some(Endpoint { host, port, .. }) = endpoint.get_untracked() {
            app.send(Intent::TrustCertificate { account, server, host, port, trusted: None });
        }
        focus::give(".page h1");
    };
    view! {
        <section class="card server-card" data-test=test>
            <h2>{title}</h2>
            {(server == ServerRole::Incoming).then(|| view! { <Room account /> })}
            {move || {
                endpoint
                    .get()
                    .map(|endpoint| {
                        view! { <Facts endpoint session=session.get().flatten() stop_trusting /> }
                    })
            }}
        </section>
    }
}

/// How much of its room on the server is used, where the server tells.
#[component]
fn Room(account: AccountId) -> impl IntoView {
    let app = App::here();
    let quota = part(app, account, |account| account.quota);
    let meter = |share: Share, words: String| {
        let percent = share.percent().min(100).to_string();
        view! {
            <progress max="100" value=percent aria-label=words.clone()></progress>
            <p>{words}</p>
        }
    };
    let known = move |quota: Quota| {
        let storage = quota.storage.map(|share| {
            let (used, limit) = (format::size(share.used), format::size(share.limit));
            meter(share, text::account::room(&used, &limit, share.percent()))
        });
        let messages = quota.messages.map(|share| {
            let (used, limit) = (share.used.to_string(), share.limit.to_string());
            meter(share, text::account::room_messages(&used, &limit, share.percent()))
        });
        let little = quota.tightest().filter(|_| quota.is_nearly_full());
        view! {
            <div class="meter" class:is-high=quota.is_nearly_full() data-test="quota">
                {storage}
                {messages}
                {little.map(|share| {
                    let words = text::account::little_room(share.percent());
                    view! { <p class="field-hint">{words}</p> }
                })}
            </div>
        }
    };
    move || {
        let quota = quota.get().filter(|quota| quota.tightest().is_some());
        quota.map(known)
    }
}

#[component]
fn Facts(
    endpoint: Endpoint,
    session: Option<TlsSession>,
    stop_trusting: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let trusted = endpoint.trusted.filter(|_| endpoint.tls_end == TlsEnd::Browser);
    let protected = endpoint.security != Security::Plain;
    let end = match endpoint.tls_end {
        TlsEnd::Browser => text::account::MADE_BY_BROWSER,
        TlsEnd::Proxy => text::account::MADE_BY_PROXY,
    };
    let vouched = move |session: &TlsSession| match (session.end, &session.certificate) {
        (TlsEnd::Proxy, _) => text::account::BY_PROXY,
        (_, Some(own)) if Some(own.fingerprint) == trusted => text::account::BY_YOU,
        _ => text::account::BY_AUTHORITY,
    };
    let address = text::account::address(&endpoint);
    view! {
        <dl class="facts">
            {fact(text::account::ADDRESS, address)}
            {fact(text::account::PROTECTION, text::account::protection(endpoint.security))}
            {protected.then(|| fact(text::account::MADE_BY, end))}
            {session
                .clone()
                .map(|session| {
                    view! {
                        {fact(text::account::VERSION, session.version)}
                        {fact(text::account::CIPHER, session.cipher)}
                    }
                })}
        </dl>
        {match session {
            Some(session) => {
                let mark = vouched(&session);
                session
                    .certificate
                    .map(|certificate| {
                        view! {
                            <div class="certificate">
                                <h3>
                                    {text::account::CERTIFICATE}
                                    <span class="tag is-good" data-test="vouched">
                                        {mark}
                                    </span>
                                </h3>
                                <CertificateFacts certificate />
                            </div>
                        }
                    })
                    .into_any()
            }
            None if protected => view! { <p class="note">{text::account::NOT_SEEN}</p> }.into_any(),
            None => ().into_any(),
        }}
        {trusted
            .map(|_| {
                view! {
                    <button
                        class="button"
                        data-test="stop-trusting"
                        on:click=move |_| stop_trusting()
                    >
                        {text::account::STOP_TRUSTING}
                    </button>
                }
            })}
    }
}
