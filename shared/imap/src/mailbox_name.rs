//! Mailbox names in modified UTF-7 (RFC 3501 section 5.1.3) and in UTF-8 (RFC 9051 section 5.1,
//! RFC 6855).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Base64 with `,` for `/`, without padding; leftover bits are forgiven when reading.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How names are spelled on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Spelling {
    /// Modified UTF-7: whenever nothing else was agreed.
    #[default]
    ModifiedUtf7,
    /// UTF-8: after `IMAP4rev2` or `UTF8=ACCEPT` was enabled.
    Utf8,
}

impl Spelling {
    /// How names are spelled after the server answered ENABLE with these extensions.
    pub fn agreed(enabled: &[impl AsRef<str>]) -> Self {
        let utf8 = |name: &str| {
            ["IMAP4REV2", "UTF8=ACCEPT", "UTF8=ONLY"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        if enabled.iter().any(|name| utf8(name.as_ref())) { Self::Utf8 } else { Self::ModifiedUtf7 }
    }
}

/// A name as people read it, in the spelling that was agreed on. Total.
pub fn decode_from(name: &[u8], spelling: Spelling) -> String {
    match spelling {
        Spelling::ModifiedUtf7 => decode(name),
        Spelling::Utf8 => String::from_utf8_lossy(name).into_owned(),
    }
}

/// A name as the server spells it, in the spelling that was agreed on.
pub fn encode_to(name: &str, spelling: Spelling) -> Vec<u8> {
    match spelling {
        Spelling::ModifiedUtf7 => encode(name),
        Spelling::Utf8 => name.as_bytes().to_vec(),
    }
}

/// A name as people read it. Total: what is not modified UTF-7 is shown as it is, since many
/// servers send UTF-8 although nothing was agreed.
pub fn decode(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut decoded = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((before, shifted)) = rest.split_once('&') {
        decoded.push_str(before);
        match shifted.split_once('-') {
            Some(("", behind)) => {
                decoded.push('&');
                rest = behind;
            }
            Some((run, behind)) => match decode_run(run) {
                Some(run) => {
                    decoded.push_str(&run);
                    rest = behind;
                }
                None => {
                    decoded.push('&');
                    rest = shifted;
                }
            },
            None => {
                decoded.push('&');
                rest = shifted;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// A name as the server spells it.
pub fn encode(name: &str) -> Vec<u8> {
    let mut encoded = String::with_capacity(name.len());
    let mut run: Vec<u8> = Vec::new();
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            end_run(&mut run, &mut encoded);
            encoded.push(character);
            if character == '&' {
                encoded.push('-');
            }
        } else {
            run.extend(
                character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()),
            );
        }
    }
    end_run(&mut run, &mut encoded);
    encoded.into_bytes()
}

fn end_run(run: &mut Vec<u8>, encoded: &mut String) {
    if !run.is_empty() {
        encoded.push('&');
        BASE64.encode_string(&*run, encoded);
        encoded.push('-');
        run.clear();
    }
}

fn decode_run(run: &str) -> Option<String> {
    let bytes = BASE64.decode(run).ok()?;
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)))
        .collect::<Result<_, _>>()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let cases = [
            ("INBOX", "INBOX"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("R&-D", "R&D"),
            ("&2DzfjA-", "🎌"),
            ("", ""),
        ];
        for (wire, name) in cases {
            assert_eq!(decode(wire.as_bytes()), name);
            assert_eq!(encode(name), wire.as_bytes());
        }
    }

    #[test]
    fn what_is_not_modified_utf_7_is_shown_as_it_is() {
        for name in ["R&D", "a & b - c", "&AP-", "Entwürfe", "&2D0-", "&", "&!!!-"] {
            assert_eq!(decode(name.as_bytes()), name);
        }
        assert_eq!(decode(b"caf\xe9"), "caf\u{fffd}");
    }

    #[test]
    fn utf_8_is_spoken_only_after_it_was_enabled() {
        assert_eq!(Spelling::agreed(&["CONDSTORE", "utf8=accept"]), Spelling::Utf8);
        assert_eq!(Spelling::agreed(&["IMAP4rev2"]), Spelling::Utf8);
        assert_eq!(Spelling::agreed(&["QRESYNC"]), Spelling::ModifiedUtf7);
        for (spelling, wire) in
            [(Spelling::Utf8, "R&D/Entwürfe"), (Spelling::ModifiedUtf7, "R&-D/Entw&APw-rfe")]
        {
            assert_eq!(encode_to("R&D/Entwürfe", spelling), wire.as_bytes());
            assert_eq!(decode_from(wire.as_bytes(), spelling), "R&D/Entwürfe");
        }
    }

    #[test]
    fn every_name_survives_the_way_to_the_server_and_back() {
        for start in (0..0x11_0000).step_by(251) {
            let name: String = (start..start + 3).filter_map(char::from_u32).collect();
            let name = format!("a{name}-&{name}");
            assert_eq!(decode(&encode(&name)), name);
        }
    }
}
