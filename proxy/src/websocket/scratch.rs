//! Where bytes arrive.
//!
//! One place for all connections of a thread: an idle one needs none, and what is always in use is
//! always in the processor's cache.

use std::cell::RefCell;

use super::frame::LONGEST_OWN_HEADER;
use crate::limits::CHUNK;

/// Free bytes before those that are read, so that a frame's header can be put before them.
pub const HEADROOM: usize = LONGEST_OWN_HEADER;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
}

/// Lends the thread's place, which has room for a [`CHUNK`]. What is in it has no
/// meaning, before and after.
///
/// # Panics
///
/// If it is lent already: what it is lent to must not ask for it again.
pub fn with<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    SCRATCH.with_borrow_mut(|place| work(place))
}
