//! The file that is being written or read: one at a time. Several that were picked together are read
//! one after the other.

use postern_bridge::{
    ExportScope, Exported, ImportTarget, Imported, Problem, ProblemKind, Progress,
};

/// How many refused files are named, and how many lines tell what could not be read in others.
const LINES: usize = 50;

/// In how many steps the progress of several files is counted.
const STEPS: u32 = 1000;

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
    /// Several were read, or could not be.
    ImportedAll(Batch),
    /// What went wrong.
    Failed(String),
    /// The person stopped it.
    Stopped,
}

/// Several files that were picked together, and what has come of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Batch {
    /// How many there are.
    pub(crate) files: usize,
    /// How many of them were read, or refused.
    pub(crate) done: usize,
    /// How many of these were refused.
    pub(crate) refused: usize,
    /// The first of the refused ones, by name and reason.
    pub(crate) refusals: Vec<String>,
    /// What has come of those that were read; its lines name the files.
    pub(crate) sum: Imported,
    /// The bytes of all of them, and of those that are done.
    bytes: (u64, u64),
}

impl Batch {
    /// How many were not looked at: one could not be stored, or the person stopped it.
    pub(crate) fn left(&self) -> usize {
        self.files - self.done
    }

    /// One more is done.
    fn add(&mut self, name: &str, size: u64, result: Result<Imported, Problem>) {
        self.done += 1;
        self.bytes.1 = self.bytes.1.saturating_add(size);
        let (told, lines) = match result {
            Ok(own) => {
                let sum = &mut self.sum;
                sum.messages = sum.messages.saturating_add(own.messages);
                sum.duplicates = sum.duplicates.saturating_add(own.duplicates);
                sum.skipped = sum.skipped.saturating_add(own.skipped);
                (&mut sum.problems, own.problems)
            }
            Err(problem) => {
                self.refused += 1;
                (&mut self.refusals, vec![problem.sentence])
            }
        };
        let room = LINES.saturating_sub(told.len());
        told.extend(lines.into_iter().take(room).map(|line| format!("{name}: {line}")));
    }

    /// How far all of them are, if the one that is read, of so many bytes, is so far.
    fn progress(&self, size: u64, own: &Progress) -> Progress {
        let (all, done) = self.bytes;
        let of_own = u128::from(size) * u128::from(own.done) / u128::from(own.total.max(1));
        let steps = (u128::from(done) + of_own) * u128::from(STEPS) / u128::from(all.max(1));
        // At most all of them.
        let done = u32::try_from(steps).unwrap_or(STEPS).min(STEPS);
        Progress { what: own.what.clone(), done, total: STEPS }
    }
}

