//! The tunnel's control messages, in both directions.

use std::fmt::Debug;

use postern_tunnel::{Decode, FromPage, FromProxy, MAX_CONTROL, Open};

/// A message may also come as an array, without names of fields; it is written with them, which
/// takes no more than this, in bytes.
const FIELD_NAMES: usize = 128;

/// Reading never panics, refuses what is too long, and what was read survives the way: written and
/// read again it is the same message, and hardly longer than it was.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    // A WebSocket lets nothing else through as text, nor HTTP as the name of a subprotocol.
    let Ok(text) = std::str::from_utf8(input) else { return };
    round_trip(text, FromPage::from_text, FromPage::to_text);
    round_trip(text, FromProxy::from_text, FromProxy::to_text);
    if let Some(Ok(open)) = Open::from_subprotocol(text) {
        let again = Open::from_subprotocol(&open.to_subprotocol());
        assert!(matches!(again, Some(Ok(same)) if same == open), "{text:?}");
    }
}

fn round_trip<M: Debug + PartialEq>(
    text: &str,
    read: impl Fn(&str) -> Result<M, Decode>,
    write: impl Fn(&M) -> String,
) {
    let message = match read(text) {
        Ok(message) => message,
        Err(error) => {
            let too_long = matches!(error, Decode::TooLong(_));
            assert_eq!(too_long, text.len() > MAX_CONTROL, "{error}");
            return;
        }
    };
    assert!(text.len() <= MAX_CONTROL);
    let written = write(&message);
    assert!(written.len() <= text.len() + FIELD_NAMES, "{text:?} became {written:?}");
    if written.len() <= MAX_CONTROL {
        let again = read(&written).expect("what was written can be read");
        assert_eq!(again, message);
        assert_eq!(write(&again), written);
    }
}
