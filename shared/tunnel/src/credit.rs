//! Credit: how many stream bytes each side may send.
//!
//! The receiver grants, the sender spends. The receiver keeps a [`Window`], the sender an
//! [`Allowance`]; both are plain numbers, so that either side can be tested without the other.
//!
//! A window is small at first and doubles while it is what holds the sender up, as far as the
//! [`Budget`] that a receiver has for all its windows allows. When nothing has been sent for some
//! time, the receiver asks for the credit back, so that an idle tunnel costs no more than a new one.

mod budget;

use std::mem;

pub use budget::Budget;

/// The receiver's side: how much may still be on its way to us.
///
/// What has been granted and has not arrived, and what has arrived and has not been used up, are
/// never more than the window's size.
#[derive(Debug)]
pub struct Window {
    budget: Budget,
    least: u32,
    most: u32,
    size: u32,
    /// What may still arrive.
    granted: u32,
    /// The last grant, as long as the sender has not used any of it: it may not know of it yet.
    fresh: u32,
    /// What has arrived and has not been used up.
    held: u32,
    /// The sender has stopped for want of credit, and not because we were slow.
    starved: bool,
}

impl Window {
    /// A window of `least` bytes, all of which have been granted with the opening message, that
    /// can grow to `most` within the budget.
    pub fn new(least: u32, most: u32, budget: &Budget) -> Self {
        let (size, granted, budget) = (least, least, budget.clone());
        Self { budget, least, most, size, granted, fresh: 0, held: 0, starved: false }
    }

    /// Bytes have arrived.
    ///
    /// # Errors
    ///
    /// If they are more than was granted.
    pub fn arrived(&mut self, bytes: usize) -> Result<(), Overrun> {
        let bytes = u32::try_from(bytes).map_err(|_| Overrun)?;
        self.granted = self.granted.checked_sub(bytes).ok_or(Overrun)?;
        if self.granted < self.fresh {
            self.fresh = 0;
        }
        // A sender that stops right where all ends that it can know of would have gone on. Most of
        // the time: one that has just that to say makes a window grow for nothing, which is no
        // harm.
        self.starved |= self.granted == self.fresh && self.held <= self.size / 4;
        self.held += bytes;
        Ok(())
    }

    /// Bytes that had arrived have been used up; returns how much to grant for it now, if it is
    /// worth a message: half a window at a time.
    #[must_use]
    pub fn consumed(&mut self, bytes: usize) -> Option<u32> {
        self.held = self.held.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX));
        if mem::take(&mut self.starved) {
            self.size += self.budget.take(self.size.min(self.most - self.size));
        }
        let free = self.size - self.granted - self.held;
        if free < self.size / 2 {
            return None;
        }
        self.granted += free;
        self.fresh = free;
        Some(free)
    }

    /// How much the sender should keep at most when nothing has been sent for some time, if the
    /// window has grown.
    pub fn reclaim(&self) -> Option<u32> {
        (self.size > self.least).then_some(self.least)
    }

    /// The sender has given credit back: the window shrinks by as much.
    ///
    /// # Errors
    ///
    /// If it is more than was granted.
    pub fn returned(&mut self, credit: u32) -> Result<(), Overrun> {
        self.granted = self.granted.checked_sub(credit).ok_or(Overrun)?;
        self.fresh = self.fresh.min(self.granted);
        let shrunk = credit.min(self.size - self.least);
        self.size -= shrunk;
        self.budget.put_back(shrunk);
        Ok(())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.budget.put_back(self.size - self.least);
    }
}

/// The sender's side: how much it may send.
#[derive(Clone, Debug)]
pub struct Allowance(u32);

impl Allowance {
    /// What the opening message granted.
    pub fn new(credit: u32) -> Self {
        Self(credit)
    }

    /// The other side granted more.
    ///
    /// # Errors
    ///
    /// If the sum is more than 2³² − 1: nobody needs that.
    pub fn grant(&mut self, credit: u32) -> Result<(), Overrun> {
        self.0 = self.0.checked_add(credit).ok_or(Overrun)?;
        Ok(())
    }

    /// How many bytes may be sent now.
    pub fn available(&self) -> usize {
        self.0 as usize
    }

    /// Spends credit for up to `wanted` bytes; returns for how many.
    #[must_use]
    pub fn take(&mut self, wanted: usize) -> usize {
        let bytes = self.0.min(u32::try_from(wanted).unwrap_or(u32::MAX));
        self.0 -= bytes;
        bytes as usize
    }

    /// Gives back what is more than `keep`; returns how much that was.
    #[must_use]
    pub fn give_back(&mut self, keep: u32) -> u32 {
        let credit = self.0.saturating_sub(keep);
        self.0 -= credit;
        credit
    }
}

/// More bytes, or more credit, than the rules allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("more than was granted")]
pub struct Overrun;

#[cfg(test)]
mod tests;
