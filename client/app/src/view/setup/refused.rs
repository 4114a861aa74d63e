//! The certificate that a test, or an addition, failed for.

use leptos::prelude::*;
use postern_bridge::TlsEnd;

use super::settings::{Ask, submit};
use crate::{
    browser::focus,
    state::{App, setup::Progress},
    view::certificate::Refused,
};

/// The refusal, below the form; what is decided there goes on with what was asked for.
#[component]
pub(super) fn RefusedCertificate(
    /// What the person wanted when another question came up.
    asking: RwSignal<Option<Ask>>,
) -> impl IntoView {
    let app = App::here();
    let form = app.form;
    let refused = Memo::new(move |_| app.setup.with(|setup| setup.refused.clone()));
    let busy = Signal::derive(move || app.setup.with(Progress::is_busy));
    view! {
        {move || {
            refused
                .get()
                .map(|(refused, adding)| {
                    let ask = if adding { Ask::Add } else { Ask::Test };
                    let (host, port) = (refused.host.clone(), refused.port);
                    let go_on = move || {
                        // What has the focus goes with the refusal.
                        focus::give(match ask {
                            Ask::Test => "[data-test=setup-test]",
                            Ask::Add => "[data-test=setup-add]",
                        });
                        submit(app, asking, ask);
                    };
                    let trust = move |fingerprint| {
                        form.update(|form| form.trust(&host, port, fingerprint));
                        go_on();
                    };
                    let connect_here = move |()| {
                        form.update(|form| form.tls_end = Some(TlsEnd::Browser));
                        go_on();
                    };
                    view! {
                        <Refused
                            id="refused-setup"
                            asked=true
                            refused=*refused
                            before=None
                            busy
                            on_retry=Callback::new(move |()| go_on())
                            on_trust=Callback::new(trust)
                            on_browser=Some(Callback::new(connect_here))
                        />
                    }
                })
        }}
    }
}
