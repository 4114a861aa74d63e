//! Close frames (RFC 6455, sections 5.5.1 and 7.4).

use super::{Violation, frame::LONGEST_CONTROL};

/// Why a connection is closed, as a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CloseCode(u16);

/// What a close frame says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Close {
    /// Why, for the program.
    pub code: CloseCode,
    /// Why, for a person; often nothing.
    pub reason: String,
}

impl CloseCode {
    /// The longest reason that fits beside a code, in bytes.
    pub(super) const REASON: usize = LONGEST_CONTROL - 2;

    /// The connection has done what it was for.
    pub const NORMAL: Self = Self(1000);
    /// The other side broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// Text was not UTF-8.
    pub const NOT_UTF8: Self = Self(1007);
    /// The other side broke a rule that is not the protocol's.
    pub const POLICY: Self = Self(1008);
    /// A message was too long.
    pub const TOO_LONG: Self = Self(1009);

    /// A code that may be sent: one that the protocol or its registry gives a meaning, or one for
    /// libraries and applications (sections 7.4.1 and 7.4.2).
    pub fn new(code: u16) -> Option<Self> {
        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999).then_some(Self(code))
    }

    /// As it is in a frame.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Close {
    /// Reads a close frame's payload; without one, nothing was said.
    ///
    /// # Errors
    ///
    /// If there is half a code, one that may not be sent, or a reason that is not UTF-8.
    pub(super) fn parse(payload: &[u8]) -> Result<Option<Self>, Violation> {
        match payload {
            [] => Ok(None),
            [_] => Err(Violation::CloseStatus),
            [high, low, reason @ ..] => {
                let code = CloseCode::new(u16::from_be_bytes([*high, *low]));
                let reason = std::str::from_utf8(reason).map_err(|_| Violation::NotUtf8)?;
                Ok(Some(Self {
                    code: code.ok_or(Violation::CloseStatus)?,
                    reason: reason.to_owned(),
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(code: u16, reason: &[u8]) -> Result<Option<Close>, Violation> {
        Close::parse(&[&code.to_be_bytes(), reason].concat())
    }

    #[test]
    fn a_close_frame_may_say_nothing_or_a_code_and_a_reason() {
        assert_eq!(Close::parse(b""), Ok(None));
        let close = Close { code: CloseCode::NORMAL, reason: "Grüße".into() };
        assert_eq!(parse(1000, "Grüße".as_bytes()), Ok(Some(close)));
        assert_eq!(Close::parse(&[3]), Err(Violation::CloseStatus));
        assert_eq!(parse(1000, &[0xce, 0xba, 0xe1, 0xbd]), Err(Violation::NotUtf8));
    }

    #[test]
    fn only_codes_with_a_meaning_may_be_sent() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
            assert!(parse(code, b"").is_ok(), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert_eq!(parse(code, b""), Err(Violation::CloseStatus), "{code}");
        }
    }
}
