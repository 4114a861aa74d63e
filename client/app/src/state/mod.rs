//! What the page shows: plain data in signals, changed by deltas and by the person.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod accounts;
pub(crate) mod certificate;
pub(crate) mod changes;
pub(crate) mod command;
pub(crate) mod composer;
pub(crate) mod conversation;
pub(crate) mod demo;
pub(crate) mod dialog;
pub(crate) mod draft;
pub(crate) mod list;
pub(crate) mod lost;
pub(crate) mod mailboxes;
pub(crate) mod picked;
pub(crate) mod preview;
pub(crate) mod reader;
mod searching;
pub(crate) mod setup;
pub(crate) mod storage;
pub(crate) mod toasts;
pub(crate) mod transfer;
pub(crate) mod window;

mod app;
mod attachments;
mod drafts;
mod filing;
mod incoming;
mod keeping;
mod navigation;
mod targets;
mod writing;

pub(crate) use app::{App, Landing};
