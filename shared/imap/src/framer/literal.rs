//! Where literals are announced (RFC 9051 section 4.3).

use super::FramingError;

/// Whether a line may stand behind a literal.
pub(super) fn may_follow_a_literal(line: &[u8]) -> bool {
    matches!(line.first(), None | Some(b' ' | b')' | b'(' | b'\r'))
}

/// The length of the text before `{…}` at the line's end, and the size of the literal that follows.
pub(super) fn announced_literal(
    is_first: bool,
    line: &[u8],
) -> Result<Option<(usize, u64)>, FramingError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // The text of a status response or of a continuation is for people and may end in anything.
    if line.last() != Some(&b'}') || (is_first && ends_in_text(line)) {
        return Ok(None);
    }
    let Some(open) = line.iter().rposition(|byte| *byte == b'{') else { return Ok(None) };
    let number = &line[open + 1..line.len() - 1];
    let number = number.strip_suffix(b"+").unwrap_or(number);
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if number.strip_prefix(b"-").is_some_and(is_number) {
        return Err(FramingError::NegativeLiteral);
    }
    if !is_number(number) {
        return Ok(None);
    }
    let size = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    let size = size.ok_or(FramingError::LiteralTooLarge)?;
    // `~{…}` announces a literal that may hold NUL (RFC 3516); there is no other difference.
    let text = if line[..open].ends_with(b"~") { open - 1 } else { open };
    Ok(Some((text, size)))
}

fn ends_in_text(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    let tag = words.next().unwrap_or_default();
    let name = words.next().unwrap_or_default();
    tag != b"*"
        || [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"]
            .iter()
            .any(|status| name.eq_ignore_ascii_case(status))
}
