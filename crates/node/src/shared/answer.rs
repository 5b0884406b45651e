//! Answers that went wrong, in words: of peers for the engine, of the catalogue for people.

use bitdust_api::{Answer, ApiError};
use bitdust_model::ErrorCode;
use bitdust_model::message::Body;
use bitdust_store::{Catalogue, CatalogueError, ShardError, ShardStore};

/// What a front end is answered.
pub(crate) type Reported = Result<Answer, ApiError>;

/// An error of the catalogue for people.
pub(crate) fn catalogue_error(error: CatalogueError) -> ApiError {
    ApiError::new(error.code(), format!("the catalogue: {error}"))
}

/// What a catalogue no longer says that is known to be damaged is taken for nothing, so that the rest of a
/// node goes on: what the catalogue is for does not.
pub(crate) fn or_nothing<T: Default, E>(
    catalogue: &Catalogue,
    found: Result<T, E>,
) -> Result<T, E> {
    match found {
        Err(_) if catalogue.is_damaged() => Ok(T::default()),
        found => found,
    }
}

/// What is kept for others, or nothing where that could not be opened: the own backups do not depend on it.
pub(crate) fn or_none_kept<T: Default>(
    shards: &ShardStore,
    found: Result<T, ShardError>,
) -> Result<T, ShardError> {
    match found {
        Err(_) if shards.is_shut() => Ok(T::default()),
        found => found,
    }
}

/// The code of an answer that is not the one hoped for.
pub(crate) const fn refusal(body: &Body) -> ErrorCode {
    if let Body::Refused(refusal) = body {
        refusal.code
    } else {
        ErrorCode::Malformed
    }
}
