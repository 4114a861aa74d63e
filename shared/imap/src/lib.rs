//! Sans-I/O IMAP client: framer, tolerant token tree, typed responses, commands, session
