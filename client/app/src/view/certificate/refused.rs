//! A certificate that was refused: why, what it may mean, and how to trust it all the same.

use leptos::{html, prelude::*};
use postern_bridge::{Certificate, CertificateProblem, Fingerprint, RefusedCertificate, TlsEnd};

use super::{
    confirm::Confirm,
    facts::{CertificateFacts, fact},
};
use crate::{
    browser::focus,
    text,
    view::icons::{self, Icon},
};

/// The refusal. It takes the focus when it appears, so that a screen reader reads it from its title
/// on, unless the person is at something else: then its title alone is read out. What it offers
/// first is to try again, never to trust.
#[component]
pub(crate) fn Refused(
    /// What the ids of its elements begin with; a page may show several refusals.
    id: &'static str,
    /// Whether it answers what the person has just asked for on this page.
    asked: bool,
    /// The refusal.
    refused: RefusedCertificate,
    /// The certificate that was seen before, to be shown beside one that has changed.
    before: Option<Certificate>,
    /// Whether an answer is awaited.
    #[prop(into)]
    busy: Signal<bool>,
    /// Tries again as things are.
    on_retry: Callback<()>,
    /// Trusts the certificate for this server.
    on_trust: Callback<Fingerprint>,
    /// Trusts none any more, so that public authorities have to vouch for the server.
    #[prop(optional_no_strip)]
    on_distrust: Option<Callback<()>>,
    /// Connects from the browser instead of from the proxy.
    #[prop(optional_no_strip)]
    on_browser: Option<Callback<()>>,
) -> impl IntoView {
    let title = NodeRef::<html::H2>::new();
    let role = RwSignal::new(None);
    Effect::new(move |_| {
        if let Some(title) = title.get() {
            request_animation_frame(move || {
                if asked || focus::is_free() {
                    // Fails only for what can't have the focus.
                    let _ = title.focus();
                } else {
                    // The page may have been left meanwhile.
                    let _ = role.try_set(Some("alert"));
                }
            });
        }
    });
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    let (trusted, verifies) = match refused.problem {
        CertificateProblem::Changed { trusted, verifies } => (Some(trusted), verifies),
        _ => (None, false),
    };
    let meanings = text::certificate::meanings(&refused)
        .iter()
        .map(|meaning| view! { <li>{*meaning}</li> })
        .collect_view();
    let trustable = refused.trustable();
    let host = refused.host.clone();
    let on_distrust = on_distrust.filter(|_| verifies);
    let on_browser = on_browser.filter(|_| refused.verifier == TlsEnd::Proxy);
    view! {
        <section
            class="card refused"
            class:is-changed=trusted.is_some()
            data-test="refused"
            aria-labelledby=labelled_by
        >
            <header class="refused-head" role=move || role.get()>
                <span class="refused-picture">
                    <Icon glyph=icons::WARNING />
                </span>
                <h2 id=title_id tabindex="-1" node_ref=title>
                    {text::certificate::title(&refused)}
                </h2>
            </header>
            <p class="refused-problem" data-test="refused-problem">
                {text::certificate::problem(&refused)}
            </p>
            <p>{text::certificate::NOTHING_SENT}</p>
            <Certificates refused=refused.clone() trusted before />
            <h3>{text::certificate::MEANING}</h3>
            <ul class="refused-meanings">{meanings}</ul>
            <footer class="refused-actions">
                <button
                    class="button is-primary"
                    data-test="refused-retry"
                    aria-disabled=move || busy.get().to_string()
                    on:click=move |_| {
                        if !busy.get_untracked() {
                            on_retry.run(());
                        }
                    }
                >
                    {text::certificate::RETRY}
                </button>
                {on_distrust
                    .map(|distrust| {
                        view! {
                            <button
                                class="button"
                                data-test="refused-distrust"
                                on:click=move |_| distrust.run(())
                            >
                                {text::certificate::CHECK_PUBLIC}
                            </button>
                        }
                    })}
                {on_browser
                    .map(|connect| {
                        view! {
                            <button
                                class="button"
                                data-test="refused-browser"
                                on:click=move |_| connect.run(())
                            >
                                {text::certificate::IN_BROWSER}
                            </button>
                        }
                    })}
            </footer>
            {trustable
                .map(|fingerprint| {
                    view! { <Confirm id fingerprint host replaces=trusted.is_some() busy on_trust /> }
                })}
        </section>
    }
}

/// The certificate; and beside it the one that it takes the place of.
#[component]
fn Certificates(
    refused: RefusedCertificate,
    trusted: Option<Fingerprint>,
    before: Option<Certificate>,
) -> impl IntoView {
    let server = format!("{}:{}", refused.host, refused.port);
    let before = trusted.map(|fingerprint| {
        // Of an older one nothing but its fingerprint may be known.
        before
            .filter(|seen| seen.fingerprint == fingerprint)
            .unwrap_or(Certificate { fingerprint, details: None })
    });
    let now = match before {
        Some(_) => text::certificate::NOW,
        None => text::certificate::PRESENTED,
    };
    view! {
        <dl class="facts">{fact(text::certificate::HOST, server)}</dl>
        <div class="refused-certificates">
            {before
                .map(|certificate| {
                    view! {
                        <div class="certificate" data-test="refused-before">
                            <h3>{text::certificate::BEFORE}</h3>
                            <CertificateFacts certificate />
                        </div>
                    }
                })}
            {refused
                .certificate
                .map(|certificate| {
                    view! {
                        <div class="certificate" data-test="refused-now">
                            <h3>{now}</h3>
                            <CertificateFacts certificate />
                        </div>
                    }
                })}
        </div>
    }
}
