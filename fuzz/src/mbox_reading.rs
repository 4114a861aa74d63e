//! Reading an mbox file.

use postern_archive::{
    limits,
    mbox::{Event, Reader},
};

/// Whatever is in a file, and in whichever pieces it comes: a reader never panics, its messages are the
/// same, each begins before its bytes come and ends after them, and they have at most as many bytes as
/// the file would have if each line ended in CRLF.
///
/// The first byte of the input is the size of the pieces; if it is odd, the file is a single message.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [size, file @ ..] = input else { return };
    let is_message = size % 2 == 1;
    let whole = read(file, file.len(), is_message);
    let lines = file.iter().filter(|byte| **byte == b'\n').count();
    assert!(whole.iter().map(Vec::len).sum::<usize>() <= file.len() + lines);
    assert_eq!(read(file, usize::from(*size), is_message), whole, "in pieces of {size}");
    assert_eq!(read(file, limits::LINE - 1, is_message), whole, "in large pieces");
    assert_eq!(read(file, 1, is_message), whole, "byte by byte");
}

/// The messages.
fn read(file: &[u8], size: usize, is_message: bool) -> Vec<Vec<u8>> {
    let mut reader = if is_message { Reader::of_message() } else { Reader::new() };
    let mut messages = Messages::default();
    for piece in file.chunks(size.max(1)) {
        let mut taken = 0;
        while taken < piece.len() {
            taken += reader.handle_input(&piece[taken..]);
            if let Some(at) = messages.take(&mut reader) {
                let found = usize::try_from(at).ok().and_then(|at| file.get(at..));
                reader.looked(found.map(|found| &found[..found.len().min(16)]));
            }
        }
    }
    reader.finish();
    assert_eq!(messages.take(&mut reader), None, "nothing can be looked at after the end");
    assert!(!messages.is_open, "a message without an end");
    messages.all
}

#[derive(Default)]
struct Messages {
    all: Vec<Vec<u8>>,
    is_open: bool,
}

impl Messages {
    /// Takes what has come out; the place that the reader wants to look at.
    fn take(&mut self, reader: &mut Reader) -> Option<u64> {
        while let Some(event) = reader.poll_event() {
            match event {
                Event::Start => {
                    assert!(!std::mem::replace(&mut self.is_open, true), "a message in a message");
                    self.all.push(Vec::new());
                }
                Event::Bytes(bytes) => {
                    assert!(self.is_open && !bytes.is_empty(), "bytes of no message, or none");
                    self.all.last_mut().expect("it has begun").extend(bytes);
                }
                Event::End => assert!(std::mem::take(&mut self.is_open), "an end of nothing"),
                Event::Look { at } => return Some(at),
            }
        }
        None
    }
}
