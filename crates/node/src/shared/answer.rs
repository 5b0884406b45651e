//! Answers that went wrong, in words: of peers for the engine, of the catalogue for people.

use bitdust_api::{Answer, ApiError};
use bitdust_model::ErrorCode;
use bitdust_model::message::Body;
use bitdust_store::CatalogueError;

/// What a front end is answered.
pub(crate) type Reported = Result<Answer, ApiError>;

/// An error of the catalogue for people.
pub(crate) fn catalogue_error(error: CatalogueError) -> ApiError {
    ApiError::new(error.code(), format!("the catalogue: {error}"))
}

/// The code of an answer that is not the one hoped for.
pub(crate) const fn refusal(body: &Body) -> ErrorCode {
    if let Body::Refused(refusal) = body {
        refusal.code
    } else {
        ErrorCode::Malformed
    }
}
