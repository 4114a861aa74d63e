//! The entry point: settings, log, signals.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow, ensure};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use postern::{
    Config, Proxy,
    config::{ConfigErrors, Settings, named},
    demo, log,
    server::Reload,
};
use tokio::sync::oneshot;
use tracing::info;

/// A mail client for any browser: serves the page, and connects it to mail servers.
///
/// Each setting can be a flag, an environment variable or a key of the configuration file:
/// `--limits-idle-seconds` is POSTERN_LIMITS_IDLE_SECONDS, and `idle_seconds` in the table
/// `[limits]`. A flag wins over the environment, the environment over the file, the file over the
/// default. SIGTERM lets tunnels finish, a second one does not; SIGHUP looks for a new certificate.
#[derive(Parser)]
#[command(name = "postern", version, args_override_self = true)]
struct Arguments {
    /// The configuration file, in TOML
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Start a mail server in this program, with letters to try things out on; only for this
    /// machine
    #[arg(long)]
    demo: bool,

    #[command(flatten)]
    settings: Settings,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the settings that result from file, environment and flags, as a file without secrets, or
    /// what is wrong with them
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let matches = named(Arguments::command()).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postern: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let file = arguments.config.as_deref();
    let config = config(file, arguments.settings)?;
    let checks = matches!(arguments.command, Some(Command::CheckConfig));
    if checks {
        print!("{}", config.to_toml());
    }
    ensure!(
        !arguments.demo || !config.is_public(),
        "demo: the demo mail server is for this machine alone; listen on 127.0.0.1 without \
         `origins`, or leave it out"
    );
    if checks {
        for warning in config.warnings() {
            eprintln!("postern: {warning}");
        }
        let checked = Proxy::builder(config).check();
        return checked.map_err(|errors| mistakes(&errors, file));
    }
    log::start(config.log_format, config.log_level);
    let demo = if arguments.demo {
        let demo = demo::start(demo::Options::default()).await;
        Some(demo.context("the demo mail server does not start")?)
    } else {
        None
    };
    let mut proxy = Proxy::builder(config);
    if let Some(demo) = &demo {
        proxy = proxy.demo_server(demo);
    }
    let proxy = proxy.bind().await?;
    let mut signals = Signals::listen(proxy.reload())?;
    let scheme = if proxy.is_https() { "https" } else { "http" };
    println!("Postern is ready: {scheme}://{}/", reachable(proxy.local_addr()));
    for (what, address) in [("redirect", proxy.redirect_addr()), ("metrics", proxy.metrics_addr())]
    {
        if let Some(address) = address {
            info!(%address, what, "listening");
        }
    }
    let (stop, stopped) = oneshot::channel();
    // On a worker of the runtime: this thread is none, and would have to be woken for each connection.
    let served = tokio::spawn(proxy.serve(async {
        let _ = stopped.await;
    }));
    let impatience = async {
        signals.next().await;
        let _ = stop.send(());
        signals.next().await;
    };
    tokio::select! {
        ended = served => ended?,
        () = impatience => info!("told to stop again: not waiting for tunnels"),
    }
    Ok(())
}

/// Joins flags, environment and file.
fn config(file: Option<&Path>, settings: Settings) -> anyhow::Result<Config> {
    let text = match file {
        Some(path) => {
            let text = fs::read_to_string(path);
            Some(text.with_context(|| format!("config: {}", path.display()))?)
        }
        None => None,
    };
    let config = Config::load(settings, text.as_deref());
    config.map_err(|errors| mistakes(&errors, file))
}

/// Every mistake on a line of its own.
fn mistakes(errors: &ConfigErrors, file: Option<&Path>) -> anyhow::Error {
    let file = file.map(|path| format!(" (flags, environment, {})", path.display()));
    anyhow!("the settings can't be used{}:\n{errors}", file.unwrap_or_default())
}

/// The wishes of the system, or of somebody at the keyboard: that the proxy stops, or that it looks
/// for a new certificate.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
    #[cfg(unix)]
    reload: Reload,
}

impl Signals {
    #[cfg(unix)]
    fn listen(reload: Reload) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            reload,
        })
    }

    #[cfg(not(unix))]
    fn listen(_: Reload) -> io::Result<Self> {
        Ok(Self {})
    }

    /// Ends with the next one that is to stop.
    async fn next(&mut self) {
        #[cfg(unix)]
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => self.reload.now(),
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
