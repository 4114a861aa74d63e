//! The store in IndexedDB passes the same suite as the one in memory.
