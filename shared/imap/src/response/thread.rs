//! THREAD responses (RFC 5256 section 4).

use crate::token::Token;

/// A thread: its messages, each behind the one that it answers. Flat, so that a thread of any
/// length costs no recursion.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Thread {
    /// The messages, parents before children.
    pub messages: Vec<ThreadedMessage>,
}

/// A message in a thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadedMessage {
    /// Its UID (or sequence number).
    pub number: u32,
    /// The place in the thread of the message that it answers; `None` at the top, of which there
    /// are several when the message that they answer is not in the mailbox.
    pub parent: Option<usize>,
}

impl Thread {
    /// Reads all threads; what is neither a number nor a list is skipped. Lists are nested no
    /// deeper than the limit on tokens allows, and so is this.
    pub(super) fn all(arguments: &[Token<'_>]) -> Vec<Self> {
        let read = |list: &[Token<'_>]| {
            let mut thread = Self::default();
            thread.collect(list, None);
            thread
        };
        let threads = arguments.iter().filter_map(Token::list).map(read);
        threads.filter(|thread| !thread.messages.is_empty()).collect()
    }

    /// Numbers in a row answer each other; lists answer the last number before them.
    fn collect(&mut self, list: &[Token<'_>], mut parent: Option<usize>) {
        for token in list {
            if let Some(branch) = token.list() {
                self.collect(branch, parent);
            } else if let Some(number) = token.number().filter(|number| *number > 0) {
                self.messages.push(ThreadedMessage { number, parent });
                parent = Some(self.messages.len() - 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Response,
        response::{Defect, TokenDefect, tests::parse_bytes, tests::response},
    };

    /// Number and the parent's number.
    fn threads(line: &str) -> Vec<Vec<(u32, Option<u32>)>> {
        let Response::Threads(threads) = response(line) else { panic!("{line}") };
        let pairs = |thread: &Thread| {
            let number = |at: usize| thread.messages[at].number;
            thread.messages.iter().map(|own| (own.number, own.parent.map(number))).collect()
        };
        threads.iter().map(pairs).collect()
    }

    #[test]
    fn the_examples_of_rfc_5256_are_read() {
        assert_eq!(
            threads("* THREAD (2)(3 6 (4 23)(44 7 96))"),
            [
                vec![(2, None)],
                vec![
                    (3, None),
                    (6, Some(3)),
                    (4, Some(6)),
                    (23, Some(4)),
                    (44, Some(6)),
                    (7, Some(44)),
                    (96, Some(7)),
                ],
            ]
        );
        assert_eq!(threads("* THREAD ((3)(5))"), [vec![(3, None), (5, None)]]);
        assert_eq!(threads("* THREAD"), [[]; 0]);
    }

    #[test]
    fn a_thread_of_a_hundred_thousand_messages_is_read() {
        let numbers: Vec<_> = (1..=100_000).map(|number: u32| number.to_string()).collect();
        let Response::Threads(threads) = response(&format!("* THREAD ({})", numbers.join(" ")))
        else {
            panic!("not threads");
        };
        assert_eq!(threads[0].messages.len(), 100_000);
        assert_eq!(threads[0].messages[99_999].parent, Some(99_998));
    }

    #[test]
    fn branches_beyond_the_limit_are_left_out() {
        let line = format!("* THREAD {}1{}\r\n", "(1 ".repeat(5000), ")".repeat(5000));
        let (read, defect) = parse_bytes(line.as_bytes());
        let Response::Threads(threads) = read else { panic!("{read:?}") };
        assert_eq!(threads[0].messages.len(), 100);
        assert_eq!(defect, Some(Defect::Tokens(TokenDefect::TooDeep)));
    }
}
