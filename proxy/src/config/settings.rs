//! The settings as they are written: in the file, in the environment, as flags.

use std::path::PathBuf;

use super::{AcmeSettings, HttpsSettings, access::AccessSettings, limits::LimitSettings, table};

table! {
    /// The settings as they are written; what is not set is `None`.
    pub struct Settings("") {
        /// Where to listen, as `address:port`; port 0 takes a free one [default: 127.0.0.1:8080]
        #[arg(value_name = "ADDRESS")]
        pub listen: Option<String>,

        /// The folder with the built page [default: the page inside the program, if it has one]
        #[arg(value_name = "DIR")]
        pub page: Option<PathBuf>,

        /// The addresses at which people open the page, such as https://mail.example.org: needed
        /// wherever that is a name other than localhost, and behind a reverse proxy
        #[arg(value_name = "ORIGIN", value_delimiter = ',')]
        pub origins: Option<Vec<String>>,

        /// Reverse proxies in front of this one, such as 10.0.0.0/8: what they say in
        /// X-Forwarded-For or Forwarded about where a request comes from is believed, so that
        /// limits are for each client
        #[arg(value_name = "CIDR", value_delimiter = ',')]
        pub trusted_proxies: Option<Vec<String>>,

        /// The mail servers that may be reached, such as mail.example.com or *.example.org; set it
        /// wherever other machines can reach the proxy [default: every public one]
        #[arg(value_name = "HOST", value_delimiter = ',')]
        pub allow: Option<Vec<String>>,

        /// Networks that may be reached though they are not public, such as 10.0.0.0/8
        #[arg(value_name = "CIDR", value_delimiter = ',')]
        pub allow_networks: Option<Vec<String>>,

        /// Prefixes of NAT64 by which the proxy's network reaches IPv4, such as 64:ff9b::/96:
        /// addresses with them are judged by the IPv4 addresses inside
        #[arg(value_name = "CIDR", value_delimiter = ',')]
        pub nat64_prefixes: Option<Vec<String>>,

        /// Addresses that lead to this proxy though its machine does not have them, such as those
        /// of a NAT or a load balancer in front: never reached
        #[arg(value_name = "CIDR", value_delimiter = ',')]
        pub own_addresses: Option<Vec<String>>,

        /// Ports that may be reached besides 110, 143, 465, 587, 993 and 995
        #[arg(value_name = "PORT", value_delimiter = ',')]
        pub ports: Option<Vec<u16>>,

        /// A PEM file with certificates to trust besides the public ones
        #[arg(value_name = "FILE")]
        pub roots: Option<PathBuf>,

        /// Let strangers use this proxy to reach every mail server
        #[arg(
            value_name = "BOOL",
            num_args = 0..=1,
            require_equals = true,
            default_missing_value = "true"
        )]
        pub open_relay: Option<bool>,

        /// Where to answer /metrics, for Prometheus, and /healthz and /readyz; everybody who can
        /// reach it can read them [default: nowhere]
        #[arg(value_name = "ADDRESS")]
        pub metrics_listen: Option<String>,

        /// How to log: text or json [default: text]
        #[arg(value_name = "FORMAT")]
        pub log_format: Option<String>,

        /// How much to log: error, warn, info, debug or trace [default: info]
        #[arg(value_name = "LEVEL")]
        pub log_level: Option<String>,

        with {
            /// HTTPS that the proxy ends itself, with a certificate from files.
            pub https: HttpsSettings,

            /// A certificate by ACME.
            pub acme: AcmeSettings,

            /// Who may use the proxy.
            pub access: AccessSettings,

            /// What connections may cost.
            pub limits: LimitSettings,
        }
    }
}
