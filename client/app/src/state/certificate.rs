//! Confirming a certificate before it is trusted.

use postern_bridge::{Fingerprint, FingerprintError};

/// What the person has done to confirm a certificate.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Confirmation {
    /// The fingerprint as it was typed or pasted.
    pub(crate) typed: String,
    /// Whether the person says to have compared the fingerprints by eye.
    pub(crate) compared: bool,
}

/// What a typed fingerprint says about a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Typed {
    /// Nothing was typed.
    Nothing,
    /// It is not a fingerprint yet.
    Wrong(FingerprintError),
    /// It is the certificate's.
    Same,
    /// It is that of another certificate.
    Other,
}

impl Confirmation {
    /// What the typed fingerprint says about the certificate with this one.
    pub(crate) fn typed(&self, shown: Fingerprint) -> Typed {
        if self.typed.trim().is_empty() {
            return Typed::Nothing;
        }
        match self.typed.parse() {
            Ok(typed) if shown == typed => Typed::Same,
            Ok(_) => Typed::Other,
            Err(error) => Typed::Wrong(error),
        }
    }

    /// Whether the certificate may be trusted now. `strictly`, where it replaces one that was
    /// trusted, the fingerprint must have been typed.
    pub(crate) fn confirms(&self, shown: Fingerprint, strictly: bool) -> bool {
        match self.typed(shown) {
            Typed::Same => true,
            Typed::Nothing => self.compared && !strictly,
            Typed::Wrong(_) | Typed::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown() -> Fingerprint {
        [0xAB; 32].into()
    }

    fn typed(typed: &str) -> Confirmation {
        Confirmation { typed: typed.into(), compared: false }
    }

    #[test]
    fn the_same_fingerprint_confirms_in_whatever_form_it_is_typed() {
        for text in [shown().to_string(), "ab".repeat(32), "AB ".repeat(32)] {
            assert_eq!(typed(&text).typed(shown()), Typed::Same);
            assert!(typed(&text).confirms(shown(), true));
        }
    }

    #[test]
    fn another_or_half_a_fingerprint_does_not_even_with_the_box_ticked() {
        for text in ["cd".repeat(32), "ab".repeat(31)] {
            let confirmation = Confirmation { typed: text, compared: true };
            assert!(!confirmation.confirms(shown(), false));
        }
        assert_eq!(typed(&"cd".repeat(32)).typed(shown()), Typed::Other);
    }

    #[test]
    fn comparing_by_eye_is_enough_only_where_nothing_was_trusted_before() {
        let compared = Confirmation { typed: "  ".into(), compared: true };
        assert!(compared.confirms(shown(), false));
        assert!(!compared.confirms(shown(), true));
        assert!(!Confirmation::default().confirms(shown(), false));
    }
}
