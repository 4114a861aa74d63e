//! The program: where its settings come from, what it says, how it ends.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// The program, without the settings that this environment may have.
fn postern() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POSTERN_")) {
        command.env_remove(name);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn failure(output: &Output) -> String {
    assert!(!output.status.success(), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    fs::write(&file, "listen = '127.0.0.1:1'\n[limits]\nconnections = 11\n").unwrap();
    let listen = |flag: Option<&str>, env: Option<&str>, with_file: bool| {
        let mut command = postern();
        if let Some(env) = env {
            command.env("POSTERN_LISTEN", env);
        }
        if with_file {
            command.env("POSTERN_CONFIG", &file);
        }
        if let Some(flag) = flag {
            command.args(["--listen", flag]);
        }
        let output = command.arg("check-config").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let text = text(&output.stdout);
        let shown: toml::Table = text.parse().unwrap();
        let connections = shown["limits"]["connections"].as_integer();
        assert_eq!(connections == Some(11), with_file, "{text}");
        shown["listen"].as_str().unwrap().to_owned()
    };
    assert_eq!(listen(None, None, false), "127.0.0.1:8080");
    assert_eq!(listen(None, None, true), "127.0.0.1:1");
    assert_eq!(listen(None, Some("127.0.0.1:2"), true), "127.0.0.1:2");
    assert_eq!(listen(Some("127.0.0.1:3"), Some("127.0.0.1:2"), true), "127.0.0.1:3");
}

#[test]
fn a_mistake_is_named_with_its_file_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    fs::write(&file, "lisen = '127.0.0.1:1'\n").unwrap();
    let output = postern().arg("--config").arg(&file).arg("check-config").output().unwrap();
    let error = failure(&output);
    assert!(error.contains("lisen") && error.contains("postern.toml"), "{error}");

    let output = postern().args(["--allow-networks", "10.0.0.0/33", "check-config"]).output();
    assert!(failure(&output.unwrap()).contains("allow_networks"));
}

#[test]
fn each_mistake_is_on_a_line_of_its_own_that_begins_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    let settings = "lisen = 1\nports = [25]\n[limits]\nidle_seconds = 0\n[https]\nkey = 'k'\n";
    fs::write(&file, settings).unwrap();
    let output = postern()
        .env("POSTERN_METRICS_LISTEN", "nowhere")
        .args(["--log-level", "loud", "--config"])
        .arg(&file)
        .arg("check-config")
        .output();
    let error = failure(&output.unwrap());
    for key in [
        "lisen",
        "ports",
        "limits.idle_seconds",
        "https.certificate",
        "metrics_listen",
        "log_level",
    ] {
        let lines = error.lines().filter(|line| line.starts_with(&format!("{key}: ")));
        assert_eq!(lines.count(), 1, "{key}: {error}");
    }
}

#[test]
fn the_files_that_the_settings_name_are_checked_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let output = postern()
        .args(["--page", missing, "--roots", missing])
        .args(["--https-certificate", missing, "--https-key", missing])
        .arg("check-config")
        .output();
    let error = failure(&output.unwrap());
    for key in ["page", "roots", "https.certificate", "https.key"] {
        assert!(error.lines().any(|line| line.starts_with(&format!("{key}: "))), "{key}: {error}");
    }
    // A folder can't be made in a file.
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = postern()
        .args(["--acme-domains", "mail.example.org", "--acme-cache"])
        .arg(file.join("cache"))
        .arg("check-config")
        .output();
    let error = failure(&output.unwrap());
    assert!(error.lines().any(|line| line.starts_with("acme.cache: ")), "{error}");
}

