//! HTML from mail: made safe to show, or turned into text.

mod text;
mod token;

pub use text::to_text;
