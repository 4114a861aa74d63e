//! Writing mail to files and reading it from them: the page is the way to the disk.

use std::collections::VecDeque;

use js_sys::Date;
use leptos::{prelude::*, task::spawn_local};
use postern_bridge::{ExportFormat, ExportScope, ImportTarget, Imported, Intent, Problem};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::{
    App,
    transfer::{Kind, Outcome, Transfer, file_name},
};
use crate::{
    browser::{
        files,
        save::{self, Saver},
    },
    text,
};

/// The file behind a transfer.
pub(super) enum Open {
    /// It is written; how many bytes of it were taken.
    Writing(Saver, u64),
    /// The first of these is read, and the others after it.
    Reading(VecDeque<File>),
}

impl App {
    /// Writes mail to a file that the person picks; `what` is in it.
    pub(crate) fn save_mail(self, scope: ExportScope, format: ExportFormat, what: String) {
        if self.transfer.with_untracked(|transfer| transfer.running().is_some()) {
            return;
        }
        let ending = match format {
            ExportFormat::Zip => "zip",
            ExportFormat::Mbox => "mbox",
        };
        let day: String = String::from(Date::new_0().to_iso_string()).chars().take(10).collect();
        let name = file_name(&what, &day, ending);
        spawn_local(async move {
            let Some(saver) = Saver::open(&name).await else { return };
            // Another one may have begun while the browser was asked.
            if self.transfer.with_untracked(|transfer| transfer.running().is_some()) {
                return;
            }
            let request = self.request(|request| Intent::Export { request, scope, format });
            self.file.set_value(Some(Open::Writing(saver, 0)));
            self.transfer.update(|transfer| transfer.begin(request, Kind::Export(scope), name));
        });
    }

    /// Reads mail from files that the person has picked, one after the other.
    pub(crate) fn read_mail(self, files: Vec<File>, target: ImportTarget) {
        if self.transfer.with_untracked(|transfer| transfer.running().is_some()) {
            return;
        }
        let all = (files.len(), files.iter().map(size).fold(0, u64::saturating_add));
        let Some(first) = files.first() else { return };
        let (request, own) = self.ask_to_read(first, target, files.len() > 1);
        self.file.set_value(Some(Open::Reading(files.into())));
        self.transfer.update(|transfer| transfer.begin_import(request, target, own, all));
    }

    /// Has a file read; `more` if another one is read after it.
    fn ask_to_read(self, file: &File, target: ImportTarget, more: bool) -> (u32, (String, u64)) {
        let (name, size) = (file.name(), size(file));
        let request = self.request(|request| {
            let name = name.clone();
            Intent::Import { request, name, size, target, more }
        });
        (request, (name, size))
    }

    /// A file was read, or could not be: the next one's turn, if there is one.
    pub(super) fn file_read(self, request: u32, result: Result<Imported, Problem>) {
        let next = self.transfer.with_untracked(|transfer| match transfer.running() {
            Some(Kind::Import(target)) if transfer.request() == Some(request) => {
                transfer.goes_on(&result).then_some(target)
            }
            _ => None,
        });
        let next = next.and_then(|target| Some((self.next_file()?, target)));
        if let Some(((file, more), target)) = next {
            let (request, own) = self.ask_to_read(&file, target, more);
            return self.transfer.update(|transfer| transfer.go_on(request, own, result));
        }
        self.let_go(request);
        self.transfer.update(|transfer| transfer.imported(request, result));
        self.send(Intent::MeasureStorage);
    }

    /// Lets go of the file that was read, for the one after it; whether another one comes after
    /// that.
    fn next_file(self) -> Option<(File, bool)> {
        let next = self.file.try_update_value(|file| match file {
            Some(Open::Reading(files)) => {
                files.pop_front();
                Some((files.front()?.clone(), files.len() > 1))
            }
            _ => None,
        });
        next.flatten()
    }

    /// Stops what is being written or read.
    pub(crate) fn stop_transfer(self) {
        if let Some(request) = self.transfer.with_untracked(Transfer::request) {
            self.give_up(request, Outcome::Stopped);
        }
    }

