//! The file that is being written or read: one at a time.

use postern_bridge::{ExportScope, Exported, ImportTarget, Imported, Problem, Progress};

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Mail is written to a file.
    Export(ExportScope),
    /// Mail is read from a file.
    Import(ImportTarget),
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// It was written.
    Exported(Exported),
    /// It was read.
    Imported(Imported),
    /// What went wrong.
    Failed(String),
    /// The person stopped it.
    Stopped,
}

/// The file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Transfer {
    running: Option<(u32, Kind)>,
    name: String,
    progress: Option<Progress>,
    /// Whether only the person can tell that the file was saved.
    asks: bool,
    ended: Option<(Kind, Outcome)>,
}

impl Transfer {
    /// A file is begun.
    pub(crate) fn begin(&mut self, request: u32, kind: Kind, name: String) {
        *self = Self { running: Some((request, kind)), name, ..Self::default() };
    }

    /// What is being done.
    pub(crate) fn running(&self) -> Option<Kind> {
        self.running.map(|(_, kind)| kind)
    }

    /// The request that runs.
    pub(crate) fn request(&self) -> Option<u32> {
        self.running.map(|(request, _)| request)
    }

    /// Whether a backup is written, whose date will be shown.
    pub(crate) fn counts_as_backup(&self) -> bool {
        let is_one = |scope| !matches!(scope, ExportScope::Mailbox(_));
        self.running().is_some_and(|kind| matches!(kind, Kind::Export(scope) if is_one(scope)))
    }

    /// All of the file is with the browser; whether it was saved is for the person to say.
    pub(crate) fn ask(&mut self, request: u32) {
        self.asks = self.request() == Some(request);
    }

    /// The request of the file that the person is asked about.
    pub(crate) fn asked(&self) -> Option<u32> {
        self.request().filter(|_| self.asks)
    }

    /// The person has answered.
    pub(crate) fn answered(&mut self, request: u32) {
        self.asks &= self.request() != Some(request);
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    /// What came of the last one.
    pub(crate) fn ended(&self) -> Option<&(Kind, Outcome)> {
        self.ended.as_ref()
    }

    /// Nobody wants to know any more what came of the last one.
    pub(crate) fn forget(&mut self) {
        self.ended = None;
    }

    /// Takes over how far it is.
    pub(crate) fn set_progress(&mut self, request: u32, progress: Progress) {
        if self.request() == Some(request) {
            self.progress = Some(progress);
        }
    }

    /// It was written, or could not be.
    pub(crate) fn exported(&mut self, request: u32, result: Result<Exported, Problem>) {
        self.end(request, result.map_or_else(failed, Outcome::Exported));
    }

    /// It was read, or could not be.
    pub(crate) fn imported(&mut self, request: u32, result: Result<Imported, Problem>) {
        self.end(request, result.map_or_else(failed, Outcome::Imported));
    }

    /// It has ended.
    pub(crate) fn end(&mut self, request: u32, outcome: Outcome) {
        if let Some((_, kind)) = self.running.take_if(|(running, _)| *running == request) {
            self.progress = None;
            self.asks = false;
            self.ended = Some((kind, outcome));
        }
    }
}

fn failed(problem: Problem) -> Outcome {
    Outcome::Failed(problem.sentence)
}

/// What a file is called: what is in it and the day.
pub(crate) fn file_name(what: &str, day: &str, ending: &str) -> String {
    let fits = |c: char| !c.is_control() && !"/\\:*?\"<>|".contains(c);
    let what: String = what.chars().map(|c| if fits(c) { c } else { '_' }).take(80).collect();
    format!("Postern {} {day}.{ending}", what.trim_matches([' ', '.']))
}

#[cfg(test)]
mod tests {
    use postern_bridge::ProblemKind;

    use super::*;

    #[test]
    fn what_ends_is_the_one_that_runs() {
        let mut transfer = Transfer::default();
        transfer.begin(7, Kind::Export(ExportScope::Everything), "x.zip".into());
        transfer.exported(6, Ok(Exported::default()));
        assert!(transfer.running().is_some());
        let problem = Problem::new(ProblemKind::Storage, "No.");
        transfer.exported(7, Err(problem));
        assert_eq!(transfer.running(), None);
        let (_, outcome) = transfer.ended().unwrap();
        assert_eq!(*outcome, Outcome::Failed("No.".into()));
        transfer.begin(8, Kind::Import(ImportTarget::Restore), "y".into());
        assert_eq!(transfer.ended(), None);
        transfer.end(8, Outcome::Stopped);
        transfer.imported(8, Ok(Imported::default()));
        assert_eq!(transfer.ended().map(|(_, outcome)| outcome), Some(&Outcome::Stopped));
    }

    #[test]
    fn whether_a_download_was_saved_is_asked_of_the_one_that_runs() {
        let mut transfer = Transfer::default();
        transfer.begin(7, Kind::Export(ExportScope::Everything), "x.zip".into());
        assert!(transfer.counts_as_backup());
        transfer.ask(6);
        assert_eq!(transfer.asked(), None);
        transfer.ask(7);
        assert_eq!(transfer.asked(), Some(7));
        transfer.answered(7);
        assert_eq!((transfer.asked(), transfer.request()), (None, Some(7)));
        transfer.ask(7);
        transfer.end(7, Outcome::Stopped);
        assert_eq!(transfer.asked(), None);
    }

    #[test]
    fn a_files_name_leads_nowhere() {
        assert_eq!(file_name("../a/b", "2024-01-02", "zip"), "Postern _a_b 2024-01-02.zip");
        assert_eq!(
            file_name("ada@x.org", "2024-01-02", "mbox"),
            "Postern ada@x.org 2024-01-02.mbox"
        );
    }
}
