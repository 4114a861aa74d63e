//! What every store must do; the in-memory and the IndexedDB store both run it.
