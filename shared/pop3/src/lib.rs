//! Sans-I/O POP3 client session
