//! The public roots of trust as a file, so that the page need not carry them in its program: most
//! of it are keys, which no compression makes smaller, and the list shows without them.
//!
//! The build writes the file, the page's engine reads it. For each root it holds subject, public key
//! and name constraints as webpki wants them, each after its length in two bytes (big-endian). Where
//! a root has no name constraints, they have no bytes.
//!
//! Invariant: this crate knows nothing of TLS, so that the build need not compile any.

use std::iter;

use rustls_pki_types::{Der, TrustAnchor};

/// The longest file that is read, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;

/// A file of roots that can't be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// It is longer than [`MAX_FILE`].
    #[error("it is too long")]
    TooLong,
    /// It ends amid a root, or holds none.
    #[error("it is cut off")]
    CutOff,
}

/// Writes the file.
///
/// # Panics
///
/// If a part of a root is longer than 65,535 bytes; no certificate's is.
pub fn pack<'a>(roots: impl IntoIterator<Item = &'a TrustAnchor<'a>>) -> Vec<u8> {
    let mut file = Vec::new();
    for root in roots {
        let constraints = root.name_constraints.as_ref().map_or(&[][..], |der| der);
        for part in [&root.subject, &root.subject_public_key_info, constraints] {
            let length = u16::try_from(part.len()).expect("parts of certificates are short");
            file.extend(length.to_be_bytes());
            file.extend(part);
        }
    }
    file
}

/// Reads the file.
///
/// # Errors
///
/// If it is too long, cut off or empty.
pub fn unpack(file: &[u8]) -> Result<Vec<TrustAnchor<'static>>, Unreadable> {
    if file.len() > MAX_FILE {
        return Err(Unreadable::TooLong);
    }
    let mut rest = file;
    let roots = iter::from_fn(|| (!rest.is_empty()).then(|| root(&mut rest)));
    let roots: Vec<_> = roots.collect::<Option<_>>().ok_or(Unreadable::CutOff)?;
    if roots.is_empty() { Err(Unreadable::CutOff) } else { Ok(roots) }
}

fn root(rest: &mut &[u8]) -> Option<TrustAnchor<'static>> {
    let [subject, key, constraints] = [part(rest)?, part(rest)?, part(rest)?];
    Some(TrustAnchor {
        subject: owned(subject),
        subject_public_key_info: owned(key),
        name_constraints: (!constraints.is_empty()).then(|| owned(constraints)),
    })
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let (part, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
    *rest = after;
    Some(part)
}

fn owned(part: &[u8]) -> Der<'static> {
    part.to_vec().into()
}

#[cfg(test)]
mod tests {
    use webpki_roots::TLS_SERVER_ROOTS;

    use super::*;

    #[test]
    fn the_public_roots_are_the_same_after_packing() {
        assert!(TLS_SERVER_ROOTS.len() > 100);
        assert!(TLS_SERVER_ROOTS.iter().any(|root| root.name_constraints.is_some()));
        assert_eq!(unpack(&pack(TLS_SERVER_ROOTS)).unwrap(), TLS_SERVER_ROOTS);
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_within_a_root_is_refused() {
        let file = pack(&TLS_SERVER_ROOTS[..2]);
        let first = pack(&TLS_SERVER_ROOTS[..1]).len();
        for length in (0..file.len()).filter(|length| *length != first) {
            assert_eq!(unpack(&file[..length]), Err(Unreadable::CutOff), "{length}");
        }
    }

    #[test]
    fn a_file_at_the_limit_is_read_and_one_byte_more_is_refused() {
        // Roots of six bytes, without anything in them.
        let most = MAX_FILE - MAX_FILE % 6;
        assert_eq!(unpack(&vec![0; most]).unwrap().len(), most / 6);
        assert_eq!(unpack(&vec![0; MAX_FILE + 1]), Err(Unreadable::TooLong));
    }
}