#[test]
fn an_open_relay_does_not_start_by_accident() {
    let error = failure(&postern().args(["--listen", "0.0.0.0:0"]).output().unwrap());
    assert!(error.contains("`allow`") && error.contains("`access.key`"), "{error}");
    let output = postern().args(["--listen", "0.0.0.0:0", "--open-relay", "check-config"]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let warnings = text(&output.stderr);
    assert!(warnings.contains("strangers") && warnings.contains("set `origins`"), "{warnings}");
}

#[test]
fn a_check_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let check = |cache: &Path| {
        let flags = ["--acme-domains", "mail.example.org", "--acme-cache"];
        let output = postern().args(flags).arg(cache).arg("check-config").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    check(&cache);
    assert!(!cache.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir(&cache).unwrap();
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o755)).unwrap();
        check(&cache);
        assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o755);
        // But such a folder is no place for keys.
        let flags = ["--listen", "127.0.0.1:0", "--acme-domains", "a.example", "--acme-cache"];
        let error = failure(&postern().args(flags).arg(&cache).output().unwrap());
        assert!(error.contains("acme.cache: ") && error.contains("chmod 700"), "{error}");
    }
}

#[test]
fn the_demo_is_not_for_those_behind_a_reverse_proxy() {
    let origins = ["--origins", "https://mail.example.org", "--open-relay"];
    for command in [None, Some("check-config")] {
        let demo = ["--demo", "--listen", "127.0.0.1:0"];
        let output = postern().args(demo).args(origins).args(command).output();
        let error = failure(&output.unwrap());
        assert!(error.contains("demo: "), "{error}");
    }
}

#[test]
fn the_last_of_two_flags_wins_and_lists_grow() {
    let flags = ["--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2"];
    let lists = ["--allow", "a.example", "--allow", "b.example"];
    let output = postern().args(flags).args(lists).arg("check-config").output().unwrap();
    let text = text(&output.stdout);
    assert!(text.contains("listen = \"127.0.0.1:2\""), "{text}{:?}", output.stderr);
    assert!(text.contains("a.example") && text.contains("b.example"), "{text}");
}

#[test]
fn what_is_shown_can_be_used_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    let flags =
        ["--origins", "https://mail.example.org", "--allow", "*.example.org", "--ports", "1143"];
    let first = postern().args(flags).arg("check-config").output().unwrap();
    fs::write(&file, &first.stdout).unwrap();
    let second = postern().arg("--config").arg(&file).arg("check-config").output().unwrap();
    assert!(second.status.success(), "{}", text(&second.stderr));
    assert_eq!(text(&second.stdout), text(&first.stdout));
}

#[test]
fn the_access_key_is_never_shown() {
    let key = "a-long-enough-secret";
    let output = postern().env("POSTERN_ACCESS_KEY", key).arg("check-config").output().unwrap();
    assert!(output.status.success());
    assert!(!text(&output.stdout).contains(key));
    let output = postern().env("POSTERN_ACCESS_KEY", key).arg("--help").output().unwrap();
    assert!(!text(&output.stdout).contains(key));
}

/// Starts the program; returns it with the address that it says.
#[cfg(unix)]
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = postern()
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit("http://").next().unwrap().trim_end_matches('/');
    (child, address.to_owned())
}

#[cfg(unix)]
fn terminate(child: &Child) {
    let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
}

#[cfg(unix)]
#[test]
fn it_needs_no_place_to_write_to() {
    // Nobody can make a file there, not even root.
    let folder = "/proc/self";
    if !Path::new(folder).exists() {
        return;
    }
    let mut child = postern()
        .args(["--listen", "127.0.0.1:0", "--demo"])
        .current_dir(folder)
        .envs([("HOME", folder), ("TMPDIR", folder)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Postern is ready: http://"), "{line}");
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn to_hang_up_is_to_look_for_a_new_certificate_and_not_the_end() {
    let (mut child, address) = start(&[]);
    let told = Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    for _ in 0..10 {
        std::net::TcpStream::connect(&address).unwrap();
    }
    assert!(child.try_wait().unwrap().is_none());
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn it_says_where_it_is_and_stops_when_told() {
    let (mut child, address) = start(&[]);
    std::net::TcpStream::connect(address).unwrap();
    terminate(&child);
    assert!(child.wait().unwrap().success());
}
