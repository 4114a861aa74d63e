//! Distinguished names as text, in the form of RFC 4514: `CN=mail.example.org,O=Example`.

use std::fmt::Write as _;

use der::{AnyRef, Decode, Error, Reader, SliceReader, Tag, asn1::ObjectIdentifier};

use crate::{
    legible::{beginning, legible},
    limits::{ATTRIBUTES, DISTINGUISHED_NAME},
};

/// The attributes that have short names (RFC 4514 section 3), and the one for mail addresses.
const SHORT_NAMES: [(&str, &str); 10] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// A `Name` (RFC 5280 section 4.1.2.4) as text; its last attribute comes first, as the form demands.
pub(crate) fn as_text(name: AnyRef<'_>) -> Result<String, Error> {
    let mut parts = Vec::new();
    for relative in elements(name, Tag::Sequence)? {
        let attributes = elements(relative, Tag::Set)?.into_iter().map(attribute);
        parts.push(attributes.collect::<Result<Vec<_>, _>>()?.join("+"));
    }
    parts.reverse();
    parts.truncate(ATTRIBUTES);
    Ok(beginning(&parts.join(","), DISTINGUISHED_NAME))
}

/// What a sequence or set consists of.
pub(crate) fn elements(outer: AnyRef<'_>, tag: Tag) -> Result<Vec<AnyRef<'_>>, Error> {
    tag.assert_eq(outer.header().tag())?;
    let mut reader = SliceReader::new(outer.value())?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(AnyRef::decode(&mut reader)?);
    }
    Ok(elements)
}

fn attribute(attribute: AnyRef<'_>) -> Result<String, Error> {
    let mut reader = SliceReader::new(attribute.value())?;
    let kind: ObjectIdentifier = Decode::decode(&mut reader)?;
    let value = AnyRef::decode(&mut reader)?;
    let oid = kind.to_string();
    let short = SHORT_NAMES.iter().find(|(number, _)| *number == oid);
    let kind = short.map_or(&*oid, |(_, short)| short);
    Ok(match text(value) {
        Some(text) => format!("{kind}={}", escaped(&text)),
        None => {
            let mut digits = format!("{kind}=#");
            for byte in value.value().iter().take(DISTINGUISHED_NAME) {
                write!(digits, "{byte:02X}").expect("a string takes every write");
            }
            digits
        }
    })
}

/// The value of one of ASN.1's types for text; `None` if it is another.
fn text(value: AnyRef<'_>) -> Option<String> {
    let bytes = value.value();
    Some(match value.header().tag() {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => String::from_utf8_lossy(bytes).into_owned(),
        // Whatever T.61 says: those who use it mean Latin-1.
        Tag::TeletexString => bytes.iter().copied().map(char::from).collect(),
        Tag::BmpString => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => return None,
    })
}

/// A value as RFC 4514 section 2.4 writes it, with what must not be shown replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        let at_edge = matches!((c, index), ('#' | ' ', 0)) || (c == ' ' && index == last);
        if at_edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            escaped.push('\\');
        }
        escaped.push(legible(c));
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One element of DER.
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        match content.len() {
            short @ 0..0x80 => bytes.push(short as u8),
            medium @ 0x80..0x100 => bytes.extend([0x81, medium as u8]),
            long => {
                bytes.push(0x82);
                bytes.extend((long as u16).to_be_bytes());
            }
        }
        bytes.extend(content);
        bytes
    }

    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Result<String, Error> {
        let parts = attributes.iter().map(|(kind, tag, value)| {
            let pair = [element(0x06, kind), element(*tag, value)].concat();
            element(0x31, &element(0x30, &pair))
        });
        let bytes = element(0x30, &parts.collect::<Vec<_>>().concat());
        as_text(AnyRef::from_der(&bytes)?)
    }

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANISATION: &[u8] = &[0x55, 4, 10];
    const UTF8: u8 = 0x0c;

    #[test]
    fn the_most_telling_attribute_comes_first() {
        let attributes: [(&[u8], u8, &[u8]); 3] = [
            (&[0x55, 4, 6], 0x13, b"PT"),
            (ORGANISATION, UTF8, "Jardim & Irmãos".as_bytes()),
            (COMMON_NAME, UTF8, b"mail.example.org"),
        ];
        assert_eq!(name(&attributes).unwrap(), "CN=mail.example.org,O=Jardim & Irmãos,C=PT");
        assert_eq!(name(&[]).unwrap(), "");
    }

    #[test]
    fn every_type_of_text_is_read_and_any_other_value_shown_in_hexadecimal() {
        for (tag, value, shown) in [
            (0x16, &b"plain"[..], "CN=plain"),
            (0x14, b"M\xfcller", "CN=Müller"),
            (0x1e, b"\x00M\x00\xfc\x8a\x9e", "CN=Mü語"),
            (0x1e, b"\xd8\x00\x00M", "CN=\u{fffd}M"),
            (UTF8, b"\xff\xfe", "CN=\u{fffd}\u{fffd}"),
            (0x04, b"\x01\xab", "CN=#01AB"),
        ] {
            assert_eq!(name(&[(COMMON_NAME, tag, value)]).unwrap(), shown);
        }
        assert_eq!(name(&[(&[0x2a, 3], UTF8, b"x")]).unwrap(), "1.2.3=x");
    }

    #[test]
    fn a_value_can_not_imitate_another_attribute_nor_hide_anything() {
        for (value, shown) in [
            ("x,O=Bank", "CN=x\\,O=Bank"),
            ("x+O=Bank", "CN=x\\+O=Bank"),
            (" x ", "CN=\\ x\\ "),
            ("#x\\", "CN=\\#x\\\\"),
            ("a\u{202e}gro.elpmaxe\0\n", "CN=a\u{fffd}gro.elpmaxe\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(name(&[(COMMON_NAME, UTF8, value.as_bytes())]).unwrap(), shown);
        }
    }

    #[test]
    fn a_name_at_the_limits_is_shown_whole_and_one_past_them_is_cut() {
        let value = "a".repeat(DISTINGUISHED_NAME - "CN=".len());
        let whole = name(&[(COMMON_NAME, UTF8, value.as_bytes())]).unwrap();
        assert_eq!(whole, format!("CN={value}"));
        let cut = name(&[(COMMON_NAME, UTF8, format!("{value}a").as_bytes())]).unwrap();
        assert_eq!(cut.len(), DISTINGUISHED_NAME);
        assert!(cut.ends_with("aaa…"), "{cut}");

        let attributes = |count| name(&vec![(COMMON_NAME, UTF8, &b"a"[..]); count]).unwrap();
        assert_eq!(attributes(ATTRIBUTES).matches("CN=a").count(), ATTRIBUTES);
        assert_eq!(attributes(ATTRIBUTES + 1).matches("CN=a").count(), ATTRIBUTES);
    }

    #[test]
    fn what_is_no_name_is_an_error() {
        for bytes in [&[0x04, 0][..], &[0x30, 2, 0x31, 5], &[0x30, 4, 0x31, 2, 0x30, 0]] {
            assert!(AnyRef::from_der(bytes).and_then(as_text).is_err(), "{bytes:?}");
        }
    }
}
