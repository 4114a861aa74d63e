//! The program through which a browser is driven.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::DRIVER_PATIENCE;
use crate::program;

/// How often the driver is started before it is given up.
const DRIVER_STARTS: usize = 3;

/// A running chromedriver, which ends its browsers when it is ended.
pub(super) struct Driver {
    process: Child,
    pub(super) port: u16,
}

impl Driver {
    /// Starts one. It may end at once, as when somebody else takes the port that it has chosen: then
    /// it is started again.
    pub(super) fn start() -> Result<Self> {
        for _ in 1..DRIVER_STARTS {
            if let Ok(driver) = Self::start_on_any_port() {
                return Ok(driver);
            }
        }
        Self::start_on_any_port()
    }

    fn start_on_any_port() -> Result<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver is not installed; `cargo xtask test` says how to get it")?;
        let output = process.stdout.take().context("chromedriver's output is piped")?;
        let (told, port) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let port = line.split_once("successfully on port ");
                let port = port.and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
                // Read on when nobody listens any more: a full pipe would stop the driver.
                let _ = port.map(|port| told.send(port));
            }
        });
        let port = port.recv_timeout(DRIVER_PATIENCE);
        let driver = Self { process, port: port.unwrap_or_default() };
        port.context("chromedriver did not say its port")?;
        Ok(driver)
    }

    /// The process that all of its browsers descend from.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SIGTERM lets it end its browsers; SIGKILL would leave them behind.
        let pid = self.process.id();
        let asked = Command::new("kill").arg(pid.to_string()).status();
        let start = Instant::now();
        while asked.as_ref().is_ok_and(|status| status.success()) && !self.has_ended() {
            if start.elapsed() > DRIVER_PATIENCE {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if !self.has_ended() {
            program::kill(pid);
            let _ = self.process.wait();
        }
    }
}
