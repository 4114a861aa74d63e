//! Tests with real servers and a real browser
