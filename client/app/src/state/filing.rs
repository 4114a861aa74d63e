//! Writing mail to files and reading it from them: the page is the way to the disk.

use js_sys::Date;
use leptos::{prelude::*, task::spawn_local};
use postern_bridge::{ExportFormat, ExportScope, ImportTarget, Intent};
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
    /// It is read.
    Reading(File),
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

    /// Reads mail from a file that the person has picked.
    pub(crate) fn read_mail(self, file: File, target: ImportTarget) {
        if self.transfer.with_untracked(|transfer| transfer.running().is_some()) {
            return;
        }
        let name = file.name();
        // A file's size is a whole number that floating point has exactly.
        let size = file.size() as u64;
        let request = self.request(|request| {
            let name = name.clone();
            Intent::Import { request, name, size, target }
        });
        self.file.set_value(Some(Open::Reading(file)));
        self.transfer.update(|transfer| transfer.begin(request, Kind::Import(target), name));
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
            Some(Open::Reading(file)) => Some(file.clone()),
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

fn not_written() -> Outcome {
    Outcome::Failed(text::backup::NOT_WRITTEN.into())
}

/// What to tell of a file that was not written to its end.
fn broken_off(error: &JsValue) -> Outcome {
    if save::is_stopped(error) { Outcome::Stopped } else { not_written() }
}
