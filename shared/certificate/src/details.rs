//! What a certificate says (RFC 5280 section 4.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use der::{AnyRef, Decode, Error, Reader, SliceReader, Tag, TagNumber, asn1};
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::{
    legible::end,
    limits::{NAME, NAMES},
    name::{self, elements},
};

/// The extension that holds subject alternative names.
const ALTERNATIVE_NAMES: asn1::ObjectIdentifier = asn1::ObjectIdentifier::new_unwrap("2.5.29.17");

/// The SHA-256 digest of a certificate in DER, by which a person recognises it.
pub fn fingerprint(certificate: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, certificate);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// What a certificate says, in texts that are safe to show. None of it is true unless the
/// certificate is trusted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Details {
    /// Whom it was made out to: a distinguished name as in RFC 4514; may be empty.
    pub subject: String,
    /// Who issued it: a distinguished name as in RFC 4514.
    pub issuer: String,
    /// DNS names and IP addresses that it is for, up to [`NAMES`] of them.
    pub names: Vec<String>,
    /// From when on it is valid, in seconds since 1970 (UTC).
    pub not_before: u64,
    /// Until when it is valid, in seconds since 1970 (UTC).
    pub not_after: u64,
}

impl Details {
    /// Reads a certificate in DER; `None` if it is not one.
    pub fn read(certificate: &[u8]) -> Option<Self> {
        Fields::read(certificate).and_then(|fields| fields.details()).ok()
    }
}

/// Whether a certificate names its own subject as its issuer.
pub(crate) fn is_self_issued(certificate: &[u8]) -> bool {
    Fields::read(certificate).is_ok_and(|fields| fields.subject == fields.issuer)
}

/// The parts of a certificate that tell something to a person.
struct Fields<'a> {
    issuer: AnyRef<'a>,
    validity: AnyRef<'a>,
    subject: AnyRef<'a>,
    /// What comes after the subject.
    rest: SliceReader<'a>,
}

impl<'a> Fields<'a> {
    fn read(certificate: &'a [u8]) -> Result<Self, Error> {
        let mut outer = SliceReader::new(certificate)?;
        let signed = sequence(AnyRef::decode(&mut outer)?)?;
        let mut fields = sequence(AnyRef::decode(&mut { signed })?)?;
        if Tag::peek(&fields)?.is_context_specific() {
            // The version.
            AnyRef::decode(&mut fields)?;
        }
        let _serial_number = AnyRef::decode(&mut fields)?;
        let _signature_algorithm = AnyRef::decode(&mut fields)?;
        let issuer = AnyRef::decode(&mut fields)?;
        let validity = AnyRef::decode(&mut fields)?;
        let subject = AnyRef::decode(&mut fields)?;
        Ok(Self { issuer, validity, subject, rest: fields })
    }

    fn details(self) -> Result<Details, Error> {
        let mut validity = sequence(self.validity)?;
        Ok(Details {
            subject: name::as_text(self.subject)?,
            issuer: name::as_text(self.issuer)?,
            not_before: time(AnyRef::decode(&mut validity)?)?,
            not_after: time(AnyRef::decode(&mut validity)?)?,
            names: alternative_names(self.rest)?,
        })
    }
}

fn sequence(value: AnyRef<'_>) -> Result<SliceReader<'_>, Error> {
    Tag::Sequence.assert_eq(value.header().tag())?;
    SliceReader::new(value.value())
}

/// Seconds since 1970.
fn time(value: AnyRef<'_>) -> Result<u64, Error> {
    let since_1970 = match value.header().tag() {
        Tag::UtcTime => value.decode_as::<asn1::UtcTime>()?.to_unix_duration(),
        _ => value.decode_as::<asn1::GeneralizedTime>()?.to_unix_duration(),
    };
    Ok(since_1970.as_secs())
}

/// The DNS names and addresses among the extensions, which are the third tagged field.
fn alternative_names(mut fields: SliceReader<'_>) -> Result<Vec<String>, Error> {
    while !fields.is_finished() {
        let field = AnyRef::decode(&mut fields)?;
        if !is_tagged(field, 3) {
            continue;
        }
        for extension in elements(AnyRef::from_der(field.value())?, Tag::Sequence)? {
            let mut extension = sequence(extension)?;
            let kind: asn1::ObjectIdentifier = Decode::decode(&mut extension)?;
            if kind != ALTERNATIVE_NAMES {
                continue;
            }
            let mut value = AnyRef::decode(&mut extension)?;
            if value.header().tag() == Tag::Boolean {
                // Whether the extension is critical.
                value = AnyRef::decode(&mut extension)?;
            }
            let names = elements(AnyRef::from_der(value.value())?, Tag::Sequence)?;
            return Ok(names.into_iter().filter_map(general_name).take(NAMES).collect());
        }
    }
    Ok(Vec::new())
}

/// A DNS name or an address; `None` if it is a name of another kind (RFC 5280 section 4.2.1.6).
fn general_name(name: AnyRef<'_>) -> Option<String> {
    if is_tagged(name, 2) {
        let name = String::from_utf8_lossy(name.value());
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '*');
        let name = name.replace(|c| !allowed(c), "\u{fffd}");
        return Some(end(&name, NAME));
    }
    if !is_tagged(name, 7) {
        return None;
    }
    match name.value().len() {
        4 => <[u8; 4]>::try_from(name.value()).ok().map(|bytes| Ipv4Addr::from(bytes).to_string()),
        _ => <[u8; 16]>::try_from(name.value()).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
    }
}

