//! Sentences for people: what happened, what is safe, what to do.

use bitdust_api::view::JobPhase;
use bitdust_model::ErrorCode;

/// Why a job failed.
pub(crate) const fn failure(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Unreachable | ErrorCode::TimedOut | ErrorCode::Interrupted => {
            "the suppliers cannot be reached; what was stored before is as safe as it was; try again when they are online"
        }
        ErrorCode::Busy => "the other side is busy; try again in a while",
        ErrorCode::QuotaExceeded => {
            "the suppliers have no room left; what was stored before is safe; hire more, or ask them for more space"
        }
        ErrorCode::NoContract => {
            "there is no contract with the supplier; accept an invitation or hire one"
        }
        ErrorCode::Expired => "it has expired; ask for a new one",
        ErrorCode::NotAuthentic => {
            "a signature or key is wrong; nothing was believed and nothing was changed"
        }
        ErrorCode::NotAllowed => "this may only be done by the owner",
        ErrorCode::Replayed => "the other side repeated an old message; it was refused",
        ErrorCode::NotFound => "it is not there",
        ErrorCode::Corrupt => "bytes came back wrong and were not used",
        ErrorCode::Malformed => "the other side sent something that makes no sense; it was refused",
        ErrorCode::Incompatible => {
            "the other side speaks another version or belongs to another network"
        }
        ErrorCode::DiskFull => {
            "the disk is full; nothing that was safe before is less safe; make room and try again"
        }
        ErrorCode::DiskFailed => "the disk failed; nothing that was safe before is less safe",
        ErrorCode::Stale => "the suppliers know something newer; this device does not overwrite it",
        ErrorCode::Fenced => {
            "this device was declared gone by a recovery; start it anew with `bitdust recover`"
        }
        ErrorCode::TooFewSuppliers => {
            "there are not enough suppliers; accept invitations or hire some, then try again"
        }
        ErrorCode::TooFewShards => {
            "too few suppliers that hold the data can be reached; nothing was changed; try again when more are online"
        }
        ErrorCode::Unreadable => "it cannot be read",
        ErrorCode::Changed => "it changed all the time while it was read",
        ErrorCode::BadPath => "the path cannot be used",
        ErrorCode::HomeHeld => "another process holds this home",
        ErrorCode::Cancelled => "it was stopped; nothing that was safe before is less safe",
        ErrorCode::BadRequest => "the request makes no sense as given",
        ErrorCode::NotYet => "this belongs to a later release",
        ErrorCode::Internal => {
            "a defect in this program; what was stored before is safe; please report it"
        }
        ErrorCode::TooMany => {
            "there are more versions, folders or patterns than can be kept; what was stored before is as safe as it was; protect fewer folders, or leave out less"
        }
    }
}

/// What a job does or waits for.
pub(crate) fn phase(phase: &JobPhase) -> String {
    match phase {
        JobPhase::Waiting => String::new(),
        JobPhase::WaitingForSuppliers { have, need } => {
            format!("waiting for suppliers ({have} of {need} have signed)")
        }
        JobPhase::Reading => "reading, sealing and sending".to_owned(),
        JobPhase::WaitingForSpool => {
            "waiting: pieces for suppliers that are away fill their room on this disk; it goes on when one of them is online".to_owned()
        }
        JobPhase::WaitingForDisk => {
            "waiting: the disk of this machine is full or fails; it goes on when it can be written".to_owned()
        }
        JobPhase::WaitingForSupplier { name } => {
            format!("waiting: {name} takes no pieces at the moment")
        }
        JobPhase::Sending => "sending the rest".to_owned(),
        JobPhase::WaitingForConfirmations { confirmed, need } => {
            format!("waiting for suppliers that are away ({confirmed} of {need} confirmed)")
        }
        JobPhase::WritingLists => "storing the lists of files".to_owned(),
        JobPhase::Publishing => "giving the new version to the suppliers".to_owned(),
        JobPhase::Seeking => "looking for your suppliers".to_owned(),
        JobPhase::AskingHeads => "asking suppliers for the newest version".to_owned(),
        JobPhase::LoadingLists => "loading the lists of files".to_owned(),
        JobPhase::Fetching => "fetching and writing files".to_owned(),
        JobPhase::WaitingForPieces => "waiting for suppliers that hold what is missing".to_owned(),
    }
}
