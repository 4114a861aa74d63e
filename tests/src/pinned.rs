//! Staying on one processor while something is measured.

use std::io;

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps the thread that it was made on on one processor, until it is dropped there. What the thread starts
/// meanwhile stays there as well.
///
/// Linux likes to wake whoever waits for a socket on the processor of whoever writes to it. Over loopback
/// a client and its server then take turns on one processor, in some runs and not in others. Other systems
/// are left to do as they like.
pub struct Pinned {
    /// Where it may run otherwise.
    #[cfg(target_os = "linux")]
    before: CpuSet,
}

#[cfg(not(target_os = "linux"))]
impl Pinned {
    /// Does nothing.
    ///
    /// # Errors
    ///
    /// None.
    pub fn to_one() -> io::Result<Self> {
        Ok(Self {})
    }
}

#[cfg(target_os = "linux")]
impl Pinned {
    /// Keeps the calling thread on the last one of the processors that it may run on.
    ///
    /// # Errors
    ///
    /// If the system does not allow it.
    pub fn to_one() -> io::Result<Self> {
        let before = sched_getaffinity(None)?;
        let mut one = CpuSet::new();
        if let Some(last) = (0..CpuSet::MAX_CPU).rfind(|number| before.is_set(*number)) {
            one.set(last);
        }
        sched_setaffinity(None, &one)?;
        Ok(Self { before })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        // It was allowed before.
        let _ = sched_setaffinity(None, &self.before);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_on_one_processor_as_long_as_it_is_pinned() {
        let allowed = || sched_getaffinity(None).unwrap();
        let before = allowed();
        let pinned = Pinned::to_one().unwrap();
        assert_eq!(allowed().count(), 1);
        drop(pinned);
        assert_eq!(allowed(), before);
    }
}
