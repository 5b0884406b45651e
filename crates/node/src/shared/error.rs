//! Why the node could not do something, for the edges of the program.

use bitdust_api::ApiError;
use bitdust_model::ErrorCode;

/// An error with a stable code and a sentence for people.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct NodeError {
    /// For machines.
    pub code: ErrorCode,
    /// What happened, what is safe, what to do.
    pub message: String,
}

impl NodeError {
    /// An error of this code with this sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<ApiError> for NodeError {
    fn from(error: ApiError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}

impl From<NodeError> for ApiError {
    fn from(error: NodeError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}
