//! POP3: download, ledger, retention.
