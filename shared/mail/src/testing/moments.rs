//! What a test counts of a process: the moments at which it waits, and what is in the making.

use std::{cell::Cell, future::pending, rc::Rc};

/// How many things are in the making. Clones share the counts.
#[derive(Clone, Default)]
pub struct Making {
    now: Rc<Cell<usize>>,
    /// The most at the same time so far.
    pub most: Rc<Cell<usize>>,
}

impl Making {
    /// One more.
    pub(super) fn begin(&self) {
        self.now.set(self.now.get() + 1);
        self.most.set(self.most.get().max(self.now.get()));
    }

    /// One less.
    pub(super) fn end(&self) {
        self.now.set(self.now.get() - 1);
    }
}

/// The moments at which a process waits for something, counted from 0. Clones share them.
#[derive(Clone, Default)]
pub struct Moments {
    /// How many there were.
    pub done: Rc<Cell<usize>>,
    /// At this one the process ends: what is about to be done is not done any more.
    pub end: Rc<Cell<Option<usize>>>,
}

impl Moments {
    /// The next one; its number.
    pub async fn next(&self) -> usize {
        let number = self.done.get();
        if self.is_over() {
            pending::<()>().await;
        }
        self.done.set(number + 1);
        number
    }

    /// Whether the process has ended.
    pub fn is_over(&self) -> bool {
        self.end.get() == Some(self.done.get())
    }
}
