//! What a person does on the page, step by step, and the servers behind it.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Result, bail};
use postern::demo::{self, Content, Demo, Faults};
use postern_tests::{
    browser::{Browser, hook},
    devtools,
    dovecot::{Dovecot, Options, PASSWORD},
    letters,
    site::{Reach, Site},
};
use serde_json::{Value, json};
use tokio::time::sleep;

/// The user of all servers, by mail address.
pub(crate) const USER: &str = "ben@demo.postern.example";

/// A Dovecot to read from, the demo server to send through, and the proxy before them.
pub(crate) struct Servers {
    pub(crate) dovecot: Dovecot,
    pub(crate) demo: Demo,
    pub(crate) site: Site,
}

impl Servers {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// The same with a Dovecot that does something otherwise.
    pub(crate) async fn start_with(options: Options) -> Result<Self> {
        Self::around(Dovecot::start_with(options)?).await
    }

    /// The same with a page that is somewhere else than where the build puts it.
    pub(crate) async fn with_page(page: &Path) -> Result<Self> {
        Self::serving(Dovecot::start()?, Some(page)).await
    }

    /// The others for a Dovecot.
    pub(crate) async fn around(dovecot: Dovecot) -> Result<Self> {
        Self::serving(dovecot, None).await
    }

    async fn serving(dovecot: Dovecot, page: Option<&Path>) -> Result<Self> {
        let demo = empty_demo(Faults::default()).await?;
        let reach = Reach {
            roots: vec![dovecot.authority.root(), demo.certificate.clone()],
            servers: vec![dovecot.imaps, dovecot.pop3s, demo.pop3, demo.submission],
            page: page.map(Into::into),
            ..Reach::default()
        };
        let site = Site::start(reach).await?;
        Ok(Self { dovecot, demo, site })
    }

    /// The form for an account on the Dovecot.
    pub(crate) fn form(&self, protocol: &'static str) -> Form {
        let incoming = match protocol {
            "imap" => self.dovecot.imaps,
            _ => self.dovecot.pop3s,
        };
        Form::new(protocol, incoming, self.demo.submission)
    }

    /// Opens the page, on which there is no account yet, and adds one on the Dovecot.
    pub(crate) async fn add_account(
        &self,
        browser: &Browser,
        protocol: &'static str,
    ) -> Result<()> {
        browser.open(&self.site.url).await?;
        self.form(protocol).fill(browser).await?;
        browser.click("setup-add").await
    }
}

/// The demo server with nothing in it, for [`USER`].
pub(crate) async fn empty_demo(faults: Faults) -> Result<Demo> {
    let options = demo::Options {
        content: Content::Empty,
        address: USER.into(),
        password: PASSWORD.into(),
        faults,
        ..demo::Options::default()
    };
    Ok(demo::start(options).await?)
}

/// The demo server with one letter, and the proxy before it.
pub(crate) async fn demo_alone(faults: Faults) -> Result<(Demo, Site)> {
    let demo = empty_demo(faults).await?;
    demo.store().deliver(letters::plain(7));
    let reach = Reach {
        roots: vec![demo.certificate.clone()],
        servers: vec![demo.pop3, demo.submission],
        ..Reach::default()
    };
    let site = Site::start(reach).await?;
    Ok((demo, site))
}

/// What is typed into the set-up form.
pub(crate) struct Form {
    pub(crate) protocol: &'static str,
    pub(crate) address: &'static str,
    pub(crate) password: String,
    pub(crate) incoming: (String, u16),
    pub(crate) outgoing: (String, u16),
    /// Where TLS ends: `proxy`, whose operator trusts the tests' authority, or `browser`.
    pub(crate) tls_end: &'static str,
}

impl Form {
    /// An account of [`USER`] on servers of this machine.
    pub(crate) fn new(protocol: &'static str, incoming: SocketAddr, outgoing: SocketAddr) -> Self {
        Self {
            protocol,
            address: USER,
            password: PASSWORD.into(),
            incoming: ("localhost".into(), incoming.port()),
            outgoing: ("localhost".into(), outgoing.port()),
            tls_end: "proxy",
        }
    }

