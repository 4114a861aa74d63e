//! `cargo xtask run`: from a fresh clone to an address that works.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build::{self, Mode};
use crate::install::{self, Need};
use crate::workspace::Workspace;
use crate::{cargo, command, progress};

/// The port that is tried first when none is asked for.
const PORT: u16 = 8080;

/// What `run` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Build small and fast programs; this takes longer
    #[arg(long)]
    release: bool,
    /// Listen on this port of 127.0.0.1 [default: 8080, or a free one when that is taken]
    #[arg(long)]
    port: Option<u16>,
    /// Leave the demo mail server out
    #[arg(long)]
    no_demo: bool,
    /// Further arguments for the proxy; see `-- --help`
    #[arg(last = true)]
    proxy: Vec<String>,
}

/// Builds, then becomes the proxy.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    install::ensure(workspace, Need::PAGE)?;
    let mode = if options.release { Mode::Release } else { Mode::Dev };
    build::page(workspace, mode)?;
    let built = progress::step("compile the proxy", || {
        cargo::build(workspace, build::proxy_arguments(mode))
    })?;

    let port = options.port.map_or_else(free_port, vet)?;
    let mut proxy = Command::new(cargo::program(&built, "postern")?);
    proxy.current_dir(&workspace.root);
    proxy.args(["--listen", &format!("{}:{port}", Ipv4Addr::LOCALHOST), "--page", "dist"]);
    if !options.no_demo {
        proxy.arg("--demo");
    }
    proxy.args(&options.proxy);
    become_program(&mut proxy)
}

/// The port that was asked for, if nothing else listens on it.
fn vet(port: u16) -> Result<u16> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(port),
        Err(error) => bail!("port {port} of 127.0.0.1 cannot be had: {error}; try another --port"),
    }
}

fn free_port() -> Result<u16> {
    if vet(PORT).is_ok() {
        return Ok(PORT);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    let port = listener.local_addr().context("no free port")?.port();
    progress::note(&format!("port {PORT} is taken; using {port}"));
    Ok(port)
}

/// Gives this process to the proxy, so that signals reach it and its exit code is ours.
#[cfg(unix)]
fn become_program(proxy: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    let error = proxy.exec();
    Err(error).with_context(|| format!("`{}` could not be started", command::line(proxy)))
}

#[cfg(not(unix))]
fn become_program(proxy: &mut Command) -> Result<ExitCode> {
    let line = command::line(proxy);
    let status = proxy.status().with_context(|| format!("`{line}` could not be started"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_refused_by_name() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = vet(port).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port}")), "{error}");
    }

    #[test]
    fn without_a_wish_a_free_port_is_found() {
        assert_ne!(free_port().unwrap(), 0);
    }
}
