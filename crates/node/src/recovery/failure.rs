//! Why a recovery failed, in sentences: what was found, what was not, and what to do.

use bitdust_model::{ErrorCode, Sequence};

use crate::shared::error::NodeError;
use crate::shared::words;

/// What a recovery had found when it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SoFar {
    /// Suppliers that the records name.
    pub(super) suppliers: usize,
    /// Those of them that told a version.
    pub(super) told: usize,
    /// Those that answered and have none.
    pub(super) empty: usize,
    /// The newest version that a record names.
    pub(super) named: Option<Sequence>,
    /// Machines of the identity without a record.
    pub(super) missing: usize,
    /// Whether all was read, and others were being told of this machine.
    pub(super) is_entering: bool,
}

const NO_TRACE: &str = "no trace of this identity was found; nothing was changed. Check the words, and give the \
     address of a node of the network with --bootstrap, best that of a friend who keeps your data";

const NOT_TOLD: &str = "your versions were found, but nobody could be told of this machine, so that it cannot back up; \
     what your suppliers keep is unharmed. Try again when they are online";

/// What people are told.
pub(super) fn recovery_error(code: ErrorCode, so_far: SoFar) -> NodeError {
    if so_far.is_entering && code.is_transient() {
        return NodeError::new(code, NOT_TOLD);
    }
    if matches!(
        code,
        ErrorCode::NotFound | ErrorCode::Unreachable | ErrorCode::TimedOut
    ) {
        return NodeError::new(code, NO_TRACE);
    }
    let message = if code == ErrorCode::VersionsMissing {
        format!(
            "the identity was found, and no version of it: {}{}. Nothing was changed. Try again when more of your \
             suppliers are online, and ask those who answered whether they lost their data",
            answers(so_far),
            versions(so_far)
        )
    } else if matches!(code, ErrorCode::TooFewSuppliers | ErrorCode::TooFewShards) {
        format!(
            "your suppliers are known, but too few of them can be reached to read the list of files ({}); \
             nothing was changed; try again when more are online",
            answers(so_far)
        )
    } else {
        words::failure(code).to_owned()
    };
    NodeError::new(code, message)
}

fn answers(so_far: SoFar) -> String {
    let SoFar {
        suppliers,
        told,
        empty,
        ..
    } = so_far;
    let silent = suppliers.saturating_sub(told + empty);
    format!(
        "of {suppliers} suppliers {told} told a version, {empty} answered that they have none, and {silent} did not answer"
    )
}

/// Why there should be a version.
fn versions(so_far: SoFar) -> String {
    match so_far {
        SoFar {
            named: Some(Sequence(number)),
            ..
        } => format!("; by its records there is one, no. {number}"),
        SoFar { missing: 0, .. } => String::new(),
        SoFar { missing, .. } => {
            format!("; of {missing} of its machines no record was found, so that there may be one")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: ErrorCode, so_far: SoFar) -> String {
        recovery_error(code, so_far).message
    }

    #[test]
    fn it_is_said_what_was_found_and_what_was_not() {
        let so_far = SoFar {
            suppliers: 6,
            told: 0,
            empty: 4,
            named: Some(Sequence(17)),
            missing: 0,
            is_entering: false,
        };
        let text = said(ErrorCode::VersionsMissing, so_far);
        for part in [
            "4 answered that they have none",
            "2 did not answer",
            "no. 17",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let unnamed = SoFar {
            named: None,
            missing: 1,
            ..so_far
        };
        let text = said(ErrorCode::VersionsMissing, unnamed);
        assert!(text.contains("of 1 of its machines no record"), "{text}");
        let few = SoFar { told: 1, ..so_far };
        let text = said(ErrorCode::TooFewSuppliers, few);
        assert!(text.contains("1 told a version"), "{text}");
        assert!(text.contains("try again when more are online"), "{text}");
        let text = said(ErrorCode::Unreachable, so_far);
        assert!(text.contains("no trace"), "{text}");
        let entering = SoFar {
            is_entering: true,
            ..so_far
        };
        let text = said(ErrorCode::Unreachable, entering);
        assert!(text.contains("your versions were found"), "{text}");
    }
}