fn is_tagged(value: AnyRef<'_>, number: u32) -> bool {
    let tag = value.header().tag();
    tag.is_context_specific() && tag.number() == TagNumber(number)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(["mail.example.org".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn everything_that_a_person_asks_for_is_read() {
        let certificate = certificate(|params| {
            params.distinguished_name.push(DnType::OrganizationName, "Example, Ltd");
            params.distinguished_name.push(DnType::CommonName, "mail.example.org");
            params.not_before = date_time_ymd(2020, 2, 29);
            params.not_after = date_time_ymd(2051, 1, 1);
            let address = "2001:db8::1".parse().unwrap();
            params.subject_alt_names.push(SanType::IpAddress(address));
            params.subject_alt_names.push(SanType::IpAddress([192, 0, 2, 1].into()));
            let mail = "ada@example.org".try_into().unwrap();
            params.subject_alt_names.push(SanType::Rfc822Name(mail));
        });
        let details = Details::read(&certificate).unwrap();
        assert_eq!(details.subject, "CN=mail.example.org,O=Example\\, Ltd");
        assert_eq!(details.issuer, details.subject);
        assert_eq!(details.names, ["mail.example.org", "2001:db8::1", "192.0.2.1"]);
        // One is a UTCTime, the other too late for it.
        assert_eq!((details.not_before, details.not_after), (1_582_934_400, 2_556_144_000));
    }

    #[test]
    fn a_certificate_may_have_neither_subject_nor_names() {
        let certificate = certificate(|params| params.subject_alt_names.clear());
        let details = Details::read(&certificate).unwrap();
        assert_eq!((&*details.subject, details.names.len()), ("", 0));
    }

    #[test]
    fn names_up_to_the_limits_are_told_and_no_more() {
        let label = "a".repeat(59);
        let long = format!("{label}.{label}.example");
        assert_eq!(long.len(), NAME - 1);
        for (prefix, told) in [("x", format!("x{long}")), ("xy", format!("…{}", &long[2..]))] {
            let certificate = certificate(|params| {
                let name = format!("{prefix}{long}").try_into().unwrap();
                params.subject_alt_names = vec![SanType::DnsName(name)];
            });
            assert_eq!(Details::read(&certificate).unwrap().names, [told]);
        }
        for count in [NAMES, NAMES + 1] {
            let certificate = certificate(|params| {
                let name = SanType::DnsName("a.example".try_into().unwrap());
                params.subject_alt_names = vec![name; count];
            });
            assert_eq!(Details::read(&certificate).unwrap().names.len(), NAMES);
        }
    }

    #[test]
    fn a_name_that_is_no_dns_name_is_made_harmless() {
        let certificate = certificate(|params| {
            let name = "good.example\0.evil.example <b>".try_into().unwrap();
            params.subject_alt_names = vec![SanType::DnsName(name)];
        });
        let harmless = "good.example\u{fffd}.evil.example\u{fffd}\u{fffd}b\u{fffd}";
        assert_eq!(Details::read(&certificate).unwrap().names, [harmless]);
    }

    #[test]
    fn nothing_is_read_from_what_is_cut_off_and_no_changed_byte_does_harm() {
        let mut certificate = certificate(|_| {});
        for length in 0..certificate.len() {
            assert_eq!(Details::read(&certificate[..length]), None, "{length}");
        }
        for index in 0..certificate.len() {
            for bit in 0..8 {
                certificate[index] ^= 1 << bit;
                // It is read or not; either way it ends.
                let _ = (Details::read(&certificate), is_self_issued(&certificate));
                certificate[index] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn a_fingerprint_is_the_digest_of_all_of_it() {
        // FIPS 180-2's example.
        let digest = fingerprint(b"abc");
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
