//! Bytes that go from one TCP connection to another without coming into this program's memory.
//!
//! They go through a pipe: what has arrived is moved into it, then a frame's header is sent, and then
//! what is in the pipe. So a frame announces only what is there. A pipe is never held: what the other
//! side does not take at once is copied out of it, and the pipe is the next one's.
//!
//! Systems other than Linux have nothing like that; there, and where it is not permitted, bytes are
//! copied.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(super) use linux::fill;
#[cfg(not(target_os = "linux"))]
pub(super) use other::fill;
