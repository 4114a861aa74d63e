//! A program that a test or a benchmark starts, and what it costs the machine.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

/// How the kernel counts processor time for other programs to read, whatever its own clock does.
const TICKS_PER_SECOND: u64 = 100;

/// How long a program may take to stop once it was asked to.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many bytes of a program's log a failure repeats.
const LAST_WORDS: usize = 2000;

/// A running program; ends when dropped.
pub struct Program {
    child: Child,
    log: PathBuf,
}

/// What a program and those that it has started have cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Processor time, the kernel's share included.
    pub processor: Duration,
    /// Bytes of memory in use; what its processes share is counted once.
    pub resident: u64,
}

impl Program {
    /// Starts it, with its output in a file.
    ///
    /// # Errors
    ///
    /// If that can't be done.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Makes sure that it still runs.
    ///
    /// # Errors
    ///
    /// If it does not; with the end of its output.
    pub fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        bail!("it ended with {status}: {}", self.last_words())
    }

    /// The end of its output.
    pub fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let end = &log[log.len().saturating_sub(LAST_WORDS)..];
        String::from_utf8_lossy(end).trim().to_owned()
    }

    /// What it has cost so far.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub fn usage(&self) -> Result<Usage> {
        let family = family(self.child.id())?;
        let resident = family.iter().map(|process| resident(process.id)).sum::<Result<u64>>()?;
        Ok(Usage { processor: processor(family.iter()), resident })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Processor time so far of those that descend from a process and have this argument.
///
/// # Errors
///
/// If the process has ended.
pub fn processor_of(root: u32, argument: &str) -> Result<Duration> {
    let family = family(root)?;
    let has_it = |process: &&Process| {
        // Another one may have ended since it was found.
        let line = fs::read(format!("/proc/{}/cmdline", process.id)).unwrap_or_default();
        // A program that has changed its own title has blanks where others have zeros.
        line.split(|byte| matches!(byte, 0 | b' ')).any(|part| part == argument.as_bytes())
    };
    Ok(processor(family.iter().filter(has_it)))
}

/// Ends a process and all that descend from it, whatever they are doing, and waits until none of them
/// has a file open any more: their successors may want the same ones.
pub(crate) fn kill(root: u32) {
    let family = family(root).unwrap_or_default();
    for process in &family {
        if let Some(id) = i32::try_from(process.id).ok().and_then(Pid::from_raw) {
            // It may have ended in between.
            let _ = kill_process(id, Signal::KILL);
        }
    }
    let start = Instant::now();
    while start.elapsed() < PATIENCE && family.iter().any(|process| holds_files(process.id)) {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process has files open; one that has ended has none. While it ends, some of its threads may
/// have let go of them and others not.
fn holds_files(id: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten();
    threads.flatten().any(|thread| {
        fs::read_dir(thread.path().join("fd")).is_ok_and(|mut files| files.next().is_some())
    })
}

/// Asks a process to stop, and ends it if it does not.
pub(crate) fn end(child: &mut Child) {
    let asked = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let asked = asked.is_some_and(|id| kill_process(id, Signal::TERM).is_ok());
    let start = Instant::now();
    while asked && start.elapsed() < PATIENCE {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    // It may have ended in between.
    let _ = child.kill();
    let _ = child.wait();
}

/// Lets this program, and those that it starts, open as many files as the system permits; returns
/// how many that are.
pub fn raise_open_files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Without the right to raise it, it stays what it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let current = getrlimit(Resource::Nofile).current.or(current);
    current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// A process, as the kernel tells of it.
struct Process {
    id: u32,
    parent: u32,
    /// Processor time, with that of children that have ended.
    ticks: u64,
}

/// A process and all that descend from it.
fn family(root: u32) -> Result<Vec<Process>> {
    let mut processes = HashMap::<u32, Vec<Process>>::new();
    let mut family = Vec::new();
    for entry in fs::read_dir("/proc")? {
        // Others come and go while this looks.
        let Ok(stat) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        let Some(process) = process(&stat) else { continue };
        if process.id == root {
            family.push(process);
        } else {
            processes.entry(process.parent).or_default().push(process);
        }
    }
    if family.is_empty() {
        bail!("process {root} has ended");
    }
    let mut next = 0;
    while let Some(id) = family.get(next).map(|process| process.id) {
        family.extend(processes.remove(&id).into_iter().flatten());
        next += 1;
    }
    Ok(family)
}

fn processor<'a>(processes: impl Iterator<Item = &'a Process>) -> Duration {
    let ticks = processes.map(|process| process.ticks).sum::<u64>();
    Duration::from_secs(ticks) / TICKS_PER_SECOND as u32
}

/// Reads `/proc/<id>/stat` (proc_pid_stat(5)).
fn process(stat: &str) -> Option<Process> {
    // The second field is a name in brackets, with anything in it.
    let (id, rest) = stat.split_once(' ')?;
    let fields: Vec<&str> = rest.rsplit_once(") ")?.1.split(' ').collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = field(14)? + field(15)? + field(16)? + field(17)?;
    Some(Process { id: id.parse().ok()?, parent: u32::try_from(field(4)?).ok()?, ticks })
}

/// Bytes of memory of one process; a page that several share counts in parts.
fn resident(id: u32) -> Result<u64> {
    let text = match fs::read_to_string(format!("/proc/{id}/smaps_rollup")) {
        // It has ended since it was found.
        Err(error)
            if error.raw_os_error() == Some(3) || error.kind() == io::ErrorKind::NotFound =>
        {
            return Ok(0);
        }
        text => text?,
    };
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.context("the kernel does not tell memory")?.trim().parse()?;
    Ok(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) R 1 (b) S 3 7 7 0 -1 4194304 100 0 0 0 11 12 13 14 20 0 1 0";
        let process = process(stat).unwrap();
        assert_eq!((process.id, process.parent, process.ticks), (7, 3, 50));
    }

    #[test]
    fn a_programs_children_count_and_so_does_what_it_did() {
        let folder = tempfile::tempdir().unwrap();
        let script = "while :; do :; done & sleep 60";
        let mut command = Command::new("sh");
        let program = Program::start(command.args(["-c", script]), &folder.path().join("log"));
        let program = program.unwrap();
        loop {
            let usage = program.usage().unwrap();
            if usage.processor > Duration::ZERO && usage.resident > 0 {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let of = |argument| processor_of(program.child.id(), argument).unwrap();
        assert_eq!(of("no such argument"), Duration::ZERO);
        assert!(of(script) == Duration::ZERO && of("while") > Duration::ZERO);
        kill(program.child.id());
    }

    #[test]
    fn what_a_program_said_is_told_when_it_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such port; exit 3"]);
        let mut program = Program::start(&mut command, &folder.path().join("log")).unwrap();
        program.child.wait().unwrap();
        let error = program.check().unwrap_err().to_string();
        assert!(error.contains("no such port") && error.contains('3'), "{error}");
    }
}
