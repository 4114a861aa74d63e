//! Sans-I/O SASL mechanisms
