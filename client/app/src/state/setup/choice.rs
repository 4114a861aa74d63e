//! Two questions, and the protocol that fits the answers.

use postern_bridge::Protocol;

use crate::text;

/// The person's answer to "On how many devices do you read this mail?"
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Devices {
    /// On this one alone.
    One,
    /// On several, or on others' computers.
    Several,
}

/// The person's answer to "Where should the mail be kept?"
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keeping {
    /// At the provider.
    Provider,
    /// In this browser.
    Here,
}

/// The protocol that fits the answers, and why; `None` while nothing was answered.
pub(crate) fn recommend(
    devices: Option<Devices>,
    keeping: Option<Keeping>,
) -> Option<(Protocol, &'static str)> {
    match (devices, keeping) {
        (Some(Devices::Several), Some(Keeping::Here)) => {
            Some((Protocol::Imap, text::setup::WHY_IMAP_SEVERAL_THOUGH_HERE))
        }
        (Some(Devices::Several), _) => Some((Protocol::Imap, text::setup::WHY_IMAP_SEVERAL)),
        (_, Some(Keeping::Provider)) => Some((Protocol::Imap, text::setup::WHY_IMAP_PROVIDER)),
        (_, Some(Keeping::Here)) => Some((Protocol::Pop3, text::setup::WHY_POP3)),
        (Some(Devices::One), None) => Some((Protocol::Imap, text::setup::WHY_IMAP_ONE)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_questions_recommend_a_protocol_and_say_why() {
        use Devices::{One, Several};
        use Keeping::{Here, Provider};
        for (devices, keeping, expected) in [
            (None, None, None),
            (Some(One), None, Some(Protocol::Imap)),
            (Some(One), Some(Here), Some(Protocol::Pop3)),
            (Some(One), Some(Provider), Some(Protocol::Imap)),
            (Some(Several), None, Some(Protocol::Imap)),
            (Some(Several), Some(Here), Some(Protocol::Imap)),
            (None, Some(Here), Some(Protocol::Pop3)),
        ] {
            assert_eq!(recommend(devices, keeping).map(|(protocol, _)| protocol), expected);
        }
    }
}
