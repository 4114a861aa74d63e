//! Inputs made of others, the same ones in each run.

/// Bytes that are on the edge of something.
const EDGES: [u8; 12] = [0, 1, 0x16, 0x20, b'"', b'.', b'0', b':', 0x7f, 0x80, 0xfe, 0xff];

/// Makes inputs out of a corpus.
pub struct Mutator {
    corpus: Vec<Vec<u8>>,
    state: u64,
}

impl Mutator {
    /// A mutator of this corpus.
    ///
    /// # Panics
    ///
    /// If the corpus is empty.
    pub fn new(corpus: Vec<Vec<u8>>) -> Self {
        assert!(!corpus.is_empty(), "there is nothing to begin with");
        Self { corpus, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// The next input: one of the corpus with a few changes.
    pub fn next_input(&mut self) -> Vec<u8> {
        let chosen = self.below(self.corpus.len());
        let mut input = self.corpus[chosen].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = at + self.below(input.len() + 1 - at);
        match self.below(7) {
            0 => input.truncate(at),
            1 => drop(input.drain(at..end)),
            2 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            3 => {
                let edge = EDGES[self.below(EDGES.len())];
                input.insert(at, edge);
            }
            4 => {
                let other = self.below(self.corpus.len());
                let from = self.below(self.corpus[other].len() + 1);
                input.truncate(at);
                input.extend_from_slice(&self.corpus[other][from..]);
            }
            5 => {
                let edge = EDGES[self.below(EDGES.len())];
                if let Some(byte) = input.get_mut(at) {
                    *byte = edge;
                }
            }
            _ => {
                let bit = 1 << self.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
    }

    /// A number below `limit`, or 0.
    fn below(&mut self, limit: usize) -> usize {
        // Marsaglia's xorshift64: any sequence will do that is the same each time.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or(usize::MAX) % limit.max(1)
    }
}