    /// Writes the next bytes of a file; none at its end.
    pub(super) fn write_piece(self, request: u32, offset: u64, bytes: &[u8]) {
        if self.transfer.with_untracked(Transfer::request) != Some(request) {
            return self.send(Intent::StopTransfer { request });
        }
        if bytes.is_empty() {
            return self.close_file(request);
        }
        let written = self.file.try_update_value(|file| match file {
            Some(Open::Writing(saver, taken)) if *taken == offset => {
                *taken += bytes.len() as u64;
                saver.write(bytes).ok()
            }
            // Another engine has begun the file anew.
            _ => None,
        });
        let Some(written) = written.flatten() else {
            return self.give_up(request, not_written());
        };
        let bytes = offset + bytes.len() as u64;
        spawn_local(async move {
            match JsFuture::from(written).await {
                Ok(_) => self.send(Intent::ExportTaken { request, bytes }),
                Err(error) => self.give_up(request, broken_off(&error)),
            }
        });
    }

    fn close_file(self, request: u32) {
        let closed = self.file.try_update_value(|file| match file {
            Some(Open::Writing(saver, _)) => Some((saver.close(), saver.is_certain())),
            _ => None,
        });
        let Some((closed, is_certain)) = closed.flatten() else { return };
        let Ok(closed) = closed else { return self.give_up(request, not_written()) };
        let counts = self.transfer.with_untracked(Transfer::counts_as_backup);
        spawn_local(async move {
            if let Err(error) = JsFuture::from(closed).await {
                return self.give_up(request, broken_off(&error));
            }
            // Stopped meanwhile, it was given up.
            if self.transfer.with_untracked(Transfer::request) != Some(request) {
                return;
            }
            self.file.set_value(None);
            if is_certain || !counts {
                self.send(Intent::ExportSaved { request });
            } else {
                self.transfer.update(|transfer| transfer.ask(request));
            }
        });
    }

    /// The person has seen that the download is complete.
    pub(crate) fn confirm_saved(self) {
        if let Some(request) = self.transfer.with_untracked(Transfer::asked) {
            self.transfer.update(|transfer| transfer.answered(request));
            self.send(Intent::ExportSaved { request });
        }
    }

    /// Gives the engine a piece of the file that is read.
    pub(super) fn read_piece(self, request: u32, offset: u64, length: u32) {
        let file = self.file.with_value(|file| match file {
            Some(Open::Reading(files)) => files.front().cloned(),
            _ => None,
        });
        let running = self.transfer.with_untracked(Transfer::request) == Some(request);
        let Some(file) = file.filter(|_| running) else {
            return self.send(Intent::StopTransfer { request });
        };
        spawn_local(async move {
            let bytes = files::piece(&file, offset, length).await.map(Into::into);
            self.send(Intent::ImportData { request, offset, bytes });
        });
    }

    /// Ends a transfer before its time.
    fn give_up(self, request: u32, outcome: Outcome) {
        self.send(Intent::StopTransfer { request });
        self.let_go(request);
        self.transfer.update(|transfer| transfer.end(request, outcome));
    }

    /// Lets go of the file of a transfer that runs: what comes late of one that was stopped is not
    /// about the next one's.
    pub(super) fn let_go(self, request: u32) {
        if self.transfer.with_untracked(Transfer::request) != Some(request) {
            return;
        }
        let file = self.file.try_update_value(Option::take).flatten();
        if let Some(Open::Writing(saver, _)) = file {
            saver.abort();
        }
    }
}

/// How many bytes a file has.
fn size(file: &File) -> u64 {
    // It is a whole number that floating point has exactly.
    file.size() as u64
}

fn not_written() -> Outcome {
    Outcome::Failed(text::backup::NOT_WRITTEN.into())
}

/// What to tell of a file that was not written to its end.
fn broken_off(error: &JsValue) -> Outcome {
    if save::is_stopped(error) { Outcome::Stopped } else { not_written() }
}
