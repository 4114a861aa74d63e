//! The entry point: settings, log, signals.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use postern::{
    Config, Proxy,
    config::{ConfigError, Settings},
    demo, log,
};
use tokio::sync::oneshot;
use tracing::info;

/// A mail client for any browser: serves the page, and connects it to mail servers.
///
/// Each setting can be a flag, an environment variable or a key of the configuration file (with
/// underscores; limits in a table of their own). A flag wins over the environment, the environment
/// over the file, the file over the default.
#[derive(Parser)]
#[command(name = "postern", version, args_override_self = true)]
struct Arguments {
    /// The configuration file, in TOML
    #[arg(long, env = "POSTERN_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Start a mail server in this program, with letters to try things out on; only for this
    /// machine
    #[arg(long, env = "POSTERN_DEMO")]
    demo: bool,

    #[command(flatten)]
    settings: Settings,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the settings that result from file, environment and flags, or what is wrong with them
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postern: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = config(arguments.config, arguments.settings)?;
    if let Some(Command::CheckConfig) = arguments.command {
        println!("{config:#?}");
        return Ok(());
    }
    log::start(config.log_format);
    ensure!(
        !arguments.demo || !config.is_public(),
        "demo: the demo mail server is for this machine alone; listen on 127.0.0.1 without \
         `origins`, or leave it out"
    );
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
    let mut signals = Signals::listen()?;
    println!("Postern is ready: http://{}/", reachable(proxy.local_addr()));
    let (stop, stopped) = oneshot::channel();
    let served = proxy.serve(async {
        let _ = stopped.await;
    });
    let impatience = async {
        signals.next().await;
        let _ = stop.send(());
        signals.next().await;
    };
    tokio::select! {
        () = served => {}
        () = impatience => info!("told to stop again: not waiting for tunnels"),
    }
    Ok(())
}

/// Joins flags, environment and file.
fn config(file: Option<PathBuf>, settings: Settings) -> anyhow::Result<Config> {
    let Some(path) = file else { return Ok(settings.try_into()?) };
    let text = fs::read_to_string(&path).with_context(|| format!("config: {}", path.display()))?;
    let in_file =
        |error: ConfigError| anyhow::Error::new(error).context(path.display().to_string());
    let file = Settings::from_toml(&text).map_err(in_file)?;
    Ok(settings.or(file).try_into()?)
}

/// The wishes of the system, or of somebody at the keyboard, that the proxy stops.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Ends with the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
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
