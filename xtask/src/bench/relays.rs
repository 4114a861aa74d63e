//! Installs what the proxy is measured beside, where it is not there yet.
//!
//! What Debian does not bring goes into a folder of the build's own. One that can't be installed is
//! reported with the reason, and the others are measured without it.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::install::apt;
use crate::workspace::Workspace;
use crate::{cargo, command, progress};

// Versions, so that figures of different days can be compared.
const WS: &str = "8.23.0";
const WEBSOCKIFY: &str = "0.13.0";
const WSTCP: &str = "0.2.1";

/// Debian's packages, with a program of each and what that lacks without it.
const PACKAGES: [(&str, &str); 5] = [
    ("nodejs", "node"),
    ("npm", "npm"),
    ("python3-venv", "python3"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx"),
];

/// Where Debian's nginx has the module that relays bytes; it comes in a package of its own.
const STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// Installs what is missing, builds the proxy, and writes a file that says where each relay is.
///
/// # Errors
/// When the proxy does not build or the file cannot be written.
pub(super) fn prepare(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.scratch.join("relays");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let proxy = progress::step("build the proxy", || {
        let built = cargo::build(workspace, &["--release", "--package", "postern"])?;
        cargo::program(&built, "postern").map(Path::to_path_buf)
    })?;
    let relays = progress::step("look for relays to measure it beside", || {
        let debian = packages();
        let relay = |installed: Result<PathBuf>| match installed {
            Ok(path) => json!({ "path": path }),
            Err(error) => {
                let reason = format!("{error:#}");
                json!({ "missing": reason.lines().next().unwrap_or_default() })
            }
        };
        // Why a package is missing says more than that its program is.
        let after = |name: &str, installed: Result<PathBuf>| match &debian {
            Err(error) if installed.is_err() => {
                relay(installed.context(format!("{name}: {error:#}")))
            }
            _ => relay(installed),
        };
        Ok(json!({
            "postern": { "path": proxy },
            "ws": after("Node", ws(&folder)),
            "websockify": after("Python", websockify(&folder)),
            "wstcp": relay(wstcp(&folder, &workspace.root)),
            "haproxy": after("HAProxy", program("haproxy")),
            "nginx": after("nginx", nginx()),
        }))
    })?;
    report(&relays);
    let file = folder.join("relays.json");
    fs::write(&file, format!("{relays:#}\n"))
        .with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

fn report(relays: &Value) {
    for (name, relay) in relays.as_object().into_iter().flatten() {
        if let Some(reason) = relay["missing"].as_str() {
            progress::note(&format!("without {name}: {reason}"));
        }
    }
}

/// Installs those of Debian's packages whose program is not there.
fn packages() -> Result<()> {
    let missing = PACKAGES.iter().filter(|(_, program)| command::find(program).is_none());
    let mut wanted: Vec<_> = missing.map(|(package, _)| *package).collect();
    if nginx().is_err() {
        wanted.push("libnginx-mod-stream");
    }
    if wanted.is_empty() { Ok(()) } else { apt::install(&wanted) }
}

fn program(name: &str) -> Result<PathBuf> {
    command::find(name).with_context(|| format!("there is no program {name}"))
}

/// nginx with the module that relays bytes.
fn nginx() -> Result<PathBuf> {
    let nginx = program("nginx")?;
    let about = command::quiet(Command::new(&nginx).arg("-V"))?;
    let built_in = String::from_utf8_lossy(&about.stderr).contains("--with-stream ");
    ensure!(built_in || Path::new(STREAM).is_file(), "this nginx has no stream module");
    Ok(nginx)
}

/// The library on which the relay of a few lines stands; returns its folder.
fn ws(folder: &Path) -> Result<PathBuf> {
    npm(folder.join("node"), "ws", WS)
}

/// The folder of a library of npm's, which is installed into a folder of its own.
pub(super) fn npm(root: PathBuf, name: &str, version: &str) -> Result<PathBuf> {
    program("node")?;
    let library = root.join("node_modules").join(name);
    let manifest = fs::read_to_string(library.join("package.json")).unwrap_or_default();
    if !manifest.contains(&format!("\"version\": \"{version}\"")) {
        progress::note(&format!("installing {name} from npm"));
        fs::create_dir_all(&root).with_context(|| format!("creating {}", root.display()))?;
        let mut npm = Command::new(program("npm")?);
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&root);
        command::quiet(npm.arg(format!("{name}@{version}")))?;
    }
    Ok(library)
}

fn websockify(folder: &Path) -> Result<PathBuf> {
    let root = folder.join("python");
    let installed = root.join("bin/websockify");
    let metadata = fs::read_dir(root.join("lib")).ok().into_iter().flatten().flatten();
    let is_there = metadata
        .map(|python| python.path().join("site-packages"))
        .any(|packages| packages.join(format!("websockify-{WEBSOCKIFY}.dist-info")).is_dir());
    if !(is_there && installed.is_file()) {
        progress::note("installing websockify from PyPI");
        command::quiet(Command::new(program("python3")?).args(["-m", "venv"]).arg(&root))?;
        let mut pip = Command::new(root.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]);
        command::quiet(pip.arg(format!("websockify=={WEBSOCKIFY}")))?;
    }
    Ok(installed)
}

fn wstcp(folder: &Path, workspace: &Path) -> Result<PathBuf> {
    let root = folder.join("wstcp");
    let installed = root.join("bin").join(format!("wstcp{EXE_SUFFIX}"));
    let list = fs::read_to_string(root.join(".crates.toml")).unwrap_or_default();
    if !(list.contains(&format!("wstcp {WSTCP} ")) && installed.is_file()) {
        progress::note("installing wstcp from crates.io");
        let mut install = cargo::command(workspace);
        // Its own lock file names dependencies that today's compiler refuses.
        install.args(["install", "wstcp", "--version", WSTCP, "--root"]).arg(&root);
        command::quiet(install.arg("--target-dir").arg(root.join("target")))?;
    }
    Ok(installed)
}
