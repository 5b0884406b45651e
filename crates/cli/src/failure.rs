//! How a command ends: the exit codes, and the error with which it ends badly.
//!
//! Invariant: every failure has a stable code for machines and a sentence for people.

use std::io;
use std::process::ExitCode;

use bitdust_api::ApiError;
use bitdust_model::ErrorCode;
use bitdust_node::NodeError;

/// The program's exit codes; documented, so they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed; the message says what is safe.
    Failed,
    /// Wrong usage, or a command that belongs to a later release.
    Usage,
    /// Done, but some files could not be protected or restored; they are listed. Or what was backed
    /// up is not safe yet.
    Incomplete,
}

impl Exit {
    /// The number the shell sees.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// For machines.
    pub(crate) code: ErrorCode,
    /// What happened, what is safe, what to do.
    pub(crate) message: String,
    /// A job's report, where one ended badly.
    pub(crate) report: Option<Box<serde_json::Value>>,
}

impl Failure {
    /// A failure of this code with this sentence.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            report: None,
        }
    }

    /// The command line makes no sense as given.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// A file or stream of this machine could not be used.
    pub(crate) fn io(what: &str, error: &io::Error) -> Self {
        use io::ErrorKind;
        let kind = error.kind();
        let code = if kind == ErrorKind::NotFound {
            ErrorCode::NotFound
        } else if kind == ErrorKind::PermissionDenied {
            ErrorCode::NotAllowed
        } else if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            ErrorCode::DiskFull
        } else {
            ErrorCode::DiskFailed
        };
        Self::new(code, format!("{what}: {error}."))
    }

    /// The node answered something else than what was asked.
    pub(crate) fn odd_answer() -> Self {
        Self::new(
            ErrorCode::Internal,
            "The node gave an answer that does not fit the question. Nothing was changed by it. \
             The running node may be of another version: restart it, then try again.",
        )
    }

    /// The exit code this failure ends the program with.
    pub(crate) const fn exit(&self) -> Exit {
        if matches!(self.code, ErrorCode::BadRequest | ErrorCode::NotYet) {
            Exit::Usage
        } else {
            Exit::Failed
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::new(error.code, error.message)
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        Self::new(error.code, error.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_usage_and_later_releases_end_with_two_and_the_rest_with_one() {
        let check = |code: ErrorCode, number: u8| {
            assert_eq!(Failure::new(code, "").exit().number(), number)
        };
        check(ErrorCode::BadRequest, 2);
        check(ErrorCode::NotYet, 2);
        check(ErrorCode::NotFound, 1);
        check(ErrorCode::HomeHeld, 1);
        check(ErrorCode::Internal, 1);
    }
}
