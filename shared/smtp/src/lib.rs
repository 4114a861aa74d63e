//! Sans-I/O SMTP submission session
