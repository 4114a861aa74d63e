//! What a certificate says.

use leptos::prelude::*;
use postern_bridge::{Certificate, CertificateDetails, Fingerprint};

use crate::{format, text};

/// Subject, issuer, names, validity and fingerprint.
#[component]
pub(crate) fn CertificateFacts(certificate: Certificate) -> impl IntoView {
    let Certificate { fingerprint, details } = certificate;
    view! {
        <dl class="facts">
            {details.map(details_facts)}
            <div>
                <dt>{text::certificate::FINGERPRINT}</dt>
                <dd class="fingerprint" data-test="fingerprint">
                    {grouped(fingerprint)}
                </dd>
            </div>
        </dl>
    }
}

fn details_facts(details: CertificateDetails) -> impl IntoView {
    let names = text::certificate::names(&details);
    let CertificateDetails { subject, issuer, not_before, not_after, .. } = details;
    let named = |name: String| {
        if name.is_empty() { text::certificate::NOBODY.to_owned() } else { name }
    };
    view! {
        {fact(text::certificate::SUBJECT, named(subject))}
        {fact(text::certificate::ISSUER, named(issuer))}
        {(!names.is_empty()).then(|| fact(text::certificate::NAMES, names))}
        {fact(text::certificate::FROM, format::full_date(not_before))}
        {fact(text::certificate::UNTIL, format::full_date(not_after))}
    }
}

/// A fact with its name; the value may be anything that a stranger wrote.
pub(crate) fn fact(name: &'static str, value: impl Into<String>) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <bdi>{value.into()}</bdi>
            </dd>
        </div>
    }
}

/// A fingerprint in groups of eight bytes, which stay together where a line breaks.
fn grouped(fingerprint: Fingerprint) -> impl IntoView {
    let text = fingerprint.to_string();
    let pairs: Vec<&str> = text.split(':').collect();
    pairs
        .chunks(8)
        .enumerate()
        .map(|(number, group)| {
            let colon = if number == 0 { "" } else { ":" };
            view! {
                {colon}
                <wbr />
                <span>{group.join(":")}</span>
            }
        })
        .collect_view()
}
