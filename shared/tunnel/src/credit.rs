//! Credit: how many stream bytes each side may send.
//!
//! The receiver grants, the sender spends. The receiver keeps a [`Window`], the sender an
//! [`Allowance`]; both are plain numbers, so that either side can be tested without the other.

/// The receiver's side: how much may still be on its way to us.
#[derive(Clone, Debug)]
pub struct Window {
    size: u32,
    granted: u32,
    consumed: u32,
}

impl Window {
    /// A window of `size` bytes, all of which have been granted with the opening message.
    pub fn new(size: u32) -> Self {
        Self { size, granted: size, consumed: 0 }
    }

    /// Bytes have arrived.
    ///
    /// # Errors
    ///
    /// If they are more than was granted.
    pub fn arrived(&mut self, bytes: usize) -> Result<(), Overrun> {
        let bytes = u32::try_from(bytes).map_err(|_| Overrun)?;
        self.granted = self.granted.checked_sub(bytes).ok_or(Overrun)?;
        Ok(())
    }

    /// Bytes that had arrived have been used up; returns how much to grant for it now, if it is
    /// worth a message: half a window at a time.
    #[must_use]
    pub fn consumed(&mut self, bytes: usize) -> Option<u32> {
        self.consumed += u32::try_from(bytes).unwrap_or(u32::MAX);
        if self.consumed < self.size / 2 {
            return None;
        }
        let grant = std::mem::take(&mut self.consumed);
        self.granted += grant;
        Some(grant)
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
}

/// More bytes, or more credit, than the rules allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("more than was granted")]
pub struct Overrun;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_beyond_the_window_is_an_overrun() {
        let mut window = Window::new(100);
        assert_eq!(window.arrived(100), Ok(()));
        assert_eq!(window.arrived(1), Err(Overrun));
    }

    #[test]
    fn credit_returns_in_halves_of_a_window() {
        let mut window = Window::new(100);
        window.arrived(100).unwrap();
        assert_eq!(window.consumed(49), None);
        assert_eq!(window.consumed(1), Some(50));
        assert_eq!(window.arrived(50), Ok(()));
        assert_eq!(window.arrived(1), Err(Overrun));
    }

    #[test]
    fn a_sender_never_sends_more_than_it_was_granted() {
        let mut allowance = Allowance::new(10);
        assert_eq!(allowance.take(7), 7);
        assert_eq!(allowance.take(7), 3);
        assert_eq!(allowance.take(7), 0);
        allowance.grant(5).unwrap();
        assert_eq!(allowance.available(), 5);
        assert_eq!(allowance.grant(u32::MAX), Err(Overrun));
    }
}
