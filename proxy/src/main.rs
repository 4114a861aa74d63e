//! The entry point: settings, log, signals.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use postern::{
    Builder, Config, DemoAccount, Destination, Endpoint, Proxy,
    config::{ConfigError, Settings},
    demo::{self, Demo},
    log,
};

/// The name under which the page reaches the demo server, which is in its certificate.
const DEMO_HOST: &str = "localhost";

/// A mail client for any browser: serves the page, and connects it to mail servers.
///
/// Each setting can be a flag, an environment variable or a key of the configuration file (with
/// underscores; limits in a table of their own). A flag wins over the environment, the environment
/// over the file, the file over the default.
#[derive(Parser)]
#[command(name = "postern", version)]
struct Arguments {
    /// The configuration file, in TOML
    #[arg(long, env = "POSTERN_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Run a mail server with an account to try things out, in memory
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
    let mut builder = Proxy::builder(config);
    // Its servers end when it is dropped.
    let demo = match arguments.demo {
        true => Some(demo::start(demo::Options::default()).await.context("demo")?),
        false => None,
    };
    if let Some(demo) = &demo {
        builder = offer(builder, demo);
    }
    let proxy = builder.bind().await?;
    let shutdown = shutdown()?;
    println!("Postern is ready: http://{}/", reachable(proxy.local_addr()));
    proxy.serve(shutdown).await;
    Ok(())
}

/// Makes the demo server known to the page, and lets the page reach it.
fn offer(builder: Builder, demo: &Demo) -> Builder {
    let endpoint = |address: SocketAddr| Endpoint { host: DEMO_HOST.into(), port: address.port() };
    let allowed = [demo.imap, demo.pop3, demo.submission].map(|address| Destination {
        host: DEMO_HOST.into(),
        port: address.port(),
        address,
        implicit_tls: true,
    });
    let builder = allowed.into_iter().fold(builder, Builder::allow);
    builder.trust([demo.certificate.clone()]).demo(DemoAccount {
        address: demo.address.clone(),
        password: demo.password.clone(),
        imap: endpoint(demo.imap),
        pop3: endpoint(demo.pop3),
        submission: endpoint(demo.submission),
    })
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

/// Ends when the system, or somebody at the keyboard, wants the proxy to stop.
fn shutdown() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())?
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
