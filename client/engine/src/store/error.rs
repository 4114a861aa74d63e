//! IndexedDB's errors as the store's.

use indexed_db_futures::error::{Error, OpenDbError};
use postern_mail::store::StoreError;
use web_sys::DomException;

/// Why a request failed.
pub(super) fn failed(error: Error) -> StoreError {
    match error {
        Error::DomException(exception) => failed_dom(&exception.into()),
        error => StoreError::Failed(error.to_string()),
    }
}

/// Why a value could not be read that the browser keeps in a file of its own.
///
/// Chromium says `NotReadableError` if the file is missing, and `UnknownError` if it is too short.
pub(super) fn failed_value(error: Error) -> StoreError {
    let Error::DomException(exception) = error else { return failed(error) };
    let exception = DomException::from(exception);
    match exception.name().as_str() {
        name @ ("NotReadableError" | "UnknownError" | "DataError") => {
            StoreError::Damaged(format!("{name}: {}", exception.message()))
        }
        _ => failed_dom(&exception),
    }
}

/// Why a request or a transaction failed, in the browser's own type.
pub(super) fn failed_dom(exception: &DomException) -> StoreError {
    match exception.name().as_str() {
        "QuotaExceededError" => StoreError::QuotaExceeded,
        name => StoreError::Failed(format!("{name}: {}", exception.message())),
    }
}

/// Why there is no database to make requests to.
pub(super) fn failed_open(error: &OpenDbError) -> StoreError {
    StoreError::Failed(format!("this browser offers no storage here ({error})"))
}
