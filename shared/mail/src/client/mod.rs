//! Intents in, deltas out.