    /// Fills in the form with all settings by hand, on the set-up page that is open.
    pub(crate) async fn fill(&self, browser: &Browser) -> Result<()> {
        browser.click("setup-by-hand").await?;
        browser.fill("setup-name", "Ben Hollis").await?;
        browser.fill("setup-address", self.address).await?;
        browser.fill("setup-password", &self.password).await?;
        browser.click(&format!("setup-protocol-{}", self.protocol)).await?;
        browser.fill("setup-in-host", &self.incoming.0).await?;
        browser.fill("setup-in-port", &self.incoming.1.to_string()).await?;
        browser.fill("setup-out-host", &self.outgoing.0).await?;
        browser.fill("setup-out-port", &self.outgoing.1.to_string()).await?;
        browser.click(&format!("setup-tls-end-{}", self.tls_end)).await
    }
}

/// Waits until the element with a hook shows these words.
pub(crate) async fn shows(browser: &Browser, name: &str, words: &str) -> Result<()> {
    browser.wait_for_text(&hook(name), |text| text.contains(words)).await.map(drop)
}

/// Has the page's question to the browser wait until it may be asked.
const HOLD_QUESTION: &str = "
    const { persist } = StorageManager.prototype;
    StorageManager.prototype.persist = async function () {
        await new Promise((ask) => { window.ask = ask; });
        return persist.call(this);
    };
";

/// Presses the button by which the browser is asked to keep mail before a policy deletes any, and
/// has it say yes.
///
/// It is permitted only after the button is pressed: what is permitted is noticed without a
/// question, and then there is no button any more.
pub(crate) async fn keep_first(browser: &Browser) -> Result<()> {
    browser.script(HOLD_QUESTION).await?;
    browser.click_on("[data-test=keep-first] [data-test=storage-keep]").await?;
    browser.wait_until("return Boolean(window.ask)").await?;
    devtools::permit_persistence(browser).await?;
    browser.script("window.ask()").await?;
    is_gone(browser, "keep-first").await
}

/// Waits until there is no element with a hook.
pub(crate) async fn is_gone(browser: &Browser, name: &str) -> Result<()> {
    let gone = format!("return !document.querySelector('{}')", hook(name));
    browser.wait_until(&gone).await
}

/// Waits until the list shows a row with this text, and opens it.
pub(crate) async fn open_row(browser: &Browser, text: &str) -> Result<()> {
    let find = format!(
        "[...document.querySelectorAll({})].find(row => row.innerText.includes({}))",
        json!(hook("row")),
        json!(text)
    );
    browser.wait_until(&format!("return Boolean({find})")).await?;
    browser.script(&format!("{find}.click()")).await?;
    Ok(())
}

/// Presses the face of the row with this subject.
pub(crate) async fn pick(browser: &Browser, subject: &str) -> Result<()> {
    let script = format!(
        "[...document.querySelectorAll({})].find(row => row.innerText.includes({}))
             .querySelector({}).click()",
        json!(hook("row")),
        json!(subject),
        json!(hook("row-pick"))
    );
    browser.script(&script).await.map(drop)
}

/// Waits until the reading pane shows a message with this subject and a plain text with these words.
pub(crate) async fn reader_shows(browser: &Browser, subject: &str, words: &str) -> Result<String> {
    browser.wait_for_text(&hook("reader-subject"), |text| text == subject).await?;
    browser.wait_for_text(&hook("reader-body-text"), |text| text.contains(words)).await
}

/// Opens the folder with this role.
///
/// A line above it may come or go just when it is clicked, so that its neighbour gets the click.
pub(crate) async fn open_folder(browser: &Browser, role: &str) -> Result<()> {
    let folder = format!("[data-test=\"folder\"][data-role=\"{role}\"]");
    let opened = format!(
        "return Boolean(document.querySelector({}))",
        json!(format!("{folder}[aria-current]"))
    );
    for _ in 0..5 {
        browser.click_on(&folder).await?;
        for _ in 0..20 {
            if browser.script(&opened).await? == Value::Bool(true) {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
    bail!("the folder does not open")
}

/// Opens the settings of the only account.
pub(crate) async fn open_settings(browser: &Browser) -> Result<()> {
    for label in ["Accounts", "Settings"] {
        let press = format!(
            "const button = [...document.querySelectorAll('button')]\
                 .find(own => own.innerText.trim() === '{label}'); \
             button?.click(); \
             return Boolean(button)"
        );
        browser.wait_until(&press).await?;
    }
    browser.get("account-form").await?;
    Ok(())
}
