//! Which commands may be on their way together (RFC 9051 section 5.5).
//!
//! A server may work on several commands at once, and answer them in any order. So two commands may
//! be in flight together only if each means the same, and its answer can be told from the other's,
//! whichever comes first.

/// Commands that change what others mean, or what the connection carries: they go out when nothing
/// else is in flight, and nothing goes out behind them.
const ALONE: [&str; 10] = [
    "AUTHENTICATE",
    "CLOSE",
    "COMPRESS",
    "ENABLE",
    "EXAMINE",
    "IDLE",
    "LOGIN",
    "SELECT",
    "STARTTLS",
    "UNSELECT",
];

/// Commands that name messages by their places in the mailbox. While one is in flight, the server
/// may not tell that a message is gone, unless another command lets it.
const NUMBERED: [&str; 7] = ["COPY", "FETCH", "MOVE", "SEARCH", "SORT", "STORE", "THREAD"];

/// Commands whose answers name neither the command nor what they are about: of two that ask for
/// different things, nobody knows which answer is whose.
const ANONYMOUS: [&str; 5] = ["LIST", "LSUB", "SEARCH", "SORT", "THREAD"];

/// Whether a command may go out while another is in flight.
pub(super) fn may_join(name: &str, in_flight: &str) -> bool {
    if stands_alone(name) || stands_alone(in_flight) {
        return false;
    }
    let moves = |one, other| is_numbered(one) && may_renumber(other);
    let alike = ANONYMOUS.contains(&plain(name)) && plain(name) == plain(in_flight);
    !(alike || moves(name, in_flight) || moves(in_flight, name))
}

/// Whether nothing else may be in flight together with this command.
fn stands_alone(name: &str) -> bool {
    ALONE.contains(&name)
}

fn is_numbered(name: &str) -> bool {
    NUMBERED.contains(&name)
}

/// Whether messages may lose their places while the command is in flight (RFC 9051 section 7.5.1).
fn may_renumber(name: &str) -> bool {
    !matches!(name, "FETCH" | "SEARCH" | "SORT" | "STORE" | "THREAD")
}

fn plain(name: &str) -> &str {
    name.strip_prefix("UID ").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_could_be_mistaken_for_each_other_are_not_in_flight_together() {
        let cases = [
            ("NOOP", "CAPABILITY", true),
            ("UID FETCH", "UID FETCH", true),
            ("UID FETCH", "UID STORE", true),
            ("UID FETCH", "UID MOVE", true),
            ("UID FETCH", "NOOP", true),
            ("STATUS", "STATUS", true),
            ("APPEND", "APPEND", true),
            ("FETCH", "STORE", true),
            // Places change under the feet of commands that name them.
            ("FETCH", "NOOP", false),
            ("STORE", "UID EXPUNGE", false),
            ("SEARCH", "UID FETCH", false),
            ("COPY", "COPY", false),
            // Whose answer is it?
            ("UID SEARCH", "UID SEARCH", false),
            ("UID SEARCH", "SEARCH", false),
            ("LIST", "LIST", false),
            ("UID SEARCH", "UID SORT", true),
            // They change the rest.
            ("SELECT", "UID FETCH", false),
            ("LOGIN", "CAPABILITY", false),
            ("IDLE", "NOOP", false),
            ("ENABLE", "LIST", false),
            ("COMPRESS", "NOOP", false),
            ("STARTTLS", "CAPABILITY", false),
        ];
        for (one, other, together) in cases {
            assert_eq!(may_join(one, other), together, "{one} behind {other}");
            assert_eq!(may_join(other, one), together, "{other} behind {one}");
        }
    }
}