/// The file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Transfer {
    running: Option<(u32, Kind)>,
    name: String,
    /// Its bytes, if it is read.
    size: u64,
    /// Those that were picked with it.
    batch: Option<Batch>,
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

    /// The first of the picked files is read; they have so many bytes together.
    pub(crate) fn begin_import(
        &mut self,
        request: u32,
        target: ImportTarget,
        (name, size): (String, u64),
        (files, bytes): (usize, u64),
    ) {
        let batch = Batch { files, bytes: (bytes, 0), ..Batch::default() };
        let batch = (files > 1).then_some(batch);
        let running = Some((request, Kind::Import(target)));
        *self = Self { running, name, size, batch, ..Self::default() };
    }

    /// Whether the next of the picked files should be read after the one that ends like this: not
    /// where this one could not be stored.
    pub(crate) fn goes_on(&self, result: &Result<Imported, Problem>) -> bool {
        let unstored = matches!(result, Err(problem) if problem.kind == ProblemKind::Storage);
        !unstored && self.batch.as_ref().is_some_and(|batch| batch.done + 1 < batch.files)
    }

    /// One of the picked files has ended, and the next one is read.
    pub(crate) fn go_on(
        &mut self,
        request: u32,
        (name, size): (String, u64),
        result: Result<Imported, Problem>,
    ) {
        let Some((running, _)) = &mut self.running else { return };
        *running = request;
        if let Some(batch) = &mut self.batch {
            batch.add(&self.name, self.size, result);
        }
        (self.name, self.size) = (name, size);
        if let Some(progress) = &mut self.progress {
            progress.done = 0;
        }
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

    /// Which of the picked files is read, from 1, and how many they are; `None` for one alone.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        self.batch.as_ref().map(|batch| (batch.done + 1, batch.files))
    }

    /// How far it is, with all that were picked with it.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let own = self.progress.as_ref()?;
        Some(self.batch.as_ref().map_or_else(|| own.clone(), |all| all.progress(self.size, own)))
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

    /// It was read, or could not be; of several, the last one.
    pub(crate) fn imported(&mut self, request: u32, result: Result<Imported, Problem>) {
        let outcome = match self.batch.clone() {
            Some(mut batch) => {
                batch.add(&self.name, self.size, result);
                Outcome::ImportedAll(batch)
            }
            None => result.map_or_else(failed, Outcome::Imported),
        };
        self.end(request, outcome);
    }

    /// It has ended. Of several that the person stops, what has come of those before is told.
    pub(crate) fn end(&mut self, request: u32, outcome: Outcome) {
        if let Some((_, kind)) = self.running.take_if(|(running, _)| *running == request) {
            self.progress = None;
            self.asks = false;
            let done = self.batch.take().filter(|all| all.done > 0);
            let outcome = match (outcome, done) {
                (Outcome::Stopped, Some(all)) => Outcome::ImportedAll(all),
                (outcome, _) => outcome,
            };
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
        transfer.begin_import(8, ImportTarget::Restore, ("y".into(), 1), (1, 1));
        assert_eq!(transfer.ended(), None);
        transfer.end(8, Outcome::Stopped);
        transfer.imported(8, Ok(Imported::default()));
        assert_eq!(transfer.ended().map(|(_, outcome)| outcome), Some(&Outcome::Stopped));
    }

    #[test]
    fn several_files_are_one_transfer_and_have_one_summary() {
        let target = ImportTarget::Mailbox(postern_bridge::MailboxId(1));
        let read = |messages| Imported { messages, ..Imported::default() };
        let refusal = |kind| Err(Problem::new(kind, "No."));
        let mut transfer = Transfer::default();
        transfer.begin_import(1, target, ("a".into(), 10), (3, 40));
        assert_eq!((transfer.place(), transfer.progress()), (Some((1, 3)), None));
        let half = |what: &str| Progress { what: what.into(), done: 1, total: 2 };
        transfer.set_progress(1, half("Reading"));
        assert_eq!(transfer.progress().map(|own| (own.done, own.total)), Some((125, STEPS)));
        assert!(transfer.goes_on(&Ok(read(2))));
        transfer.go_on(2, ("b".into(), 10), Ok(read(2)));
        assert_eq!(transfer.place(), Some((2, 3)));
        assert_eq!(transfer.progress().map(|own| own.done), Some(250), "it never goes back");
        // What comes late of the one before changes nothing.
        transfer.imported(1, Ok(read(9)));
        assert!(transfer.goes_on(&refusal(ProblemKind::Input)));
        transfer.go_on(3, ("c".into(), 20), refusal(ProblemKind::Input));
        assert!(!transfer.goes_on(&Ok(read(3))));
        let skipped = Imported { skipped: 1, problems: vec!["x.txt: why".into()], ..read(3) };
        transfer.imported(3, Ok(skipped));
        let Some((_, Outcome::ImportedAll(all))) = transfer.ended() else { panic!("no summary") };
        assert_eq!((all.files, all.refused, all.left()), (3, 1, 0));
        assert_eq!((all.sum.messages, all.sum.skipped), (5, 1));
        assert_eq!(all.refusals, ["b: No."]);
        assert_eq!(all.sum.problems, ["c: x.txt: why"]);
        assert_eq!(transfer.running(), None);
    }

    #[test]
    fn where_a_file_can_not_be_stored_those_after_it_are_not_tried() {
        let target = ImportTarget::Mailbox(postern_bridge::MailboxId(1));
        let full = || Err(Problem::new(ProblemKind::Storage, "Full."));
        let mut transfer = Transfer::default();
        transfer.begin_import(1, target, ("a".into(), 0), (2, 0));
        assert!(!transfer.goes_on(&full()));
        transfer.imported(1, full());
        let Some((_, Outcome::ImportedAll(all))) = transfer.ended() else { panic!("no summary") };
        assert_eq!((all.refused, all.left()), (1, 1));
    }

    #[test]
    fn of_several_that_are_stopped_what_came_of_those_before_is_told() {
        let target = ImportTarget::Mailbox(postern_bridge::MailboxId(1));
        let mut transfer = Transfer::default();
        transfer.begin_import(1, target, ("a".into(), 1), (3, 3));
        transfer.go_on(2, ("b".into(), 1), Err(Problem::new(ProblemKind::Input, "No.")));
        transfer.end(2, Outcome::Stopped);
        let Some((_, Outcome::ImportedAll(all))) = transfer.ended() else { panic!("no summary") };
        assert_eq!((all.refusals.concat(), all.left()), ("a: No.".into(), 2));
        transfer.begin_import(3, target, ("a".into(), 1), (3, 3));
        transfer.end(3, Outcome::Stopped);
        assert_eq!(transfer.ended(), Some(&(Kind::Import(target), Outcome::Stopped)));
    }

    #[test]
    fn of_a_great_many_files_some_are_named() {
        let target = ImportTarget::Mailbox(postern_bridge::MailboxId(1));
        let mut transfer = Transfer::default();
        let files = LINES + 2;
        transfer.begin_import(0, target, ("a".into(), 1), (files, 1));
        for request in 0..files as u32 {
            let refused = Err(Problem::new(ProblemKind::Input, "No."));
            if transfer.goes_on(&refused) {
                transfer.go_on(request + 1, ("a".into(), 1), refused);
            } else {
                transfer.imported(request, refused);
            }
        }
        let Some((_, Outcome::ImportedAll(all))) = transfer.ended() else { panic!("no summary") };
        assert_eq!((all.refused, all.refusals.len()), (files, LINES));
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
