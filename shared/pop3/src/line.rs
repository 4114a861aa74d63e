//! Lines, however they are cut.

use crate::{SessionError, limits::MAX_LINE};

/// Gathers a line over several inputs.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer(Vec<u8>);

impl LineBuffer {
    /// Takes the next line out of `input`, without its end; `None` until it is complete.
    pub(crate) fn take(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, SessionError> {
        let end = memchr::memchr(b'\n', input).map(|at| at + 1);
        let (part, rest) = input.split_at(end.unwrap_or(input.len()));
        if self.0.len() + part.len() > MAX_LINE {
            return Err(SessionError::LineTooLong);
        }
        self.0.extend_from_slice(part);
        *input = rest;
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.0);
        line.pop();
        line.pop_if(|last| *last == b'\r');
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_line_is_taken_and_one_byte_more_is_not() {
        let mut longest = vec![b'a'; MAX_LINE - 2];
        longest.extend(b"\r\n");
        let line = LineBuffer::default().take(&mut &longest[..]).unwrap().unwrap();
        assert_eq!(line.len(), MAX_LINE - 2);
        longest.insert(0, b'a');
        assert_eq!(LineBuffer::default().take(&mut &longest[..]), Err(SessionError::LineTooLong));
    }

    #[test]
    fn a_line_without_end_is_not_gathered_for_ever() {
        let mut buffer = LineBuffer::default();
        assert_eq!(buffer.take(&mut &[b'a'; MAX_LINE][..]), Ok(None));
        assert_eq!(buffer.take(&mut &b"a"[..]), Err(SessionError::LineTooLong));
    }
}
