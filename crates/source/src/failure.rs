//! Why something on the disk could not be opened or read, and what machines call it.

use bitdust_model::ErrorCode;
use bitdust_model::status::Problem;
use rustix::io::Errno;

use crate::relative::BadPath;

/// Why a file or folder could not be opened, listed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It was there a moment ago; it was removed or renamed.
    #[error("it is no longer there")]
    Vanished,
    /// Something else stands at its place now.
    #[error("{found} stands in the place of {wanted}")]
    OtherKind {
        /// What should be there.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// Its name or path cannot be used.
    #[error(transparent)]
    Path(#[from] BadPath),
    /// The system refused or failed.
    #[error("{doing} failed: {errno}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system answered.
        errno: Errno,
    },
    /// There is more of something than can be held.
    #[error("{what}: more than {max}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

impl FileError {
    /// The error of a system call on something that exists by all we know.
    #[must_use]
    pub(crate) fn of(doing: &'static str, errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::STALE => Self::Vanished,
            errno => Self::System { doing, errno },
        }
    }

    /// The code for machines.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Vanished => ErrorCode::NotFound,
            Self::OtherKind { .. } => ErrorCode::Changed,
            Self::Path(_) => ErrorCode::BadPath,
            Self::System { errno, .. } => code_of(*errno, ErrorCode::Unreadable),
            Self::TooMany { .. } => ErrorCode::Unreadable,
        }
    }

    /// The problem of a report, for the thing at `path`.
    #[must_use]
    pub fn into_problem(self, path: Vec<u8>) -> Problem {
        Problem {
            path,
            code: self.code(),
            detail: self.to_string(),
        }
    }
}

/// The code for an answer of the system; `otherwise` where nothing says more.
pub(crate) fn code_of(errno: Errno, otherwise: ErrorCode) -> ErrorCode {
    match errno {
        Errno::NOENT | Errno::STALE => ErrorCode::NotFound,
        Errno::NOSPC | Errno::DQUOT => ErrorCode::DiskFull,
        Errno::IO | Errno::NODEV | Errno::NOMEDIUM => ErrorCode::DiskFailed,
        Errno::NAMETOOLONG | Errno::ILSEQ => ErrorCode::BadPath,
        Errno::AGAIN | Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::BUSY | Errno::TXTBSY => {
            ErrorCode::Busy
        }
        _ => otherwise,
    }
}
