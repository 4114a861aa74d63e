//! A configuration, written down as a file.

use super::{
    AccessSettings, Acme, AcmeSettings, CertificateFiles, Config, Https, HttpsSettings, Identity,
    Settings,
};

impl Config {
    /// A configuration file that says the same, but for the secrets that stand in no file of their
    /// own: of those it tells that they are set.
    pub fn to_toml(&self) -> String {
        let hidden = [
            ("access.key", self.access_key.is_some() && self.access_key_file.is_none()),
            ("access.token_keys", !self.token_keys.is_empty() && self.token_keys_file.is_none()),
        ];
        let hidden = hidden.into_iter().filter(|(_, is_set)| *is_set);
        let notes = hidden.map(|(key, _)| format!("# `{key}` is set, and not shown.\n"));
        let settings = toml::to_string(&Settings::from(self));
        notes.collect::<String>() + &settings.expect("texts and numbers can be written")
    }
}

impl From<&Config> for Settings {
    /// All but the secrets.
    fn from(config: &Config) -> Self {
        // Each by its name, so that none is forgotten.
        let Config {
            listen,
            page,
            origins,
            trusted_proxies,
            allow,
            allow_networks,
            nat64_prefixes,
            own_addresses,
            ports,
            roots,
            access_key: _,
            access_key_file,
            token_keys: _,
            token_keys_file,
            open_relay,
            limits,
            https,
            metrics_listen,
            log_format,
            log_level,
        } = config;
        let (https, acme) = https.as_ref().map(tables).unwrap_or_default();
        Self {
            listen: Some(listen.to_string()),
            page: page.clone(),
            origins: texts(origins),
            trusted_proxies: texts(trusted_proxies),
            allow: texts(allow),
            allow_networks: texts(allow_networks),
            nat64_prefixes: texts(nat64_prefixes),
            own_addresses: texts(own_addresses),
            ports: Some(ports.clone()),
            roots: roots.clone(),
            open_relay: Some(*open_relay),
            metrics_listen: metrics_listen.map(|address| address.to_string()),
            log_format: Some(log_format.to_string()),
            log_level: Some(log_level.to_string()),
            https,
            acme,
            access: AccessSettings {
                key_file: access_key_file.clone(),
                token_keys_file: token_keys_file.clone(),
                ..AccessSettings::default()
            },
            limits: limits.into(),
        }
    }
}

/// `[https]` and `[acme]`.
fn tables(Https { identity, redirect_listen, hsts }: &Https) -> (HttpsSettings, AcmeSettings) {
    let seconds = |time: &std::time::Duration| time.as_secs().try_into().ok();
    let https = HttpsSettings {
        redirect_listen: redirect_listen.map(|address| address.to_string()),
        hsts_seconds: seconds(hsts),
        ..HttpsSettings::default()
    };
    match identity {
        Identity::Files(CertificateFiles { certificate, key, reload }) => {
            let https = HttpsSettings {
                certificate: Some(certificate.clone()),
                key: Some(key.clone()),
                reload_seconds: seconds(reload),
                ..https
            };
            (https, AcmeSettings::default())
        }
        Identity::Acme(Acme { domains, contact, cache, directory }) => {
            let acme = AcmeSettings {
                domains: Some(domains.clone()),
                contact: contact.clone(),
                cache: Some(cache.clone()),
                directory: Some(directory.clone()),
            };
            (https, acme)
        }
    }
}

fn texts(values: &[impl ToString]) -> Option<Vec<String>> {
    Some(values.iter().map(ToString::to_string).collect())
}
